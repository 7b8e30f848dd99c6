//! A case judged by the same policy twice: as native code, and as the component in its sandbox.

use sluicegate::case::{Case, Unjudged};
use sluicegate::input::{Envelope, Request};
use sluicegate::{CheckError, Policy, SettingsError};
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
    let declared = |document| gate::Fact { source: gate::Source::Operator, document };
    let facts: Vec<_> = case.facts.as_deref().map(declared).into_iter().collect();
    match gate::check(&lend(request, case.live.as_deref()), &facts, &settings) {
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
pub fn component(case: &Case, policy: &Policy) -> Result<(Ending, Result<sluicegate::Verdict, Unjudged>), String> {
    let actual = case.judge(policy);
    let ending = match &actual {
        Ok(verdict) => Ending::Verdict(verdict.document.clone()),
        Err(Unjudged::Unrecognised(_)) => Ending::Unrecognised,
        Err(Unjudged::Settings(SettingsError::Invalid(problems))) => Ending::Settings(
            problems.iter().map(|problem| (problem.message.clone(), problem.pointer.clone(), problem.offset)).collect(),
        ),
        Err(Unjudged::Policy(CheckError::Unjudgeable(failure))) => {
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
