//! One file to its documents: YAML documents as `kubectl` splits them, and JSON, one value on each line.

use std::ops::Range;

/// A stretch of a file.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'f> {
    /// Where it starts in the file.
    pub start: usize,
    /// What stands there.
    pub bytes: &'f [u8],
}

impl<'f> Piece<'f> {
    /// The stretch of `file` in this range.
    pub(super) fn of(file: &'f [u8], range: Range<usize>) -> Self {
        Self { start: range.start, bytes: file.get(range).unwrap_or_default() }
    }

    /// Where it ends in the file.
    pub(super) fn end(&self) -> usize {
        self.start + self.bytes.len()
    }

    /// Where the first line starts that says something.
    pub fn content(self) -> usize {
        self.lines().find(|line| !insignificant(line.bytes)).map_or(self.start, |line| line.start)
    }

    /// Without the line break at its end.
    fn unbroken(self) -> Self {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(self.bytes);
        Self { bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes), ..self }
    }

    /// Its lines, with their line breaks.
    pub(super) fn lines(self) -> impl Iterator<Item = Piece<'f>> {
        let mut start = self.start;
        self.bytes.split_inclusive(|byte| *byte == b'\n').map(move |bytes| {
            start += bytes.len();
            Piece { start: start - bytes.len(), bytes }
        })
    }
}

/// The documents of a file: what has something in it besides white space and comments.
pub fn documents(file: &[u8]) -> Vec<Piece<'_>> {
    let mut documents = Vec::new();
    let mut start = 0;
    for line in Piece::of(file, 0..file.len()).lines() {
        if let Some(rest) = line.bytes.strip_prefix(b"---")
            && rest.first().is_none_or(u8::is_ascii_whitespace)
        {
            add(Piece::of(file, start..line.start), &mut documents);
            // YAML lets a document begin on the line of its separator.
            start = line.start + 3;
        }
    }
    add(Piece::of(file, start..file.len()), &mut documents);
    documents
}

fn add<'f>(part: Piece<'f>, documents: &mut Vec<Piece<'f>>) {
    if part.lines().all(|line| insignificant(line.bytes)) {
        return;
    }
    let lines: Vec<_> = part.lines().filter(|line| !plain(line.bytes).is_empty()).collect();
    match lines.len() > 1 && lines.iter().all(|line| line.bytes.starts_with(b"{")) {
        // What ends too early ends on its own line.
        true => documents.extend(lines.into_iter().map(Piece::unbroken)),
        false => documents.push(part),
    }
}

/// Without a byte order mark, and without blanks at either end.
pub(super) fn plain(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii()
}

/// Blank, a comment, a YAML directive, or the end marker of a document.
fn insignificant(line: &[u8]) -> bool {
    let text = plain(line);
    text.is_empty() || text == b"..." || text.starts_with(b"#") || line.starts_with(b"%")
}

#[cfg(test)]
mod tests {
    use super::documents;

    fn split(text: &str) -> Vec<&str> {
        documents(text.as_bytes()).into_iter().map(|piece| std::str::from_utf8(piece.bytes).unwrap()).collect()
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
        assert_eq!(split("{\"a\":1}\n\n{\"b\":2\r\n{\"c\":3}"), ["{\"a\":1}", "{\"b\":2", "{\"c\":3}"]);
        assert_eq!(split("{\n\"a\": 1\n}\n"), ["{\n\"a\": 1\n}\n"]);
        assert_eq!(split("{\"a\":1}\n"), ["{\"a\":1}\n"]);
    }
}
