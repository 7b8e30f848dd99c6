//! The report for people: the decision first, then what stands against it and what to do, then what is only worth
//! knowing.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::layout::{clean, paragraph};
use super::{Judged, Outcome, Report, Summary};
use crate::input::Position;
use crate::{Effect, Fate, Finding, Level, Place, RestorePlan, Verdict};

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();

/// How many snapshots that will not be used are shown.
const PASSED_OVER: usize = 3;
/// Where findings start, and where their texts do.
pub(super) const MARGIN: usize = 2;
pub(super) const TEXT: usize = 12;

/// What the report is written on.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The longest line, in characters.
    pub width: usize,
}

/// Writes the report, with colours: whoever owns `out` takes them off where they are not wanted.
///
/// # Errors
/// When `out` cannot be written to.
pub fn human(report: &Report, page: Page, out: &mut dyn Write) -> io::Result<()> {
    documents(report, page.width, out, |verdict, positions, name, out| {
        for (finding, position) in verdict.findings.iter().zip(positions) {
            writeln!(out)?;
            self::finding(finding, *position, name, page.width, out)?;
        }
        exempted(verdict, page.width, out)?;
        unjudged(verdict, page.width, out)?;
        match &verdict.restore {
            Some(plan) => restore(plan, page.width, out),
            None => Ok(()),
        }
    })
}

/// Writes all documents: decision, request, and of each verdict what `body` says, to whom the file's name is given.
pub(super) fn documents(
    report: &Report,
    width: usize,
    out: &mut dyn Write,
    body: impl Fn(&Verdict, &[Option<Position>], &str, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    for (number, judged) in report.results.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        result(judged, width, out, &body)?;
    }
    if report.results.len() > 1 {
        writeln!(out)?;
        summary(report.summary(), report.results.len(), out)?;
    }
    Ok(())
}

