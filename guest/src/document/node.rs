//! A value inside a document: its members, elements and text, where it stood, and how it compares.

use std::borrow::Cow;

use super::present::{self, Member};
use super::{Document, Item, Kind, json};

/// A value inside a document.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) index: u32,
}

/// The members of an object.
#[derive(Clone, Debug)]
pub struct Members<'d> {
    document: &'d Document<'d>,
    index: u32,
    end: u32,
}

impl<'d> Iterator for Members<'d> {
    type Item = (Node<'d>, Node<'d>);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let Self { document, index, end } = *self;
        if index >= end {
            return None;
        }
        self.index = document.after(index + 1);
        Some((Node { document, index }, Node { document, index: index + 1 }))
    }
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'d> {
    document: &'d Document<'d>,
    index: u32,
    end: u32,
}

impl<'d> Iterator for Elements<'d> {
    type Item = Node<'d>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let Self { document, index, end } = *self;
        if index >= end {
            return None;
        }
        self.index = document.after(index);
        Some(Node { document, index })
    }
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.item().kind, self.source())
    }
}

impl<'d> Node<'d> {
    #[inline(always)]
    fn item(&self) -> Item {
        self.document.item(self.index)
    }

    #[inline(always)]
    pub fn is_null(&self) -> bool {
        self.item().kind == Kind::Null
    }

    #[inline(always)]
    pub fn is_object(&self) -> bool {
        self.item().kind == Kind::Object
    }

    pub fn is_array(&self) -> bool {
        self.item().kind == Kind::Array
    }

    pub fn is_string(&self) -> bool {
        self.item().kind == Kind::Text
    }

    pub fn is_number(&self) -> bool {
        self.item().kind == Kind::Number
    }

