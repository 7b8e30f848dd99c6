//! Judges document after document, and keeps what came of them.

use std::path::Path;

use sluicegate::input::{self, Found, Lines, Recognised};
use sluicegate::report::{Judged, Outcome};
use sluicegate::{Api, CheckError, Policy, Settings};

use super::facts::Known;
use super::files::{self, File};
use super::live::Live;
use crate::cli::{by_policy, complain};

/// Judges document after document.
pub(super) struct Judge<'p> {
    policy: &'p Policy,
    settings: Settings,
    known: &'p Known,
    results: Vec<Judged>,
    /// What was found in the folder at hand and is no request.
    skipped: Vec<String>,
}

impl<'p> Judge<'p> {
    pub(super) fn new(policy: &'p Policy, settings: Settings, known: &'p Known) -> Self {
        Self { policy, settings, known, results: Vec::new(), skipped: Vec::new() }
    }

    /// Judges every file that `path` stands for.
    pub(super) fn path(&mut self, path: &Path, api: Option<Api>, live: &Live) {
        let before = self.results.len();
        let (files, walked) = files::expand(path);
        for file in files {
            self.file(file, walked, api, live);
        }
        let name = path.display().to_string();
        if let Some(first) = self.skipped.first() {
            let count = self.skipped.len();
            let documents = if count == 1 { "document" } else { "documents" };
            complain(&format!("skipped {count} {documents} in {name} without a request, the first in {first}"));
            self.skipped.clear();
        }
        if walked && self.results.len() == before {
            self.error(name, "no request was found in this folder; expected files such as *.yaml, *.json, *.http");
        }
    }

    pub(super) fn finish(self) -> Vec<Judged> {
        self.results
    }

    /// Judges every document of a file. `walked`: it was found in a folder, where much else lies about.
    fn file(&mut self, file: File, walked: bool, api: Option<Api>, live: &Live) {
        let File { name, bytes } = file;
        let read = bytes.and_then(|bytes| match input::read(&bytes, api) {
            Ok(inputs) => Ok((bytes, inputs)),
            Err(error) => Err(error.message),
        });
        let (bytes, inputs) = match read {
            Ok(read) => read,
            Err(message) => return self.error(name, &message),
        };
        let lines = Lines::new(&bytes);
        let among_others = inputs.len() > 1;
        let label = |number: usize| if among_others { format!("{name} document {number}") } else { name.clone() };
        for input in inputs {
            let outcome = match input.found {
                Found::Request(recognised) => self.request(&recognised, &lines, live),
                Found::Foreign(_) | Found::Unrecognised(_) if walked => {
                    self.skipped.push(label(input.number));
                    continue;
                }
                Found::Foreign(what) => {
                    complain(&format!("skipped {}: {what}", label(input.number)));
                    continue;
                }
                Found::Unrecognised(error) | Found::Broken(error) => Outcome::unreadable(error, &lines),
            };
            self.results.push(Judged { input: name.clone(), document: input.number, among_others, outcome });
        }
    }

    /// Something named on the command line came to nothing.
    fn error(&mut self, input: String, message: &str) {
        let outcome = Outcome::Error { message: message.to_owned(), position: None, by_policy: false };
        self.results.push(Judged { input, document: 1, among_others: false, outcome });
    }

    fn request(&self, recognised: &Recognised, file: &Lines<'_>, live: &Live) -> Outcome {
        let live = match recognised.object.as_ref().map(|object| live.of(object)).transpose() {
            Ok(live) => live.flatten(),
            Err(message) => return Outcome::Error { message, position: None, by_policy: false },
        };
        match self.known.ask(self.policy, &self.settings, &recognised.request, live) {
            Ok(verdict) => Outcome::of(verdict, file, recognised.offset),
            Err(CheckError::Unjudgeable(failure)) => Outcome::unjudgeable(failure, file, recognised.offset),
            Err(CheckError::Policy(error)) => {
                Outcome::Error { message: error.to_string(), position: None, by_policy: by_policy(&error) }
            }
        }
    }
}
