//! The nearest valid name to a misspelt one, for error texts.

/// ` (did you mean …?)`, or nothing when no name is near.
pub fn hint(name: &str, names: &[String]) -> String {
    let near = names.iter().map(|candidate| (strsim::normalized_levenshtein(name, candidate), candidate));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, candidate)) if likeness > 0.6 => format!(" (did you mean `{candidate}`?)"),
        _ => String::new(),
    }
}
