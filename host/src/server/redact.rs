//! What may be written down of a request: everything but secrets. A secret gives way to a value of the same type, so
//! that the policy says the same about what is left; what cannot be read is not written at all.

mod json;
mod name;
mod text;

use std::borrow::Cow;

/// What stands in place of a secret.
const REDACTED: &str = "redacted";
/// How the `_metadata` file of a snapshot starts, and what stands last in it.
const METADATA: &[u8] = &[0x49, 0x60, 0x67, 0x2d];
const PROPERTIES: &[u8] = b"org.apache.flink.runtime.checkpoint.CheckpointProperties";
/// Magic number, version, checkpoint id.
const METADATA_HEAD: usize = 16;
/// The properties are a few hundred bytes.
const METADATA_TAIL: usize = 8 << 10;

/// What is left of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown<'d> {
    /// Readable text.
    Text(Cow<'d, str>),
    /// Bytes that are no text in UTF-8, and hold no secret.
    Bytes(Cow<'d, [u8]>),
    /// Nothing: it cannot be told what is in it.
    Withheld,
}

/// A document without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'d> {
    /// What is left.
    pub shown: Shown<'d>,
    /// Whether it differs from the original.
    pub changed: bool,
}

impl<'d> Redacted<'d> {
    fn same(document: &'d str) -> Self {
        Self { shown: Shown::Text(Cow::Borrowed(document)), changed: false }
    }

    fn changed(text: String) -> Self {
        Self { shown: Shown::Text(Cow::Owned(text)), changed: true }
    }

    fn withheld() -> Self {
        Self { shown: Shown::Withheld, changed: true }
    }
}

/// A body, a document of facts, or what a platform answered: JSON, YAML, a form or plain text.
pub fn document(bytes: &[u8]) -> Redacted<'_> {
    // Both can pass for UTF-8.
    if let Some(redacted) = metadata(bytes) {
        return redacted;
    }
    if let Some(text) = utf16(bytes) {
        // The platforms read it as well; without secrets it stays as it is.
        return match readable(&text) {
            Redacted { changed: false, .. } => Redacted { shown: Shown::Bytes(Cow::Borrowed(bytes)), changed: false },
            Redacted { shown: Shown::Text(text), .. } => Redacted::changed(text.into_owned()),
            Redacted { .. } => Redacted::withheld(),
        };
    }
    std::str::from_utf8(bytes).map_or_else(|_| Redacted::withheld(), readable)
}

fn readable(document: &str) -> Redacted<'_> {
    let content = document.strip_prefix('\u{feff}').unwrap_or(document);
    if content.trim().is_empty() {
        return Redacted::same(document);
    }
    match json::redact(content) {
        Ok(None) => return Redacted::same(document),
        Ok(Some(text)) => return Redacted::changed(text),
        Err(json::Unreadable) => {}
    }
    match crate::yaml::parse(content) {
        Ok(value @ (serde_json::Value::Object(_) | serde_json::Value::Array(_))) => {
            let value = value.to_string();
            match (json::redact(&value), text(content)) {
                // Comments are text, too.
                (Ok(None), Cow::Borrowed(_)) => Redacted::same(document),
                (Ok(redacted), _) => Redacted::changed(redacted.unwrap_or(value)),
                (Err(json::Unreadable), _) => Redacted::withheld(),
            }
        }
        Ok(serde_json::Value::String(scalar)) if json::string(&scalar).is_some() => {
            Redacted::changed(query(&scalar).into_owned())
        }
        // One line of `a=b&c=d`, or a plain text.
        Ok(_) => match query(content) {
            Cow::Borrowed(_) => Redacted::same(document),
            Cow::Owned(text) => Redacted::changed(text),
        },
        Err(_) if is_harmless(content) => Redacted::same(document),
        Err(_) => Redacted::withheld(),
    }
}

/// Whether a text that breaks off or is wrong speaks of no secret: nothing in it reads like the name of one, however it
/// would have gone on, nothing is escaped, and nothing is found that would have to be hidden.
fn is_harmless(content: &str) -> bool {
    let words = content.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    !name::has_word(&name::plain(content))
        && !words.into_iter().any(name::is_secret)
        && !content.contains(['\\', '%'])
        && matches!(text(content), Cow::Borrowed(_))
}

/// A text of its own: an error, a header's value, an argument.
pub fn text(text: &str) -> Cow<'_, str> {
    json::string(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A request target: secrets stand in its query, or before its host.
pub fn target(target: &str) -> Cow<'_, str> {
    let Some((path, parameters)) = target.split_once('?') else { return text(target) };
    match (text(path), query(parameters)) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => Cow::Borrowed(target),
        (path, query) => Cow::Owned(format!("{path}?{query}")),
    }
}

/// Parameters of a query or a form.
fn query(parameters: &str) -> Cow<'_, str> {
    let plain = !parameters.contains(char::is_whitespace);
    if !plain || !parameters.contains('=') {
        return text(parameters);
    }
    let mut changed = false;
    let parts: Vec<Cow<'_, str>> = parameters
        .split('&')
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            if value.is_empty() || value == REDACTED {
                return Cow::Borrowed(part);
            }
            let shown = match name::is_secret(&text::decoded(name)) {
                true => Cow::Borrowed(REDACTED),
                false => match json::string(&text::decoded(value)) {
                    Some(value) => Cow::Owned(text::encoded(&value)),
                    None => return Cow::Borrowed(part),
                },
            };
            changed = true;
            Cow::Owned(format!("{name}={shown}"))
        })
        .collect();
    if changed { Cow::Owned(parts.join("&")) } else { text(parameters) }
}

/// The text of UTF-16, as it is told apart from UTF-8: by its mark, or by the zero beside its first character.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (rest, big) = match bytes {
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0, second, ..] if second.is_ascii() && *second != 0 => (bytes, true),
        [first, 0, ..] if first.is_ascii() && *first != 0 => (bytes, false),
        _ => return None,
    };
    let (pairs, []) = rest.as_chunks::<2>() else { return None };
    let units = pairs.iter().map(|pair| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) });
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

/// Of a snapshot's `_metadata` only what the policy reads: what stands between may be state.
fn metadata(bytes: &[u8]) -> Option<Redacted<'_>> {
    if !bytes.starts_with(METADATA) {
        return None;
    }
    let head = bytes.get(..METADATA_HEAD)?;
    let rest = bytes.get(METADATA_HEAD..)?;
    let last = rest.windows(PROPERTIES.len()).rposition(|window| window == PROPERTIES);
    let tail = last.and_then(|at| rest.get(at..)).map(|tail| tail.get(..METADATA_TAIL).unwrap_or(tail));
    let kept = [head, tail.unwrap_or_default()].concat();
    Some(Redacted { changed: kept != bytes, shown: Shown::Bytes(Cow::Owned(kept)) })
}

#[cfg(test)]
mod tests;
