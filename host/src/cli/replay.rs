//! `sluicegate replay`: judges the requests of a decision log again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use sluicegate::logged::{Logged, Said, settings_digest};
use sluicegate::{CheckError, Policy, Settings, report};

use super::check::compile;
use super::{Exit, PolicyChoice, by_policy, complain, print};

/// The longest line that is read: a body, its facts, and what reads answered.
const LONGEST_LINE: u64 = 256 << 20;

/// Judge the requests of a decision log again, and show what is said otherwise now
///
/// With another policy or other settings it tells, before they are put to use, which requests of the past would have
/// been decided otherwise. Facts and looked-up answers are those of the log: no platform is asked.
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate replay decisions.jsonl --settings new.yaml

Exit codes:
  0  the same is said about all of them
  1  something else is said about at least one
  2  a line cannot be read, or the command line is wrong
  3  the policy failed")]
pub struct Replay {
    /// Files of `serve --decision-log`; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Levels of rules and what to assume: a `Settings` document; without it, the shipped settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyChoice,
}

/// What the lines are judged with, and what came of them.
struct Run {
    policy: Policy,
    settings: Settings,
    digest: String,
    /// Settings of the log that are not those at hand, so that each is named once.
    other: BTreeSet<String>,
    judged: u64,
    differ: u64,
    left_out: u64,
    exit: Exit,
}

impl Replay {
    /// Judges all lines, and says how many differ.
    pub fn run(self) -> anyhow::Result<Exit> {
        let policy = self.policy.load()?;
        let (settings, digest) = match &self.settings {
            None => (Settings::default(), settings_digest(None)),
            Some(file) => {
                let source =
                    std::fs::read(file).with_context(|| format!("cannot read the settings `{}`", file.display()))?;
                (compile(&policy, file)?, settings_digest(Some(&source)))
            }
        };
        let mut run = Run {
            policy,
            settings,
            digest,
            other: BTreeSet::new(),
            judged: 0,
            differ: 0,
            left_out: 0,
            exit: Exit::Allowed,
        };
        for path in &self.files {
            if path.as_os_str() == "-" {
                run.lines(path, io::stdin().lock())?;
            } else {
                let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
                run.lines(path, BufReader::new(file))?;
            }
        }
        let Run { judged, differ, left_out, .. } = run;
        let left_out = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
        print(format!("{judged} judged again, {differ} differ{left_out}\n").as_bytes())?;
        Ok(run.exit)
    }
}

impl Run {
    fn lines(&mut self, path: &Path, mut source: impl BufRead) -> anyhow::Result<()> {
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let place = || format!("{}:{number}", path.display());
            let read = source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            if read.with_context(|| format!("cannot read `{}`", path.display()))? == 0 {
                break;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match Logged::parse(&line) {
                Ok(logged) => self.line(&logged, &place())?,
                Err(message) => {
                    complain(&format!("{}: {message}", place()));
                    self.exit = self.exit.worst(Exit::Wrong);
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, logged: &Logged, place: &str) -> anyhow::Result<()> {
        if logged.settings != self.digest && self.other.insert(logged.settings.clone()) {
            complain(&format!(
                "{place}: the settings then were {}, these are {}; give those with `--settings` to see what the policy alone changes",
                logged.settings, self.digest
            ));
        }
        let outcome = match (logged.judge(&self.policy, &self.settings), &logged.request) {
            (Some(outcome), _) => outcome,
            (None, request) => {
                let why = request.as_ref().err().map(String::as_str).unwrap_or_default();
                complain(&format!("{place}: left out: {why}"));
                self.left_out += 1;
                return Ok(());
            }
        };
        self.judged += 1;
        if let Err(CheckError::Policy(error)) = &outcome {
            complain(&format!("{place}: {error}"));
            let exit = if by_policy(error) { Exit::Undecided } else { Exit::Wrong };
            self.exit = self.exit.worst(exit);
        }
        let differences = logged.said().differences(&Said::of(&outcome));
        if differences.is_empty() {
            return Ok(());
        }
        self.differ += 1;
        self.exit = self.exit.worst(Exit::Denied);
        let mut text = format!("{place}  {} {} {}\n", logged.time, logged.door, logged.id);
        for difference in differences {
            // Writing to a string does not fail.
            let _ = writeln!(text, "        {difference}");
        }
        if let Err(CheckError::Unjudgeable(failure)) = &outcome {
            let _ = writeln!(text, "        {}", failure.message);
        }
        if logged.redacted {
            text.push_str("        secrets of this request are not in the log, which may be why\n");
        }
        print(report::clean(&text).as_bytes())
    }
}
