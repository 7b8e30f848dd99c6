//! HTTP calls as documents: `kind: HttpRequest`, and the `http` of a case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Envelope, HttpHead, Request, decides};
use crate::Api;

/// An HTTP call, written as a document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HttpDocument {
    /// Where the document stands alone.
    pub api_version: Option<String>,
    /// Where the document stands alone: `HttpRequest`.
    pub kind: Option<String>,
    /// Whose API is called.
    pub api: Option<String>,
    /// The request method.
    pub method: String,
    /// Path and query, as they are sent.
    pub target: String,
    /// The headers by name; several values of one name are a list. Read with care: errors must not show credentials.
    pub headers: Option<Value>,
    /// A JSON value.
    pub body: Option<Value>,
    /// A text that is sent as it is.
    pub body_text: Option<String>,
    /// Exact bytes.
    pub body_base64: Option<String>,
}

impl HttpDocument {
    /// The request it stands for.
    ///
    /// # Errors
    /// When it contradicts itself; the text is for people.
    pub fn request(self) -> Result<Request, String> {
        if let Some(version) = self.api_version.filter(|version| version != "sluicegate.dev/v1alpha1") {
            return Err(format!("`apiVersion` must be `sluicegate.dev/v1alpha1`, not `{version}`"));
        }
        let unknown = |name: &String| format!("`api` must be one of ververica, alibaba, flink-rest, not `{name}`");
        let api = self.api.map(|name| Api::named(&name).ok_or_else(|| unknown(&name))).transpose()?;
        let body = match (self.body, self.body_text, self.body_base64) {
            (None, None, None) => Vec::new(),
            (Some(value), None, None) => value.to_string().into_bytes(),
            (None, Some(text), None) => text.into_bytes(),
            (None, None, Some(text)) => {
                let text: String = text.split_ascii_whitespace().collect();
                STANDARD.decode(text).map_err(|error| format!("`bodyBase64` is not Base64: {error}"))?
            }
            _ => return Err("give only one of `body`, `bodyText` and `bodyBase64`".to_owned()),
        };
        let given = match self.headers {
            None => Map::new(),
            Some(Value::Object(headers)) => headers,
            Some(_) => return Err("`headers` must be an object: names and values".to_owned()),
        };
        let mut headers = Vec::new();
        for (name, value) in given {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                let text = match value {
                    Value::String(text) => text,
                    Value::Bool(_) | Value::Number(_) => value.to_string(),
                    _ => return Err(format!("the header `{name}` must be a text or a list of texts")),
                };
                if decides(&name) {
                    headers.push((name.clone(), text));
                }
            }
        }
        let head = HttpHead { api, method: self.method, target: self.target, headers };
        Ok(Request { envelope: Envelope::Http(head), body })
    }
}
