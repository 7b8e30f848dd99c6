//! The check API: `POST /v1/check` takes the documents that `sluicegate check` takes as files, and answers with its
//! report; `GET /v1/rules` is the catalogue. Nothing is carried out here, so nothing is refused: the report says what
//! would be.

use bytes::Bytes;
use hyper::StatusCode;
use tokio::time::Instant;

use super::caller::Caller;
use super::denial;
use super::door::Door;
use super::gate::{Gate, NoJudgement, Question};
use super::options::Bounds;
use super::reply::{self, Reply};
use crate::ObjectRef;
use crate::facts::Answered;
use crate::facts::Live;
use crate::facts::kubernetes::Kubernetes;
use crate::input::{self, Found, Lines, ObjectName};
use crate::report::{self, Judged, Outcome, Report};

/// The most documents of one request: a caller with more asks again.
const MOST_DOCUMENTS: usize = 256;

/// Judges every document of a body.
pub async fn check(
    gate: &Gate,
    live: Option<&Live>,
    kubernetes: Option<&Kubernetes>,
    caller: Caller,
    id: &str,
    bounds: &Bounds,
    body: Bytes,
) -> Reply {
    let judge = gate.judge();
    let (status, results) = match input::read(&body, None) {
        Err(error) => (StatusCode::BAD_REQUEST, vec![wrong(1, false, error.message)]),
        Ok(inputs) if inputs.len() > MOST_DOCUMENTS => {
            let message = format!("{} documents are more than the {MOST_DOCUMENTS} of one request", inputs.len());
            (StatusCode::PAYLOAD_TOO_LARGE, vec![wrong(1, false, message)])
        }
        Ok(inputs) => {
            let until = Instant::now() + bounds.deadline;
            let lines = Lines::new(&body);
            let among_others = inputs.len() > 1;
            let mut results = Vec::new();
            for input in inputs {
                let recognised = match input.found {
                    Found::Request(recognised) => recognised,
                    Found::Foreign(what) => {
                        results.push(wrong(input.number, among_others, format!("not judged: {what}")));
                        continue;
                    }
                    Found::Unrecognised(error) | Found::Broken(error) => {
                        results.push(wrong(input.number, among_others, error.message));
                        continue;
                    }
                };
                let live_object = match &caller {
                    Caller::Principal(_) => recognised.object.as_ref().and_then(|name| object(kubernetes, name)),
                    Caller::Unknown => None,
                };
                let (envelope, offset) = (recognised.request.envelope, recognised.offset);
                let question = Question {
                    door: Door::Check,
                    id: format!("{id}-{}", input.number),
                    envelope,
                    body: recognised.request.body.into(),
                    live: live_object,
                    caller: caller.clone(),
                    labels: None,
                    until,
                };
                let outcome = match gate.ask(question, live).await {
                    Ok(judgement) => Outcome::of(judgement.verdict, &lines, offset),
                    Err(error @ NoJudgement::TurnedAway(_)) => {
                        return reply::json(denial::status(&error), &serde_json::json!({"error": error.to_string()}));
                    }
                    Err(error) => {
                        let by_policy = matches!(error, NoJudgement::Policy(_));
                        Outcome::Error { message: error.to_string(), position: None, by_policy }
                    }
                };
                results.push(Judged { input: "-".to_owned(), document: input.number, among_others, outcome });
            }
            (StatusCode::OK, results)
        }
    };
    let report = Report { policy: Some(judge.name.clone()), results };
    let mut text = Vec::new();
    match report::json(&report, &mut text) {
        Ok(()) => reply::of(status, "application/json", text.into()),
        Err(error) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("the report cannot be written: {error}")),
    }
}

fn wrong(document: usize, among_others: bool, message: String) -> Judged {
    let outcome = Outcome::Error { message, position: None, by_policy: false };
    Judged { input: "-".to_owned(), document, among_others, outcome }
}

/// The object that a manifest would change, where it is watched: without it the manifest is judged as new.
fn object(kubernetes: Option<&Kubernetes>, name: &ObjectName) -> Option<Bytes> {
    let ObjectName { kind, namespace, name } = name.clone();
    match kubernetes?.answer(&ObjectRef { kind, namespace, name: Some(name) }) {
        Answered::Found(object) => Some(object.into()),
        Answered::Absent | Answered::Unavailable(_) => None,
    }
}

/// The catalogue, as the policy describes itself.
pub fn rules(gate: &Gate) -> Reply {
    let judge = gate.judge();
    match judge.policy.describe() {
        Ok(description) => reply::json(StatusCode::OK, &report::catalogue_json(&description, judge.policy.digest())),
        Err(error) => reply::json(StatusCode::INTERNAL_SERVER_ERROR, &serde_json::json!({"error": error.to_string()})),
    }
}
