//! `sluicegate settings`: what settings may say, and whether a file of them is right.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;
use sluicegate::report;

use super::check::{Trouble, compile};
use super::{Exit, PolicyChoice, print};

/// Check settings, or print their JSON Schema
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  sluicegate settings check settings.yaml
  sluicegate settings schema > settings.schema.json"
)]
pub struct SettingsVerbs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Schema(Schema),
    Check(Check),
}

/// Print the JSON Schema (2020-12) of settings, for editors and pipelines
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate settings schema > settings.schema.json")]
struct Schema {
    #[command(flatten)]
    policy: PolicyChoice,
}

/// Say everything that is wrong with settings
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate settings check settings.yaml")]
struct Check {
    /// `Settings` documents; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    policy: PolicyChoice,
}

impl SettingsVerbs {
    /// Does what is asked.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.verb {
            Verb::Schema(verb) => verb.run(),
            Verb::Check(verb) => verb.run(),
        }
    }
}

impl Schema {
    fn run(self) -> anyhow::Result<Exit> {
        let schema: Value = serde_json::from_str(&self.policy.load()?.describe()?.settings_schema)?;
        let mut text = serde_json::to_vec_pretty(&schema)?;
        text.push(b'\n');
        print(&text)?;
        Ok(Exit::Allowed)
    }
}

impl Check {
    fn run(self) -> anyhow::Result<Exit> {
        let policy = self.policy.load()?;
        let mut exit = Exit::Allowed;
        let mut text = String::new();
        for file in &self.files {
            match compile(&policy, file) {
                Ok(_) => text.push_str(&format!("{}: good\n", file.display())),
                Err(error) => {
                    // What is wrong with a file is the answer; a policy that gives way is none.
                    let trouble = error.downcast::<Trouble>()?;
                    text.push_str(&format!("{trouble}\n"));
                    exit = Exit::Wrong;
                }
            }
        }
        print(report::clean(&text).as_bytes())?;
        Ok(exit)
    }
}
