//! The component's glue: the types of `wit/policy.wit` to those of [`crate::gate`] and back. Conversion only; whatever
//! is decided, is decided behind it.
#![allow(unsafe_code, reason = "wit-bindgen's export glue; nothing written here is unsafe")]

wit_bindgen::generate!({ path: "../wit", world: "policy" });

use crate::finding as found;
use crate::gate as native;
use crate::verdict as judged;
use crate::{restore, rules};
use exports::sluicegate::policy::gate as wit;

struct Component;

export!(Component);

impl wit::Guest for Component {
    fn check(request: wit::Request, facts: Vec<wit::Fact>, settings: Vec<u8>) -> Result<wit::Outcome, wit::Failure> {
        let request = native::Request { envelope: envelope(&request.envelope), body: &request.body };
        // An observed answer belongs to a lookup, and this policy asks for none.
        let declared = facts.iter().filter_map(|fact| match (&fact.about, &fact.answer) {
            (wit::Subject::Declared, wit::Answer::Found(document)) => {
                Some(native::Fact { source: source(fact.source), document })
            }
            _ => None,
        });
        match native::check(&request, &declared.collect::<Vec<_>>(), &settings) {
            Ok(verdict) => Ok(wit::Outcome::Decided(decided(verdict))),
            Err(failed) => Err(failure(failed)),
        }
    }

    fn compile_settings(document: Vec<u8>) -> Result<Vec<u8>, Vec<wit::Problem>> {
        crate::compile_settings(&document).map_err(|problems| {
            let problem = |problem: crate::Problem| wit::Problem {
                message: problem.message,
                pointer: problem.pointer,
                offset: problem.offset,
            };
            problems.into_iter().map(problem).collect()
        })
    }

    fn describe() -> wit::Description {
        let rules = rules::ALL.iter().map(|rule| wit::Rule {
            id: rule.id.to_owned(),
            title: rule.title.to_owned(),
            family: rule.family.to_owned(),
            why: rule.why.to_owned(),
            source: rule.source.to_owned(),
            looks_at: rule.looks_at.iter().map(|(on, looks)| (dialect(*on), (*looks).to_owned())).collect(),
            facts: rule.facts.iter().copied().map(str::to_owned).collect(),
            parameters: rule.parameters.iter().map(parameter).collect(),
            level: level(rule.level),
        });
        wit::Description { version: env!("CARGO_PKG_VERSION").to_owned(), rules: rules.collect() }
    }
}

fn parameter(parameter: &rules::Parameter) -> wit::Parameter {
    wit::Parameter {
        name: parameter.name.to_owned(),
        title: parameter.title.to_owned(),
        shipped: parameter.kind.shipped(),
    }
}

fn level(level: rules::Level) -> wit::Level {
    match level {
        rules::Level::Off => wit::Level::Off,
        rules::Level::Note => wit::Level::Note,
        rules::Level::Warn => wit::Level::Warn,
        rules::Level::Deny => wit::Level::Deny,
    }
}

fn envelope(envelope: &wit::Envelope) -> native::Envelope<'_> {
    match envelope {
        wit::Envelope::AdmissionReview => native::Envelope::AdmissionReview,
        wit::Envelope::Manifest(live) => native::Envelope::Manifest(live.as_deref()),
        wit::Envelope::Http(head) => native::Envelope::Http(native::HttpHead {
            api: head.api.map(|api| match api {
                wit::Api::Ververica => native::Api::Ververica,
                wit::Api::Alibaba => native::Api::Alibaba,
                wit::Api::FlinkRest => native::Api::FlinkRest,
            }),
            method: &head.method,
            target: &head.target,
            headers: &head.headers,
        }),
        wit::Envelope::Plan => native::Envelope::Plan,
    }
}

fn source(source: wit::Source) -> native::Source {
    match source {
        wit::Source::Host => native::Source::Host,
        wit::Source::Operator => native::Source::Operator,
        wit::Source::Observed => native::Source::Observed,
        wit::Source::Requester => native::Source::Requester,
    }
}

