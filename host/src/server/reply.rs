//! Answers that are whole at once: every one of them carries its reason.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// An answer.
pub type Reply = Response<Full<Bytes>>;

/// A text for people, or for a program that reads lines.
pub fn text(status: StatusCode, text: impl Into<String>) -> Reply {
    let mut text = text.into();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    of(status, "text/plain; charset=utf-8", text.into())
}

/// A JSON document.
pub fn json(status: StatusCode, document: &impl Serialize) -> Reply {
    match serde_json::to_vec(document) {
        Ok(bytes) => of(status, "application/json", bytes.into()),
        // Maps with texts as keys never fail; a reply that is none must not look like one.
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("the answer cannot be written: {error}")),
    }
}

/// Bytes of this kind.
pub fn of(status: StatusCode, kind: &'static str, bytes: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(bytes));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

/// The path is right, the method is not.
pub fn only(method: &'static str) -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, format!("use {method} here"));
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(method));
    reply
}
