//! The report for scripts: one JSON document (DESIGN section 6). Its members are only ever added to.

use std::io::{self, Write};

use serde::Serialize;

use super::{Judged, Outcome, Position, Report, Summary};
use crate::{Place, RestorePlan, Verdict};

/// What every report is wrapped in; `E` is what it tells of each document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'r, E> {
    api_version: &'static str,
    kind: &'static str,
    policy: Option<Policy<'r>>,
    results: Vec<E>,
    summary: Summary,
}

#[derive(Serialize)]
struct Policy<'r> {
    version: &'r str,
    digest: &'r str,
}

#[derive(Serialize)]
struct Entry<'r> {
    input: &'r str,
    document: usize,
    dialect: Option<&'static str>,
    decision: &'static str,
    operations: Vec<&'r str>,
    findings: Vec<Finding<'r>>,
    unjudged: Vec<Unjudged<'r>>,
    /// Rules that the settings exempted.
    exempted: Vec<Exempted<'r>>,
    restore: Option<Restore<'r>>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Finding<'r> {
    rule: &'r str,
    effect: &'static str,
    message: &'r str,
    path: Option<&'r str>,
    line: Option<usize>,
    column: Option<usize>,
    observed: Option<&'r str>,
    expected: Option<&'r str>,
    remedy: &'r str,
    docs: String,
    overridden: Option<&'r str>,
}

#[derive(Serialize)]
struct Unjudged<'r> {
    rule: &'r str,
    lacks: &'r str,
}

#[derive(Serialize)]
struct Exempted<'r> {
    rule: &'r str,
    reason: &'r str,
    until: Option<&'r str>,
}

#[derive(Serialize)]
pub(super) struct Restore<'r> {
    strategy: &'r str,
    basis: &'static str,
    chosen: Option<&'r str>,
    reason: &'r str,
    candidates: Vec<Candidate<'r>>,
}

#[derive(Serialize)]
struct Candidate<'r> {
    id: &'r str,
    fate: &'static str,
    reason: &'r str,
}

/// Writes the report.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    document("CheckReport", report, entry, out)
}

/// Writes a report of this kind.
pub(super) fn document<'r, E: Serialize>(
    kind: &'static str,
    report: &'r Report,
    entry: impl Fn(&'r Judged) -> E,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Document {
        api_version: "sluicegate.dev/v1alpha1",
        kind,
        policy: report.policy.as_ref().map(|policy| Policy { version: &policy.version, digest: &policy.digest }),
        results: report.results.iter().map(entry).collect(),
        summary: report.summary(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// What is wrong, with its place, where there is no verdict.
pub(super) fn error(message: &str, position: Option<Position>) -> String {
    let place = position.map(|position| format!("{position}: ")).unwrap_or_default();
    format!("{place}{message}")
}

fn entry(judged: &Judged) -> Entry<'_> {
    let blank = Entry {
        input: &judged.input,
        document: judged.document,
        dialect: None,
        decision: "error",
        operations: Vec::new(),
        findings: Vec::new(),
        unjudged: Vec::new(),
        exempted: Vec::new(),
        restore: None,
        error: None,
    };
    match &judged.outcome {
        Outcome::Error { message, position, .. } => Entry { error: Some(error(message, *position)), ..blank },
        Outcome::Verdict { verdict, positions } => Entry {
            dialect: Some(verdict.dialect.name()),
            decision: verdict.decision.name(),
            operations: verdict.operations.iter().map(|operation| operation.summary.as_str()).collect(),
            findings: findings(verdict, positions),
            unjudged: verdict
                .unjudged
                .iter()
                .map(|unjudged| Unjudged { rule: &unjudged.rule, lacks: &unjudged.lacks })
                .collect(),
            exempted: verdict
                .exempted
                .iter()
                .map(|it| Exempted { rule: &it.rule, reason: &it.reason, until: it.until.as_deref() })
                .collect(),
            restore: verdict.restore.as_ref().map(restore),
            ..blank
        },
    }
}

pub(super) fn restore(plan: &RestorePlan) -> Restore<'_> {
    Restore {
        strategy: &plan.strategy,
        basis: plan.basis.name(),
        chosen: plan.chosen.as_deref(),
        reason: &plan.reason,
        candidates: plan
            .candidates
            .iter()
            .map(|candidate| Candidate { id: &candidate.id, fate: candidate.fate.name(), reason: &candidate.reason })
            .collect(),
    }
}

fn findings<'r>(verdict: &'r Verdict, positions: &[Option<Position>]) -> Vec<Finding<'r>> {
    let places = positions.iter().copied().chain(std::iter::repeat(None));
    verdict
        .findings
        .iter()
        .zip(places)
        .map(|(finding, position)| Finding {
            rule: &finding.rule,
            effect: finding.effect.name(),
            message: &finding.message,
            path: match &finding.place {
                Some(Place::Body(span)) => Some(&span.pointer),
                Some(Place::Header(_) | Place::Target) | None => None,
            },
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            observed: finding.observed.as_deref(),
            expected: finding.expected.as_deref(),
            remedy: &finding.remedy,
            docs: format!("README.md#{}", finding.rule),
            overridden: finding.overridden.as_deref(),
        })
        .collect()
}
