//! The parts of a JSON text as the bytes they are written with: what the API server sent is kept as it is, and nesting
//! of any depth costs no stack. No values are decoded here beyond short texts.

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// The text is no JSON, or another type of value than expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The members of an object, in their order.
pub(super) fn members(text: &[u8]) -> Result<Vec<(String, &[u8])>, Malformed> {
    let mut reader = Reader { text, at: 0 };
    let mut members = Vec::new();
    reader.enclosed(b'{', b'}', |reader| {
        let name = text_of(reader.value()?)?;
        reader.expect(b':')?;
        members.push((name, reader.value()?));
        Ok(())
    })?;
    Ok(members)
}

/// The elements of an array.
pub(super) fn elements(text: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut reader = Reader { text, at: 0 };
    let mut elements = Vec::new();
    reader.enclosed(b'[', b']', |reader| {
        elements.push(reader.value()?);
        Ok(())
    })?;
    Ok(elements)
}

/// A value that is a text.
pub(super) fn text_of(value: &[u8]) -> Result<String, Malformed> {
    serde_json::from_slice(value).map_err(|_| Malformed)
}

/// One member of an object.
pub(super) fn member<'a>(text: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, Malformed> {
    Ok(members(text)?.into_iter().find_map(|(key, value)| (key == name).then_some(value)))
}

/// One member that is a text. One of another type counts as malformed.
pub(super) fn text_member(text: &[u8], name: &str) -> Result<Option<String>, Malformed> {
    member(text, name)?.map(text_of).transpose()
}

/// Writes an object of members as they are written.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut out = vec![b'{'];
    for (name, value) in members {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(serde_json::Value::from(name).to_string().as_bytes());
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
    out
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// What is between two brackets, up to the end of the text.
    fn enclosed(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.expect(open)?;
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                item(self)?;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => break self.at += 1,
                    _ => return Err(Malformed),
                }
            }
        }
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<&'a [u8], Malformed> {
        self.peek();
        let rest = self.text.get(self.at..).ok_or(Malformed)?;
        // What is ignored is skipped without recursion, and without a limit of depth.
        let mut values = Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        let Some(Ok(IgnoredAny)) = values.next() else { return Err(Malformed) };
        let value = rest.get(..values.byte_offset()).ok_or(Malformed)?;
        self.at += value.len();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, elements, member, members, object, text_member};

    #[test]
    fn parts_are_the_bytes_as_written() {
        let text = br#" {"a" : 1.50 ,"b\"c":[1, {"d":"}"}],"e":{},"f":null,"g":"\u0041"} "#;
        let found = members(text).unwrap();
        let found: Vec<_> =
            found.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
        let expected = [("a", "1.50"), ("b\"c", r#"[1, {"d":"}"}]"#), ("e", "{}"), ("f", "null"), ("g", r#""\u0041""#)];
        assert_eq!(found, expected);
        assert_eq!(text_member(text, "g"), Ok(Some("A".to_owned())));
        assert_eq!(text_member(text, "f"), Err(Malformed));
        assert_eq!(member(text, "h"), Ok(None));
        assert_eq!(elements(b"[1,[],\"]\" ]").unwrap(), [&b"1"[..], b"[]", b"\"]\""]);
        assert_eq!((members(b"{}"), elements(b" [ ] ")), (Ok(vec![]), Ok(vec![])));
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in
            ["", "{", "[", "{\"a\"}", "{\"a\":1", "{\"a\":1,}", "{1:2}", "{} {}", "[1 2]", "[1,]", "[}", "{\"a\":tru}"]
        {
            assert!(members(text.as_bytes()).is_err() && elements(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(members(deep.as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn an_object_is_written_back() {
        let text = br#"{"a":[1],"b\"":{"c":2}}"#;
        let members = members(text).unwrap();
        assert_eq!(object(members.iter().map(|(name, value)| (name.as_str(), *value))), text);
        assert_eq!(object([]), b"{}");
    }
}
