//! Fields of a request body as Flink's Jackson binds them. Fields that decide have a closed list of spellings; any
//! other spelling or type is refused, even where Flink would answer 400 (DESIGN section 7, DOMAIN section 8).

use std::borrow::Cow;

use super::{Call, short};
use crate::document::Node;
use crate::nearest::{closest, nearest};
use crate::operation::{Oddity, OddityKind, Place, Stage};

/// Nobody reads more; a request made to be large must not cost more.
const MAX_UNKNOWN: usize = 50;

/// A body; an empty one is as good as an object without members.
pub(super) struct Body<'d> {
    root: Option<Node<'d>>,
}

impl<'d> Body<'d> {
    pub(super) fn new(root: Option<Node<'d>>) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> Option<Node<'d>> {
        self.root
    }

    /// A member that is not null.
    pub(super) fn get(&self, name: &str) -> Option<Node<'d>> {
        self.root.and_then(|root| root.get(name))
    }

    /// Reports every member that this endpoint does not know: Flink drops it silently. `ignored_in_query` are fields
    /// that people also put into the query, where Flink passes them over.
    pub(super) fn only(&self, names: &[&str], ignored_in_query: &[&str], call: &Call<'_>, stage: &mut Stage<'d>) {
        let strangers =
            self.root.iter().flat_map(Node::members).filter(|(key, _)| !names.iter().any(|name| key.is(name)));
        for (key, value) in strangers.take(MAX_UNKNOWN) {
            stage.oddities.push(unknown_field(&key.text().unwrap_or_default(), names, value));
        }
        only_parameters(&[], ignored_in_query, call, stage);
    }

    /// A boolean. Jackson also takes `"true"`, `"TRUE"` and `1`, and `""` for false (recorded on 1.20.5 and 2.3.0).
    pub(super) fn flag(&self, name: &str, stage: &mut Stage<'d>) -> bool {
        let Some(node) = self.get(name) else { return false };
        if let Some(value) = node.bool() {
            return value;
        }
        let word = node.scalar().unwrap_or_default();
        match (node.is_string(), word.as_ref()) {
            (true, "true" | "TRUE") | (false, "1") => true,
            (true, "false" | "FALSE" | "") => false,
            _ => {
                stage.oddities.push(
                    Oddity::new(
                        OddityKind::UnknownEnumValue,
                        Place::Body(node),
                        format!("`{name}` must be `true` or `false`; Flink reads other spellings in surprising ways"),
                        format!("send `\"{name}\": true` or `\"{name}\": false`"),
                    )
                    .observed(short(node))
                    .expected("true or false"),
                );
                false
            }
        }
    }

    /// A text, blank ones included.
    pub(super) fn text(&self, name: &str, stage: &mut Stage<'d>) -> Option<Node<'d>> {
        let node = self.get(name)?;
        if node.is_string() {
            return Some(node);
        }
        stage.oddities.push(
            Oddity::new(
                OddityKind::UnknownEnumValue,
                Place::Body(node),
                format!("`{name}` must be a text"),
                format!("send `{name}` in quotes"),
            )
            .observed(short(node))
            .expected("a text"),
        );
        None
    }

    /// One of these values, exactly: Flink would also take ordinals and padding.
    pub(super) fn choice(&self, name: &str, values: &[&'static str], stage: &mut Stage<'d>) -> Option<&'static str> {
        let node = self.get(name)?;
        let found = values.iter().find(|value| node.is(value)).copied();
        if found.is_none() {
            let hint = nearest(&node.scalar().unwrap_or_default(), values.iter().copied());
            stage.oddities.push(
                Oddity::new(
                    OddityKind::UnknownEnumValue,
                    Place::Body(node),
                    format!("`{name}` must be one of {}{hint}", values.join(", ")),
                    format!("send one of {}, exactly so", values.join(", ")),
                )
                .observed(short(node))
                .expected(values.join(", ")),
            );
        }
        found
    }
}

/// A member that this endpoint does not know.
fn unknown_field<'d>(name: &str, names: &[&str], value: Node<'d>) -> Oddity<'d> {
    let hint = nearest(name, names.iter().copied());
    let remedy = match closest(name, names.iter().copied()) {
        Some(candidate) => format!("write `{candidate}`, or remove `{name}`"),
        None => format!("remove `{name}`, or use one of {}", names.join(", ")),
    };
    let message = format!("Flink does not know `{name}` here and drops it without a word{hint}");
    Oddity::new(OddityKind::UnknownLifecycleField, Place::Body(value), message, remedy).observed(format!("`{name}`"))
}

/// Reports query parameters that this endpoint does not read: those that look like one it reads are refused, fields of
/// the body are noted, others are no matter.
pub(super) fn only_parameters(names: &[&str], of_the_body: &[&str], call: &Call<'_>, stage: &mut Stage<'_>) {
    // Counted apart, so that what is only noted leaves room for what is refused.
    let (mut refused, mut noted) = (0, 0);
    for (name, value) in &call.query {
        if names.contains(&name.as_ref()) {
            continue;
        }
        let observed = format!("`{name}={value}`");
        if refused < MAX_UNKNOWN
            && let Some(candidate) = closest(name, names.iter().copied())
        {
            refused += 1;
            let message = format!("Flink does not know the query parameter `{name}` and drops it without a word");
            let remedy = format!("write `{candidate}`, or remove it");
            let oddity = Oddity::new(OddityKind::UnknownLifecycleField, Place::Target, message, remedy);
            stage.oddities.push(oddity.observed(observed).expected(candidate));
        } else if noted < MAX_UNKNOWN && of_the_body.contains(&name.as_ref()) {
            noted += 1;
            let message = format!("Flink does not read `{name}` from the query here: only the body decides");
            let remedy = "put it into the body, or remove it";
            let oddity = Oddity::new(OddityKind::UnknownLifecycleField, Place::Target, message, remedy);
            stage.oddities.push(oddity.observed(observed).note());
        }
    }
}

/// The text of a node, unless it is empty: Flink takes an empty one for none.
pub(super) fn non_empty(node: Option<Node<'_>>) -> Option<(Node<'_>, Cow<'_, str>)> {
    let node = node?;
    node.text().filter(|text| !text.is_empty()).map(|text| (node, text))
}
