//! The objects of one watch: their bytes while the budget lasts, else the mark that there is such an object. So what is
//! not on the shelf is known not to exist, unless the shelf itself ran over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::budget::{Budget, ENTRY};
use super::resource::Object;

pub(super) struct Shelf {
    budget: Arc<Budget>,
    namespaces: BTreeMap<Box<str>, Namespace>,
    /// Counts the lists. An entry that the list under way did not name is gone.
    round: u64,
    /// There was no room even for a mark: what is not here may exist all the same.
    overflown: bool,
    /// The list under way ran over.
    lost: bool,
    pub(super) totals: Totals,
}

/// What a shelf holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) objects: usize,
    pub(super) bytes: usize,
    pub(super) not_held: usize,
}

#[derive(Default)]
struct Namespace {
    entries: BTreeMap<Box<str>, Entry>,
    bytes: usize,
    not_held: usize,
}

struct Entry {
    version: Box<str>,
    round: u64,
    size: usize,
    bytes: Option<Arc<[u8]>>,
}

/// What a shelf knows of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    Held(Arc<[u8]>),
    /// It exists, and has so many bytes.
    NotHeld(usize),
    Unknown,
    Absent,
}

/// What a shelf knows of all objects in a namespace.
pub(super) enum All {
    Held { objects: Vec<Arc<[u8]>>, bytes: usize },
    NotHeld(usize),
    TooLong(usize),
    Unknown,
}

/// An object that is not held.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) namespace: Box<str>,
    pub(super) name: Box<str>,
    pub(super) size: usize,
}

impl Shelf {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, namespaces: BTreeMap::new(), round: 0, overflown: false, lost: false, totals: Totals::default() }
    }

    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.round += 1;
        self.lost = false;
    }

    /// The list is complete: what it did not name is gone.
    pub(super) fn complete(&mut self) {
        let round = self.round;
        let mut freed = 0;
        for namespace in self.namespaces.values_mut() {
            let totals = &mut self.totals;
            let (mut bytes, mut not_held) = (0, 0);
            namespace.entries.retain(|name, entry| {
                let stays = entry.round == round;
                if !stays {
                    freed += entry.cost(name);
                    totals.objects -= 1;
                    bytes += entry.held();
                    not_held += usize::from(entry.bytes.is_none());
                }
                stays
            });
            namespace.bytes -= bytes;
            namespace.not_held -= not_held;
            totals.bytes -= bytes;
            totals.not_held -= not_held;
        }
        self.namespaces.retain(|_, namespace| !namespace.entries.is_empty());
        self.overflown = self.lost;
        self.budget.give_back(freed);
    }

    /// Puts an object in its place, or a mark of it.
    pub(super) fn put(&mut self, object: Object) {
        self.remove(&object.namespace, &object.name);
        let mark = ENTRY + object.name.len();
        let size = object.bytes.len();
        let bytes = self.budget.take(mark + size).then(|| Arc::from(object.bytes));
        if bytes.is_none() && !self.budget.take(mark) {
            (self.overflown, self.lost) = (true, true);
            return;
        }
        let namespace = self.namespaces.entry(object.namespace.into()).or_default();
        let entry = Entry { version: object.version.into(), round: self.round, size, bytes };
        let (held, not_held) = (entry.held(), usize::from(entry.bytes.is_none()));
        namespace.bytes += held;
        namespace.not_held += not_held;
        self.totals.objects += 1;
        self.totals.bytes += held;
        self.totals.not_held += not_held;
        namespace.entries.insert(object.name.into(), entry);
    }

    /// Takes an object away that is no more.
    pub(super) fn remove(&mut self, namespace: &str, name: &str) {
        let Some(there) = self.namespaces.get_mut(namespace) else { return };
        let Some(entry) = there.entries.remove(name) else { return };
        let (held, not_held) = (entry.held(), usize::from(entry.bytes.is_none()));
        there.bytes -= held;
        there.not_held -= not_held;
        self.totals.objects -= 1;
        self.totals.bytes -= held;
        self.totals.not_held -= not_held;
        if there.entries.is_empty() {
            self.namespaces.remove(namespace);
        }
        self.budget.give_back(entry.cost(name));
    }

    /// Holds an object that was not held, if it is still the one that was marked: a later version comes with an event
    /// of its own, an earlier one must not take its place.
    pub(super) fn fill(&mut self, object: Object) {
        let Some(there) = self.namespaces.get_mut(&*object.namespace) else { return };
        let Some(entry) = there.entries.get_mut(&*object.name) else { return };
        let size = object.bytes.len();
        if entry.bytes.is_none() && *entry.version == *object.version && self.budget.take(size) {
            entry.size = size;
            entry.bytes = Some(Arc::from(object.bytes));
            there.bytes += size;
            there.not_held -= 1;
            self.totals.bytes += size;
            self.totals.not_held -= 1;
        }
    }

    pub(super) fn get(&self, namespace: &str, name: &str) -> Known {
        let entry = self.namespaces.get(namespace).and_then(|namespace| namespace.entries.get(name));
        match entry {
            Some(Entry { bytes: Some(bytes), .. }) => Known::Held(Arc::clone(bytes)),
            Some(entry) => Known::NotHeld(entry.size),
            None if self.overflown => Known::Unknown,
            None => Known::Absent,
        }
    }

    /// All objects of a namespace, ordered by name, when they have at most so many bytes together.
    pub(super) fn all(&self, namespace: &str, most: usize) -> All {
        if self.overflown {
            return All::Unknown;
        }
        let Some(namespace) = self.namespaces.get(namespace) else {
            return All::Held { objects: Vec::new(), bytes: 0 };
        };
        match namespace {
            Namespace { not_held: 1.., .. } => All::NotHeld(namespace.not_held),
            Namespace { bytes, .. } if *bytes > most => All::TooLong(*bytes),
            Namespace { entries, bytes, .. } => {
                let objects = entries.values().filter_map(|entry| entry.bytes.clone()).collect();
                All::Held { objects, bytes: *bytes }
            }
        }
    }

    /// Some objects that are not held and would find room now.
    pub(super) fn missing(&self) -> Vec<Missing> {
        if self.totals.not_held == 0 {
            return Vec::new();
        }
        let free = self.budget.free();
        let lost = self.namespaces.iter().filter(|(_, there)| there.not_held > 0).flat_map(|(namespace, there)| {
            there.entries.iter().filter(|(_, entry)| entry.bytes.is_none()).map(move |(name, entry)| Missing {
                namespace: namespace.clone(),
                name: name.clone(),
                size: entry.size,
            })
        });
        lost.filter(|missing| missing.size <= free).take(AT_ONCE).collect()
    }

    pub(super) fn overflown(&self) -> bool {
        self.overflown
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.begin();
        self.complete();
    }
}

