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
        let lookups: Vec<_> = facts.iter().map(|fact| about(&fact.about)).collect();
        let known = facts.iter().zip(&lookups).map(|(fact, lookup)| native::Fact {
            about: lookup.as_ref().map_or(native::Subject::Declared, native::Subject::Observed),
            source: source(fact.source),
            answer: match &fact.answer {
                wit::Answer::Found(bytes) => native::Answer::Found(bytes),
                wit::Answer::Absent => native::Answer::Absent,
                wit::Answer::Unavailable(why) => native::Answer::Unavailable(why),
            },
        });
        match native::check(&request, &known.collect::<Vec<_>>(), &settings) {
            Ok(native::Outcome::Decided(verdict)) => Ok(wit::Outcome::Decided(decided(verdict))),
            Ok(native::Outcome::Needs(needs)) => Ok(wit::Outcome::Needs(needs.into_iter().map(need).collect())),
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
        wit::Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules: rules.collect(),
            settings_schema: crate::settings_schema(),
        }
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

/// The read that a fact answers; none for a declared document.
fn about(subject: &wit::Subject) -> Option<native::Lookup> {
    use native::Lookup as To;
    use wit::Lookup as From;
    let wit::Subject::Observed(lookup) = subject else { return None };
    let scoped = |it: &wit::Scoped| native::Scoped { namespace: it.namespace.clone(), id: it.id.clone() };
    Some(match lookup {
        From::FlinkJob(id) => To::FlinkJob(id.clone()),
        From::FlinkCheckpoints(id) => To::FlinkCheckpoints(id.clone()),
        From::FlinkCheckpointConfig(id) => To::FlinkCheckpointConfig(id.clone()),
        From::FlinkJobs => To::FlinkJobs,
        From::FlinkConfig => To::FlinkConfig,
        From::VervericaDeployment(it) => To::VervericaDeployment(scoped(it)),
        From::VervericaSavepoints(it) => To::VervericaSavepoints(scoped(it)),
        From::VervericaJob(it) => To::VervericaJob(scoped(it)),
        From::AlibabaDeployment(it) => To::AlibabaDeployment(scoped(it)),
        From::AlibabaJobs(it) => To::AlibabaJobs(scoped(it)),
        From::AlibabaJob(it) => To::AlibabaJob(scoped(it)),
        From::AlibabaSavepoints(it) => To::AlibabaSavepoints(scoped(it)),
        From::Kubernetes(it) => To::Kubernetes(native::ObjectRef {
            kind: it.kind.clone(),
            namespace: it.namespace.clone(),
            name: it.name.clone(),
        }),
        From::Location(at) => To::Location(at.clone()),
    })
}

fn need(need: native::Need) -> wit::Need {
    use native::Lookup as From;
    use wit::Lookup as To;
    let scoped = |it: native::Scoped| wit::Scoped { namespace: it.namespace, id: it.id };
    let lookup = match need.lookup {
        From::FlinkJob(id) => To::FlinkJob(id),
        From::FlinkCheckpoints(id) => To::FlinkCheckpoints(id),
        From::FlinkCheckpointConfig(id) => To::FlinkCheckpointConfig(id),
        From::FlinkJobs => To::FlinkJobs,
        From::FlinkConfig => To::FlinkConfig,
        From::VervericaDeployment(it) => To::VervericaDeployment(scoped(it)),
        From::VervericaSavepoints(it) => To::VervericaSavepoints(scoped(it)),
        From::VervericaJob(it) => To::VervericaJob(scoped(it)),
        From::AlibabaDeployment(it) => To::AlibabaDeployment(scoped(it)),
        From::AlibabaJobs(it) => To::AlibabaJobs(scoped(it)),
        From::AlibabaJob(it) => To::AlibabaJob(scoped(it)),
        From::AlibabaSavepoints(it) => To::AlibabaSavepoints(scoped(it)),
        From::Kubernetes(it) => {
            To::Kubernetes(wit::ObjectRef { kind: it.kind, namespace: it.namespace, name: it.name })
        }
        From::Location(at) => To::Location(at),
    };
    wit::Need { lookup, why: need.why }
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
        passes: verdict.passes,
        dialect: dialect(verdict.dialect),
        operations: verdict.operations.into_iter().map(operation).collect(),
        findings: verdict.findings.into_iter().map(finding).collect(),
        unjudged: verdict.unjudged.into_iter().map(unjudged).collect(),
        exempted: verdict.exempted.into_iter().map(exempted).collect(),
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

fn exempted(exempted: judged::Exempted) -> wit::Exempted {
    wit::Exempted { rule: exempted.rule.to_owned(), reason: exempted.reason, until: exempted.until }
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
