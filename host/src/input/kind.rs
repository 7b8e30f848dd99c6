//! What a YAML or JSON document is, by its `apiVersion` and `kind`.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::split::Piece;
use super::{Envelope, Found, HttpDocument, InputError, ObjectName, Recognised, Request, list};
use crate::yaml;

const OWN: &str = "sluicegate.dev/";

/// Resources of Flink operators. Everything else of their groups is judged as well: an unknown kind is for the policy
/// to name.
const KINDS: [&str; 5] =
    ["FlinkDeployment", "FlinkSessionJob", "FlinkStateSnapshot", "FlinkBlueGreenDeployment", "VvpDeployment"];
const GROUPS: [&str; 2] = ["flink.apache.org/", "ververica.platform/"];

/// The byte order mark.
pub(super) const MARK: char = '\u{feff}';

/// Tells what stands in this stretch of a file; a list of objects is taken apart.
pub(super) fn recognise(piece: Piece<'_>) -> Vec<Found> {
    let text = match std::str::from_utf8(piece.bytes) {
        Ok(text) => text,
        Err(error) => {
            let message = "this is not UTF-8 text; save the file as UTF-8";
            return vec![Found::Broken(InputError::at(message, piece.start + error.valid_up_to()))];
        }
    };
    let head = match Head::read(text) {
        Ok(head) => head,
        Err(error) => return vec![Found::Broken(error.after(piece.start))],
    };
    if !head.list_of_flink() {
        return vec![of(head, text, piece.start)];
    }
    match list::items(text) {
        Ok(items) if items.is_empty() => vec![of(head, text, piece.start)],
        Ok(items) => items.into_iter().map(|item| self::item(&item.text, piece.start + item.start)).collect(),
        Err(error) => vec![Found::Broken(error.after(piece.start))],
    }
}

fn item(text: &str, offset: usize) -> Found {
    match Head::read(text) {
        Ok(head) if head.list_of_flink() => Found::Broken(InputError::at(
            format!("a `{}` within a list is not taken apart; write its items into the outer list", head.kind),
            offset + start(text),
        )),
        Ok(head) => of(head, text, offset),
        Err(error) => Found::Broken(error.after(offset)),
    }
}

fn of(head: Head, text: &str, offset: usize) -> Found {
    let request = |envelope, object| {
        let request = Request { envelope, body: text.as_bytes().to_vec() };
        Found::Request(Box::new(Recognised { request, offset: Some(offset), object }))
    };
    match head.kind.as_str() {
        "AdmissionReview" => request(Envelope::AdmissionReview, None),
        "ChangePlan" => request(Envelope::Plan, None),
        "HttpRequest" => match http(text) {
            Ok(request) => Found::Request(Box::new(Recognised { request, offset: None, object: None })),
            Err(message) => Found::Broken(InputError::at(message, offset + start(text))),
        },
        kind if head.flink() => {
            let object = ObjectName { kind: kind.to_owned(), namespace: head.namespace, name: head.name };
            request(Envelope::Manifest, Some(object))
        }
        _ => other(head, offset + start(text)),
    }
}

fn other(head: Head, at: usize) -> Found {
    let Head { kind, api_version, name, case, .. } = head;
    match kind.as_str() {
        "" if case => Found::Unrecognised(InputError::at("this is a case; run it with `sluicegate test`", at)),
        "" => Found::Unrecognised(InputError::at(
            "this names no `kind`; give an AdmissionReview, a Flink resource, a ChangePlan, an HttpRequest, or .http text",
            at,
        )),
        "Facts" if api_version.starts_with(OWN) => Found::Foreign("facts; give them with `--facts`".to_owned()),
        "Settings" if api_version.starts_with(OWN) => {
            Found::Foreign("settings; give them with `--settings`".to_owned())
        }
        _ if api_version.starts_with(OWN) => Found::Broken(InputError::at(
            format!("there is no kind `{kind}`; requests are of kind `HttpRequest` or `ChangePlan`"),
            at,
        )),
        "Deployment" if api_version == "v1" => Found::Foreign(format!(
            "{kind} {name}: a Ververica Deployment is judged as the HTTP request that carries it"
        )),
        _ => Found::Foreign(format!("{kind} {name}").trim_end().to_owned()),
    }
}

