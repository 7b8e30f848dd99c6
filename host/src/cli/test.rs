//! `sluicegate test`: runs case files against the policy.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use sluicegate::case::{self, Case};
use sluicegate::{Policy, report};

use super::{Exit, PolicyChoice, print};

/// Run case files: a request, what is known, and what must come of it
///
/// A case that fails, an unknown key, or a folder without cases: exit 1, with what was expected and what came.
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate test tests/cases")]
pub struct Test {
    /// Folders (walked) or case files
    #[arg(required = true, value_name = "DIR")]
    places: Vec<PathBuf>,
    /// Name the cases that pass as well
    #[arg(short, long)]
    verbose: bool,
    #[command(flatten)]
    policy: PolicyChoice,
}

impl Test {
    /// Runs them all and says how many passed.
    pub fn run(self) -> anyhow::Result<Exit> {
        let policy = self.policy.load()?;
        let rules: Vec<String> = policy.describe()?.rules.into_iter().map(|rule| rule.id).collect();
        let mut text = String::new();
        let (mut passed, mut failed) = (0, 0);
        for place in &self.places {
            // A place that is not there is a wrong command line; one without cases is a failed test.
            place.metadata().with_context(|| format!("cannot read `{}`", place.display()))?;
            for (file, found) in case::find(place) {
                let differences = match found {
                    Ok(()) => run(&policy, &rules, &file),
                    Err(error) => vec![error.to_string()],
                };
                if !differences.is_empty() {
                    failed += 1;
                    failure(&mut text, &file, &differences);
                    continue;
                }
                passed += 1;
                if self.verbose {
                    let _ = writeln!(text, "ok    {}", file.display());
                }
            }
        }
        let _ = writeln!(text, "{passed} passed, {failed} failed");
        print(report::clean(&text).as_bytes())?;
        Ok(if failed == 0 { Exit::Allowed } else { Exit::Denied })
    }
}

fn run(policy: &Policy, rules: &[String], file: &Path) -> Vec<String> {
    match Case::open(file) {
        Err(error) => vec![error.to_string()],
        Ok(case) => case.differences(&case.judge(policy), rules),
    }
}

fn failure(text: &mut String, file: &Path, differences: &[String]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "FAIL  {}", file.display());
    for line in differences {
        let _ = writeln!(text, "        {line}");
    }
}
