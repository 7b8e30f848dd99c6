//! HTTP calls as text: request line, headers, blank line, body; several of them separated by lines that start with `###`,
//! as editors write and send them.

use super::split::{Piece, plain};
use super::{Envelope, Found, HttpHead, InputError, Recognised, Request, decides};

/// Whether the first line that says something is a request line.
pub(super) fn looks_like(file: &[u8]) -> bool {
    let mut lines = Piece::of(file, 0..file.len()).lines();
    lines.find(|line| !aside(line.bytes)).is_some_and(|line| request_line(line.bytes).is_some())
}

/// Every call in the text.
pub(super) fn read(file: &[u8]) -> Vec<Found> {
    let mut parts = Vec::new();
    let mut start = 0;
    for line in Piece::of(file, 0..file.len()).lines() {
        if line.bytes.starts_with(b"###") {
            parts.push(Piece::of(file, start..line.start));
            start = line.end();
        }
    }
    parts.push(Piece::of(file, start..file.len()));
    parts
        .into_iter()
        .filter(|part| part.lines().any(|line| !aside(line.bytes)))
        .map(|part| match call(file, part) {
            Ok(recognised) => Found::Request(Box::new(recognised)),
            Err(error) => Found::Broken(error),
        })
        .collect()
}

fn call(file: &[u8], part: Piece<'_>) -> Result<Recognised, InputError> {
    let mut lines = part.lines().skip_while(|line| aside(line.bytes));
    let first = lines.next().unwrap_or(part);
    let expected = "expected a request line such as `POST /jobs/…/stop HTTP/1.1`";
    let (method, target) = request_line(first.bytes).ok_or_else(|| InputError::at(expected, first.start))?;
    let target = origin_form(target);
    if target.contains("{{") {
        return Err(InputError::at("variables (`{{…}}`) are not filled in; write the values out", first.start));
    }
    let mut headers = Vec::new();
    let mut start = part.end();
    for line in lines {
        if line.bytes.trim_ascii().is_empty() {
            start = line.end();
            break;
        }
        if !line.bytes.starts_with(b"#") {
            headers.extend(header(line)?);
        }
    }
    let body = Piece::of(file, start..part.end()).bytes;
    // The line break at the end belongs to the file, not to what is sent. In UTF-16 it is half a character.
    let body = if body.contains(&0) { body } else { body.trim_ascii_end() };
    let head = HttpHead { api: None, method: method.to_owned(), target: target.to_owned(), headers };
    let request = Request { envelope: Envelope::Http(head), body: body.to_vec() };
    Ok(Recognised { request, offset: Some(start), object: None })
}

/// A header, if it is one of those that decide.
fn header(line: Piece<'_>) -> Result<Option<(String, String)>, InputError> {
    let mut halves = line.bytes.splitn(2, |byte| *byte == b':');
    let (name, value) = match (halves.next(), halves.next()) {
        (Some(name), Some(value)) if !name.is_empty() && token(name) => (String::from_utf8_lossy(name), value),
        _ => {
            let expected =
                "expected a header such as `Content-Type: application/json`, or a blank line before the body";
            return Err(InputError::at(expected, line.start));
        }
    };
    if !decides(&name) {
        return Ok(None);
    }
    let value = std::str::from_utf8(value.trim_ascii())
        .map_err(|_| InputError::at(format!("the value of `{name}` is not valid UTF-8"), line.start))?;
    Ok(Some((name.into_owned(), value.to_owned())))
}

/// Blank, a comment, or a variable of an editor.
fn aside(line: &[u8]) -> bool {
    let text = plain(line);
    text.is_empty() || [&b"#"[..], b"//", b"@"].iter().any(|mark| text.starts_with(mark))
}

/// Method and target.
fn request_line(line: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim();
    let (method, rest) = text.split_once(' ')?;
    let rest = rest.trim_start();
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target.trim_end(),
        _ => rest,
    };
    let known = ["/", "http://", "https://", "{{"].iter().any(|start| target.starts_with(start));
    (known && method.len() <= 20 && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'))
        .then_some((method, target))
}

/// What a client sends for a full address: path and query.
fn origin_form(target: &str) -> &str {
    let after = match target.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        Some((_, after)) if after.starts_with('/') => return after,
        _ => target.strip_prefix("https://").or_else(|| target.strip_prefix("http://")),
    };
    match after {
        None => target,
        Some(address) => address.find(['/', '?']).and_then(|at| address.get(at..)).unwrap_or("/"),
    }
}

fn token(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
