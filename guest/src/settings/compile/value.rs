//! What single texts of a settings document must look like, and how they are written down.

use crate::instant::Instant;
use crate::settings::{list, pattern};
use crate::text::clean;

/// Takes a text, or says why not.
pub(super) type Check = fn(&str) -> Result<String, &'static str>;

pub(super) fn pattern(text: &str) -> Result<String, &'static str> {
    pattern::fault(text).map_or_else(|| Ok(text.to_owned()), Err)
}

pub(super) fn label(text: &str) -> Result<String, &'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    let good = !text.is_empty() && text.bytes().all(known);
    if good { Ok(text.to_owned()) } else { Err("labels hold letters, digits, `-`, `_`, `.` and `/`") }
}

pub(super) fn scheme(text: &str) -> Result<String, &'static str> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let good = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) && text.bytes().all(known);
    if good { Ok(text.to_ascii_lowercase()) } else { Err("write it alone, such as `s3`") }
}

pub(super) fn prefix(text: &str) -> Result<String, &'static str> {
    let trimmed = text.strip_suffix('*').unwrap_or(text);
    let absolute = trimmed.starts_with('/') || trimmed.contains(":/");
    let odd = |byte: u8| byte <= b' ' || byte == 0x7f;
    // Locations are compared by whole names.
    let part = trimmed.contains('*') || (trimmed.len() < text.len() && !trimmed.ends_with('/'));
    match trimmed.bytes().any(odd) {
        false if absolute && part => Err("`*` stands only for all below a directory, as in `s3://bucket/team-a/*`"),
        false if absolute => Ok(trimmed.to_owned()),
        _ => Err("write the beginning of a location, such as `s3://bucket/team-a/`"),
    }
}

pub(super) fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim_ascii() {
        "" => Err("it is blank"),
        text => Ok(clean(text)),
    }
}

pub(super) fn time(text: &str) -> Result<String, &'static str> {
    let good = text.contains('-') && Instant::parse(text).is_some();
    if good {
        Ok(text.trim_ascii().to_owned())
    } else {
        Err("write a time with its offset, such as `2026-11-21T10:00:00Z`")
    }
}

/// Adds an entry to a list.
pub(super) fn push(list: &mut String, entry: &str) {
    if !list.is_empty() {
        list.push(list::SEPARATOR);
    }
    list.push_str(entry);
}