fn result(
    judged: &Judged,
    width: usize,
    out: &mut dyn Write,
    body: &impl Fn(&Verdict, &[Option<Position>], &str, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let name = match judged.input.as_str() {
        "-" => "standard input",
        name => name,
    };
    let file = match judged.among_others {
        true => format!("{name} document {}", judged.document),
        false => name.to_owned(),
    };
    match &judged.outcome {
        Outcome::Error { message, position, .. } => {
            let place = position.map(|position| format!("{name}:{position}"));
            let place = place.filter(|_| !judged.among_others).unwrap_or_else(|| match position {
                Some(position) => format!("{file}, at {position}"),
                None => file.clone(),
            });
            heading("ERROR", RED, &place, out)?;
            paragraph(out, ("", PLAIN), (message, PLAIN), MARGIN, width)
        }
        Outcome::Verdict { verdict, positions } => {
            let (word, style) = match verdict.decision {
                crate::Decision::Deny => ("DENY", RED),
                crate::Decision::Undecided => ("UNDECIDED", YELLOW),
                crate::Decision::Allow => ("ALLOW", GREEN),
            };
            heading(word, style, &file, out)?;
            for operation in &verdict.operations {
                let label = format!("{:MARGIN$}{}", "", "request");
                paragraph(out, (&label, DIM), (&operation.summary, BOLD), TEXT, width)?;
            }
            body(verdict, positions, name, out)
        }
    }
}

fn heading(word: &str, style: Style, file: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{style}{word}{style:#}  {BOLD}{}{BOLD:#}", clean(file))
}

fn finding(
    finding: &Finding,
    position: Option<Position>,
    file: &str,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let style = effect_style(finding.effect);
    let text = if finding.effect == Effect::Note { DIM } else { PLAIN };
    let mut row = |label: &str, label_style: Style, value: &str| {
        let label = format!("{:MARGIN$}{label}", "");
        paragraph(out, (&label, label_style), (value, text), TEXT, width)
    };
    row(finding.effect.name(), style, &finding.rule)?;
    row("", text, &finding.message)?;
    let pointer = match &finding.place {
        Some(Place::Body(span)) if span.pointer.is_empty() => "the whole body".to_owned(),
        Some(Place::Body(span)) => span.pointer.clone(),
        Some(Place::Header(name)) => format!("header `{name}`"),
        Some(Place::Target) => "request target".to_owned(),
        None => String::new(),
    };
    let place = position.map(|position| format!("{file}:{position}  ")).unwrap_or_default() + &pointer;
    let rows = [
        ("place", Some(place.as_str()).filter(|place| !place.is_empty())),
        ("observed", finding.observed.as_deref()),
        ("expected", finding.expected.as_deref()),
        ("remedy", Some(finding.remedy.as_str())),
        ("override", finding.overridden.as_deref()),
    ];
    rows.into_iter()
        .filter_map(|(label, value)| Some((label, value?)))
        .try_for_each(|(label, value)| row(label, DIM, value))
}

fn exempted(verdict: &Verdict, width: usize, out: &mut dyn Write) -> io::Result<()> {
    for (number, exempted) in verdict.exempted.iter().enumerate() {
        if number == 0 {
            writeln!(out)?;
        }
        let end = exempted.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        let text = format!("{}{end}: {}", exempted.rule, exempted.reason);
        paragraph(out, (&format!("{:MARGIN$}exempted", ""), YELLOW), (&text, PLAIN), TEXT, width)?;
    }
    Ok(())
}

fn unjudged(verdict: &Verdict, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if verdict.unjudged.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for unjudged in &verdict.unjudged {
        paragraph(out, (&format!("{:MARGIN$}unjudged", ""), YELLOW), (&unjudged.rule, PLAIN), TEXT, width)?;
        paragraph(out, ("", PLAIN), (&format!("it lacks a fact: {}", unjudged.lacks), PLAIN), TEXT, width)?;
    }
    let remedy = "give what is known with --facts, and check again";
    paragraph(out, (&format!("{:MARGIN$}remedy", ""), DIM), (remedy, PLAIN), TEXT, width)
}

fn restore(plan: &RestorePlan, width: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    let text = match &plan.chosen {
        Some(chosen) => format!("{}: `{chosen}`, {}", plan.strategy, plan.reason),
        None => format!("{}: {}", plan.strategy, plan.reason),
    };
    paragraph(out, (&format!("{:MARGIN$}restore", ""), DIM), (&text, PLAIN), TEXT, width)?;
    let ignored: Vec<_> = plan.candidates.iter().filter(|candidate| candidate.fate == Fate::Ignored).collect();
    for candidate in ignored.iter().take(PASSED_OVER) {
        let text = format!("not `{}`: {}", candidate.id, candidate.reason);
        paragraph(out, ("", PLAIN), (&text, DIM), TEXT, width)?;
    }
    match ignored.len().saturating_sub(PASSED_OVER) {
        0 => Ok(()),
        more => paragraph(out, ("", PLAIN), (&format!("and {more} more (sluicegate restore)"), DIM), TEXT, width),
    }
}

fn summary(summary: Summary, documents: usize, out: &mut dyn Write) -> io::Result<()> {
    let Summary { allow, deny, undecided, error, warnings } = summary;
    let errors = if error == 1 { "error" } else { "errors" };
    let counts = [(deny, "denied"), (undecided, "undecided"), (error, errors), (allow, "allowed")];
    let parts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let warnings = match warnings {
        0 => String::new(),
        1 => "; 1 warning".to_owned(),
        more => format!("; {more} warnings"),
    };
    writeln!(out, "{BOLD}{documents} documents: {}{warnings}{BOLD:#}", parts.join(", "))
}

/// How loud an effect is.
pub(super) fn effect_style(effect: Effect) -> Style {
    match effect {
        Effect::Deny => RED,
        Effect::Warn => YELLOW,
        Effect::Note => DIM,
    }
}

/// The style of the effect that a level gives.
pub(super) fn level_style(level: Level) -> Style {
    match level {
        Level::Deny => RED,
        Level::Warn => YELLOW,
        Level::Note | Level::Off => DIM,
    }
}
