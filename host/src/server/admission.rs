//! `POST /validate`: the admission webhook. AdmissionReview v1 in, AdmissionReview v1 out (DOMAIN 5.1, 5.2).
//!
//! The reviews are the API server's; what they say is the policy's to read. Here only the `uid` is looked at, which the
//! answer must echo.

mod response;
mod warnings;

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::caller::Caller;
use super::denial;
use super::door::{Door, Stage};
use super::gate::{Gate, Question};
use super::options::Bounds;
use super::reply::{self, Reply};
use crate::facts::kubernetes::Kubernetes;
use crate::facts::{self, Answered, Live};
use crate::input::Envelope;

/// Kept back of the time that the API server gives, for the way there and back.
const WAY: Duration = Duration::from_millis(200);

/// Bytes of the longest name of an object that is repeated.
const LONGEST_OBJECT: usize = 600;

/// What of a review the server itself must know.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Head,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    uid: String,
    #[serde(default)]
    kind: Value,
    #[serde(default)]
    resource: Value,
    #[serde(default)]
    sub_resource: Value,
    #[serde(default)]
    name: Value,
    old_object: Option<Named>,
    namespace: Option<String>,
    user_info: Option<User>,
}

/// What a delete of a collection is about: the request itself has no name then.
#[derive(Deserialize)]
struct Named {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
}

impl Head {
    /// What it is about, for people: `FlinkDeployment prod/orders`, and as much of it as is told.
    fn object(&self) -> String {
        let word = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match self.sub_resource.as_str() {
            None | Some("") => word(self.kind.get("kind")),
            Some(part) => format!("{}/{part}", word(self.resource.get("resource"))),
        };
        let namespace = self.namespace.as_deref().unwrap_or_default();
        let old = || self.old_object.as_ref()?.metadata.as_ref()?.name.clone();
        let name = Some(word(Some(&self.name))).filter(|name| !name.is_empty()).or_else(old).unwrap_or_default();
        let text = match (namespace, name.as_str()) {
            ("", "") => kind,
            // The API server makes up a name when it stores the object.
            (namespace, "") => format!("{kind} in {namespace}"),
            ("", name) => format!("{kind} {name}"),
            (namespace, name) => format!("{kind} {namespace}/{name}"),
        };
        denial::cut(&crate::report::clean(text.trim_start()), LONGEST_OBJECT)
    }
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct User {
    username: Option<String>,
}

/// Where the facts for a review come from: nothing here has to be waited for, once the first lists are there.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'r> {
    /// What may be looked up.
    pub live: Option<&'r Live>,
    /// The watched resources.
    pub kubernetes: Option<&'r Kubernetes>,
}

/// Answers a review. `query` is that of the request's target.
pub async fn validate(
    gate: &Gate,
    watched: Watched<'_>,
    caller: Caller,
    query: Option<&str>,
    bounds: &Bounds,
    body: Bytes,
) -> Reply {
    let head = match head(&body) {
        Ok(head) => head,
        Err(wrong) => {
            gate.turn_away(Door::Validate, "malformed");
            return reply::text(StatusCode::BAD_REQUEST, wrong);
        }
    };
    let time = timeout(query).map_or(bounds.deadline, |told| told.saturating_sub(WAY).max(told / 2));
    let object = head.object();
    let Head { uid, namespace, user_info, .. } = head;
    let namespace = namespace.unwrap_or_default();
    let until = Instant::now() + time.min(bounds.deadline);
    let question = Question {
        door: Door::Validate,
        id: uid.clone(),
        envelope: Envelope::AdmissionReview,
        body,
        live: None,
        caller,
        author: user_info.and_then(|user| user.username),
        labels: match watched.kubernetes {
            None => None,
            Some(kubernetes) => labels(kubernetes, &namespace, until.min(Instant::now() + bounds.facts)).await,
        },
        until,
    };
    let outcome = gate.ask(question, watched.live).await;
    let written = Instant::now();
    let reply = response::of(&uid, &object, gate, outcome);
    gate.metrics().stage(Door::Validate, Stage::Reply, written.elapsed());
    reply
}

