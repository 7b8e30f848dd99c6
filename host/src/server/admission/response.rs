//! The verdict as an AdmissionReview: what `kubectl` shows, and what the audit log keeps (DOMAIN 5.2).

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;

use crate::report::PolicyName;
use crate::server::denial;
use crate::server::door::Mode;
use crate::server::gate::{Gate, Judgement, NoJudgement};
use crate::server::reply::{self, Reply};
use crate::{Basis, Decision, Effect, Finding, Verdict};

/// The longest warning, in characters (k8s.io/api/admission/v1: `AdmissionResponse.warnings`).
const LONGEST_WARNING: usize = 120;
/// The most characters of all warnings: above it the API server cuts them itself.
const MOST_WARNINGS: usize = 4096;
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

/// The answer to the review with this `uid`.
pub fn of(uid: &str, gate: &Gate, outcome: Result<Judgement, NoJudgement>) -> Reply {
    let mode = gate.mode();
    let response = match outcome {
        Ok(judgement) => judged(uid, &judgement, &judgement.judge.name),
        // Nothing is wrong with the request: the API server does what `failurePolicy` says.
        Err(error) if mode == Mode::Enforce && denial::status(&error) == StatusCode::SERVICE_UNAVAILABLE => {
            return reply::text(StatusCode::SERVICE_UNAVAILABLE, error.to_string());
        }
        Err(error) => unjudged(uid, mode, &error, &gate.judge().name),
    };
    let review = Review { api_version: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    reply::json(StatusCode::OK, &review)
}

fn judged<'r>(uid: &'r str, judgement: &Judgement, policy: &PolicyName) -> Response<'r> {
    let verdict = &judgement.verdict;
    let status = (!judgement.passes).then(|| Status {
        status: "Failure",
        message: denial::text(verdict),
        reason: "Forbidden",
        code: StatusCode::FORBIDDEN.as_u16(),
    });
    Response {
        uid,
        allowed: judgement.passes,
        status,
        warnings: bounded(warnings(verdict, judgement.passes)),
        audit_annotations: annotations(verdict, policy),
    }
}

/// The gate stays shut: what it cannot read, it cannot let pass. Where nothing is refused it says so only.
fn unjudged<'r>(uid: &'r str, mode: Mode, error: &NoJudgement, policy: &PolicyName) -> Response<'r> {
    let (reason, code) = match denial::status(error) {
        status if status.is_server_error() => ("InternalError", StatusCode::INTERNAL_SERVER_ERROR),
        _ => ("Invalid", StatusCode::UNPROCESSABLE_ENTITY),
    };
    let message = format!("sluicegate could not judge this request: {}", denial::with_advice(error));
    let mut annotations = BTreeMap::from([("decision", "error".to_owned())]);
    annotations.insert("policy", policy.digest.clone());
    let (status, warnings) = match mode {
        Mode::Enforce => (Some(Status { status: "Failure", message, reason, code: code.as_u16() }), Vec::new()),
        Mode::Warn => (None, vec![line(&message)]),
    };
    Response { uid, allowed: status.is_none(), status, warnings: bounded(warnings), audit_annotations: annotations }
}

/// What the caller sees beside the decision. Each finding is told in two lines: what is wrong, and what to do.
fn warnings(verdict: &Verdict, passes: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let would = "would be refused";
    if passes && verdict.decision == Decision::Undecided {
        let word = if verdict.passes { "undecided" } else { would };
        lines.push(line(&format!("{word}: {}", denial::text(verdict))));
    }
    for finding in &verdict.findings {
        match finding.effect {
            // A refusal says it all in its message.
            Effect::Deny if !passes => continue,
            Effect::Deny => tell(&mut lines, &format!("{} ({would})", finding.rule), finding),
            Effect::Warn => tell(&mut lines, &finding.rule, finding),
            Effect::Note => continue,
        }
    }
    lines
}

fn tell(lines: &mut Vec<String>, head: &str, finding: &Finding) {
    lines.push(line(&format!("{head}: {}", finding.message)));
    lines.push(line(&format!("{} to do: {}", finding.rule, finding.remedy)));
}

/// One line of at most [`LONGEST_WARNING`] characters.
fn line(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(LONGEST_WARNING) {
        None => flat,
        Some(_) => flat.chars().take(LONGEST_WARNING - 1).chain(['…']).collect(),
    }
}

/// As many as the API server passes on uncut.
fn bounded(warnings: Vec<String>) -> Vec<String> {
    let mut room = MOST_WARNINGS;
    let fits = |warning: &String| {
        let length = warning.chars().count();
        let fits = length <= room;
        room = room.saturating_sub(length);
        fits
    };
    warnings.into_iter().take_while(fits).collect()
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
