//! HTTP calls as text: request line, headers, blank line, body; several of them separated by lines that start with `###`,
//! as editors write and send them.

use super::split::lines;
use super::{Envelope, Found, HttpHead, InputError, Recognised, Request, decides};

/// Whether the first line that says something is a request line.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let mut lines = lines(bytes, 0..bytes.len()).map(|line| &bytes[line]);
    lines.find(|line| !aside(line)).is_some_and(|line| request_line(line).is_some())
}

/// Every call in the text.
pub(super) fn read(bytes: &[u8]) -> Vec<Found> {
    let mut parts = Vec::new();
    let mut start = 0;
    for line in lines(bytes, 0..bytes.len()) {
        if bytes[line.clone()].starts_with(b"###") {
            parts.push(start..line.start);
            start = line.end;
        }
    }
    parts.push(start..bytes.len());
    let said = |part: &std::ops::Range<usize>| lines(bytes, part.clone()).any(|line| !aside(&bytes[line]));
    parts
        .into_iter()
        .filter(said)
        .map(|part| match call(bytes, part) {
            Ok(recognised) => Found::Request(Box::new(recognised)),
            Err(error) => Found::Broken(error),
        })
        .collect()
}

fn call(bytes: &[u8], part: std::ops::Range<usize>) -> Result<Recognised, InputError> {
    let mut lines = lines(bytes, part.clone()).skip_while(|line| aside(&bytes[line.clone()]));
    let first = lines.next().unwrap_or(part.end..part.end);
    let expected = "expected a request line such as `POST /jobs/…/stop HTTP/1.1`";
    let (method, target) = request_line(&bytes[first.clone()]).ok_or_else(|| InputError::at(expected, first.start))?;
    let target = origin_form(target);
    if target.contains("{{") {
        return Err(InputError::at("variables (`{{…}}`) are not filled in; write the values out", first.start));
    }
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut headers = Vec::new();
    let mut body = part.end;
    for line in lines {
        let text = bytes[line.clone()].trim_ascii_end();
        if text.is_empty() {
            body = line.end;
            break;
        }
        if text.starts_with(b"#") {
            continue;
        }
        let colon = text.iter().position(|byte| *byte == b':').filter(|at| *at > 0 && token(&text[..*at]));
        let Some(colon) = colon else {
            return Err(InputError::at(
                "expected a header such as `Content-Type: application/json`, or a blank line before the body",
                line.start,
            ));
        };
        let name = String::from_utf8_lossy(&text[..colon]).into_owned();
        if decides(&name) {
            let value = std::str::from_utf8(text[colon + 1..].trim_ascii())
                .map_err(|_| InputError::at(format!("the value of `{name}` is not valid UTF-8"), line.start))?;
            headers.push((name, value.to_owned()));
        }
    }
    let text = &bytes[body..part.end];
    // The line break at the end belongs to the file, not to what is sent. In UTF-16 it is half a character.
    let text = if text.contains(&0) { text } else { text.trim_ascii_end() };
    let head = HttpHead { api: None, method, target, headers };
    let request = Request { envelope: Envelope::Http(head), body: text.to_vec() };
    Ok(Recognised { request, offset: Some(body), object: None })
}

/// Blank, a comment, or a variable of an editor.
fn aside(line: &[u8]) -> bool {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
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
