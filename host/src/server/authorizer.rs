//! `/authz/<api>/…`: a gateway asks before it passes a request on. It sends method, target, the headers that decide, and
//! the body as they came; 200 means go on, everything else is the answer for its caller.

use bytes::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use hyper::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::caller::Caller;
use super::denial;
use super::door::{Door, Mode, Stage};
use super::gate::{Gate, Question, Unread};
use super::options::Bounds;
use super::reply::{self, Reply};
use crate::Api;
use crate::facts::Live;
use crate::input::{Envelope, HttpHead, decides};

/// Where the authorizer's paths begin.
pub const ROOT: &str = "/authz/";

/// The header in which a gateway says that it keeps the body of an upload to itself.
const WITHHELD: &str = "x-sluicegate-body";

/// What a gateway asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'t> {
    /// Whose API it stands before.
    pub api: Api,
    /// Path and query as its caller sent them.
    pub target: &'t str,
}

/// Takes apart `/authz/<api>/<target>`. `prefixes` is what gateways put before the target.
///
/// # Errors
/// When it names no API or lies outside the prefix; the text is for people.
pub fn asked<'t>(target: &'t str, prefixes: &[(Api, String)]) -> Result<Asked<'t>, String> {
    let rest = target.strip_prefix(ROOT).unwrap_or_default();
    let (name, _) = rest.split_once('/').unwrap_or((rest, ""));
    let api = Api::named(name).ok_or_else(|| {
        let name = denial::cut(name, 60);
        format!("`/authz/{name}` names no API; ask at /authz/flink-rest/…, /authz/ververica/… or /authz/alibaba/…")
    })?;
    let target = rest.get(name.len()..).filter(|target| target.starts_with('/')).unwrap_or("/");
    let Some((_, prefix)) = prefixes.iter().find(|(of, _)| *of == api) else { return Ok(Asked { api, target }) };
    match target.strip_prefix(prefix.trim_end_matches('/')) {
        Some("") => Ok(Asked { api, target: "/" }),
        Some(target) if target.starts_with('/') => Ok(Asked { api, target }),
        _ => Err(format!("the path does not begin with `{prefix}`, which the gate was told to strip for `{name}`")),
    }
}

/// The headers that the policy may see, as it may see them: what frames the body on this connection says nothing about
/// the one that goes on.
///
/// # Errors
/// When one that decides stands there twice or is no text; the text is for people.
pub fn deciding(headers: &HeaderMap) -> Result<Vec<(String, String)>, String> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        if !decides(name.as_str()) || [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            continue;
        }
        if kept.iter().any(|(known, _)| known == name.as_str()) {
            return Err(format!("the header `{name}` stands there more than once"));
        }
        let value = std::str::from_utf8(value.as_bytes());
        let value = value.map_err(|_| format!("the value of the header `{name}` is not UTF-8"))?;
        kept.push((name.as_str().to_owned(), value.to_owned()));
    }
    Ok(kept)
}

/// Whether a body was cut by the gateway: Envoy says so.
fn partial(headers: &HeaderMap) -> bool {
    headers.get("x-envoy-auth-partial-body").is_some_and(|value| value.as_bytes() != b"false")
}

/// A request as a gateway showed it.
#[derive(Debug)]
pub struct Shown<'r> {
    /// What it is about.
    pub asked: Asked<'r>,
    /// The method of the request.
    pub method: &'r str,
    /// The headers as the gateway sent them.
    pub headers: &'r HeaderMap,
    /// The body as the gateway sent it.
    pub body: Bytes,
    /// Who asks.
    pub caller: Caller,
    /// What tells this request from others in the logs.
    pub id: String,
}

/// Judges for a gateway.
pub async fn authorize(gate: &Gate, live: Option<&Live>, bounds: &Bounds, shown: Shown<'_>) -> Reply {
    let refused = |why: &str| without_judgement(gate, &shown, StatusCode::BAD_REQUEST, "malformed", why);
    if partial(shown.headers) {
        let why = "the gateway sent only a part of the body; raise its limit";
        return without_judgement(gate, &shown, StatusCode::PAYLOAD_TOO_LARGE, "body", why);
    }
    let deciding = match deciding(shown.headers) {
        Ok(deciding) => deciding,
        Err(wrong) => return refused(&wrong),
    };
    let Asked { api, target } = shown.asked;
    // What a form brings along never decides: the policy judges it by its head, whether the gateway sent it or not.
    let form = shown.headers.get(CONTENT_TYPE).is_some_and(|kind| is_form(kind.as_bytes()));
    if shown.headers.contains_key(WITHHELD) {
        match (uploads(api, shown.method, target), form) {
            (true, true) => {}
            (true, false) => {
                return refused(
                    "the gateway kept the body back (`x-sluicegate-body`), and this is no upload without \
                     `content-type: multipart/form-data`; send that along, or the body",
                );
            }
            (false, _) => {
                return refused(
                    "the gateway kept the body back (`x-sluicegate-body`), and this is no upload; send the body",
                );
            }
        }
    }
    let Shown { method, headers, body, caller, id, .. } = shown;
    let body = if form && headers.get(CONTENT_ENCODING).is_none() { Bytes::new() } else { body };
    let head = HttpHead { api: Some(api), method: method.to_owned(), target: target.to_owned(), headers: deciding };
    let question = Question {
        door: Door::Authorize(api),
        id,
        envelope: Envelope::Http(head),
        body,
        live: None,
        caller,
        author: None,
        labels: None,
        until: Instant::now() + bounds.deadline,
    };
    let outcome = gate.ask(question, live).await;
    let written = Instant::now();
    let reply = match outcome {
        Ok(judgement) if judgement.passes => pass(denial::header(&judgement.verdict)),
        Ok(judgement) => denial::refusal(api, &judgement.verdict),
        Err(error) if gate.mode() == Mode::Warn => pass(denial::header_without(denial::status(&error))),
        Err(error) => denial::no_judgement(api, &error),
    };
    gate.metrics().stage(Door::Authorize(api), Stage::Reply, written.elapsed());
    reply
}

