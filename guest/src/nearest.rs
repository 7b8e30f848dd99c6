//! The nearest valid name to a misspelt one: for remedies, and to tell look-alikes of known fields.

use crate::text::join;

/// ` (did you mean …?)`, or nothing when no candidate is near.
pub fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> String {
    hint(closest(name, candidates))
}

#[inline(never)]
fn hint(closest: Option<&str>) -> String {
    match closest {
        Some(candidate) => join(&[" (did you mean `", candidate, "`?)"]),
        None => String::new(),
    }
}

/// The candidate that differs least, if it is a look-alike: same letters in another case or with other separators, or
/// one or two letters off.
pub fn closest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let plain = fold(name);
    let mut best = None;
    for candidate in candidates {
        consider(&plain, candidate, &mut best);
    }
    best.map(|(_, candidate)| candidate)
}

/// Once for all lists of candidates: it is large.
#[inline(never)]
fn consider<'c>(plain: &[char], candidate: &'c str, best: &mut Option<(usize, &'c str)>) {
    let distance = distance(plain, &fold(candidate));
    let near = distance <= 2 && distance < candidate.chars().count().div_ceil(2);
    if near && best.is_none_or(|(least, _)| distance < least) {
        *best = Some((distance, candidate));
    }
}

/// Without case and separators.
#[inline(never)]
fn fold(name: &str) -> Vec<char> {
    name.chars().take(64).filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &[char]) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = if x == y { diagonal } else { diagonal + 1 };
            left = cost.min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn look_alikes_are_found_and_strangers_are_not() {
        let known = ["CANCELLED", "RUNNING", "savepointPath", "drain"];
        let find = |name| closest(name, known.into_iter());
        assert_eq!(find("CANCELED"), Some("CANCELLED"));
        assert_eq!(find("savepoint-path"), Some("savepointPath"));
        assert_eq!(find("SavepointPath"), Some("savepointPath"));
        assert_eq!(find("Drian"), Some("drain"));
        assert_eq!(find("status"), None);
        assert_eq!(find(""), None);
    }
}
