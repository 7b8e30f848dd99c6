//! A request that a file holds. It owns what the contract's types borrow.

use crate::Api;

/// A request, ready to be judged.
#[derive(Clone, Debug)]
pub struct Request {
    /// How it travels.
    pub envelope: Envelope,
    /// The exact bytes of the body.
    pub body: Vec<u8>,
}

/// How a request travels.
#[derive(Clone, Debug)]
pub enum Envelope {
    /// As a Kubernetes AdmissionReview.
    AdmissionReview,
    /// As a bare manifest; the live object comes from elsewhere.
    Manifest,
    /// As an HTTP call.
    Http(HttpHead),
    /// As a change plan.
    Plan,
}

/// The head of an HTTP call.
#[derive(Clone, Debug)]
pub struct HttpHead {
    /// Whose API is called; `None`: told from method and path.
    pub api: Option<Api>,
    /// The request method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The headers that decide.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// Hands the request on in the form of the contract. `live` is the live object of a manifest.
    pub fn lend<R>(&self, live: Option<&[u8]>, then: impl FnOnce(&crate::Request<'_>) -> R) -> R {
        self.envelope.lend(&self.body, live, then)
    }
}

impl Envelope {
    /// Hands a request with this body on in the form of the contract. `live` is the live object of a manifest.
    pub fn lend<R>(&self, body: &[u8], live: Option<&[u8]>, then: impl FnOnce(&crate::Request<'_>) -> R) -> R {
        let headers: Vec<(&str, &str)>;
        let envelope = match self {
            Self::AdmissionReview => crate::Envelope::AdmissionReview,
            Self::Manifest => crate::Envelope::Manifest(live),
            Self::Plan => crate::Envelope::Plan,
            Self::Http(head) => {
                headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                crate::Envelope::Http(crate::HttpHead {
                    api: head.api,
                    method: &head.method,
                    target: &head.target,
                    headers: &headers,
                })
            }
        };
        then(&crate::Request { envelope, body })
    }
}
