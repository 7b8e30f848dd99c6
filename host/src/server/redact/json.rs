//! Secrets in JSON, replaced where they stand: every other byte stays as it is, so that the policy reads the same.

use std::ops::Range;

use super::{REDACTED, name, text};

/// How deep containers may nest; the policy reads no deeper.
const MAX_DEPTH: usize = 256;
/// How often a document may stand in a text of another.
const MAX_NESTED: usize = 6;
/// How much of a path can be part of one name.
const NAME: usize = 24;
/// Names of members that name another member, and the names of those.
const NAMING: [&str; 5] = ["name", "key", "property", "option", "header"];
const NAMED: [&str; 6] = ["value", "values", "default", "defaultvalue", "originalvalue", "content"];

/// With which certificate or token a user of Kubernetes came: a fingerprint (KEP-4193). It is in every review.
const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

/// It is no JSON, or nests too deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// A value, with its place.
#[derive(Debug)]
enum Node {
    Object(Vec<Member>),
    List(Vec<Node>),
    Text(Range<usize>, String),
    Number(Range<usize>),
    /// True, false, null: these tell nothing.
    Word,
}

#[derive(Debug)]
struct Member {
    place: Range<usize>,
    name: String,
    value: Node,
}

/// The text without its secrets; `None`: it holds none.
pub(super) fn redact(json: &str) -> Result<Option<String>, Unreadable> {
    within(json, 0)
}

/// A text of its own, whatever it holds; `None`: no secret.
pub(super) fn string(value: &str) -> Option<String> {
    text_within(value, 0)
}

fn within(json: &str, nested: usize) -> Result<Option<String>, Unreadable> {
    let mut reader = Reader { json, at: 0 };
    let mut edits = Edits { edits: Vec::new(), nested };
    loop {
        edits.walk(&reader.value(0)?, false, &mut String::new());
        reader.space();
        let rest = json.get(reader.at..).unwrap_or_default();
        if rest.is_empty() || (nested == 0 && harmless(rest)) {
            break;
        }
    }
    Ok(edits.apply(json))
}

/// What some platforms pass over behind a value: nothing in it has a name.
fn harmless(rest: &str) -> bool {
    !rest.contains(['{', '[', '"', '\'', ':', '=', '-', '@']) && string(rest).is_none()
}

fn text_within(value: &str, nested: usize) -> Option<String> {
    let trimmed = value.trim_start();
    if trimmed.starts_with(['{', '[', '"']) {
        if nested >= MAX_NESTED {
            return Some(REDACTED.to_owned());
        }
        if let Ok(redacted) = within(value, nested + 1) {
            return redacted;
        }
    }
    if let Some(decoded) = text::from_base64(value) {
        // Nobody reads a decision in there.
        let holds = nested >= MAX_NESTED || text_within(&decoded, nested + 1).is_some();
        return holds.then(|| REDACTED.to_owned());
    }
    match text::text(value) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(text) => Some(text),
    }
}

struct Edits {
    edits: Vec<(Range<usize>, String)>,
    nested: usize,
}

impl Edits {
    /// `secret`: the value belongs to a name of a secret. `path`: the names on the way, plain.
    fn walk(&mut self, node: &Node, secret: bool, path: &mut String) {
        match node {
            Node::Word => {}
            Node::Number(place) if secret => self.edits.push((place.clone(), "0".to_owned())),
            Node::Number(_) => {}
            Node::Text(_, value) if value.is_empty() || value == REDACTED => {}
            Node::Text(place, _) if secret => self.edits.push((place.clone(), quoted(REDACTED))),
            Node::Text(place, value) => {
                if let Some(value) = text_within(value, self.nested) {
                    self.edits.push((place.clone(), quoted(&value)));
                }
            }
            Node::List(items) => {
                let mut flagged = false;
                for item in items {
                    self.walk(item, secret || flagged, path);
                    // The arguments of a program: `--password`, and what comes after it.
                    flagged = matches!(item, Node::Text(_, value) if is_flag(value));
                }
            }
            Node::Object(members) => self.object(members, secret, path),
        }
    }

