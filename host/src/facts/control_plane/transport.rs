//! One HTTP client for all reads: no redirects, no system proxy, every wait and every answer bounded.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use reqwest::{Certificate, Client, StatusCode, Url};

use crate::facts::live::Read;

/// Bytes of an answer that is no success: enough to say why.
const MOST_OF_AN_ERROR: usize = 64 << 10;
/// Characters of a reason.
const LONGEST_REASON: usize = 160;

/// Asks by GET.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    client: Client,
    most: usize,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl Transport {
    /// A client for one control plane. `authority`: a PEM file with the certificates that its own is signed by, instead of
    /// the system's.
    pub(super) fn new(
        authority: Option<&Path>,
        connect_timeout: Duration,
        timeout: Duration,
        most: usize,
    ) -> Result<Self, String> {
        let mut client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(connect_timeout)
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(8)
            .user_agent(concat!("sluicegate/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = authority {
            let wrong =
                |why: &dyn std::fmt::Display| format!("the certificates in `{}` cannot be used: {why}", file.display());
            let pem = std::fs::read(file).map_err(|error| wrong(&error))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
            if certificates.is_empty() {
                return Err(wrong(&"there is none"));
            }
            client = client.tls_certs_only(certificates);
        }
        let client = client.build().map_err(|error| root_cause(&error))?;
        Ok(Self { client, most })
    }

    /// Asks once. What comes back of a success is whole; of anything else it is the beginning.
    ///
    /// # Errors
    /// When there is no answer, or it is larger than allowed.
    pub(super) async fn get(&self, url: Url, headers: HeaderMap) -> Result<Reply, Read> {
        let failed = |error: reqwest::Error| Read::unreachable(reason(&error));
        let mut response = self.client.get(url).headers(headers).send().await.map_err(failed)?;
        let status = response.status();
        if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding.as_bytes() != b"identity") {
            return Err(Read::unavailable("it answered in an encoding that was not asked for"));
        }
        let ok = status == StatusCode::OK;
        let most = if ok { self.most } else { MOST_OF_AN_ERROR.min(self.most) };
        let too_large = || Read::unavailable(format!("its answer has more than {most} bytes"));
        if ok && response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let room = most - body.len();
            if chunk.len() > room {
                if ok {
                    return Err(too_large());
                }
                body.extend(chunk.iter().take(room));
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, body })
    }
}

impl Reply {
    /// The body of a success that is JSON.
    pub(super) fn found(self) -> Result<Vec<u8>, Read> {
        if self.status != StatusCode::OK {
            return Err(self.refused());
        }
        // A login page is a success as well.
        match serde_json::from_slice::<serde::de::IgnoredAny>(&self.body) {
            Ok(_) => Ok(self.body),
            Err(_) => Err(Read::unavailable("it answered 200 with something that is no JSON; is this its address?")),
        }
    }

    /// Why it is no success: the status, and what the platform says.
    pub(super) fn refused(&self) -> Read {
        let said = self.said().map(|said| format!(": {said}")).unwrap_or_default();
        let advice = match self.status.as_u16() {
            300..=399 => "; redirects are not followed",
            401 | 403 => "; look at the credentials of the gate",
            404 if said.is_empty() => "; is this its address?",
            _ => "",
        };
        let text = format!("it answered {}{said}{advice}", self.status.as_u16());
        // Behind a gateway these mean that nobody is there.
        match self.status.as_u16() {
            502..=504 => Read::unreachable(text),
            _ => Read::unavailable(text),
        }
    }

    /// The platforms' own error texts: `errors` (Flink), `message` (Ververica), `Message` with `Code` (Alibaba).
    fn said(&self) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let text = |name: &str| body.get(name).and_then(|text| text.as_str());
        let first = body.get("errors").and_then(|errors| errors.get(0)).and_then(|text| text.as_str());
        let said = first.or_else(|| text("message")).or_else(|| text("Message")).or_else(|| text("errorMessage"))?;
        let said = match text("Code").or_else(|| text("errorCode")) {
            Some(code) => format!("{code} {said}"),
            None => said.to_owned(),
        };
        Some(clean(&said)).filter(|said| !said.is_empty())
    }
}

/// The first line, short, without what a terminal or log would trip over.
pub(in crate::facts) fn clean(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let mut short: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    if line.chars().count() > LONGEST_REASON {
        short.push('…');
    }
    short
}

fn reason(error: &reqwest::Error) -> String {
    match error {
        _ if error.is_timeout() => "it did not answer in time".to_owned(),
        _ if error.is_connect() => format!("no connection: {}", root_cause(error)),
        _ => format!("the answer broke off: {}", root_cause(error)),
    }
}

/// The root of an error: what stands above it repeats the address.
pub(in crate::facts) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut source = error.source();
    let mut text = None;
    while let Some(error) = source {
        text = Some(error.to_string());
        source = error.source();
    }
    clean(&text.unwrap_or_else(|| "the request could not be sent".to_owned()))
}
