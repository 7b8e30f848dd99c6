//! An entry as a line, without secrets: what [`Logged`](crate::logged::Logged) reads again.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Entry;
use crate::facts::Answered;
use crate::facts::recorded::lookup;
use crate::input::{Envelope, HttpHead, decides};
use crate::policy::hex;
use crate::server::redact::{self, Redacted, Shown};

/// Gathers what was shown, and whether any of it was changed for that.
#[derive(Default)]
struct Shower {
    redacted: bool,
}

/// The line, without a line break.
pub(super) fn of(entry: &Entry) -> String {
    let mut shower = Shower::default();
    let request = shower.request(entry);
    let live = entry.live.as_ref().map(|object| shower.value(object));
    let facts: Vec<_> = entry
        .declared
        .iter()
        .map(|(source, document)| json!({"source": source.name(), "document": shower.value(document)}))
        .collect();
    let observed: Vec<_> = entry.observed.iter().map(|(read, answer)| shower.answer(lookup(read), answer)).collect();
    let (verdict, error) = match &entry.outcome {
        Ok(document) => (shower.value(document.as_bytes()), Value::Null),
        Err(error) => (Value::Null, json!(shower.text(error))),
    };
    let line = json!({
        "time": time(entry.at),
        "id": entry.id,
        "door": entry.door.name(),
        "api": entry.door.api().map(crate::Api::name),
        "mode": entry.mode.name(),
        "caller": entry.caller,
        "redacted": shower.redacted,
        "request": request,
        "live": live,
        "facts": facts,
        "observed": observed,
        "settings": &*entry.settings,
        "policy": &*entry.policy,
        "verdict": verdict,
        "error": error,
        "passed": entry.passed,
        "timings": {
            "queue": micros(entry.timings.queue),
            "facts": micros(entry.timings.facts),
            "sandbox": micros(entry.timings.sandbox),
        },
    });
    line.to_string()
}

impl Shower {
    fn request(&mut self, entry: &Entry) -> Value {
        let mut request = Map::new();
        let body = entry.body.as_deref();
        match &entry.envelope {
            Envelope::Http(head) => {
                request.insert("http".to_owned(), self.http(head, body));
            }
            Envelope::AdmissionReview => self.body("admissionReview", body.unwrap_or_default(), &mut request),
            Envelope::Plan => self.body("plan", body.unwrap_or_default(), &mut request),
            Envelope::Manifest => self.body("manifest", body.unwrap_or_default(), &mut request),
        }
        Value::Object(request)
    }

    fn body(&mut self, form: &str, body: &[u8], request: &mut Map<String, Value>) {
        match self.shown(body) {
            Shown::Text(text) => request.insert(form.to_owned(), value(&text)),
            Shown::Bytes(bytes) => request.insert(format!("{form}Base64"), json!(STANDARD.encode(bytes))),
            Shown::Withheld => request.insert(form.to_owned(), withheld(body)),
        };
    }

    fn http(&mut self, head: &HttpHead, body: Option<&[u8]>) -> Value {
        let mut http = Map::new();
        let target = redact::target(&head.target);
        self.redacted |= target != head.target;
        http.insert("api".to_owned(), json!(head.api.map(crate::Api::name)));
        http.insert("method".to_owned(), json!(head.method));
        http.insert("target".to_owned(), json!(target));
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in head.headers.iter().filter(|(name, _)| decides(name)) {
            let value = self.text(value);
            match headers.get_mut(name) {
                Some(Value::Array(values)) => values.push(json!(value)),
                _ => drop(headers.insert(name.clone(), json!([value]))),
            }
        }
        http.insert("headers".to_owned(), Value::Object(headers));
        match body.map(|body| (self.shown(body), body)) {
            None => http.insert("bodyWithheld".to_owned(), json!({"bytes": null})),
            Some((Shown::Text(text), _)) if text.is_empty() => None,
            Some((Shown::Text(text), _)) => http.insert("bodyText".to_owned(), json!(text)),
            Some((Shown::Bytes(bytes), _)) => http.insert("bodyBase64".to_owned(), json!(STANDARD.encode(bytes))),
            Some((Shown::Withheld, body)) => http.insert("bodyWithheld".to_owned(), size(body)),
        };
        Value::Object(http)
    }

    fn answer(&mut self, mut lookup: Value, answer: &Answered) -> Value {
        let mut at_location = false;
        // A location is as the request spells it, with credentials and signatures where it has some.
        if let Some(Value::String(location)) = lookup.get_mut("location") {
            at_location = true;
            let shown = redact::target(location).into_owned();
            self.redacted |= shown != *location;
            *location = shown;
        }
        match answer {
            Answered::Absent => json!({"lookup": lookup, "absent": true}),
            Answered::Unavailable(why) => json!({"lookup": lookup, "unavailable": self.text(why)}),
            Answered::Found(bytes) => match self.shown(bytes) {
                Shown::Text(text) if !at_location => json!({"lookup": lookup, "found": value(&text)}),
                Shown::Bytes(bytes) => json!({"lookup": lookup, "foundBase64": STANDARD.encode(bytes)}),
                // A file that is no snapshot's is nobody's business, and may be large.
                Shown::Text(_) | Shown::Withheld => {
                    let what = if at_location { "a snapshot's metadata" } else { "text" };
                    let why = format!("{} bytes that are not {what} are not in the decision log", bytes.len());
                    json!({"lookup": lookup, "unavailable": why})
                }
            },
        }
    }

    fn value(&mut self, document: &[u8]) -> Value {
        match self.shown(document) {
            Shown::Text(text) => value(&text),
            Shown::Bytes(_) | Shown::Withheld => withheld(document),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let shown = redact::text(text);
        self.redacted |= shown != text;
        shown.into_owned()
    }

    fn shown<'d>(&mut self, document: &'d [u8]) -> Shown<'d> {
        let Redacted { shown, changed } = redact::document(document);
        self.redacted |= changed;
        shown
    }
}

/// A document as a value where that keeps every byte of it, and as a text otherwise.
fn value(document: &str) -> Value {
    match serde_json::from_str::<Value>(document) {
        // A null would read as nothing at all.
        Ok(value) if !value.is_string() && !value.is_null() && is_written(&value, document) => value,
        _ => json!(document),
    }
}

/// What stands in place of a document that cannot be shown.
fn withheld(document: &[u8]) -> Value {
    json!({"withheld": size(document)})
}

fn size(document: &[u8]) -> Value {
    json!({"bytes": document.len(), "sha256": hex(&Sha256::digest(document))})
}

/// RFC 3339 in UTC, to the millisecond.
fn time(at: SystemTime) -> String {
    let milliseconds = at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
    let seconds = crate::clock::rfc3339(at);
    format!("{}.{milliseconds:03}Z", seconds.trim_end_matches('Z'))
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
/// Whether this is how the value is written: byte for byte, as the policy wrote it.
fn is_written(value: &Value, document: &str) -> bool {
    let written = value.to_string();
    written == document.trim_end()
}
