//! One file to its documents: YAML documents as `kubectl` splits them, and JSON, one value on each line.

use std::ops::Range;

/// Where the documents of a file stand: those with something in them. White space and comments alone are none.
pub fn documents(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for line in lines(bytes, 0..bytes.len()) {
        if let Some(rest) = bytes[line.clone()].strip_prefix(b"---")
            && rest.first().is_none_or(u8::is_ascii_whitespace)
        {
            parts.push(start..line.start);
            // YAML lets a document begin on the line of its separator.
            start = line.start + 3;
        }
    }
    parts.push(start..bytes.len());
    let mut documents = Vec::new();
    for part in parts {
        let mut contents = lines(bytes, part.clone()).filter(|line| !blank(&bytes[line.clone()])).peekable();
        if contents.peek().is_none() || lines(bytes, part.clone()).all(|line| insignificant(&bytes[line])) {
            continue;
        }
        let values: Vec<_> = contents.collect();
        match values.len() > 1 && values.iter().all(|line| bytes[line.clone()].starts_with(b"{")) {
            true => documents.extend(values),
            false => documents.push(part),
        }
    }
    documents
}

/// The lines in a stretch, with their line breaks.
pub(super) fn lines(bytes: &[u8], within: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut start = within.start;
    std::iter::from_fn(move || {
        let rest = bytes.get(start..within.end).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        start += length;
        Some(start - length..start)
    })
}

fn blank(line: &[u8]) -> bool {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii().is_empty()
}

/// Blank, a comment, a YAML directive, or the end marker of a document.
fn insignificant(line: &[u8]) -> bool {
    let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    text.is_empty() || text == b"..." || text.starts_with(b"#") || line.starts_with(b"%")
}

#[cfg(test)]
mod tests {
    use super::documents;

    fn split(text: &str) -> Vec<&str> {
        documents(text.as_bytes()).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn yaml_documents_are_split_at_their_separators() {
        assert_eq!(
            split("---\na: 1\n--- # next\nb: 2\n---\n# nothing\n---\r\nc: 3"),
            ["\na: 1\n", " # next\nb: 2\n", "\r\nc: 3"]
        );
        assert_eq!(split("a: |\n  ---\n  text\n"), ["a: |\n  ---\n  text\n"]);
        assert_eq!(split("--- {a: 1}\n---x: 2\n"), [" {a: 1}\n---x: 2\n"]);
        assert_eq!(split("%YAML 1.2\n---\na: 1\n...\n"), ["\na: 1\n...\n"]);
        assert!(split("").is_empty() && split("\u{feff}\n \n# x\n---\n").is_empty());
    }

    #[test]
    fn json_values_are_split_where_each_has_its_line() {
        assert_eq!(split("{\"a\":1}\n\n{\"b\":2\n{\"c\":3}"), ["{\"a\":1}\n", "{\"b\":2\n", "{\"c\":3}"]);
        assert_eq!(split("{\n\"a\": 1\n}\n"), ["{\n\"a\": 1\n}\n"]);
        assert_eq!(split("{\"a\":1}\n"), ["{\"a\":1}\n"]);
    }
}
