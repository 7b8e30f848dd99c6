//! The rules for people: a list, one of them in full, or the table of the README.

use std::io::{self, Write};

use anstyle::Style;

use super::Page;
use super::human::{BOLD, DIM, PLAIN, level_style};
use super::layout::paragraph;
use crate::Rule;

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
    for (dialect, looks) in &rule.looks_at {
        paragraph(out, (&format!("  {}", dialect.name()), DIM), (looks, PLAIN), TEXT + 2, page.width)?;
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
