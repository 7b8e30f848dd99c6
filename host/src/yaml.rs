//! YAML (and with it JSON) to JSON values: for what the host itself reads, such as cases and HTTP documents, and to see
//! of what kind a document is. Judging never goes through here: the policy reads the original bytes.

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

/// How deep containers may nest: what the policy reads, so nothing it could judge is turned away here.
const MAX_DEPTH: usize = 256;
/// How many bytes anchors and aliases may repeat, roughly: a small file must not become a large one in memory.
const MAX_REPEATED: usize = 32 << 20;

/// Why a document is not YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong, for people.
    pub message: String,
    /// Offset of the place, in bytes.
    pub offset: usize,
}

/// Reads the one document in `text`; nothing at all is null.
///
/// # Errors
/// When it is not YAML, holds several documents, or says one name twice.
pub fn parse(text: &str) -> Result<Value, YamlError> {
    let mut builder = Builder::default();
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, at) = match event {
            Ok((event, span)) => (event, span.start.index()),
            Err(error) => return Err(wrong(text, error.marker().index(), error.info())),
        };
        documents += usize::from(matches!(event, Event::DocumentStart(_)));
        let one = if documents > 1 { Err("more than one document".to_owned()) } else { Ok(()) };
        one.and_then(|()| builder.event(event)).map_err(|message| wrong(text, at, &message))?;
    }
    Ok(builder.root)
}

/// The parser counts characters; everybody else counts bytes.
fn wrong(text: &str, index: usize, message: &str) -> YamlError {
    let offset = text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    YamlError { message: message.to_owned(), offset }
}

#[derive(Default)]
struct Builder {
    root: Value,
    open: Vec<Open>,
    anchors: Vec<(usize, Value)>,
    repeated: usize,
}

/// A container that is not complete yet.
struct Open {
    anchor: usize,
    container: Container,
}

enum Container {
    List(Vec<Value>),
    /// With the name whose value comes next.
    Object(Map<String, Value>, Option<String>),
}

impl Builder {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.put(scalar(&text, style, tag.as_deref()), anchor),
            Event::SequenceStart(anchor, _) => self.open(anchor, Container::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.open(anchor, Container::Object(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { anchor, container: Container::List(list) }) => self.put(Value::Array(list), anchor),
                Some(Open { anchor, container: Container::Object(map, _) }) => self.put(Value::Object(map), anchor),
                None => Ok(()),
            },
            Event::Alias(id) => {
                let found = self.anchors.iter().rev().find(|(anchor, _)| *anchor == id);
                let (_, value) = found.ok_or("this alias stands inside its own anchor")?;
                self.repeated = spent(self.repeated, value)?;
                let value = value.clone();
                self.put(value, 0)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn open(&mut self, anchor: usize, container: Container) -> Result<(), String> {
        if matches!(self.open.last(), Some(Open { container: Container::Object(_, None), .. })) {
            return Err("a name must be a plain text".to_owned());
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}"));
        }
        self.open.push(Open { anchor, container });
        Ok(())
    }

    fn put(&mut self, value: Value, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.repeated = spent(self.repeated, &value)?;
            self.anchors.push((anchor, value.clone()));
        }
        match self.open.last_mut().map(|open| &mut open.container) {
            None => self.root = value,
            Some(Container::List(list)) => list.push(value),
            Some(Container::Object(map, due)) => match due.take() {
                Some(name) => drop(map.insert(name, value)),
                None => {
                    let name = match value {
                        Value::String(name) => name,
                        other => other.to_string(),
                    };
                    if map.contains_key(&name) {
                        return Err(format!("the name `{name}` stands twice"));
                    }
                    *due = Some(name);
                }
            },
        }
        Ok(())
    }
}

/// What is repeated once this value is, too.
fn spent(repeated: usize, value: &Value) -> Result<usize, String> {
    let repeated = repeated + weight(value);
    match repeated > MAX_REPEATED {
        true => Err(format!("anchors and aliases repeat more than {} MiB", MAX_REPEATED >> 20)),
        false => Ok(repeated),
    }
}

/// Roughly the bytes that a value takes.
fn weight(value: &Value) -> usize {
    const EACH: usize = size_of::<Value>();
    EACH + match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(name, value)| EACH + name.len() + weight(value)).sum(),
        _ => 0,
    }
}

/// A plain scalar as go-yaml v2 resolves it, the library under `kubectl`; the policy does the same.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = match tag {
        None => style == ScalarStyle::Plain,
        Some(tag) => tag.is_yaml_core_schema() && tag.suffix != "str",
    };
    match text {
        _ if !plain => Value::String(text.to_owned()),
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => Value::Bool(false),
        text => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let clean = text.replace('_', "");
    let (negative, digits) = match clean.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, clean.strip_prefix('+').unwrap_or(&clean)),
    };
    let whole = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8), ("", 10)].into_iter().find_map(|(prefix, radix)| {
        let digits = digits.strip_prefix(prefix).filter(|rest| !rest.starts_with(['+', '-']))?;
        i128::from_str_radix(digits, radix).ok()
    });
    if let Some(whole) = whole {
        return Number::from_i128(if negative { -whole } else { whole });
    }
    let float = clean.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let float: f64 = float.then(|| clean.parse().ok()).flatten()?;
    // Go writes `1e9` as `1000000000` in JSON, and so `kubectl` sends it.
    match float.to_string().parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => Number::from_f64(float),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn scalars_mean_what_kubectl_makes_of_them() {
        let value = parse(
            "a: yes\nb: 'yes'\nc: 0x1f\nd: 1_000\ne: -0.5e3\nf: 2026-11-21\ng:\nh: 017\ni: 1.2.3\nj: 0\nk: 1e9\nl: 1.5\n",
        );
        assert_eq!(
            value.unwrap(),
            json!({"a": true, "b": "yes", "c": 31, "d": 1000, "e": -500, "f": "2026-11-21", "g": null, "h": 15,
                   "i": "1.2.3", "j": 0, "k": 1_000_000_000, "l": 1.5})
        );
    }

    #[test]
    fn anchors_are_expanded_and_bombs_are_not() {
        assert_eq!(parse("a: &x {b: 1}\nc: *x\n").unwrap(), json!({"a": {"b": 1}, "c": {"b": 1}}));
        let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for level in 1..9 {
            let below = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert!(parse(&bomb).unwrap_err().message.contains("aliases repeat"));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(100));
        assert!(parse(&long).unwrap_err().message.contains("aliases repeat"));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let error = parse("ä: 1\nb: 2\nä: 3\n").unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), ("the name `ä` stands twice", 11));
        assert!(parse(&"[".repeat(10_000)).is_err());
        assert!(parse("a: b: c").is_err());
        assert_eq!(parse("").unwrap(), json!(null));
    }
}
