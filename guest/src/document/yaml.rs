//! One YAML document to nodes, with plain scalars resolved as the Kubernetes tools resolve them (YAML 1.1: `yes`, `on`
//! and `0x1f` count). What tools disagree on is refused: duplicate keys, merge keys, own tags, several documents.

use std::borrow::Cow;
use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{DocumentError, Item, Kind, MAX_DEPTH, MAX_NODES, SKIPPED};

/// Parses the one document in `text`.
pub(super) fn parse(text: &str, items: &mut Vec<Item>, texts: &mut Vec<String>) -> Result<(), DocumentError> {
    let offsets = Offsets::new(text);
    let mut builder = Builder { items, texts, open: Vec::new(), anchors: Vec::new() };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) =
            event.map_err(|error| DocumentError::new(error.info().to_owned(), offsets.byte(error.marker().index())))?;
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(DocumentError::new("more than one document", offsets.byte(span.start.index())));
            }
        }
        builder.event(event, &offsets, span)?;
    }
    if builder.items.is_empty() {
        builder.items.push(Item { start: 0, end: 0, extra: 0, kind: Kind::Null, escaped: false });
    }
    Ok(())
}

struct Builder<'t> {
    items: &'t mut Vec<Item>,
    texts: &'t mut Vec<String>,
    open: Vec<Open>,
    /// Each anchor's value, once complete: its items, and how deep it nests.
    anchors: Vec<Option<(u32, u32, usize)>>,
}

/// A container that is not complete yet.
struct Open {
    index: u32,
    anchor: usize,
    /// For mappings: the names so far, and whether a name is due.
    names: Option<BTreeSet<Cow<'static, str>>>,
    key_due: bool,
    /// Truncate to here when the value that follows is complete: no rule reads it.
    skip_to: Option<usize>,
    /// How deep the values in it nest so far.
    height: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, offsets: &Offsets<'_>, span: Span) -> Result<(), DocumentError> {
        let (start, end) = (offsets.byte(span.start.index()), offsets.byte(span.end.index()));
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.key_due() {
                    return self.key(&text, style, tag.as_deref(), start, end);
                }
                let (kind, text) = resolve(&text, style, tag.as_deref(), start)?;
                let index = self.push(kind, text, start, end)?;
                self.remember(anchor, index, 0);
                self.value_complete(0);
            }
            Event::MappingStart(anchor, tag) => self.open(Kind::Object, anchor, tag.as_deref(), start)?,
            Event::SequenceStart(anchor, tag) => self.open(Kind::Array, anchor, tag.as_deref(), start)?,
            Event::MappingEnd | Event::SequenceEnd => {
                if let Some(open) = self.open.pop() {
                    let after = self.items.len() as u32;
                    if let Some(item) = self.items.get_mut(open.index as usize) {
                        item.extra = after;
                        item.end = end as u32;
                    }
                    self.remember(open.anchor, open.index, open.height + 1);
                    self.value_complete(open.height + 1);
                }
            }
            Event::Alias(anchor) => self.alias(anchor, start)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn key_due(&self) -> bool {
        self.open.last().is_some_and(|open| open.key_due)
    }

    fn open(&mut self, kind: Kind, anchor: usize, tag: Option<&Tag>, at: usize) -> Result<(), DocumentError> {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq"))
        {
            return Err(DocumentError::new(format!("the tag `{}{}` is not read", tag.handle, tag.suffix), at));
        }
        if self.key_due() {
            return Err(DocumentError::new("a name must be a plain text", at));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(DocumentError::too_large(format!("nested deeper than {MAX_DEPTH}"), at));
        }
        let index = self.push(kind, None, at, at)?;
        let mapping = kind == Kind::Object;
        self.open.push(Open {
            index,
            anchor,
            names: mapping.then(BTreeSet::new),
            key_due: mapping,
            skip_to: None,
            height: 0,
        });
        Ok(())
    }

    fn key(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        start: usize,
        end: usize,
    ) -> Result<(), DocumentError> {
        if text == "<<" && style == ScalarStyle::Plain {
            return Err(DocumentError::new("merge keys (`<<`) are not read; write the values out", start));
        }
        let (kind, resolved) = resolve(text, style, tag, start)?;
        let name = match (kind, resolved) {
            (Kind::True, _) => "true".to_owned(),
            (Kind::False, _) => "false".to_owned(),
            (Kind::Null, _) => "null".to_owned(),
            (_, resolved) => resolved.unwrap_or_else(|| text.to_owned()),
        };
        let skip_to = SKIPPED.contains(&name.as_str()).then_some(self.items.len() + 1);
        if let Some(open) = self.open.last_mut() {
            open.key_due = false;
            open.skip_to = skip_to;
            if !open.names.get_or_insert_default().insert(Cow::Owned(name.clone())) {
                return Err(DocumentError::new(format!("the name `{name}` stands twice"), start));
            }
        }
        self.push(Kind::Key, Some(name), start, end)?;
        Ok(())
    }

    fn push(&mut self, kind: Kind, text: Option<String>, start: usize, end: usize) -> Result<u32, DocumentError> {
        if self.items.len() >= MAX_NODES {
            return Err(DocumentError::too_large(format!("more than {MAX_NODES} values"), start));
        }
        let extra = match text {
            Some(text) => {
                self.texts.push(text);
                self.texts.len() as u32
            }
            None => 0,
        };
        let index = self.items.len() as u32;
        self.items.push(Item { start: start as u32, end: end as u32, extra, kind, escaped: false });
        Ok(index)
    }

    fn value_complete(&mut self, height: usize) {
        let Some(open) = self.open.last_mut() else { return };
        open.height = open.height.max(height);
        if open.names.is_some() {
            open.key_due = true;
            if let Some(length) = open.skip_to.take() {
                let at = self.items.get(length).copied();
                self.items.truncate(length);
                if let Some(value) = at {
                    self.items.push(Item { kind: Kind::Skipped, extra: 0, ..value });
                }
            }
        }
    }

    fn remember(&mut self, anchor: usize, index: u32, height: usize) {
        if anchor > 0 {
            // The parser counts anchors from one.
            if self.anchors.len() <= anchor {
                self.anchors.resize(anchor + 1, None);
            }
            if let Some(slot) = self.anchors.get_mut(anchor) {
                *slot = Some((index, self.items.len() as u32, height));
            }
        }
    }

    /// Repeats the anchored value, so that rules see what the platform sees.
    fn alias(&mut self, anchor: usize, at: usize) -> Result<(), DocumentError> {
        if self.key_due() {
            return Err(DocumentError::new("an alias as a name is not read", at));
        }
        let Some((start, end, height)) = self.anchors.get(anchor).copied().flatten() else {
            return Err(DocumentError::new("this alias stands inside its own anchor", at));
        };
        if self.open.len() + height > MAX_DEPTH {
            return Err(DocumentError::too_large(format!("aliases nest deeper than {MAX_DEPTH}"), at));
        }
        let shift = self.items.len() as u32 - start;
        if self.items.len() + (end - start) as usize > MAX_NODES {
            return Err(DocumentError::too_large(format!("aliases expand to more than {MAX_NODES} values"), at));
        }
        for index in start..end {
            if let Some(mut item) = self.items.get(index as usize).copied() {
                if matches!(item.kind, Kind::Object | Kind::Array) {
                    item.extra += shift;
                }
                self.items.push(item);
            }
        }
        self.value_complete(height);
        Ok(())
    }
}