fn failure(failure: native::Failure) -> wit::Failure {
    wit::Failure {
        kind: match failure.kind {
            native::FailureKind::Malformed => wit::FailureKind::Malformed,
            native::FailureKind::Unsupported => wit::FailureKind::Unsupported,
            native::FailureKind::TooLarge => wit::FailureKind::TooLarge,
            native::FailureKind::BadFacts => wit::FailureKind::BadFacts,
            native::FailureKind::BadSettings => wit::FailureKind::BadSettings,
        },
        message: failure.message,
        offset: failure.offset.and_then(|offset| u32::try_from(offset).ok()),
    }
}

fn decided(verdict: judged::Verdict) -> wit::Verdict {
    wit::Verdict {
        decision: match verdict.decision {
            judged::Decision::Allow => wit::Decision::Allow,
            judged::Decision::Deny => wit::Decision::Deny,
            judged::Decision::Undecided => wit::Decision::Undecided,
        },
        dialect: dialect(verdict.dialect),
        operations: verdict.operations.into_iter().map(operation).collect(),
        findings: verdict.findings.into_iter().map(finding).collect(),
        unjudged: verdict.unjudged.into_iter().map(unjudged).collect(),
        restore: verdict.restore.map(restore_plan),
        document: verdict.document,
    }
}

fn operation(operation: judged::OperationSummary) -> wit::Operation {
    let target = operation.target.map(|(namespace, name)| wit::Target { namespace, name });
    wit::Operation { summary: operation.summary, target }
}

fn finding(finding: found::Finding) -> wit::Finding {
    wit::Finding {
        rule: finding.rule.to_owned(),
        effect: effect(finding.effect),
        message: finding.message,
        place: finding.position.map(|position| match position {
            found::Position::Body { pointer, start, end } => wit::Place::Body(wit::Span { pointer, start, end }),
            found::Position::Header(name) => wit::Place::Header(name),
            found::Position::Target => wit::Place::Target,
        }),
        observed: finding.observed,
        expected: finding.expected,
        remedy: finding.remedy,
        overridden: finding.overridden,
    }
}

fn unjudged(unjudged: found::Unjudged) -> wit::Unjudged {
    wit::Unjudged { rule: unjudged.rule.to_owned(), lacks: unjudged.lacks }
}

fn restore_plan(plan: restore::RestorePlan) -> wit::RestorePlan {
    let candidate = |candidate: restore::Candidate| wit::Candidate {
        id: candidate.id,
        fate: match candidate.fate {
            restore::Fate::Used => wit::Fate::Used,
            restore::Fate::Ignored => wit::Fate::Ignored,
        },
        reason: candidate.reason,
    };
    wit::RestorePlan {
        strategy: plan.strategy,
        basis: match plan.basis {
            restore::Basis::Snapshot => wit::Basis::Snapshot,
            restore::Basis::Kept => wit::Basis::Kept,
            restore::Basis::Empty => wit::Basis::Empty,
            restore::Basis::Nothing => wit::Basis::Nothing,
            restore::Basis::Unknown => wit::Basis::Unknown,
        },
        chosen: plan.chosen,
        reason: plan.reason,
        candidates: plan.candidates.into_iter().map(candidate).collect(),
    }
}

fn dialect(dialect: crate::Dialect) -> wit::Dialect {
    match dialect {
        crate::Dialect::Kubernetes => wit::Dialect::Kubernetes,
        crate::Dialect::Ververica => wit::Dialect::Ververica,
        crate::Dialect::Alibaba => wit::Dialect::Alibaba,
        crate::Dialect::FlinkRest => wit::Dialect::FlinkRest,
        crate::Dialect::Plan => wit::Dialect::Plan,
    }
}

fn effect(effect: found::Effect) -> wit::Effect {
    match effect {
        found::Effect::Deny => wit::Effect::Deny,
        found::Effect::Warn => wit::Effect::Warn,
        found::Effect::Note => wit::Effect::Note,
    }
}
