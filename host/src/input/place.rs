//! Offsets to lines and columns, as editors count them.

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl Position {
    /// The position of the byte at `offset`; the end of the text for offsets after it.
    pub fn of(bytes: &[u8], offset: usize) -> Self {
        Lines::new(bytes).position(offset)
    }
}

/// Where the lines of a file start: for many positions in one file.
#[derive(Clone, Debug)]
pub struct Lines<'b> {
    bytes: &'b [u8],
    marks: Vec<Mark>,
}

/// A place to count from: the start of a line, or one in the middle of a long line (JSON often is a single one).
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: usize,
    position: Position,
}

/// How far a mark is from the next at the most.
const STRIDE: usize = 4096;

impl<'b> Lines<'b> {
    /// Finds the lines.
    pub fn new(bytes: &'b [u8]) -> Self {
        let mut mark = Mark { offset: 0, position: Position { line: 1, column: 1 } };
        let mut marks = vec![mark];
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            for stretch in line.chunks(STRIDE) {
                let column = mark.position.column + characters(stretch);
                mark = Mark { offset: mark.offset + stretch.len(), position: Position { column, ..mark.position } };
                marks.push(mark);
            }
            if line.ends_with(b"\n") {
                mark.position = Position { line: mark.position.line + 1, column: 1 };
                marks.push(mark);
            }
        }
        Self { bytes, marks }
    }

    /// The position of the byte at `offset`; the end of the text for offsets after it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.bytes.len());
        let next = self.marks.partition_point(|mark| mark.offset <= offset);
        let Some(Mark { offset: start, position }) = next.checked_sub(1).and_then(|last| self.marks.get(last)) else {
            return Position { line: 1, column: 1 };
        };
        let beyond = characters(self.bytes.get(*start..offset).unwrap_or_default());
        // Editors do not show the byte order mark.
        let hidden = usize::from(position.line == 1 && offset > 0 && self.bytes.starts_with(b"\xef\xbb\xbf"));
        Position { column: position.column + beyond - hidden, ..*position }
    }
}

/// How many characters start here.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn characters_are_counted_and_marks_are_not() {
        let at = |text: &str, offset| {
            let Position { line, column } = Position::of(text.as_bytes(), offset);
            (line, column)
        };
        assert_eq!(at("a\r\nüb\n", 5), (2, 2));
        assert_eq!(at("\u{feff}ab", 4), (1, 2));
        assert_eq!(at("a\n", 2), (2, 1));
        assert_eq!(at("a", 99), (1, 2));
        assert_eq!((at("", 0), at("\u{feff}", 0), at("\u{feff}", 3)), ((1, 1), (1, 1), (1, 1)));
        let long = format!("{}\n{}", "ü".repeat(5000), "x".repeat(4096));
        assert_eq!((at(&long, 9998), at(&long, 10_000), at(&long, 10_001)), ((1, 5000), (1, 5001), (2, 1)));
        assert_eq!(at(&long, 14_097), (2, 4097));
    }
}
