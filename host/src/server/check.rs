//! The check API: `POST /v1/check` takes the documents that `sluicegate check` takes as files, and answers with its
//! report; `GET /v1/rules` is the catalogue. Nothing is carried out here, so nothing is refused: the report says what
//! would be.

use bytes::Bytes;
use hyper::StatusCode;
use tokio::time::Instant;

use super::caller::Caller;
use super::door::{Door, Stage};
use super::gate::{Gate, NoJudgement, Question};
use super::options::Bounds;
use super::reply::{self, Reply};
use super::turnstile::TurnedAway;
use crate::ObjectRef;
use crate::facts::Answered;
use crate::facts::Live;
use crate::facts::kubernetes::Kubernetes;
use crate::input::{Found, Lines, ObjectName};
use crate::report::{self, Judged, Outcome, Report};

/// The most documents of one request: a caller with more asks again.
pub const MOST_DOCUMENTS: usize = 256;

/// What a caller wants to have checked.
#[derive(Debug)]
pub struct Asked<'r> {
    /// Where things are looked up for this caller, if anywhere.
    pub live: Option<&'r Live>,
    /// The watched resources.
    pub kubernetes: Option<&'r Kubernetes>,
    /// Who asks.
    pub caller: Caller,
    /// What tells this request from others in the logs.
    pub id: String,
    /// The documents.
    pub body: Bytes,
}

/// Judges every document of a body.
pub async fn check(gate: &Gate, bounds: &Bounds, asked: Asked<'_>) -> Reply {
    let Asked { live, kubernetes, caller, id, body } = asked;
    let until = Instant::now() + bounds.deadline;
    let inputs = match gate.read(body.clone(), until).await {
        Ok(inputs) => inputs,
        Err(error) => return turned_away(&error),
    };
    let mut policy = gate.judge().name.clone();
    let (status, results) = match inputs {
        Err(error) => (StatusCode::BAD_REQUEST, vec![result(1, false, Outcome::unreadable(error, &Lines::new(&body)))]),
        Ok(inputs) if inputs.len() > MOST_DOCUMENTS => {
            let message = format!("more than the {MOST_DOCUMENTS} documents of one request; send the rest in another");
            (StatusCode::PAYLOAD_TOO_LARGE, vec![result(1, false, wrong(message))])
        }
        Ok(inputs) => {
            let lines = Lines::new(&body);
            let among_others = inputs.len() > 1;
            let mut results = Vec::new();
            for input in inputs {
                let unread = match input.found {
                    Found::Request(recognised) => Ok(recognised),
                    Found::Foreign(what) => Err(wrong(format!("not judged: {what}"))),
                    Found::Unrecognised(error) | Found::Broken(error) => Err(Outcome::unreadable(error, &lines)),
                };
                let recognised = match unread {
                    Ok(recognised) => recognised,
                    Err(outcome) => {
                        results.push(result(input.number, among_others, outcome));
                        continue;
                    }
                };
                let object = match &caller {
                    Caller::Principal(_) => recognised.object.as_ref().and_then(|name| object(kubernetes, name)),
                    Caller::Unknown => None,
                };
                let offset = recognised.offset;
                let question = Question {
                    door: Door::Check,
                    id: format!("{id}-{}", input.number),
                    envelope: recognised.request.envelope,
                    body: recognised.request.body.into(),
                    live: object,
                    caller: caller.clone(),
                    author: None,
                    labels: None,
                    until,
                };
                let outcome = match gate.ask(question, live).await {
                    Ok(judgement) => {
                        policy = judgement.judge.name.clone();
                        Outcome::of(judgement.verdict, &lines, offset)
                    }
                    Err(NoJudgement::TurnedAway(error)) => return turned_away(&error),
                    Err(NoJudgement::Unjudgeable(failure)) => Outcome::unjudgeable(failure, &lines, offset),
                    Err(NoJudgement::Policy(error)) => {
                        Outcome::Error { message: error.to_string(), position: None, by_policy: true }
                    }
                };
                results.push(result(input.number, among_others, outcome));
            }
            // A program that looks at the status alone must not take it for good when nothing was judged.
            let unread = |it: &Judged| matches!(it.outcome, Outcome::Error { by_policy: false, .. });
            let status = if results.iter().all(unread) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            (status, results)
        }
    };
    let written = Instant::now();
    let report = Report { policy: Some(policy), results };
    let mut text = Vec::new();
    let reply = match report::json(&report, &mut text) {
        Ok(()) => reply::of(status, "application/json", text.into()),
        Err(error) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("the report cannot be written: {error}")),
    };
    gate.metrics().stage(Door::Check, Stage::Reply, written.elapsed());
    reply
}

fn turned_away(error: &TurnedAway) -> Reply {
    reply::json(StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!({"error": error.to_string()}))
}

fn wrong(message: String) -> Outcome {
    Outcome::Error { message, position: None, by_policy: false }
}

fn result(document: usize, among_others: bool, outcome: Outcome) -> Judged {
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
    reply::json(StatusCode::OK, &report::catalogue_json(&judge.description, &judge.name.digest))
}
