//! JSON and YAML bytes to values that know where they stood: a flat list of nodes in document order, each with the
//! byte span it came from. Strict where platforms disagree; what the platforms themselves do is chosen by [`Reading`].

mod encoding;
mod json;
mod node;
mod present;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use node::Node;
pub(crate) use node::equal;
pub use present::{all, counterpart};

/// Where something stands in a list, by its name. One type for all such maps: each costs the component two kilobytes.
pub type Slots<'d> = BTreeMap<Cow<'d, str>, usize>;

/// How deep containers may nest. Jackson stops at 1,000, the Kubernetes API server at 10,000; no request comes near.
pub const MAX_DEPTH: usize = 256;
/// How many values a document may hold: what keeps memory inside 4 MiB + 6 times the body.
pub const MAX_NODES: usize = 1_000_000;

/// How a platform reads bytes as a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// JSON, nothing after it, UTF-8. Duplicate keys: the last wins (Go and Jackson agree).
    Json,
    /// JSON as Flink's Jackson reads it: any Unicode encoding, text after the document is ignored (DOMAIN section 8).
    FlinkJson,
    /// JSON if it starts like JSON, otherwise one YAML document without duplicate keys.
    JsonOrYaml,
}

/// Why bytes are not a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// What is wrong, for people.
    pub message: String,
    /// Offset into the bytes.
    pub offset: usize,
    /// Not malformed, but deeper or larger than we read.
    pub too_large: bool,
}

impl DocumentError {
    fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset, too_large: false }
    }

    fn too_large(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset, too_large: true }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    Text,
    Array,
    Object,
    /// A member's name; its value follows.
    Key,
    /// A value that no rule reads and that was not kept.
    Skipped,
}

/// A node. `extra` is the index after the subtree for containers, the index into `texts` (plus one) for scalars whose
/// text is not a slice of the source, and zero otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    start: u32,
    end: u32,
    extra: u32,
    kind: Kind,
    escaped: bool,
}

impl Item {
    /// The index after the subtree of this item, which is at `index`.
    #[inline(always)]
    fn after(&self, index: u32) -> u32 {
        match self.kind {
            Kind::Array | Kind::Object => self.extra,
            _ => index + 1,
        }
    }

    /// Whether so many bytes stand between the quotes of this text.
    #[inline(always)]
    fn has_length(&self, bytes: usize) -> bool {
        (self.end as usize).saturating_sub(self.start as usize) == bytes + 2
    }
}

/// A parsed document. Values are reached through [`Document::root`].
#[derive(Debug)]
pub struct Document<'s> {
    text: Cow<'s, str>,
    encoding: encoding::Encoding,
    items: Vec<Item>,
    texts: Vec<String>,
    /// It was read as JSON: the same text is the same value, without YAML's aliases.
    json: bool,
}

/// Keys whose values no rule reads: they are checked, but not kept.
const SKIPPED: &[&str] = &["managedFields"];

impl<'s> Document<'s> {
    /// Parses `bytes`.
    ///
    /// # Errors
    /// When the bytes cannot be read as the document the platform would see, or exceed [`MAX_DEPTH`] or [`MAX_NODES`].
    pub fn parse(bytes: &'s [u8], reading: Reading) -> Result<Self, DocumentError> {
        let (text, encoding) = encoding::decode(bytes, reading)?;
        let mut document = Self { text, encoding, items: Vec::new(), texts: Vec::new(), json: true };
        match reading {
            Reading::Json => json::parse(&document.text, false, &mut document.items)?,
            Reading::FlinkJson => json::parse(&document.text, true, &mut document.items)?,
            Reading::JsonOrYaml if json::looks_like(&document.text) => {
                match json::parse(&document.text, false, &mut document.items) {
                    Ok(()) => {}
                    Err(error) if error.too_large => return Err(error),
                    // It may be YAML in flow style; if it is neither, it was meant as JSON.
                    Err(error) => document.read_yaml().map_err(|_| error)?,
                }
            }
            Reading::JsonOrYaml => document.read_yaml()?,
        }
        Ok(document)
    }

    fn read_yaml(&mut self) -> Result<(), DocumentError> {
        self.json = false;
        self.items.clear();
        yaml::parse(&self.text, &mut self.items, &mut self.texts)
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, index: 0 }
    }

    #[inline(always)]
    fn item(&self, index: u32) -> Item {
        const NOTHING: Item = Item { start: 0, end: 0, extra: 0, kind: Kind::Null, escaped: false };
        self.items.get(index as usize).copied().unwrap_or(NOTHING)
    }

    /// The index after the subtree that starts at `index`.
    #[inline(always)]
    fn after(&self, index: u32) -> u32 {
        self.item(index).after(index)
    }
}

#[cfg(test)]
mod tests;