    /// The type in words, for messages that must not repeat a value: they stand in logs, and it may be a secret.
    pub fn type_words(&self) -> &'static str {
        match self.item().kind {
            Kind::Null => "`null`",
            Kind::True | Kind::False => "`true` or `false`",
            Kind::Number => "a number",
            Kind::Text | Kind::Key => "a text",
            Kind::Array => "an array",
            Kind::Object => "an object",
            Kind::Skipped => "another value",
        }
    }

    /// The member of this name; of several, the last. `None` also when this is not an object or the value is null:
    /// for every platform here null equals absent.
    pub fn get(&self, name: &str) -> Option<Node<'d>> {
        self.member(name).filter(|node| !node.is_null())
    }

    /// Like [`Node::get`], but tells a null from nothing.
    #[inline(never)]
    pub fn member(&self, name: &str) -> Option<Node<'d>> {
        let Members { document, mut index, end } = self.members();
        let mut found = None;
        // A key and its value at once, and by length first: no other loop is as hot.
        while index < end
            && let Some([key, value, ..]) = document.items.get(index as usize..)
        {
            let plain = key.extra == 0 && !key.escaped;
            if (!plain || key.has_length(name.len())) && (Node { document, index }).reads(name) {
                found = Some(Node { document, index: index + 1 });
            }
            index = value.after(index + 1);
        }
        found
    }

    /// The value at this path of names.
    #[inline(never)]
    pub fn path(&self, names: &[&str]) -> Option<Node<'d>> {
        names.iter().try_fold(*self, |node, name| node.get(name))
    }

    /// The members of an object in order, duplicates and nulls included; nothing for other kinds.
    #[inline(always)]
    pub fn members(&self) -> Members<'d> {
        let item = self.item();
        let end = if item.kind == Kind::Object { item.extra } else { 0 };
        Members { document: self.document, index: self.index + 1, end }
    }

    /// Whether a value stands inside this one.
    pub fn holds(&self, other: Node<'_>) -> bool {
        let same = std::ptr::addr_eq(self.document, other.document);
        same && self.index < other.index && other.index < self.document.after(self.index)
    }

    /// The elements of an array; nothing for other kinds.
    #[inline(always)]
    pub fn elements(&self) -> Elements<'d> {
        let item = self.item();
        let end = if item.kind == Kind::Array { item.extra } else { 0 };
        Elements { document: self.document, index: self.index + 1, end }
    }

    /// The text of a string or a key.
    pub fn text(&self) -> Option<Cow<'d, str>> {
        let item = self.item();
        match item.kind {
            Kind::Text | Kind::Key => Some(self.content(item)),
            _ => None,
        }
    }

    /// The text of any scalar as platforms print it in a string map: `true`, `8`, `s3://…`. `None` for null and
    /// containers.
    #[inline(never)]
    pub fn scalar(&self) -> Option<Cow<'d, str>> {
        let item = self.item();
        match item.kind {
            Kind::Text | Kind::Key | Kind::Number => Some(self.content(item)),
            Kind::True => Some(Cow::Borrowed("true")),
            Kind::False => Some(Cow::Borrowed("false")),
            Kind::Null | Kind::Array | Kind::Object | Kind::Skipped => None,
        }
    }

    /// A JSON or YAML boolean; not the string `"true"`.
    pub fn bool(&self) -> Option<bool> {
        match self.item().kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// A whole number.
    pub fn integer(&self) -> Option<i64> {
        let item = self.item();
        if item.kind == Kind::Number { self.content(item).parse().ok() } else { None }
    }

    /// Whether this is a string or key with exactly this text.
    #[inline(never)]
    pub fn is(&self, text: &str) -> bool {
        self.reads(text)
    }

    /// The same, for the loop that looks members up.
    #[inline(always)]
    fn reads(&self, text: &str) -> bool {
        let item = self.item();
        match item.kind {
            // Between its quotes; most names differ in length already.
            Kind::Key | Kind::Text if item.extra == 0 && !item.escaped => {
                let (start, end) = (item.start as usize + 1, (item.end as usize).saturating_sub(1));
                end.saturating_sub(start) == text.len()
                    && self.document.text.as_bytes().get(start..end).is_some_and(|ours| equal(ours, text.as_bytes()))
            }
            Kind::Key | Kind::Text => self.content(item) == text,
            _ => false,
        }
    }

    /// The characters as they stand in the source, quotes included: for observed values.
    pub fn source(&self) -> &'d str {
        let item = self.item();
        self.document.text.get(item.start as usize..item.end as usize).unwrap_or_default()
    }

    /// The bytes this value came from: start and end offset.
    pub fn span(&self) -> (u32, u32) {
        let item = self.item();
        let document = self.document;
        (document.encoding.offset(&document.text, item.start), document.encoding.offset(&document.text, item.end))
    }

    /// The JSON pointer (RFC 6901) of this value.
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        let mut here = self.document.root();
        while here.index < self.index {
            let mut next = None;
            for (key, value) in here.members() {
                if value.index <= self.index && self.index < here.document.after(value.index) || key.index == self.index
                {
                    pointer.push('/');
                    push_escaped(&mut pointer, &key.text().unwrap_or_default());
                    next = (key.index != self.index).then_some(value);
                    if next.is_none() {
                        return pointer;
                    }
                    break;
                }
            }
            for (position, element) in here.elements().enumerate() {
                if element.index <= self.index && self.index < here.document.after(element.index) {
                    pointer.push('/');
                    pointer.push_str(&position.to_string());
                    next = Some(element);
                    break;
                }
            }
            match next {
                Some(node) => here = node,
                None => break,
            }
        }
        pointer
    }

    /// Whether two values are equal as data: members in any order, nulls equal absence, spans and spelling ignored.
    pub fn same(&self, other: &Node<'_>) -> bool {
        self.alike(other, 2)
    }

    /// `texts` is how many levels down texts are compared first: an API server writes alike what is alike, so that
    /// most of two large objects need not be walked. No deeper, or the work would grow with the depth.
    fn alike(&self, other: &Node<'_>, texts: u32) -> bool {
        let (a, b) = (self.item().kind, other.item().kind);
        let plain = self.document.json && other.document.json && matches!(a, Kind::Object | Kind::Array);
        if texts > 0 && plain && equal(self.source().as_bytes(), other.source().as_bytes()) {
            return true;
        }
        let texts = texts.saturating_sub(1);
        match (a, b) {
            // Member by member where the names stand in the same order; else by maps, since looking each up takes
            // quadratic time in objects made to be large.
            (Kind::Object, Kind::Object) if self.named_like(other) => {
                self.members().zip(other.members()).all(|((_, x), (_, y))| x.alike(&y, texts))
            }
            (Kind::Object, Kind::Object) => present::all(&self.present(), &other.present(), |x, y| x.alike(y, texts)),
            (Kind::Array, Kind::Array) => {
                let (mut ours, mut theirs) = (self.elements(), other.elements());
                loop {
                    match (ours.next(), theirs.next()) {
                        (None, None) => return true,
                        (Some(x), Some(y)) if x.alike(&y, texts) => {}
                        _ => return false,
                    }
                }
            }
            (Kind::Skipped, Kind::Skipped) => true,
            _ => a == b && self.scalar() == other.scalar(),
        }
    }

    fn named_like(&self, other: &Node<'_>) -> bool {
        let (mut ours, mut theirs) = (self.members(), other.members());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some((a, _)), Some((b, _))) if a.spelt_like(&b) => {}
                _ => return false,
            }
        }
    }

    /// Whether two keys are the same name.
    #[inline(always)]
    fn spelt_like(&self, other: &Node<'_>) -> bool {
        let (a, b) = (self.item(), other.item());
        let plain = a.extra == 0 && b.extra == 0 && !a.escaped && !b.escaped;
        let (ours, theirs) = match plain {
            true => (Cow::Borrowed(self.slice(a)), Cow::Borrowed(other.slice(b))),
            false => (self.content(a), other.content(b)),
        };
        equal(ours.as_bytes(), theirs.as_bytes())
    }

    /// The members that are not null, in the order of their names; of several with one name, the last.
    pub fn present(&self) -> Vec<Member<'d>> {
        present::of(*self)
    }

    #[inline(always)]
    fn slice(&self, item: Item) -> &'d str {
        let (start, end) = match self.quoted(item) {
            true => (item.start + 1, item.end.saturating_sub(1)),
            false => (item.start, item.end),
        };
        self.document.text.get(start as usize..end as usize).unwrap_or_default()
    }

    #[inline(always)]
    fn quoted(&self, item: Item) -> bool {
        matches!(item.kind, Kind::Text | Kind::Key)
    }

    fn content(&self, item: Item) -> Cow<'d, str> {
        if let Some(index) = item.extra.checked_sub(1) {
            let text = self.document.texts.get(index as usize).map(String::as_str).unwrap_or_default();
            return Cow::Borrowed(text);
        }
        let slice = self.slice(item);
        if item.escaped { Cow::Owned(json::unescape(slice)) } else { Cow::Borrowed(slice) }
    }
}

/// A word at a time: in WebAssembly comparing slices is a call that goes byte by byte.
#[inline(always)]
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let long = |chunk: &[u8; 8]| u64::from_le_bytes(*chunk);
    let short = |chunk: &[u8; 4]| u32::from_le_bytes(*chunk);
    // The last word overlaps those before it.
    if let (Some(x), Some(y)) = (a.last_chunk(), b.last_chunk()) {
        return long(x) == long(y) && a.as_chunks().0.iter().zip(b.as_chunks().0).all(|(x, y)| long(x) == long(y));
    }
    if let (Some(x), Some(y), Some(p), Some(q)) = (a.last_chunk(), b.last_chunk(), a.first_chunk(), b.first_chunk()) {
        return short(x) == short(y) && short(p) == short(q);
    }
    // At most three bytes: the first, the middle and the last one are all.
    a.first() == b.first() && a.last() == b.last() && a.get(a.len() / 2) == b.get(b.len() / 2)
}

fn push_escaped(pointer: &mut String, token: &str) {
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
