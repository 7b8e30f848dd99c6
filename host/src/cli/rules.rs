//! `sluicegate rules`: the catalogue, as the policy describes itself.

use anyhow::bail;
use clap::{Args, ValueEnum};
use sluicegate::nearest;
use sluicegate::report::{self, Page};

use super::{Exit, PolicyChoice, print};

/// List the rules, or explain one
#[derive(Args)]
#[command(after_help = "\
Examples:
  sluicegate rules
  sluicegate rules drain-with-planned-restart")]
pub struct Rules {
    /// The rule to explain; none: all, one line each
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// How they are written
    #[arg(long, default_value = "human")]
    format: Format,
    #[command(flatten)]
    policy: PolicyChoice,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For scripts
    Json,
    /// The table of the README
    Markdown,
}

impl Rules {
    /// Prints the catalogue.
    pub fn run(self) -> anyhow::Result<Exit> {
        let policy = self.policy.load()?;
        let mut description = policy.describe()?;
        if let Some(id) = &self.id {
            let ids: Vec<String> = description.rules.iter().map(|rule| rule.id.clone()).collect();
            description.rules.retain(|rule| rule.id == *id);
            if description.rules.is_empty() {
                let hint = match nearest::hint(id, &ids) {
                    hint if hint.is_empty() => "; `sluicegate rules` lists them".to_owned(),
                    hint => hint,
                };
                bail!("there is no rule `{id}`{hint}");
            }
        }
        let mut text = Vec::new();
        match (self.format, description.rules.as_slice()) {
            (Format::Json, _) => {
                let write = if self.id.is_some() { report::explained_json } else { report::catalogue_json };
                serde_json::to_writer_pretty(&mut text, &write(&description, policy.digest()))?;
                text.push(b'\n');
            }
            (Format::Markdown, rules) => text.extend_from_slice(report::markdown(rules).as_bytes()),
            (Format::Human, [rule]) if self.id.is_some() => {
                report::explain(rule, Page { width: super::width() }, &mut text)?;
            }
            (Format::Human, rules) => report::list(rules, Page { width: super::width() }, &mut text)?,
        }
        print(&text)?;
        Ok(Exit::Allowed)
    }
}
