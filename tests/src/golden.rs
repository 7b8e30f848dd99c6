//! Golden files: plain text that a reviewer can read, written anew with `SLUICEGATE_BLESS=1`.

use std::fs;
use std::path::Path;

/// Compares `actual` with the golden file of this name.
///
/// # Errors
/// When they differ; the text says where.
pub fn compare(name: &str, actual: &str) -> Result<(), String> {
    // Shared by two packages, hence the detour.
    compare_at(&Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden")).join(name), actual)
}

/// Compares `actual` with this golden file.
///
/// # Errors
/// When they differ; the text says where.
pub fn compare_at(file: &Path, actual: &str) -> Result<(), String> {
    if std::env::var_os("SLUICEGATE_BLESS").is_some() {
        return fs::write(file, actual).map_err(|error| format!("cannot write {}: {error}", file.display()));
    }
    let expected = fs::read_to_string(file).map_err(|error| {
        format!("cannot read {}: {error}; run again with SLUICEGATE_BLESS=1 to write it", file.display())
    })?;
    if expected == actual {
        return Ok(());
    }
    let differs = |(a, b): &(&str, &str)| a != b;
    let line = expected.lines().zip(actual.lines()).take_while(|pair| !differs(pair)).count();
    let show = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    Err(format!(
        "{} differs in line {}\n  expected: {}\n  actual:   {}\nif the change is meant, run again with SLUICEGATE_BLESS=1 and read the diff",
        file.display(),
        line + 1,
        show(&expected),
        show(actual)
    ))
}
