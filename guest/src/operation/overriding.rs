//! A request's wish that named rules do not refuse it (DESIGN section 7): what was said, and where. Whether it counts is
//! told in `crate::overrides`.

use std::borrow::Cow;

use super::Place;
use crate::document::Node;

/// How a way to ask spells the list of rules, the reason and the end.
pub type Spelling = &'static [&'static str; 3];

pub const ANNOTATIONS: Spelling =
    &["sluicegate.dev/override", "sluicegate.dev/override-reason", "sluicegate.dev/override-until"];
pub const HEADERS: Spelling = &["x-sluicegate-override", "x-sluicegate-override-reason", "x-sluicegate-override-until"];
pub const MEMBERS: Spelling = &["override.rules", "override.reason", "override.until"];

/// So many names are looked at in one override.
pub const MOST: usize = 20;
/// Longer than the id of any rule.
const LONGEST: usize = 64;

/// What was said.
#[derive(Clone, Debug)]
pub struct Override<'d> {
    /// Lists of rules, their names apart by commas.
    pub lists: Vec<Cow<'d, str>>,
    pub reason: Option<Cow<'d, str>>,
    pub until: Option<Cow<'d, str>>,
    /// Where the rules stand.
    pub place: Place<'d>,
    pub spelling: Spelling,
    /// It counts only from callers that the settings list.
    pub only_listed: bool,
    /// What is wrong with it is told for an earlier step of the same plan.
    pub told: bool,
}

impl<'d> Override<'d> {
    /// The rules, as they are named: no more than anybody would write.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        let cut = |name: &'_ str| -> usize { name.floor_char_boundary(LONGEST) };
        self.names().take(MOST).filter(|name| !name.is_empty()).map(move |name| name.get(..cut(name)).unwrap_or(name))
    }

    /// Whether it names more rules than count.
    pub fn has_more(&self) -> bool {
        self.names().skip(MOST).any(|name| !name.is_empty())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().flat_map(|list| list.split(',')).map(str::trim_ascii)
    }

    /// From annotations; `only_listed`: they came over HTTP.
    pub fn annotated(annotation: impl Fn(&str) -> Option<Node<'d>>, only_listed: bool) -> Option<Self> {
        let [rules, reason, until] = ANNOTATIONS;
        let node = annotation(rules)?;
        let text = |name: &str| annotation(name).and_then(|node| node.scalar());
        Some(Self {
            lists: node.scalar().into_iter().collect(),
            reason: text(reason),
            until: text(until),
            place: Place::Body(node),
            spelling: ANNOTATIONS,
            only_listed,
            told: false,
        })
    }
}
