//! Secrets inside of texts: arguments, properties, SQL, URIs, headers, keys. It would rather hide too much than too
//! little.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::REDACTED;
use super::name::is_secret;

/// Characters of the longest name that is looked at.
const LONGEST_NAME: usize = 256;
/// A shorter text is rather a word than Base64.
const SHORTEST_BASE64: usize = 16;

/// The text without its secrets; borrowed: it holds none.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let mut found = Vec::new();
    if text.contains("PRIVATE KEY-----") {
        return Cow::Owned(REDACTED.to_owned());
    }
    assignments(text, &mut found);
    flags(text, &mut found);
    schemes(text, &mut found);
    web_tokens(text, &mut found);
    elements(text, &mut found);
    users(text, &mut found);
    replace(text, found)
}

fn replace(text: &str, mut found: Vec<Range<usize>>) -> Cow<'_, str> {
    found.retain(|place| text.get(place.clone()).is_some_and(|value| !value.is_empty() && value != REDACTED));
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_by_key(|place| (place.start, place.end));
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for place in found {
        if place.start >= done {
            shown.push_str(text.get(done..place.start).unwrap_or_default());
            shown.push_str(REDACTED);
        }
        done = done.max(place.end);
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(shown)
}

/// `name=value`, `name: value`, with or without quotes, alone or in a query.
fn assignments(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let at = |position: usize| bytes.get(position).copied();
    for (sign, _) in bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'=' | b':')) {
        let before = |position: usize| position.checked_sub(1).and_then(at);
        let mut end = sign;
        // `+=`, `:=`, `==`, `=>` are signs as well.
        while matches!(before(end), Some(b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'=' | b':' | b'+' | b']')) {
            end -= 1;
        }
        let mut start = end;
        while before(start).is_some_and(in_name) && end - start < LONGEST_NAME {
            start -= 1;
        }
        let name = text.get(start..end).unwrap_or_default();
        if name.is_empty() || !is_secret(&decoded(name)) {
            continue;
        }
        let colon = at(sign) == Some(b':');
        let mut from = sign + 1;
        while matches!(at(from), Some(b' ' | b'\t' | b'>' | b'=' | b'[' | b'(')) {
            from += 1;
        }
        let slashes = bytes.get(from..).unwrap_or_default().iter().take_while(|byte| **byte == b'\\').count();
        let value = match at(from + slashes) {
            Some(quote @ (b'"' | b'\'' | b'`')) => {
                let open = from + slashes + 1;
                open..closing(bytes, open, quote, slashes)
            }
            _ if colon => from..block(text, start, from),
            _ if matches!(before(start), Some(b'?' | b'&' | b';')) => from..until(bytes, from, b"&#"),
            _ => from..until(bytes, from, b""),
        };
        found.push(value);
    }
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'%' | b'$') || byte >= 0x80
}

