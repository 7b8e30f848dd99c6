//! Bytes to text: UTF-8, and for Flink the other Unicode encodings that Jackson detects (DOMAIN section 8). Keeps what
//! is needed to give offsets into the original bytes.

use std::borrow::Cow;

use super::{DocumentError, Reading};

/// How the original bytes were encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    /// Bytes of the byte order mark.
    mark: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    /// The offset in the original bytes of offset `at` in the decoded text.
    pub(super) fn offset(self, text: &str, at: u32) -> u32 {
        let before = || text.get(..at as usize).unwrap_or_default().chars();
        let units = match self.unit {
            Unit::Utf8 => return self.mark + at,
            Unit::Utf16 => before().map(|c| c.len_utf16() * 2).sum::<usize>(),
            Unit::Utf32 => before().count() * 4,
        };
        self.mark + u32::try_from(units).unwrap_or(u32::MAX)
    }
}

/// Decodes `bytes`. Only [`Reading::FlinkJson`] accepts other encodings than UTF-8.
pub(super) fn decode(bytes: &[u8], reading: Reading) -> Result<(Cow<'_, str>, Encoding), DocumentError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(DocumentError::too_large("more than 4 GiB", 0));
    }
    if reading == Reading::FlinkJson
        && let Some((mark, size, big)) = wide(bytes)
    {
        let unit = if size == 2 { Unit::Utf16 } else { Unit::Utf32 };
        let text = widen(bytes.get(mark..).unwrap_or_default(), size, big)
            .map_err(|at| DocumentError::new("this is not valid UTF-16 or UTF-32", mark + at))?;
        return Ok((Cow::Owned(text), Encoding { mark: mark as u32, unit }));
    }
    let mark = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    match std::str::from_utf8(bytes.get(mark..).unwrap_or_default()) {
        Ok(text) => Ok((Cow::Borrowed(text), Encoding { mark: mark as u32, unit: Unit::Utf8 })),
        Err(error) => {
            Err(DocumentError::new("this is not valid UTF-8; send the text as UTF-8", mark + error.valid_up_to()))
        }
    }
}

/// Tells UTF-16 and UTF-32 as Jackson's `ByteSourceJsonBootstrapper` does: by mark, else by where the zero bytes are.
/// Gives the length of the mark, the size of a unit, and whether it is big endian.
fn wide(bytes: &[u8]) -> Option<(usize, usize, bool)> {
    match *bytes {
        [0x00, 0x00, 0xfe, 0xff, ..] => Some((4, 4, true)),
        [0xff, 0xfe, 0x00, 0x00, ..] => Some((4, 4, false)),
        [0xfe, 0xff, ..] => Some((2, 2, true)),
        [0xff, 0xfe, ..] => Some((2, 2, false)),
        [0, 0, 0, x, ..] if x != 0 => Some((0, 4, true)),
        [x, 0, 0, 0, ..] if x != 0 => Some((0, 4, false)),
        [0, x, ..] if x != 0 => Some((0, 2, true)),
        [x, 0, ..] if x != 0 => Some((0, 2, false)),
        _ => None,
    }
}

/// UTF-16 or UTF-32 to UTF-8; the error is the offset of the bad unit.
fn widen(bytes: &[u8], size: usize, big: bool) -> Result<String, usize> {
    let whole = bytes.len() - bytes.len() % size;
    let units = bytes.chunks_exact(size).map(|unit| {
        let fold = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        if big { unit.iter().fold(0, fold) } else { unit.iter().rev().fold(0, fold) }
    });
    let mut text = String::with_capacity(bytes.len() / size);
    if size == 2 {
        let mut at = 0;
        for unit in char::decode_utf16(units.map(|unit| unit as u16)) {
            let c = unit.map_err(|_| at)?;
            at += c.len_utf16() * 2;
            text.push(c);
        }
    } else {
        for (position, unit) in units.enumerate() {
            text.push(char::from_u32(unit).ok_or(position * 4)?);
        }
    }
    if whole == bytes.len() { Ok(text) } else { Err(whole) }
}
