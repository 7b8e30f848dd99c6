//! The restore plans alone, for people as small tables and for scripts as one JSON document: what every start will come
//! up with, and why no other snapshot.

use std::io::{self, Write};

use anstyle::Style;
use serde::Serialize;

use super::human::{BOLD, DIM, MARGIN, PLAIN, Page, TEXT, documents, effect_style};
use super::json::{self, Restore};
use super::layout::{clean, paragraph};
use super::{Judged, Outcome, Report};
use crate::{Basis, Effect, Fate, RestorePlan, Verdict};

/// A longer id has a line of its own.
const WIDEST_ID: usize = 36;

/// Writes the plan of every document, after what stands against it.
///
/// # Errors
/// When `out` cannot be written to.
pub fn restore(report: &Report, page: Page, out: &mut dyn Write) -> io::Result<()> {
    documents(report, page.width, out, |verdict, _, _, out| {
        for finding in verdict.findings.iter().filter(|finding| finding.effect == Effect::Deny) {
            let text = format!("{}: {}", finding.rule, finding.message);
            row("deny", effect_style(Effect::Deny), &text, page, out)?;
        }
        if verdict.decision == crate::Decision::Undecided {
            for unjudged in &verdict.unjudged {
                let text = format!("{}: it lacks a fact: {}", unjudged.rule, unjudged.lacks);
                row("unjudged", effect_style(Effect::Warn), &text, page, out)?;
            }
        }
        match &verdict.restore {
            Some(plan) => restore_plan(plan, page, out),
            None => row("restore", DIM, "nothing starts", page, out),
        }
    })
}

/// Writes one plan.
///
/// # Errors
/// When `out` cannot be written to.
pub fn restore_plan(plan: &RestorePlan, page: Page, out: &mut dyn Write) -> io::Result<()> {
    row("strategy", DIM, &plan.strategy, page, out)?;
    let starts = match (plan.basis, &plan.chosen) {
        (Basis::Snapshot, Some(chosen)) => format!("from {chosen}"),
        (Basis::Snapshot | Basis::Kept, _) => "with its state".to_owned(),
        (Basis::Empty, _) => "empty".to_owned(),
        (Basis::Nothing, _) => "nothing".to_owned(),
        (Basis::Unknown, _) => "unknown".to_owned(),
    };
    paragraph(out, (&label("starts"), DIM), (&starts, BOLD), TEXT, page.width)?;
    row("", PLAIN, &plan.reason, page, out)?;
    let ignored = || plan.candidates.iter().filter(|candidate| candidate.fate == Fate::Ignored);
    let widths = ignored().map(|candidate| candidate.id.chars().count()).filter(|width| *width <= WIDEST_ID);
    let column = TEXT + widths.max().unwrap_or(0) + 2;
    for (number, candidate) in ignored().enumerate() {
        // Where the choice cannot be told, one of them may be it.
        let word = match (number, plan.basis) {
            (0, Basis::Unknown) => label("known"),
            (0, _) => label("ignored"),
            _ => String::new(),
        };
        let id = clean(&candidate.id);
        let lead = format!("{word:TEXT$}{id}");
        if id.chars().count() <= WIDEST_ID {
            paragraph(out, (&lead, PLAIN), (&candidate.reason, DIM), column, page.width)?;
        } else {
            writeln!(out, "{lead}")?;
            paragraph(out, ("", PLAIN), (&candidate.reason, DIM), TEXT + 2, page.width)?;
        }
    }
    Ok(())
}

fn label(text: &str) -> String {
    format!("{:MARGIN$}{text}", "")
}

fn row(name: &str, style: Style, text: &str, page: Page, out: &mut dyn Write) -> io::Result<()> {
    paragraph(out, (&label(name), style), (text, PLAIN), TEXT, page.width)
}

#[derive(Serialize)]
struct Entry<'r> {
    input: &'r str,
    document: usize,
    dialect: Option<&'static str>,
    decision: &'static str,
    operations: Vec<&'r str>,
    /// The rules that deny.
    denied: Vec<&'r str>,
    /// Null: nothing starts.
    restore: Option<Restore<'r>>,
    error: Option<String>,
}

/// Writes the plans of all documents as JSON. Members are only ever added.
///
/// # Errors
/// When `out` cannot be written to.
pub fn restore_json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    json::document("RestoreReport", report, entry, out)
}

fn entry(judged: &Judged) -> Entry<'_> {
    let (verdict, error): (Option<&Verdict>, _) = match &judged.outcome {
        Outcome::Verdict { verdict, .. } => (Some(verdict), None),
        Outcome::Error { message, position, .. } => (None, Some(json::error(message, *position))),
    };
    let denies = |finding: &&crate::Finding| finding.effect == Effect::Deny;
    Entry {
        input: &judged.input,
        document: judged.document,
        dialect: verdict.map(|verdict| verdict.dialect.name()),
        decision: verdict.map_or("error", |verdict| verdict.decision.name()),
        operations: verdict.into_iter().flat_map(|it| &it.operations).map(|it| it.summary.as_str()).collect(),
        denied: verdict.into_iter().flat_map(|it| &it.findings).filter(denies).map(|it| it.rule.as_str()).collect(),
        restore: verdict.and_then(|verdict| verdict.restore.as_ref()).map(json::restore),
        error,
    }
}