/// Where an unquoted value ends.
fn until(bytes: &[u8], from: usize, signs: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`') || signs.contains(byte);
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(ends).unwrap_or(rest.len())
}

/// Where a quoted value ends: at a quote with as many backslashes, and none that is doubled, as SQL does it.
fn closing(bytes: &[u8], open: usize, quote: u8, slashes: usize) -> usize {
    let mut position = open;
    let mut before = 0;
    while let Some(byte) = bytes.get(position) {
        if *byte == quote && before <= slashes {
            if slashes > 0 || bytes.get(position + 1) != Some(&quote) {
                return position - before;
            }
            position += 1;
        }
        before = if *byte == b'\\' { before + 1 } else { 0 };
        position += 1;
    }
    bytes.len()
}

/// Where the value after a colon ends: with its line, or with the deeper lines below it.
fn block(text: &str, name: usize, from: usize) -> usize {
    let line_end = |at: usize| text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
    let mut end = line_end(from);
    let value = text.get(from..end).unwrap_or_default().trim();
    if !(value.is_empty() || value.starts_with(['|', '>'])) {
        return end;
    }
    let line_start = text.get(..name).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let own = text.get(line_start..name).map_or(0, indent);
    while end < text.len() {
        let next = line_end(end + 1);
        let line = text.get(end + 1..next).unwrap_or_default();
        if !line.trim().is_empty() && indent(line) <= own {
            break;
        }
        end = next;
    }
    end
}

/// `--password value`, and `--password,value` as Flink's REST API takes lists.
fn flags(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let ends = |byte: u8| byte.is_ascii_whitespace() || byte == b',';
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| ends(*byte)).unwrap_or(rest.len());
        let word = text.get(at..at + length).unwrap_or_default().trim_start_matches(['"', '\'', '[']);
        let end = at + length;
        at = end + 1;
        if !word.starts_with('-') || word.contains(['=', ':', '/']) || !is_secret(word) {
            continue;
        }
        let comma = bytes.get(end) == Some(&b',');
        let gap = bytes.get(end..).unwrap_or_default().iter().take_while(|byte| ends(**byte)).count();
        let from = end + gap;
        let value = match bytes.get(from) {
            Some(quote @ (b'"' | b'\'')) => from + 1..closing(bytes, from + 1, *quote, 0),
            _ if comma => {
                from..from
                    + bytes
                        .get(from..)
                        .map_or(0, |rest| rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len()))
            }
            _ => {
                let rest = bytes.get(from..).unwrap_or_default();
                from..from + rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len())
            }
        };
        at = at.max(value.end);
        found.push(value);
    }
}

/// `Bearer token`, `Basic user:password`.
fn schemes(text: &str, found: &mut Vec<Range<usize>>) {
    for scheme in ["bearer ", "basic "] {
        let mut at = 0;
        while let Some(start) = find_ignoring_case(text, scheme, at) {
            at = start + scheme.len();
            let alone = start
                .checked_sub(1)
                .and_then(|before| text.as_bytes().get(before))
                .is_none_or(|byte| !byte.is_ascii_alphanumeric());
            let end = until(text.as_bytes(), at, b",;");
            let value = text.get(at..end).unwrap_or_default();
            // Prose goes on with a word; a token has digits, signs, or both cases.
            let telling = value.len() >= 8 && value.bytes().any(|byte| !byte.is_ascii_lowercase());
            if alone && telling {
                found.push(at..end);
            }
        }
    }
}

fn find_ignoring_case(text: &str, word: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    rest.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes())).map(|at| from + at)
}

/// JSON web tokens tell themselves.
fn web_tokens(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    while let Some(start) = text.get(at..).and_then(|rest| rest.find("eyJ")).map(|start| at + start) {
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| !inside(byte)).unwrap_or(rest.len());
        if text.get(start..start + length).is_some_and(|token| token.matches('.').count() == 2) {
            found.push(start..start + length);
        }
        at = start + length;
    }
}

/// `<name>fs.s3a.secret.key</name><value>…</value>`, as Hadoop writes it.
fn elements(text: &str, found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = find_ignoring_case(text, "<name>", at) {
        at = start + "<name>".len();
        let Some(end) = find_ignoring_case(text, "</name>", at) else { return };
        let secret = text.get(at..end).is_some_and(is_secret);
        at = end;
        let value = find_ignoring_case(text, "<value>", at).map(|open| open + "<value>".len());
        let next = find_ignoring_case(text, "<name>", at).unwrap_or(text.len());
        if let Some(open) = value.filter(|open| secret && *open <= next) {
            let close = find_ignoring_case(text, "</value>", open).unwrap_or(text.len());
            found.push(open..close);
        }
    }
}

/// User and password before the host of a location, told in the same way as the policy does.
fn users(text: &str, found: &mut Vec<Range<usize>>) {
    if !text.contains('@') {
        return;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '<' | '>' | ',');
    let mut at = 0;
    for word in text.split_inclusive(ends) {
        users_in(word.trim_end_matches(ends), at, found);
        at += word.len();
    }
}

fn users_in(word: &str, offset: usize, found: &mut Vec<Range<usize>>) {
    let slash = |byte: u8| matches!(byte, b'/' | b'\\');
    let part = |from: usize, to: usize| word.get(from..to).unwrap_or_default();
    let last = word.rfind('@').unwrap_or_default();
    let mut at = 0;
    while let Some(pair) = part(at, last).as_bytes().windows(2).position(|pair| pair.iter().all(|byte| slash(*byte))) {
        let (scheme, start) = (part(0, at + pair), at + pair + 2);
        at = start;
        let authority = part(start, word.len()).split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let port = authority.split_once(':').filter(|_| !authority.starts_with('[')).map(|(_, port)| port);
        let end = match authority.rfind('@') {
            Some(end) => start + end,
            // A password with a slash in it that is not written as `%2F`.
            None if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) => last,
            None => continue,
        };
        // Azure names a container this way: `abfss://container@account.dfs.core.windows.net`.
        let container = |name: &str| scheme.ends_with(name) && !part(start, end).contains(':');
        if ["wasb:", "wasbs:", "abfs:", "abfss:"].iter().any(|name| container(name)) {
            continue;
        }
        // A user and a password stay two.
        match part(start, end).find(':') {
            Some(colon) => {
                found.push(offset + start..offset + start + colon);
                found.push(offset + start + colon + 1..offset + end);
            }
            None => found.push(offset + start..offset + end),
        }
        at = end;
    }
}

/// Text that somebody wrapped in Base64.
pub(super) fn from_base64(text: &str) -> Option<String> {
    let text = text.trim();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    if text.len() < SHORTEST_BASE64 || !text.bytes().all(letter) {
        return None;
    }
    let decoded =
        [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|way| way.decode(text).ok())?;
    let decoded = String::from_utf8(decoded).ok()?;
    let readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    decoded.chars().all(readable).then_some(decoded)
}

/// Without percent signs and plus signs; what is wrongly encoded stays.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let digit = |position: usize| bytes.get(position).and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = (*byte == b'%').then(|| Some(digit(at + 1)? * 16 + digit(at + 2)?)).flatten();
        match pair.and_then(|value| u8::try_from(value).ok()) {
            Some(value) => {
                plain.push(value);
                at += 3;
            }
            None => {
                plain.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

/// With percent signs for everything that means something in a query.
pub(super) fn encoded(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' | b',' | b':' | b'/' | b'@' => shown.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => shown.push(char::from(byte)),
            _ => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown
}
