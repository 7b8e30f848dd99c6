//! The rules: for people as a list, one of them in full, or the table of the README; for scripts as JSON.

use std::io::{self, Write};

use anstyle::Style;
use serde_json::{Map, Value, json};

use super::Page;
use super::human::{BOLD, DIM, PLAIN, level_style};
use super::layout::{clean, paragraph};
use crate::{Description, Example, Examples, Parameter, Rule};

/// Where the texts of an explanation start.
const TEXT: usize = 12;

/// One line for each rule; where the page is too narrow for that, the titles stand below the ids.
///
/// # Errors
/// When `out` cannot be written to.
pub fn list(rules: &[Rule], page: Page, out: &mut dyn Write) -> io::Result<()> {
    let widest = |text: fn(&Rule) -> &str| rules.iter().map(|rule| text(rule).chars().count()).max().unwrap_or(0);
    let (effect, id) = (widest(|rule| rule.level.name()), widest(|rule| &rule.id));
    let beside = effect + 2 + id + 2 + widest(|rule| &rule.title) <= page.width;
    for rule in rules {
        let style = level_style(rule.level);
        write!(out, "{style}{:effect$}{style:#}  ", rule.level.name())?;
        if beside {
            writeln!(out, "{BOLD}{:id$}{BOLD:#}  {}", rule.id, rule.title)?;
        } else {
            writeln!(out, "{BOLD}{}{BOLD:#}", rule.id)?;
            let margin = " ".repeat(effect + 2);
            paragraph(out, (&margin, PLAIN), (&rule.title, PLAIN), effect + 2, page.width)?;
        }
    }
    Ok(())
}

/// All there is to say about one rule.
///
/// # Errors
/// When `out` cannot be written to.
pub fn explain(rule: &Rule, page: Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{BOLD}{}{BOLD:#}", rule.id)?;
    let rows: [(&str, &str, Style); 5] = [
        ("what", &rule.title, PLAIN),
        ("default", rule.level.name(), level_style(rule.level)),
        ("family", &rule.family, PLAIN),
        ("why", &rule.why, PLAIN),
        ("source", &rule.source, PLAIN),
    ];
    for (label, text, style) in rows {
        paragraph(out, (&format!("  {label}"), DIM), (text, style), TEXT, page.width)?;
    }
    if !rule.facts.is_empty() {
        paragraph(out, ("  facts", DIM), (&rule.facts.join(", "), PLAIN), TEXT, page.width)?;
    }
    for Parameter { name, title, shipped } in &rule.parameters {
        let text = format!("`{name}: {shipped}`: {title}");
        paragraph(out, ("  settings", DIM), (&text, PLAIN), TEXT, page.width)?;
    }
    writeln!(out, "\n  {DIM}looks at{DIM:#}")?;
    for (dialect, looks) in &rule.looks_at {
        paragraph(out, (&format!("    {}", dialect.name()), DIM), (looks, PLAIN), TEXT + 4, page.width)?;
    }
    if !Examples::are_there() {
        writeln!(out)?;
        let text = "none: this program was built without its corpus; see tests/cases in the repository";
        return paragraph(out, ("  examples", DIM), (text, PLAIN), TEXT, page.width);
    }
    let Examples { fires, quiet } = Examples::of(&rule.id);
    for (label, example) in [("  fires", fires), ("  does not", quiet)] {
        let Some(Example { path, text }) = example else { continue };
        writeln!(out)?;
        paragraph(out, (label, DIM), (path, PLAIN), TEXT, page.width)?;
        // As it stands, so that it can be copied.
        for line in clean(text).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

/// The table of the README.
pub fn markdown(rules: &[Rule]) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut table = String::from("| rule | what | default | platforms |\n|---|---|---|---|\n");
    for rule in rules {
        let (id, title, effect) = (&rule.id, cell(&rule.title), rule.level.name());
        let platforms = rule.dialects().join(", ");
        table.push_str(&format!("| <a id=\"{id}\"></a>`{id}` | {title} | {effect} | {platforms} |\n"));
    }
    table
}

/// The catalogue for scripts. `digest` is that of the policy.
pub fn catalogue_json(description: &Description, digest: &str) -> Value {
    document(description, digest, rule_json)
}

/// Like [`catalogue_json`], with a case in which each rule fires and one in which it does not.
pub fn explained_json(description: &Description, digest: &str) -> Value {
    document(description, digest, |rule| {
        let example = |it: Option<Example>| it.map(|Example { path, text }| json!({"path": path, "case": text}));
        let Examples { fires, quiet } = Examples::of(&rule.id);
        let mut value = rule_json(rule);
        if let Some(members) = value.as_object_mut() {
            members.insert("examples".to_owned(), json!({"fires": example(fires), "quiet": example(quiet)}));
        }
        value
    })
}

fn document(description: &Description, digest: &str, rule: impl Fn(&Rule) -> Value) -> Value {
    json!({
        "apiVersion": "sluicegate.dev/v1alpha1",
        "kind": "RuleCatalogue",
        "policy": {"version": description.version, "digest": digest},
        "rules": description.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule_json(rule: &Rule) -> Value {
    let looks_at: Map<_, _> =
        rule.looks_at.iter().map(|(dialect, looks)| (dialect.name().to_owned(), json!(looks))).collect();
    let parameter = |it: &Parameter| json!({"name": it.name, "title": it.title, "shipped": it.shipped});
    json!({
        "id": rule.id,
        "title": rule.title,
        "family": rule.family,
        "why": rule.why,
        "source": rule.source,
        "level": rule.level.name(),
        "dialects": rule.dialects(),
        "looksAt": looks_at,
        "facts": rule.facts,
        "parameters": rule.parameters.iter().map(parameter).collect::<Vec<_>>(),
    })
}
