//! The verdict as an AdmissionReview: what `kubectl` shows, and what the audit log keeps (DOMAIN 5.2).

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;

use super::warnings;
use crate::report::PolicyName;
use crate::server::denial;
use crate::server::door::Mode;
use crate::server::gate::{Gate, Judgement, NoJudgement};
use crate::server::reply::{self, Reply};
use crate::{Basis, Decision, Effect, Finding, Verdict};

/// The longest value of an audit annotation, in bytes.
const LONGEST_ANNOTATION: usize = 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'r> {
    api_version: &'static str,
    kind: &'static str,
    response: Response<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'r> {
    uid: &'r str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    audit_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
    message: String,
    reason: &'static str,
    code: u16,
}

/// The answer to the review with this `uid`, about this object.
pub fn of(uid: &str, object: &str, gate: &Gate, outcome: Result<Judgement, NoJudgement>) -> Reply {
    let mode = gate.mode();
    let response = match outcome {
        Ok(judgement) => judged(uid, object, &judgement, &judgement.judge.name),
        // Nothing is wrong with the request: the API server does what `failurePolicy` says.
        Err(error) if mode == Mode::Enforce && denial::status(&error) == StatusCode::SERVICE_UNAVAILABLE => {
            return reply::text(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
        }
        Err(error) => unjudged(uid, object, mode, &error, &gate.judge().name),
    };
    let review = Review { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    reply::json(StatusCode::OK, &review)
}

fn judged<'r>(uid: &'r str, object: &str, judgement: &Judgement, policy: &PolicyName) -> Response<'r> {
    let verdict = &judgement.verdict;
    let status = (!judgement.passes).then(|| Status {
        status: "Failure",
        message: denial::text_about(object, verdict),
        reason: "Forbidden",
        code: StatusCode::FORBIDDEN.as_u16(),
    });
    Response {
        uid,
        allowed: judgement.passes,
        status,
        warnings: warnings::fitted(&told(verdict, judgement.passes)),
        audit_annotations: annotations(verdict, policy),
    }
}

/// The gate stays shut: what it cannot read, it cannot let pass. Where nothing is refused it says so only.
fn unjudged<'r>(uid: &'r str, object: &str, mode: Mode, error: &NoJudgement, policy: &PolicyName) -> Response<'r> {
    let (reason, code) = match denial::status(error) {
        status if status.is_server_error() => ("InternalError", StatusCode::INTERNAL_SERVER_ERROR),
        _ => ("Invalid", StatusCode::UNPROCESSABLE_ENTITY),
    };
    let about = if object.is_empty() { String::new() } else { format!(" about {object}") };
    let message = format!("sluicegate could not judge this request{about}: {}", denial::with_advice(error));
    let mut annotations = BTreeMap::from([("decision", "error".to_owned())]);
    annotations.insert("policy", policy.digest.clone());
    let (status, warnings) = match mode {
        Mode::Enforce => (Some(Status { status: "Failure", message, reason, code: code.as_u16() }), Vec::new()),
        Mode::Warn => (None, warnings::fitted(&[message])),
    };
    Response { uid, allowed: status.is_none(), status, warnings, audit_annotations: annotations }
}

/// What the caller sees beside the decision: of each finding what was decided, what is wrong, and what to do.
fn told(verdict: &Verdict, passes: bool) -> Vec<String> {
    let mut texts = Vec::new();
    let would = "would be refused";
    let undecided = verdict.decision == Decision::Undecided;
    if passes && undecided {
        let word = if verdict.passes { "undecided" } else { would };
        texts.push(format!("{word}: {}", denial::text(verdict)));
    }
    for finding in &verdict.findings {
        match finding.effect {
            // A refusal says it all in its message.
            Effect::Deny if !passes => continue,
            Effect::Deny => tell(&mut texts, &format!("{} ({would})", finding.rule), finding),
            Effect::Warn => tell(&mut texts, &finding.rule, finding),
            Effect::Note => continue,
        }
    }
    // An undecided verdict has said so already.
    if !undecided {
        texts.extend(not_judged(verdict));
    }
    texts
}

fn tell(texts: &mut Vec<String>, head: &str, finding: &Finding) {
    if let Some(reason) = &finding.overridden {
        texts.push(format!("overridden: {}: {reason}", finding.rule));
    }
    texts.push(format!("{head}: {}", finding.message));
    texts.push(format!("{} to do: {}", finding.rule, finding.remedy));
}

/// What could have been refused, had more been known. Rules that lack the same stand together.
fn not_judged(verdict: &Verdict) -> Vec<String> {
    let mut lacking: Vec<(&str, Vec<&str>)> = Vec::new();
    for unjudged in &verdict.unjudged {
        match lacking.iter_mut().find(|(lacks, _)| *lacks == unjudged.lacks) {
            Some((_, rules)) => rules.push(unjudged.rule.as_str()),
            None => lacking.push((unjudged.lacks.as_str(), vec![unjudged.rule.as_str()])),
        }
    }
    let line =
        |(lacks, ids): (&str, Vec<&str>)| format!("not judged: {}: {lacks}", denial::rules(ids.into_iter()).join(", "));
    lacking.into_iter().map(line).collect()
}

/// For the audit log. The API server puts the webhook's name and a slash before each key.
fn annotations(verdict: &Verdict, policy: &PolicyName) -> BTreeMap<&'static str, String> {
    let of = |chosen: &dyn Fn(&Finding) -> bool| {
        let ids = verdict.findings.iter().filter(|finding| chosen(finding)).map(|finding| finding.rule.as_str());
        denial::rules(ids).join(",")
    };
    let overridden = verdict.findings.iter().filter_map(|it| Some(format!("{}: {}", it.rule, it.overridden.as_ref()?)));
    let exempted = verdict.exempted.iter().map(|it| format!("{}: {}", it.rule, it.reason));
    let restore = verdict.restore.as_ref().map(|plan| match (&plan.chosen, plan.basis) {
        (Some(chosen), _) => chosen.clone(),
        (None, Basis::Empty) => "empty".to_owned(),
        (None, basis) => basis.name().to_owned(),
    });
    let all = [
        ("decision", verdict.decision.name().to_owned()),
        ("rules", of(&|finding| finding.effect != Effect::Note)),
        ("unjudged", denial::rules(verdict.unjudged.iter().map(|it| it.rule.as_str())).join(",")),
        ("overridden", overridden.collect::<Vec<_>>().join("; ")),
        ("exempted", exempted.collect::<Vec<_>>().join("; ")),
        ("restore", restore.unwrap_or_default()),
        ("policy", policy.digest.clone()),
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key, denial::cut(&value, LONGEST_ANNOTATION)))
        .collect()
}