/// What is not even put to the policy. Where nothing is refused it passes, and says so. `reason` is for metrics, `why` for
/// people.
pub fn without_judgement(gate: &Gate, shown: &Shown<'_>, status: StatusCode, reason: &'static str, why: &str) -> Reply {
    let Asked { api, target } = shown.asked;
    gate.pass_over(Unread {
        door: Door::Authorize(api),
        id: shown.id.clone(),
        head: HttpHead {
            api: Some(api),
            method: shown.method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
        },
        caller: shown.caller.clone(),
        reason,
        why: why.to_owned(),
    });
    match gate.mode() {
        Mode::Enforce => denial::not_judged(api, status, why),
        Mode::Warn => pass(denial::header_without(status)),
    }
}

/// Whether this is one of the two requests of Flink whose body is a file: a jar, or a job of `flink run`.
fn uploads(api: Api, method: &str, target: &str) -> bool {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let path = path.strip_prefix("/v1").unwrap_or(path);
    api == Api::FlinkRest && method == "POST" && ["/jars/upload", "/jobs"].contains(&path)
}

fn pass(decision: HeaderValue) -> Reply {
    let mut reply = reply::text(StatusCode::OK, "pass");
    reply.headers_mut().insert(denial::DECISION, decision);
    reply
}

/// Whether this content type is `multipart/…`, in any case and with any parameters.
pub fn is_form(kind: &[u8]) -> bool {
    const START: &[u8] = b"multipart/";
    kind.trim_ascii_start().get(..START.len()).is_some_and(|start| start.eq_ignore_ascii_case(START))
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;

    use super::{Asked, asked, deciding, is_form};
    use crate::Api;

    #[test]
    fn the_target_is_what_stands_behind_the_api() {
        let plain = |target| asked(target, &[]).unwrap();
        assert_eq!(
            plain("/authz/flink-rest/jobs/a/stop?x=1"),
            Asked { api: Api::FlinkRest, target: "/jobs/a/stop?x=1" }
        );
        assert_eq!(plain("/authz/flink-rest//jobs"), Asked { api: Api::FlinkRest, target: "//jobs" });
        assert_eq!(plain("/authz/ververica"), Asked { api: Api::Ververica, target: "/" });
        assert!(asked("/authz/flink/jobs", &[]).unwrap_err().contains("names no API"));
        assert!(asked("/authz/", &[]).is_err());
    }

    #[test]
    fn a_prefix_is_taken_off_whole_or_not_at_all() {
        let prefixes = [(Api::FlinkRest, "/flink/".to_owned())];
        let stripped = |target| asked(target, &prefixes).map(|asked| asked.target.to_owned());
        assert_eq!(stripped("/authz/flink-rest/flink/jobs"), Ok("/jobs".to_owned()));
        assert_eq!(stripped("/authz/flink-rest/flink"), Ok("/".to_owned()));
        assert_eq!(stripped("/authz/flink-rest/flink//jobs"), Ok("//jobs".to_owned()));
        assert!(stripped("/authz/flink-rest/flinkjobs").is_err());
        assert!(stripped("/authz/flink-rest/jobs").is_err());
        assert_eq!(asked("/authz/alibaba/x", &prefixes).unwrap().target, "/x");
    }

    #[test]
    fn only_what_decides_is_shown_and_only_once() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer secret".parse().unwrap());
        headers.insert("content-length", "3".parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        assert_eq!(deciding(&headers), Ok(vec![("content-type".to_owned(), "application/json".to_owned())]));
        headers.append("content-type", "text/plain".parse().unwrap());
        assert!(deciding(&headers).unwrap_err().contains("more than once"));
    }

    #[test]
    fn forms_are_known_by_their_type() {
        assert!(
            is_form(b" Multipart/Form-Data; boundary=x") && !is_form(b"application/json") && !is_form(b"multipart")
        );
    }
}