    fn object(&mut self, members: &[Member], secret: bool, path: &mut String) {
        let says =
            |member: &Member, what: fn(&str) -> bool| matches!(&member.value, Node::Text(_, value) if what(value));
        let named = members
            .iter()
            .any(|member| NAMING.contains(&name::plain(&member.name).as_str()) && says(member, name::is_secret));
        let is_secret_object =
            members.iter().any(|member| member.name == "kind" && says(member, |kind| kind == "Secret"));
        for member in members {
            if member.name == CREDENTIAL_ID {
                continue;
            }
            if let std::borrow::Cow::Owned(name) = text::text(&member.name) {
                self.edits.push((member.place.clone(), quoted(&name)));
            }
            let length = path.len();
            path.push_str(&name::plain(&member.name));
            let start = length.saturating_sub(NAME);
            let by_path = path.get(start..).is_some_and(name::has_word);
            let by_neighbour = named && NAMED.contains(&name::plain(&member.name).as_str());
            let by_kind = is_secret_object && matches!(member.name.as_str(), "data" | "stringData");
            let inside = secret || by_path || by_neighbour || by_kind || name::is_secret(&member.name);
            self.walk(&member.value, inside, path);
            path.truncate(length);
        }
    }

    fn apply(mut self, json: &str) -> Option<String> {
        if self.edits.is_empty() {
            return None;
        }
        self.edits.sort_by_key(|(place, _)| place.start);
        let mut shown = String::with_capacity(json.len());
        let mut done = 0;
        for (place, value) in &self.edits {
            shown.push_str(json.get(done..place.start).unwrap_or_default());
            shown.push_str(value);
            done = place.end;
        }
        shown.push_str(json.get(done..).unwrap_or_default());
        Some(shown)
    }
}

fn is_flag(value: &str) -> bool {
    value.starts_with('-') && !value.contains(['=', ' ']) && name::is_secret(value)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads JSON as RFC 8259 has it.
struct Reader<'j> {
    json: &'j str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Unreadable> {
        if depth > MAX_DEPTH {
            return Err(Unreadable);
        }
        self.space();
        let start = self.at;
        match self.peek().ok_or(Unreadable)? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.text().map(|text| Node::Text(start..self.at, text)),
            _ => {
                let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                while self.peek().is_some_and(inside) {
                    self.at += 1;
                }
                match self.json.get(start..self.at).unwrap_or_default() {
                    "true" | "false" | "null" => Ok(Node::Word),
                    number => {
                        serde_json::from_str::<serde::de::IgnoredAny>(number).map_err(|_| Unreadable)?;
                        Ok(Node::Number(start..self.at))
                    }
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node, Unreadable> {
        let mut members = Vec::new();
        self.at += 1;
        if self.take(b'}') {
            return Ok(Node::Object(members));
        }
        loop {
            self.space();
            let start = self.at;
            let name = self.text()?;
            let place = start..self.at;
            if !self.take(b':') {
                return Err(Unreadable);
            }
            members.push(Member { place, name, value: self.value(depth + 1)? });
            if self.take(b'}') {
                return Ok(Node::Object(members));
            }
            if !self.take(b',') {
                return Err(Unreadable);
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Unreadable> {
        let mut items = Vec::new();
        self.at += 1;
        if self.take(b']') {
            return Ok(Node::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Node::List(items));
            }
            if !self.take(b',') {
                return Err(Unreadable);
            }
        }
    }

    fn text(&mut self) -> Result<String, Unreadable> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(Unreadable);
        }
        self.at += 1;
        let mut simple = true;
        loop {
            match self.peek().ok_or(Unreadable)? {
                b'"' => break,
                b'\\' => {
                    simple = false;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let literal = self.json.get(start..self.at).ok_or(Unreadable)?;
        match literal.get(1..literal.len() - 1) {
            Some(text) if simple => Ok(text.to_owned()),
            _ => serde_json::from_str(literal).map_err(|_| Unreadable),
        }
    }
}
