//! Writes JSON without white space, as it is compared and passed on.

/// A JSON text in the making.
pub(crate) struct Writer {
    text: String,
}

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes) }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Texts hold no control characters by now; quotes and backslashes are all there is to escape.
    pub(crate) fn string(&mut self, text: &str) {
        self.text.push('"');
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\')) {
            let (plain, special) = rest.split_at(at);
            self.raw(plain);
            self.text.push('\\');
            self.raw(special.get(..1).unwrap_or_default());
            rest = special.get(1..).unwrap_or_default();
        }
        self.raw(rest);
        self.text.push('"');
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.raw("null"),
        }
    }

    pub(crate) fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.raw("[");
        self.separated(items, each);
        self.raw("]");
    }

    /// Writes every item, with commas between.
    pub(crate) fn separated<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.raw(",");
            }
            each(self, item);
        }
    }
}
