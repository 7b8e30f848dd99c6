//! The verdict as canonical JSON: fixed order of members, no white space, every member always there.

use super::{Decision, Verdict};
use crate::finding::{Effect, Position};
use crate::restore::{Basis, Fate};
use crate::writer::Writer;

impl Decision {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Undecided => "undecided",
        }
    }
}

impl Basis {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Kept => "kept",
            Self::Empty => "empty",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
        }
    }
}

impl Effect {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Note => "note",
        }
    }
}

/// Writes everything but the document itself.
pub(super) fn write(verdict: &Verdict) -> String {
    let mut out = Writer::with_capacity(256 + 512 * verdict.findings.len());
    out.raw("{\"decision\":");
    out.string(verdict.decision.name());
    out.raw(if verdict.passes { ",\"passes\":true,\"dialect\":" } else { ",\"passes\":false,\"dialect\":" });
    out.string(verdict.dialect.name());
    out.raw(",\"operations\":");
    out.list(&verdict.operations, |out, operation| out.string(&operation.summary));
    out.raw(",\"findings\":");
    out.list(&verdict.findings, |out, finding| {
        out.raw("{\"rule\":");
        out.string(finding.rule);
        out.raw(",\"effect\":");
        out.string(finding.effect.name());
        out.raw(",\"message\":");
        out.string(&finding.message);
        out.raw(",\"place\":");
        match &finding.position {
            None => out.raw("null"),
            Some(Position::Target) => out.raw("{\"in\":\"target\"}"),
            Some(Position::Header(name)) => {
                out.raw("{\"in\":\"header\",\"name\":");
                out.string(name);
                out.raw("}");
            }
            Some(Position::Body { pointer, start, end }) => {
                out.raw("{\"in\":\"body\",\"pointer\":");
                out.string(pointer);
                out.raw(&format!(",\"start\":{start},\"end\":{end}}}"));
            }
        }
        out.raw(",\"observed\":");
        out.optional(finding.observed.as_deref());
        out.raw(",\"expected\":");
        out.optional(finding.expected.as_deref());
        out.raw(",\"remedy\":");
        out.string(&finding.remedy);
        out.raw(",\"overridden\":");
        out.optional(finding.overridden.as_deref());
        out.raw("}");
    });
    out.raw(",\"unjudged\":");
    out.list(&verdict.unjudged, |out, unjudged| {
        out.raw("{\"rule\":");
        out.string(unjudged.rule);
        out.raw(",\"lacks\":");
        out.string(&unjudged.lacks);
        out.raw("}");
    });
    out.raw(",\"exempted\":");
    out.list(&verdict.exempted, |out, exempted| {
        out.raw("{\"rule\":");
        out.string(exempted.rule);
        out.raw(",\"reason\":");
        out.string(&exempted.reason);
        out.raw(",\"until\":");
        out.optional(exempted.until.as_deref());
        out.raw("}");
    });
    out.raw(",\"restore\":");
    match &verdict.restore {
        None => out.raw("null"),
        Some(plan) => {
            out.raw("{\"strategy\":");
            out.string(&plan.strategy);
            out.raw(",\"basis\":");
            out.string(plan.basis.name());
            out.raw(",\"chosen\":");
            out.optional(plan.chosen.as_deref());
            out.raw(",\"reason\":");
            out.string(&plan.reason);
            out.raw(",\"candidates\":");
            out.list(&plan.candidates, |out, candidate| {
                out.raw("{\"id\":");
                out.string(&candidate.id);
                out.raw(match candidate.fate {
                    Fate::Used => ",\"fate\":\"used\",\"reason\":",
                    Fate::Ignored => ",\"fate\":\"ignored\",\"reason\":",
                });
                out.string(&candidate.reason);
                out.raw("}");
            });
            out.raw("}");
        }
    }
    out.raw("}");
    out.finish()
}
