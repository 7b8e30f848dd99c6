//! A list of objects, as `kubectl get` prints one, to its items: each with the bytes that stand in the file, so that the
//! policy reads what was written and its places hold.

use std::ops::Range;

use saphyr_parser::{Event, Parser};
use serde_json::Value;

use super::InputError;
use super::kind::{MARK, json};
use crate::yaml;

/// One object of a list, as a document of its own.
pub(super) struct Item {
    /// Where it starts in the list's text.
    pub(super) start: usize,
    /// What stands there; what comes before it on its first line is blank.
    pub(super) text: String,
}

/// Takes a list apart.
///
/// # Errors
/// When an item means something else without the rest of the list: then nobody can tell what to judge.
pub(super) fn items(text: &str) -> Result<Vec<Item>, InputError> {
    let plain = text.strip_prefix(MARK).unwrap_or(text);
    let before = text.len() - plain.len();
    let read: Option<Value> = json(plain).then(|| serde_json::from_str(plain).ok()).flatten();
    let (list, spans) = match read {
        Some(list) => (list, spans_of_json(plain)),
        None => {
            let wrong = |error: yaml::YamlError| InputError::at(error.message, before + error.offset);
            (yaml::parse(plain).map_err(wrong)?, spans_of_yaml(plain))
        }
    };
    let values = list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let remedy = "write the items of this list as documents of their own";
    if values.len() != spans.len() {
        return Err(InputError::at(format!("an item that is no object, or `items` twice; {remedy}"), before));
    }
    let whole = |(value, span): (&Value, Range<usize>)| {
        let at = before + span.start;
        let item = cut(plain, span);
        let same = super::kind::value(&item.text).is_ok_and(|alone| alone == *value);
        match same {
            true => Ok(Item { start: before + item.start, ..item }),
            false => Err(InputError::at(format!("an alias to what stands outside of this item; {remedy}"), at)),
        }
    };
    values.iter().zip(spans).map(whole).collect()
}

/// A block starts after its dash: blanks in place of it keep its lines below each other.
fn cut(text: &str, span: Range<usize>) -> Item {
    let flow = text.get(span.start..).is_some_and(|rest| rest.starts_with('{'));
    let line = text.get(..span.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let start = if flow { span.start } else { line };
    let blank = " ".repeat(span.start - start);
    Item { start, text: blank + text.get(span).unwrap_or_default() }
}

/// Where the objects in `items` stand, in a text that is JSON.
fn spans_of_json(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let (mut depth, mut start, mut within) = (0_usize, 0, false);
    // The text that was seen last, and whether one is open.
    let (mut last, mut open) = (0..0, None);
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(from) = open {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => (last, open) = (from..at, None),
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => open = Some(at + 1),
            b'{' | b'[' => {
                depth += 1;
                match depth {
                    2 => within = byte == b'[' && text.get(last.clone()) == Some("items"),
                    3 => start = at,
                    _ => {}
                }
            }
            b'}' | b']' => {
                if depth == 3 && within && byte == b'}' {
                    spans.push(start..at + 1);
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    spans
}

/// Where the objects in `items` stand, in a text that is YAML.
fn spans_of_yaml(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let (mut depth, mut start, mut within) = (0_usize, 0, false);
    // The name in the outermost object whose value comes next.
    let mut due: Option<bool> = None;
    let mut bytes = Bytes { text, chars: 0, bytes: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        match event {
            Event::Scalar(name, ..) if depth == 1 => {
                due = if due.is_some() { None } else { Some(name == "items") };
            }
            Event::Alias(_) if depth == 1 => due = None,
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                depth += 1;
                match depth {
                    2 => within = due.take() == Some(true) && matches!(event, Event::SequenceStart(..)),
                    3 if within => start = bytes.until(span.start.index()),
                    _ => {}
                }
            }
            Event::MappingEnd | Event::SequenceEnd => {
                if depth == 3 && within && event == Event::MappingEnd {
                    spans.push(start..bytes.until(span.end.index()));
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    spans
}

/// The parser counts characters; everybody else counts bytes.
struct Bytes<'t> {
    text: &'t str,
    chars: usize,
    bytes: usize,
}

impl Bytes<'_> {
    /// For indices that only grow.
    fn until(&mut self, index: usize) -> usize {
        let rest = self.text.get(self.bytes..).unwrap_or_default();
        self.bytes += rest.chars().take(index.saturating_sub(self.chars)).map(char::len_utf8).sum::<usize>();
        self.chars = self.chars.max(index);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::items;

    fn taken(text: &str) -> Vec<String> {
        let check = |item: super::Item| {
            let written = &text[item.start..item.start + item.text.len()];
            assert_eq!(written.trim_start_matches(['-', ' ']), item.text.trim_start());
            item.text
        };
        items(text).map(|items| items.into_iter().map(check).collect()).unwrap_or_else(|error| vec![error.message])
    }

    #[test]
    fn items_of_yaml_keep_their_lines() {
        let list = "kind: List\nitems: # ü\n- kind: A\n  s: |\n    é\n\n    - x\n-\n  # two\n  kind: B\nmetadata:\n  items: [{}]\n";
        assert_eq!(taken(list), ["  kind: A\n  s: |\n    é\n\n    - x\n", "  kind: B\n"]);
        assert_eq!(
            taken("items:\n  - {kind: A,\n    b: [1]}\n  - 'kind': \"B\"\n"),
            ["{kind: A,\n    b: [1]}", "    'kind': \"B\"\n"]
        );
        assert_eq!(taken("{kind: List, items: [{a: 1}, {b: {c: 2}}]}"), ["{a: 1}", "{b: {c: 2}}"]);
        assert!(taken("items: []\n").is_empty());
    }

    #[test]
    fn items_of_json_are_slices() {
        let list = "\u{feff}{\"x\": [{\"items\": [{}]}], \"kind\": \"items\", \"items\": [ {\"a\": \"}\\\"{\"},\n{\"items\": [{\"b\": []}]} ], \"y\": {}}";
        assert_eq!(taken(list), ["{\"a\": \"}\\\"{\"}", "{\"items\": [{\"b\": []}]}"]);
    }

    #[test]
    fn what_does_not_stand_alone_is_told() {
        assert!(taken("items:\n- a: &x 1\n- b: *x\n")[0].contains("alias"));
        assert!(taken("items: [1]\n")[0].contains("no object"));
        assert!(taken("{\"items\": [{}], \"items\": [{}]}")[0].contains("twice"));
        assert_eq!(taken("items:\n- a: &x 1\n  b: *x\n"), ["  a: &x 1\n  b: *x\n"]);
    }
}
