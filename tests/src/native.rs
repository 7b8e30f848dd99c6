//! A case judged by the same policy twice: as native code, and as the component in its sandbox.

use sluicegate::case::{Case, NoVerdict};
use sluicegate::facts::{Answered, FactSource, ROUNDS, TOO_MANY_ROUNDS};
use sluicegate::input::{Envelope, Request};
use sluicegate::{CheckError, Lookup, ObjectRef, Policy, Scoped, SettingsError};
use sluicegate_policy::gate::{self, FailureKind};
use sluicegate_policy::{Verdict, compile_settings};

/// How a judgement ended, in a form that both ways can be compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The verdict's canonical document.
    Verdict(String),
    /// The policy says that it cannot judge: kind, message and offset.
    Failure(String, String, Option<u64>),
    /// The settings are wrong: messages, pointers and offsets.
    Settings(Vec<(String, String, u32)>),
    /// The request was not recognised; the policy was not asked.
    Unrecognised,
}

/// Judges natively.
pub fn native(case: &Case) -> (Ending, Option<Verdict>) {
    let Ok(request) = &case.request else { return (Ending::Unrecognised, None) };
    let settings = match case.settings.as_deref().map(compile_settings).transpose() {
        Ok(settings) => settings.unwrap_or_default(),
        Err(problems) => {
            let rows = problems.into_iter().map(|problem| (problem.message, problem.pointer, problem.offset));
            return (Ending::Settings(rows.collect()), None);
        }
    };
    let outcome = decide(&lend(request, case.live.as_deref()), case, &settings);
    match outcome {
        Ok(verdict) => (Ending::Verdict(verdict.document.clone()), Some(verdict)),
        Err(failure) => {
            let kind = match failure.kind {
                FailureKind::Malformed => "malformed",
                FailureKind::Unsupported => "unsupported",
                FailureKind::TooLarge => "too large",
                FailureKind::BadFacts => "bad facts",
                FailureKind::BadSettings => "bad settings",
            };
            let offset = failure.offset.map(|offset| offset as u64);
            (Ending::Failure(kind.to_owned(), failure.message, offset), None)
        }
    }
}

/// Answers what the policy asks for from the case, as the host does for the component.
fn decide(request: &gate::Request<'_>, case: &Case, settings: &[u8]) -> Result<Verdict, gate::Failure> {
    let mut answers: Vec<(gate::Lookup, Answered)> = Vec::new();
    for round in 0.. {
        let declared = case.facts.iter().map(|document| gate::Fact::declared(gate::Source::Operator, document));
        let observed = answers.iter().map(|(lookup, answer)| {
            gate::Fact::observed(
                lookup,
                match answer {
                    Answered::Found(bytes) => gate::Answer::Found(bytes),
                    Answered::Absent => gate::Answer::Absent,
                    Answered::Unavailable(why) => gate::Answer::Unavailable(why),
                },
            )
        });
        let facts: Vec<_> = declared.chain(observed).collect();
        let needs = match gate::check(request, &facts, settings)? {
            gate::Outcome::Decided(verdict) => return Ok(verdict),
            gate::Outcome::Needs(needs) => needs,
        };
        // What was answered must not be asked again, or this would go on for ever.
        for gate::Need { lookup, .. } in needs {
            assert!(!answers.iter().any(|(known, _)| *known == lookup), "asked twice for {lookup}");
            let answer = match round {
                0..ROUNDS => case.observed.answer(&as_host(&lookup)),
                _ => Answered::Unavailable(TOO_MANY_ROUNDS.to_owned()),
            };
            answers.push((lookup, answer));
        }
    }
    unreachable!("rounds are counted without end")
}

fn as_host(lookup: &gate::Lookup) -> Lookup {
    use gate::Lookup as From;
    let scoped = |it: &gate::Scoped| Scoped { namespace: it.namespace.clone(), id: it.id.clone() };
    match lookup {
        From::FlinkJob(id) => Lookup::FlinkJob(id.clone()),
        From::FlinkCheckpoints(id) => Lookup::FlinkCheckpoints(id.clone()),
        From::FlinkCheckpointConfig(id) => Lookup::FlinkCheckpointConfig(id.clone()),
        From::FlinkJobs => Lookup::FlinkJobs,
        From::FlinkConfig => Lookup::FlinkConfig,
        From::VervericaDeployment(it) => Lookup::VervericaDeployment(scoped(it)),
        From::VervericaSavepoints(it) => Lookup::VervericaSavepoints(scoped(it)),
        From::VervericaJob(it) => Lookup::VervericaJob(scoped(it)),
        From::AlibabaDeployment(it) => Lookup::AlibabaDeployment(scoped(it)),
        From::AlibabaJobs(it) => Lookup::AlibabaJobs(scoped(it)),
        From::AlibabaJob(it) => Lookup::AlibabaJob(scoped(it)),
        From::AlibabaSavepoints(it) => Lookup::AlibabaSavepoints(scoped(it)),
        From::Kubernetes(it) => Lookup::Kubernetes(ObjectRef {
            kind: it.kind.clone(),
            namespace: it.namespace.clone(),
            name: it.name.clone(),
        }),
        From::Location(at) => Lookup::Location(at.clone()),
    }
}

fn lend<'r>(request: &'r Request, live: Option<&'r [u8]>) -> gate::Request<'r> {
    let envelope = match &request.envelope {
        Envelope::AdmissionReview => gate::Envelope::AdmissionReview,
        Envelope::Manifest => gate::Envelope::Manifest(live),
        Envelope::Plan => gate::Envelope::Plan,
        Envelope::Http(head) => gate::Envelope::Http(gate::HttpHead {
            api: head.api.map(|api| match api {
                sluicegate::Api::Ververica => gate::Api::Ververica,
                sluicegate::Api::Alibaba => gate::Api::Alibaba,
                sluicegate::Api::FlinkRest => gate::Api::FlinkRest,
            }),
            method: &head.method,
            target: &head.target,
            headers: &head.headers,
        }),
    };
    gate::Request { envelope, body: &request.body }
}

/// Judges in the sandbox.
///
/// # Errors
/// When the policy gave way, which no case may make it do.
pub fn component(case: &Case, policy: &Policy) -> Result<(Ending, Result<sluicegate::Verdict, NoVerdict>), String> {
    let actual = case.judge(policy);
    let ending = match &actual {
        Ok(verdict) => Ending::Verdict(verdict.document.clone()),
        Err(NoVerdict::Unrecognised(_)) => Ending::Unrecognised,
        Err(NoVerdict::Settings(SettingsError::Invalid(problems))) => Ending::Settings(
            problems.iter().map(|problem| (problem.message.clone(), problem.pointer.clone(), problem.offset)).collect(),
        ),
        Err(NoVerdict::Policy(CheckError::Unjudgeable(failure))) => {
            let kind = match failure.kind {
                sluicegate::FailureKind::Malformed => "malformed",
                sluicegate::FailureKind::Unsupported => "unsupported",
                sluicegate::FailureKind::TooLarge => "too large",
                sluicegate::FailureKind::BadFacts => "bad facts",
                sluicegate::FailureKind::BadSettings => "bad settings",
            };
            Ending::Failure(kind.to_owned(), failure.message.clone(), failure.offset.map(u64::from))
        }
        Err(error) => return Err(error.to_string()),
    };
    Ok((ending, actual))
}
