//! Refusals in words: as the platforms say errors, so that their own clients and pages show the reason.

use hyper::StatusCode;
use hyper::header::HeaderValue;
use serde_json::{Value, json};

use super::gate::NoJudgement;
use super::reply::{self, Reply};
use super::turnstile::TurnedAway;
use crate::{Api, Effect, FailureKind, Finding, Place, PolicyError, Verdict};

/// The header that tells decision and rules.
pub const DECISION: &str = "x-sluicegate-decision";
/// The most bytes of it.
const LONGEST_HEADER: usize = 1024;
/// The most bytes of a refusal's text.
const LONGEST_TEXT: usize = 8 << 10;

/// Why a request is refused: the rules' ids first, then for each what is wrong and what to do.
pub fn text(verdict: &Verdict) -> String {
    text_about("", verdict)
}

/// The same, with what the request is about: of several objects that one request deletes, people see which is refused.
pub fn text_about(object: &str, verdict: &Verdict) -> String {
    let object = if object.is_empty() { String::new() } else { format!(": {object}") };
    let denying: Vec<_> = verdict.findings.iter().filter(|finding| finding.effect == Effect::Deny).collect();
    if denying.is_empty() {
        return undecided(&object, verdict);
    }
    let mut text = rules(denying.iter().map(|finding| finding.rule.as_str())).join(", ");
    text.push_str(&object);
    for (number, finding) in denying.iter().enumerate() {
        let number = if denying.len() > 1 { format!(" ({})", number + 1) } else { String::new() };
        text.push_str(&format!(":{number} {}", sentence(finding)));
    }
    cut(&text, LONGEST_TEXT)
}

/// What the caller asked of the gate itself, by header or annotation, and why it does not count. It lifts nothing, so
/// nobody but its sender need know.
fn in_vain(verdict: &Verdict) -> String {
    let ours = |place: &Place| match place {
        Place::Header(name) => name.starts_with("x-sluicegate-"),
        // A `/` within a name, as a JSON pointer writes it.
        Place::Body(span) => span.pointer.contains("sluicegate.dev~1"),
        Place::Target => false,
    };
    let heard = |finding: &&Finding| finding.effect == Effect::Warn && finding.place.as_ref().is_some_and(ours);
    let told = verdict.findings.iter().filter(heard);
    told.map(|finding| format!("; besides, {}: {}", finding.rule, sentence(finding))).collect()
}

/// One finding: what is wrong, what was found, what to do.
fn sentence(finding: &Finding) -> String {
    let found = match (&finding.observed, &finding.expected) {
        (Some(observed), Some(expected)) => format!(" (found {observed}, expected {expected})"),
        (Some(observed), None) => format!(" (found {observed})"),
        (None, Some(expected)) => format!(" (expected {expected})"),
        (None, None) => String::new(),
    };
    format!("{}{found}; to do: {}", finding.message, finding.remedy)
}

fn undecided(object: &str, verdict: &Verdict) -> String {
    let ids = rules(verdict.unjudged.iter().map(|unjudged| unjudged.rule.as_str())).join(", ");
    let lacks: Vec<_> = verdict.unjudged.iter().map(|unjudged| unjudged.lacks.as_str()).collect();
    let lacks = lacks.join("; ");
    let text = format!("{ids}{object}: not decided, and the settings ask to refuse then; what is not known: {lacks}");
    cut(&text, LONGEST_TEXT)
}

/// Each id once, in order.
pub fn rules<'v>(ids: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut once: Vec<&str> = Vec::new();
    for id in ids {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    once
}

/// The decision and the rules behind it, for a header: `deny; rules=a,b; unjudged=c`.
pub fn header(verdict: &Verdict) -> HeaderValue {
    let heard = verdict.findings.iter().filter(|finding| finding.effect != Effect::Note);
    let parts = [
        ("rules", rules(heard.map(|finding| finding.rule.as_str()))),
        ("unjudged", rules(verdict.unjudged.iter().map(|it| it.rule.as_str()))),
    ];
    let mut text = verdict.decision.name().to_owned();
    for (name, ids) in parts {
        for (index, id) in ids.iter().enumerate() {
            let lead = if index == 0 { format!("; {name}=") } else { ",".to_owned() };
            // Room for the sign that something is missing.
            if text.len() + lead.len() + id.len() + 2 > LONGEST_HEADER {
                text.push_str(",…");
                return value(&text);
            }
            text.push_str(&lead);
            text.push_str(id);
        }
    }
    value(&text)
}

