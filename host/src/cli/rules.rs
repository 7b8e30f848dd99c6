//! `sluicegate rules`: the catalogue, as the policy describes itself.

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use sluicegate::report::{self, Page};
use sluicegate::{Example, Examples, Rule, nearest};

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
            (Format::Json, rules) => {
                let document = json!({
                    "apiVersion": "sluicegate.dev/v1alpha1",
                    "kind": "RuleCatalogue",
                    "policy": {"version": description.version, "digest": policy.digest()},
                    "rules": rules.iter().map(|it| rule(it, self.id.is_some())).collect::<Vec<_>>(),
                });
                serde_json::to_writer_pretty(&mut text, &document)?;
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

fn rule(rule: &Rule, explained: bool) -> Value {
    let mut value = json!({
        "id": rule.id,
        "title": rule.title,
        "family": rule.family,
        "why": rule.why,
        "source": rule.source,
        "level": rule.level.name(),
        "dialects": rule.dialects(),
        "looksAt": rule.looks_at.iter().map(|(dialect, looks)| (dialect.name().to_owned(), json!(looks))).collect::<serde_json::Map<_, _>>(),
        "facts": rule.facts,
        "parameters": rule.parameters.iter().map(|it| json!({"name": it.name, "title": it.title, "shipped": it.shipped})).collect::<Vec<_>>(),
    });
    if explained {
        let example = |it: Option<Example>| it.map(|Example { path, text }| json!({"path": path, "case": text}));
        let Examples { fires, quiet } = Examples::of(&rule.id);
        let examples = json!({"fires": example(fires), "quiet": example(quiet)});
        value.as_object_mut().map(|members| members.insert("examples".to_owned(), examples));
    }
    value
}