/// How many objects are looked for at once when there is room again.
const AT_ONCE: usize = 256;

impl Entry {
    fn held(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }

    fn cost(&self, name: &str) -> usize {
        ENTRY + name.len() + self.held()
    }
}

#[cfg(test)]
mod tests {
    use super::{All, Arc, Budget, ENTRY, Known, Object, Shelf};

    fn object(name: &str, version: &str, size: usize) -> Object {
        let (namespace, version) = ("ns".to_owned(), version.to_owned());
        Object { namespace, name: name.to_owned(), version, bytes: vec![b' '; size] }
    }

    fn shelf(limit: usize) -> (Arc<Budget>, Shelf) {
        let budget = Arc::new(Budget::new(limit));
        (Arc::clone(&budget), Shelf::new(budget))
    }

    fn all(shelf: &Shelf) -> Option<(usize, usize)> {
        match shelf.all("ns", 1000) {
            All::Held { objects, bytes } => Some((objects.len(), bytes)),
            All::NotHeld(_) | All::TooLong(_) | All::Unknown => None,
        }
    }

    #[test]
    fn what_a_list_does_not_name_is_gone() {
        let (budget, mut shelf) = shelf(10_000);
        shelf.begin();
        shelf.put(object("a", "1", 10));
        shelf.put(object("b", "1", 20));
        shelf.complete();
        assert_eq!(all(&shelf), Some((2, 30)));
        shelf.begin();
        shelf.put(object("b", "1", 20));
        assert_eq!(all(&shelf), Some((2, 30)), "the list is not complete");
        shelf.complete();
        assert_eq!(all(&shelf), Some((1, 20)));
        assert_eq!(shelf.get("ns", "a"), Known::Absent);
        assert_eq!(budget.used(), ENTRY + 1 + 20);
        shelf.put(object("b", "2", 5));
        assert_eq!((all(&shelf), budget.used()), (Some((1, 5)), ENTRY + 1 + 5));
        shelf.clear();
        assert_eq!((all(&shelf), budget.used(), shelf.totals.objects), (Some((0, 0)), 0, 0));
    }

    #[test]
    fn what_does_not_fit_is_marked_and_held_later() {
        let (budget, mut shelf) = shelf(2 * ENTRY + 2 + 100);
        shelf.put(object("a", "1", 80));
        shelf.put(object("b", "1", 30));
        assert_eq!(shelf.get("ns", "b"), Known::NotHeld(30));
        assert!(all(&shelf).is_none() && shelf.missing().is_empty());
        shelf.remove("ns", "a");
        let missing: Vec<_> = shelf.missing().into_iter().map(|missing| (missing.name, missing.size)).collect();
        assert_eq!(missing, [("b".into(), 30)]);
        shelf.fill(object("b", "2", 30));
        assert_eq!(shelf.get("ns", "b"), Known::NotHeld(30), "another version");
        shelf.begin();
        shelf.fill(object("b", "1", 30));
        assert!(matches!(shelf.get("ns", "b"), Known::Held(_)));
        assert_eq!((shelf.totals.bytes, shelf.totals.not_held, budget.used()), (30, 0, ENTRY + 1 + 30));
        shelf.complete();
        assert_eq!((shelf.get("ns", "b"), budget.used()), (Known::Absent, 0), "the list did not name it");
    }

    #[test]
    fn without_room_for_marks_nothing_is_known_to_be_absent() {
        let (_, mut shelf) = shelf(ENTRY + 1);
        shelf.begin();
        shelf.put(object("a", "1", 10));
        shelf.put(object("b", "1", 10));
        shelf.complete();
        assert_eq!((shelf.get("ns", "a"), shelf.get("ns", "c")), (Known::NotHeld(10), Known::Unknown));
        assert!(shelf.overflown() && all(&shelf).is_none());
        shelf.begin();
        shelf.complete();
        assert_eq!((shelf.get("ns", "c"), shelf.overflown()), (Known::Absent, false));
    }

    #[test]
    fn a_list_has_a_limit() {
        let (_, mut shelf) = shelf(10_000);
        shelf.put(object("a", "1", 999));
        assert_eq!(all(&shelf), Some((1, 999)));
        shelf.put(object("b", "1", 2));
        assert!(matches!(shelf.all("ns", 1000), All::TooLong(1001)));
    }
}
