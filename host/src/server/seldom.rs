//! What the log is told once in a while, however often it happens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the log is told of the same trouble.
const BETWEEN: Duration = Duration::from_secs(60);

/// When the log was last told of each trouble. There must be few kinds of them: none is forgotten.
#[derive(Debug)]
pub struct Seldom<K>(Mutex<BTreeMap<K, Instant>>);

impl<K> Default for Seldom<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord> Seldom<K> {
    /// Whether it is time to tell of this one; if so, it counts as told.
    pub fn is_due(&self, trouble: K) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&trouble).is_some_and(|told| told.elapsed() < BETWEEN) {
            return false;
        }
        told.insert(trouble, Instant::now());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Seldom;

    #[test]
    fn each_trouble_is_told_once_in_a_while() {
        let seldom = Seldom::default();
        assert!(seldom.is_due("a"));
        assert!(!seldom.is_due("a"));
        assert!(seldom.is_due("b"));
    }
}
