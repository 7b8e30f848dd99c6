//! The members of an object in the order of their names, for comparing two objects in one go.

use std::borrow::Cow;

use super::{Node, Slots, equal};

/// So many are put in order one by one; more of them by a map, since objects may be made to be large.
const FEW: usize = 48;

/// A member that is not null.
#[derive(Clone, Debug)]
pub struct Member<'d> {
    /// The front of the name, as one number: what nearly all comparisons need.
    front: u64,
    pub name: Cow<'d, str>,
    pub value: Node<'d>,
}

impl<'d> Member<'d> {
    fn new(name: Cow<'d, str>, value: Node<'d>) -> Self {
        let bytes = name.as_bytes();
        let front = match bytes.first_chunk() {
            Some(chunk) => u64::from_be_bytes(*chunk),
            // What is missing counts as zeros; where that decides nothing, the names do.
            None => (0..8).fold(0, |front, at| front << 8 | u64::from(bytes.get(at).copied().unwrap_or_default())),
        };
        Self { front, name, value }
    }

    /// Whether this name comes before the other.
    fn precedes(&self, other: &Member<'_>) -> bool {
        self.front < other.front || self.front == other.front && self.name < other.name
    }

    /// Whether both have one name.
    pub fn is_named_like(&self, other: &Member<'_>) -> bool {
        self.front == other.front && equal(self.name.as_bytes(), other.name.as_bytes())
    }
}

/// The members of this object; nothing for other kinds. Of several with one name the last counts.
pub(super) fn of(object: Node<'_>) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> = Vec::new();
    for (key, value) in object.members() {
        if members.len() > FEW {
            return of_many(object);
        }
        let Some(name) = key.text() else { continue };
        let member = Member::new(name, value);
        let at = members.iter().rposition(|earlier| !member.precedes(earlier));
        match at.and_then(|at| members.get_mut(at)) {
            Some(earlier) if earlier.is_named_like(&member) => *earlier = member,
            _ => members.insert(at.map_or(0, |at| at + 1), member),
        }
    }
    members.retain(|member| !member.value.is_null());
    members
}

fn of_many(object: Node<'_>) -> Vec<Member<'_>> {
    let mut slots = Slots::new();
    for (key, value) in object.members() {
        if let Some(name) = key.text() {
            slots.insert(name, value.index as usize);
        }
    }
    let value = |index: usize| Node { document: object.document, index: index as u32 };
    let members = slots.into_iter().map(|(name, index)| Member::new(name, value(index)));
    members.filter(|member| !member.value.is_null()).collect()
}

/// Whether two objects have the same names, and all their values are alike.
pub fn all(ours: &[Member<'_>], theirs: &[Member<'_>], alike: impl Fn(&Node<'_>, &Node<'_>) -> bool) -> bool {
    let mut pairs = ours.iter().zip(theirs);
    ours.len() == theirs.len() && pairs.all(|(a, b)| a.is_named_like(b) && alike(&a.value, &b.value))
}

/// The value of the member of the same name. To be asked for one member after the other, in their order.
pub fn counterpart<'d>(rest: &mut &[Member<'d>], member: &Member<'_>) -> Option<Node<'d>> {
    while let [first, others @ ..] = *rest {
        if !first.precedes(member) {
            return first.is_named_like(member).then_some(first.value);
        }
        *rest = others;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{FEW, counterpart, of};
    use crate::document::{Document, Reading};

    fn read(source: &str) -> Vec<(String, String)> {
        let document = Document::parse(source.as_bytes(), Reading::Json).unwrap();
        of(document.root()).iter().map(|it| (it.name.to_string(), it.value.source().to_owned())).collect()
    }

    #[test]
    fn members_stand_in_the_order_of_their_names() {
        let names =
            ["", "a", "a\\u0000", "ab", "b", "taskManager", "taskManages", "taskManagerX", "\u{e9}", "zzzzzzzz"];
        for extra in [0, FEW] {
            let fill = (0..extra).map(|n| format!(r#""fill{n:03}":1,"#)).collect::<String>();
            let members = names.iter().rev().map(|name| format!(r#""{name}":1"#)).collect::<Vec<_>>().join(",");
            let found = read(&format!("{{{fill}{members}}}"));
            assert_eq!(found.len(), names.len() + extra);
            assert!(found.is_sorted_by(|(a, _), (b, _)| a < b), "{found:?}");
        }
    }

    #[test]
    fn of_one_name_the_last_counts_and_null_is_nothing() {
        for extra in [0, FEW] {
            let fill = (0..extra).map(|n| format!(r#","fill{n:03}":null"#)).collect::<String>();
            let found = read(&format!(r#"{{"b":1,"a":1,"b":2,"c":null,"a":null,"d":null,"d":3{fill}}}"#));
            let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            assert_eq!(found, [pair("b", "2"), pair("d", "3")]);
        }
        assert_eq!(read("[1]"), []);
    }

    #[test]
    fn a_counterpart_has_the_same_name() {
        let ours = Document::parse(br#"{"a":1,"c":2,"d":3,"f":4}"#, Reading::Json).unwrap();
        let theirs = Document::parse(br#"{"b":5,"c":6,"e":7,"f":8}"#, Reading::Json).unwrap();
        let (ours, theirs) = (of(ours.root()), of(theirs.root()));
        let mut rest = theirs.as_slice();
        let found = ours.iter().map(|member| counterpart(&mut rest, member).map(|node| node.source()));
        assert_eq!(found.collect::<Vec<_>>(), [None, Some("6"), None, Some("8")]);
    }
}
