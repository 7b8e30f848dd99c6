//! What is wrong besides the requests: facts, settings, live objects. Nothing can be judged then, and the report of a
//! script says so as well.

use std::fmt;
use std::path::Path;

use sluicegate::input::Position;
use sluicegate::report::{Judged, Outcome};

use crate::cli::Exit;

/// A file that was given for the judgement and is of no use for it.
#[derive(Debug)]
pub(in crate::cli) struct Trouble {
    file: String,
    problems: Vec<(Option<Position>, String)>,
}

impl Trouble {
    pub(super) fn new(file: impl fmt::Display, position: Option<Position>, message: impl Into<String>) -> Self {
        Self { file: file.to_string(), problems: vec![(position, message.into())] }
    }

    /// Several problems in one file, each with its place.
    pub(super) fn several(file: &Path, problems: impl Iterator<Item = (Position, String)>) -> Self {
        let problems = problems.map(|(position, message)| (Some(position), message)).collect();
        Self { file: file.display().to_string(), problems }
    }
}

impl std::error::Error for Trouble {}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (position, message)) in self.problems.iter().enumerate() {
            let line = if number > 0 { "\n" } else { "" };
            let place = position.map(|position| format!(":{position}")).unwrap_or_default();
            write!(f, "{line}{}{place}: {message}", self.file)?;
        }
        Ok(())
    }
}

/// What a report says of an error that stopped the run.
pub(super) fn results(error: &anyhow::Error) -> Vec<Judged> {
    let by_policy = Exit::of(error) == Exit::Undecided;
    let result = |input: &str, position, message: String| {
        let outcome = Outcome::Error { message, position, by_policy };
        Judged { input: input.to_owned(), document: 1, among_others: false, outcome }
    };
    match error.downcast_ref::<Trouble>() {
        Some(Trouble { file, problems }) => {
            problems.iter().map(|(position, message)| result(file, *position, message.clone())).collect()
        }
        None => vec![result("", None, format!("{error:#}"))],
    }
}