fn http(text: &str) -> Result<Request, String> {
    let value = value(text).map_err(|error| error.message)?;
    let document: HttpDocument =
        serde_json::from_value(value).map_err(|error| format!("in this HttpRequest: {error}"))?;
    document.request()
}

/// The first character that says something.
fn start(text: &str) -> usize {
    text.split_inclusive('\n')
        .take_while(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
        .map(str::len)
        .sum()
}

/// A document as a value, JSON or YAML.
pub(super) fn value(text: &str) -> Result<Value, InputError> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    if json(text)
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    yaml::parse(text).map_err(|error| InputError::at(format!("this is not valid YAML: {error}"), error.offset))
}

pub(super) fn json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// What is needed to tell the kind of a document.
#[derive(Debug, Default)]
struct Head {
    kind: String,
    api_version: String,
    namespace: String,
    name: String,
    /// It is a list of objects.
    list: bool,
    /// One of the objects is a Flink resource.
    holds_flink: bool,
    /// It looks like a case.
    case: bool,
}

impl Head {
    /// JSON is skimmed, since it may be large and the policy parses it anyway.
    fn read(text: &str) -> Result<Self, InputError> {
        let plain = text.strip_prefix(MARK).unwrap_or(text);
        if !json(plain) {
            return value(text).map(|value| Self::of(&value));
        }
        let mut reader = serde_json::Deserializer::from_str(plain);
        reader.deserialize_any(Skim).or_else(|error| match yaml::parse(plain) {
            // Braces are YAML as well; whether the policy reads them is for the policy to say.
            Ok(value) => Ok(Self::of(&value)),
            Err(_) => {
                let line: usize = plain.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
                let offset = (text.len() - plain.len()) + line + error.column().saturating_sub(1);
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                // A text that ends too early ends with its last character, not on the line below.
                let offset = offset.min(text.trim_end().len());
                Err(InputError::at(format!("this is not valid JSON: {message}"), offset))
            }
        })
    }

    fn of(value: &Value) -> Self {
        let mut head = Self::default();
        for (name, value) in value.as_object().into_iter().flatten() {
            head.take(name, value);
        }
        head
    }

    fn take(&mut self, name: &str, value: &Value) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        match name {
            "kind" => self.kind = text(Some(value)),
            "apiVersion" => self.api_version = text(Some(value)),
            "metadata" => {
                self.namespace = text(value.get("namespace"));
                self.name = text(value.get("name"));
            }
            "items" => {
                self.list = true;
                let flink = |item: &Value| {
                    let item = Self::of(item);
                    item.flink() || item.list_of_flink()
                };
                self.holds_flink = value.as_array().is_some_and(|items| items.iter().any(flink));
            }
            "expect" => self.case = true,
            _ => {}
        }
    }

    fn flink(&self) -> bool {
        KINDS.contains(&self.kind.as_str()) || !self.kind.is_empty() && self.of_flink_group() && !self.list
    }

    fn list_of_flink(&self) -> bool {
        let request = ["AdmissionReview", "ChangePlan", "HttpRequest"].contains(&self.kind.as_str());
        self.list && !request && !self.flink() && (self.holds_flink || self.of_flink_group())
    }

    fn of_flink_group(&self) -> bool {
        GROUPS.iter().any(|group| self.api_version.starts_with(group))
    }
}

/// Reads only the members that [`Head`] keeps; of several of one name the last, as the platforms do.
struct Skim;

impl<'de> Visitor<'de> for Skim {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "kind" | "apiVersion" | "metadata" | "items" => head.take(&name, &map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    head.case |= name == "expect";
                }
            }
        }
        Ok(head)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Head, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Head::default())
    }
}
