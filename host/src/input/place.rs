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
    starts: Vec<usize>,
}

impl<'b> Lines<'b> {
    /// Finds the lines.
    pub fn new(bytes: &'b [u8]) -> Self {
        let after_breaks = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self { bytes, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The position of the byte at `offset`; the end of the text for offsets after it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.bytes.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(self.bytes.get(start..offset).unwrap_or_default());
        Position { line, column: text.trim_start_matches('\u{feff}').chars().count() + 1 }
    }
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
    }
}