/// What a scalar means, and its text where that is needed.
fn resolve(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    at: usize,
) -> Result<(Kind, Option<String>), DocumentError> {
    let plain = style == ScalarStyle::Plain;
    let resolved = match tag {
        None if plain => plain_scalar(text),
        None => (Kind::Text, Some(text.to_owned())),
        Some(tag) if tag.handle == "!" && tag.suffix.is_empty() => (Kind::Text, Some(text.to_owned())),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => (Kind::Text, Some(text.to_owned())),
        Some(tag) if tag.is_yaml_core_schema() => {
            let resolved = plain_scalar(text);
            let fits = match tag.suffix.as_str() {
                "bool" => matches!(resolved.0, Kind::True | Kind::False),
                "int" | "float" => resolved.0 == Kind::Number,
                "null" => resolved.0 == Kind::Null,
                _ => false,
            };
            if !fits {
                return Err(DocumentError::new(format!("a value tagged `!!{0}` is no `{0}`", tag.suffix), at));
            }
            resolved
        }
        Some(tag) => {
            return Err(DocumentError::new(format!("the tag `{}{}` is not read", tag.handle, tag.suffix), at));
        }
    };
    Ok(resolved)
}

/// YAML 1.1 as go-yaml v2 resolves it: the library under `kubectl` and the API server.
fn plain_scalar(text: &str) -> (Kind, Option<String>) {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => (Kind::Null, None),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => (Kind::True, None),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => (Kind::False, None),
        text => match number(text) {
            Some(number) => (Kind::Number, Some(number)),
            None => (Kind::Text, Some(text.to_owned())),
        },
    }
}

/// The decimal text of a YAML 1.1 number.
fn number(text: &str) -> Option<String> {
    if !matches!(text.as_bytes().first(), Some(b'0'..=b'9' | b'+' | b'-' | b'.')) {
        return None;
    }
    let clean: String = text.chars().filter(|c| *c != '_').collect();
    let (sign, digits) = match clean.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", clean.strip_prefix('+').unwrap_or(&clean)),
    };
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix)?;
        u64::from_str_radix(digits, radix).ok().map(|value| format!("{sign}{value}"))
    };
    if let Some(value) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
        return Some(value);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        let octal = digits.len() > 1 && digits.starts_with('0');
        return match octal.then(|| u64::from_str_radix(digits, 8).ok()).flatten() {
            Some(value) => Some(format!("{sign}{value}")),
            None => Some(format!("{sign}{digits}")),
        };
    }
    let float = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && crate::number::parse(digits).is_some();
    float.then(|| format!("{sign}{digits}"))
}

/// Character positions, as the parser counts, to byte offsets, as everybody else does.
struct Offsets<'t> {
    text: &'t str,
    /// The byte offset of every 64th character; empty when the text is ASCII.
    marks: Vec<u32>,
}

impl<'t> Offsets<'t> {
    fn new(text: &'t str) -> Self {
        let marks = match text.is_ascii() {
            true => Vec::new(),
            false => text.char_indices().step_by(64).map(|(at, _)| at as u32).collect(),
        };
        Self { text, marks }
    }

    fn byte(&self, index: usize) -> usize {
        if self.marks.is_empty() {
            return index.min(self.text.len());
        }
        let Some(&mark) = self.marks.get(index / 64) else { return self.text.len() };
        let rest = self.text.get(mark as usize..).unwrap_or_default();
        let within = rest.char_indices().nth(index % 64).map_or(rest.len(), |(at, _)| at);
        mark as usize + within
    }
}
