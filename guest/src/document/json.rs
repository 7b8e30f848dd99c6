//! RFC 8259 JSON to nodes. One pass, no recursion; strings are only looked through, and unescaped when somebody asks.

use super::{DocumentError, Item, Kind, MAX_DEPTH, MAX_NODES, SKIPPED};

/// Whether the text starts like a JSON document rather than a YAML one.
pub(super) fn looks_like(text: &str) -> bool {
    matches!(text.trim_start_matches([' ', '\t', '\r', '\n']).as_bytes().first(), Some(b'{' | b'['))
}

/// Parses one document. `lenient`: text after the document is ignored, as Flink does.
pub(super) fn parse(text: &str, lenient: bool, items: &mut Vec<Item>) -> Result<(), DocumentError> {
    items.reserve(text.len() / 24 + 8);
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, items, skipping: None, stack: [0; MAX_DEPTH], depth: 0 };
    parser.document()?;
    parser.blanks();
    if !lenient && parser.at < text.len() {
        return Err(parser.unexpected("the end of the document"));
    }
    Ok(())
}

struct Parser<'t> {
    bytes: &'t [u8],
    at: usize,
    items: &'t mut Vec<Item>,
    /// While set, values are checked but not kept; holds the depth at which that ends.
    skipping: Option<usize>,
    /// For each open container its index in `items`, shifted, with the lowest bit set for objects.
    stack: [u32; MAX_DEPTH],
    depth: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), DocumentError> {
        loop {
            // A value is due.
            self.blanks();
            let start = self.at;
            match self.peek() {
                Some(b'{') => {
                    self.open(Kind::Object)?;
                    self.blanks();
                    if self.peek() == Some(b'}') {
                        self.close();
                    } else {
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open(Kind::Array)?;
                    self.blanks();
                    if self.peek() == Some(b']') {
                        self.close();
                    } else {
                        continue;
                    }
                }
                Some(b'"') => {
                    let escaped = self.string()?;
                    self.push(Kind::Text, start, escaped)?;
                }
                Some(b't') => self.word(b"true", Kind::True)?,
                Some(b'f') => self.word(b"false", Kind::False)?,
                Some(b'n') => self.word(b"null", Kind::Null)?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => return Err(self.unexpected("a value")),
            }
            // A value is complete: close what ends here, or go on to the next.
            loop {
                let Some(container) = self.depth.checked_sub(1).and_then(|top| self.stack.get(top)).copied() else {
                    return Ok(());
                };
                let object = container & 1 == 1;
                if self.skipping == Some(self.depth) {
                    self.skipping = None;
                }
                self.blanks();
                match (self.peek(), object) {
                    (Some(b','), true) => {
                        self.at += 1;
                        self.blanks();
                        self.key()?;
                        break;
                    }
                    (Some(b','), false) => {
                        self.at += 1;
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => self.close(),
                    (_, true) => return Err(self.unexpected("`,` or `}`")),
                    (_, false) => return Err(self.unexpected("`,` or `]`")),
                }
            }
        }
    }

    #[inline(always)]
    fn open(&mut self, kind: Kind) -> Result<(), DocumentError> {
        let Some(slot) = self.stack.get_mut(self.depth) else {
            return Err(DocumentError::too_large(format!("nested deeper than {MAX_DEPTH}"), self.at));
        };
        *slot = (self.items.len() as u32) << 1 | u32::from(kind == Kind::Object);
        self.depth += 1;
        self.at += 1;
        let start = self.at - 1;
        self.push(kind, start, false)
    }

    #[inline(always)]
    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
        let container = self.stack.get(self.depth).copied().unwrap_or_default();
        if self.skipping.is_none() {
            let after = self.items.len() as u32;
            if let Some(item) = self.items.get_mut((container >> 1) as usize) {
                item.end = self.at as u32;
                item.extra = after;
            }
        }
    }

    /// A member's name and the colon behind it.
    #[inline(always)]
    fn key(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a name in quotes"));
        }
        let escaped = self.string()?;
        self.push(Kind::Key, start, escaped)?;
        let name = self.bytes.get(start + 1..self.at - 1).unwrap_or_default();
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        if self.skipping.is_none() && !escaped && SKIPPED.iter().any(|key| key.as_bytes() == name) {
            self.push(Kind::Skipped, start, false)?;
            self.skipping = Some(self.depth);
        }
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, kind: Kind, start: usize, escaped: bool) -> Result<(), DocumentError> {
        if self.skipping.is_some() {
            return Ok(());
        }
        if self.items.len() >= MAX_NODES {
            return Err(DocumentError::too_large(format!("more than {MAX_NODES} values"), start));
        }
        self.items.push(Item { start: start as u32, end: self.at as u32, extra: 0, kind, escaped });
        Ok(())
    }

    /// Moves over a string; tells whether it holds escapes.
    #[inline(always)]
    fn string(&mut self) -> Result<bool, DocumentError> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at += plain(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(DocumentError::new("a control character inside a string", self.at)),
                None => return Err(self.unexpected("the end of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let digits = self.bytes.get(start + 2..start + 6).unwrap_or_default();
                if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(DocumentError::new("`\\u` needs four hexadecimal digits", start));
                }
                self.at += 6;
            }
            _ => return Err(DocumentError::new("an unknown escape", start)),
        }
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), DocumentError> {
        let start = self.at;
        if !self.bytes.get(start..).unwrap_or_default().starts_with(word) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return Err(self.unexpected("the end of a word"));
        }
        self.push(kind, start, false)
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), DocumentError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.peek();
        let whole = self.digits()?;
        if first == Some(b'0') && whole > 1 {
            return Err(DocumentError::new("a number with a leading zero", start));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(Kind::Number, start, false)
    }

    #[inline(always)]
    fn digits(&mut self) -> Result<usize, DocumentError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(self.at - start) }
    }

    #[inline(always)]
    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn unexpected(&self, wanted: &str) -> DocumentError {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(byte @ 0x20..0x7f) => format!("`{}`", byte as char),
            Some(byte) => format!("byte 0x{byte:02x}"),
        };
        DocumentError::new(format!("expected {wanted}, found {found}"), self.at)
    }
}

/// How many bytes at the front are neither quote, backslash nor control character: eight at a time, since this is
/// where most of a body goes by.
#[inline(always)]
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    for chunk in bytes.as_chunks::<8>().0 {
        let word = u64::from_le_bytes(*chunk);
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let special = quote | backslash | control;
        if special != 0 {
            return at + (special.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

/// The text of a string whose escapes were checked. A lone surrogate becomes U+FFFD, as no platform can act on it.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut chars = escape.chars();
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (c, length) = unicode(escape);
                text.push(c);
                rest = escape.get(length..).unwrap_or_default();
                continue;
            }
            Some(c) => text.push(c),
            None => {}
        }
        rest = chars.as_str();
    }
    text.push_str(rest);
    text
}

/// The character of `uXXXX`, or of a surrogate pair `uXXXX\uXXXX`, and how many bytes it took.
fn unicode(escape: &str) -> (char, usize) {
    let unit = |from: usize| escape.get(from..from + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let first = unit(1).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&first)
        && escape.get(5..7) == Some("\\u")
        && let Some(second @ 0xdc00..0xe000) = unit(7)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or('\u{fffd}'), 11);
    }
    (char::from_u32(first).unwrap_or('\u{fffd}'), 5)
}
