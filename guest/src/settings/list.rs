//! A list of texts as compiled settings hold it: one text, its entries apart by a character that none of them has.

use super::pattern;

/// The unit separator: settings hold no control characters.
pub(super) const SEPARATOR: char = '\u{1f}';

/// Texts in the order of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct List<'s>(&'s str);

impl<'s> List<'s> {
    pub(super) fn stored(text: &'s str) -> Self {
        Self(text)
    }

    /// A list of this text alone.
    pub(super) const fn of_one(text: &'s str) -> Self {
        Self(text)
    }

    /// The texts.
    pub fn iter(self) -> impl Iterator<Item = &'s str> {
        self.0.split(SEPARATOR).filter(|entry| !entry.is_empty())
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Whether this very text is among them.
    pub fn contains(self, text: &str) -> bool {
        self.iter().any(|entry| entry == text)
    }

    /// Whether one of them, as a pattern, fits the text.
    pub fn matches(self, text: &str) -> bool {
        self.iter().any(|entry| pattern::matches(entry, text))
    }

    /// Whether one of them, as a pattern, fits this caller. Only `*` fits one who is not known.
    pub fn admits(self, principal: Option<&str>) -> bool {
        self.iter().any(|entry| entry == "*" || principal.is_some_and(|principal| pattern::matches(entry, principal)))
    }
}

impl std::fmt::Display for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, entry) in self.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(f, "{comma}{entry}")?;
        }
        Ok(())
    }
}