/// The head of a review, or why this is none.
fn head(body: &[u8]) -> Result<Head, String> {
    let review: Review = serde_json::from_slice(body).map_err(|error| {
        format!("this is not an AdmissionReview as JSON: {error}; the API server sends `admission.k8s.io/v1`")
    })?;
    if review.api_version != "admission.k8s.io/v1" || review.kind != "AdmissionReview" {
        let Review { api_version, kind, .. } = review;
        let (version, kind) = (denial::cut(&api_version, 100), denial::cut(&kind, 100));
        return Err(format!(
            "this is `{kind}` of `{version}`, not `AdmissionReview` of `admission.k8s.io/v1`; name `v1` in `admissionReviewVersions`"
        ));
    }
    match &review.request.uid {
        uid if uid.is_empty() || uid.len() > 128 || uid.chars().any(char::is_control) => {
            Err("`request.uid` must be a text of 1 to 128 characters".to_owned())
        }
        _ => Ok(review.request),
    }
}

/// The labels of the review's namespace, where they are known: scopes of the settings may ask for them.
async fn labels(kubernetes: &Kubernetes, namespace: &str, until: Instant) -> Option<Value> {
    if let Some(coming) = kubernetes.labels_coming(namespace) {
        facts::arrived(coming, until).await;
    }
    match kubernetes.labels(namespace) {
        Answered::Found(labels) => serde_json::from_slice(&labels).ok(),
        Answered::Absent | Answered::Unavailable(_) => None,
    }
}

/// `timeout` of the query, as Go writes durations: `10s`, `1.5s`, `1m30s`, `500ms`.
fn timeout(query: Option<&str>) -> Option<Duration> {
    let mut rest = query?.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    // Nothing waits longer than the longest timeout of a webhook.
    Duration::try_from_secs_f64(seconds.min(30.0)).ok().filter(|told| !told.is_zero())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{head, timeout};

    #[test]
    fn the_time_there_is_comes_from_the_caller() {
        let told = |query| timeout(Some(query));
        assert_eq!(told("timeout=3s"), Some(Duration::from_secs(3)));
        assert_eq!(told("a=b&timeout=1m30s"), Some(Duration::from_secs(30)));
        assert_eq!(told("timeout=500ms"), Some(Duration::from_millis(500)));
        assert_eq!(told("timeout=1.5s"), Some(Duration::from_millis(1500)));
        for none in ["", "timeout=", "timeout=0s", "timeout=3", "timeout=s", "timeout=-3s", "timeout=3x"] {
            assert_eq!(told(none), None, "{none}");
        }
        assert_eq!(timeout(None), None);
    }

    #[test]
    fn an_object_is_named_as_far_as_it_is_told() {
        let object = |request: &str| {
            let review = format!(
                r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"7f",{request}}}}}"#
            );
            head(review.as_bytes()).unwrap().object()
        };
        let deployment = r#""kind":{"kind":"FlinkDeployment"},"resource":{"resource":"flinkdeployments"}"#;
        for (more, named) in [
            (r#""namespace":"prod","name":"orders""#, "FlinkDeployment prod/orders"),
            (r#""namespace":"prod","name":"""#, "FlinkDeployment in prod"),
            (r#""namespace":"prod","name":"","oldObject":{"metadata":{"name":"a"}}"#, "FlinkDeployment prod/a"),
            (r#""namespace":"prod","name":"","oldObject":null"#, "FlinkDeployment in prod"),
            (r#""namespace":null"#, "FlinkDeployment"),
            (r#""namespace":"prod","name":"orders","subResource":"scale""#, "flinkdeployments/scale prod/orders"),
            (r#""namespace":"prod","name":"a\tb""#, "FlinkDeployment prod/a\u{fffd}b"),
        ] {
            assert_eq!(object(&format!("{deployment},{more}")), named);
        }
        assert_eq!(object(r#""kind":5,"name":[]"#), "");
    }

    #[test]
    fn a_review_is_known_by_version_kind_and_uid() {
        let review = |version: &str, uid: &str| {
            format!(r#"{{"kind":"AdmissionReview","apiVersion":"{version}","request":{{"uid":{uid},"object":null}}}}"#)
        };
        let uid = |body: &[u8]| head(body).map(|head| head.uid);
        assert_eq!(uid(review("admission.k8s.io/v1", "\"7f\"").as_bytes()), Ok("7f".to_owned()));
        assert!(uid(review("admission.k8s.io/v1beta1", "\"7f\"").as_bytes()).unwrap_err().contains("v1beta1"));
        assert!(uid(review("admission.k8s.io/v1", "\"\"").as_bytes()).is_err());
        assert!(uid(review("admission.k8s.io/v1", "7").as_bytes()).is_err());
        assert!(uid(b"{}").unwrap_err().contains("not an AdmissionReview"));
        assert!(uid(b"\xff").is_err());
    }
}