/// The same where there is no verdict.
pub fn header_without(status: StatusCode) -> HeaderValue {
    HeaderValue::from_static(match status.is_server_error() {
        true => "error; unavailable",
        false => "error; unjudgeable",
    })
}

fn value(text: &str) -> HeaderValue {
    // The policy's texts are checked, and ids of rules are ASCII; anything else must not cost the answer.
    let ascii: String = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '.' }).collect();
    HeaderValue::from_str(&ascii).unwrap_or(HeaderValue::from_static("deny"))
}

/// An error in this API's own form.
pub fn error(api: Api, status: StatusCode, text: &str) -> Reply {
    let text = crate::report::clean(text);
    let body: Value = match api {
        Api::FlinkRest => json!({"errors": [text]}),
        // Clients of Ververica Platform look for `message` (DOMAIN 1.1).
        Api::Ververica => json!({"message": text, "statusCode": status.as_u16(), "reason": "sluicegate"}),
        // The platform's own members, and those that its SDK reads of an answer that is not 200 (DOMAIN 2.1).
        Api::Alibaba => json!({
            "requestId": "", "success": false, "httpCode": status.as_u16(), "errorCode": "Sluicegate.Refused",
            "errorMessage": text, "accessDeniedDetail": null, "data": null,
            "code": "Sluicegate.Refused", "message": text,
        }),
    };
    reply::json(status, &body)
}

/// A refusal by verdict, in this API's own form.
pub fn refusal(api: Api, verdict: &Verdict) -> Reply {
    let text = cut(&format!("refused by sluicegate: {}{}", text(verdict), in_vain(verdict)), LONGEST_TEXT);
    let mut reply = error(api, StatusCode::FORBIDDEN, &text);
    reply.headers_mut().insert(DECISION, header(verdict));
    reply
}

/// There is no verdict: the gate stays shut, and says why, in this API's own form.
pub fn no_judgement(api: Api, error: &NoJudgement) -> Reply {
    let status = status(error);
    let mut reply = self::error(api, status, &unjudged(&with_advice(error)));
    reply.headers_mut().insert(DECISION, header_without(status));
    reply
}

/// A request that nobody judged, in this API's own form.
pub fn not_judged(api: Api, status: StatusCode, why: &str) -> Reply {
    let mut reply = error(api, status, &unjudged(why));
    reply.headers_mut().insert(DECISION, header_without(status));
    reply
}

fn unjudged(why: &str) -> String {
    format!("not judged by sluicegate, so refused: {why}")
}

/// Why there is no judgement, and what to do about it.
pub fn with_advice(error: &NoJudgement) -> String {
    match error {
        NoJudgement::TurnedAway(_) | NoJudgement::Unjudgeable(_) => error.to_string(),
        NoJudgement::Policy(_) => {
            format!("{error}; try again, and if it stays so tell whoever runs the gate: its log and metrics say more")
        }
    }
}

/// The status that fits a missing judgement.
pub fn status(error: &NoJudgement) -> StatusCode {
    match error {
        NoJudgement::TurnedAway(TurnedAway::Full | TurnedAway::Late) => StatusCode::SERVICE_UNAVAILABLE,
        NoJudgement::Policy(PolicyError::Busy { .. } | PolicyError::NoSandbox(_)) => StatusCode::SERVICE_UNAVAILABLE,
        NoJudgement::Policy(PolicyError::InputTooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        NoJudgement::Policy(_) => StatusCode::INTERNAL_SERVER_ERROR,
        NoJudgement::Unjudgeable(failure) => match failure.kind {
            FailureKind::Malformed => StatusCode::BAD_REQUEST,
            FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            FailureKind::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::BadFacts | FailureKind::BadSettings => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

/// The beginning of a text, of at most `most` bytes.
pub fn cut(text: &str, most: usize) -> String {
    const MARK: char = '…';
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub(MARK.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", text.get(..end).unwrap_or_default())
}
