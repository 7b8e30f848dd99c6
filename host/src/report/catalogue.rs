//! The rules for people: a list, one of them in full, or the table of the README.

use std::io::{self, Write};

use anstyle::Style;

use super::Page;
use super::human::{BOLD, DIM, PLAIN, level_style};
use super::layout::{clean, paragraph};
use crate::{Example, Examples, Parameter, Rule};

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
