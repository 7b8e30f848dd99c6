//! Two cases of the corpus for each rule, for `sluicegate rules ID`: a small one that fires it, and a small one that does
//! not. Cases are read line by line here: they are ours, and the corpus test reads them properly.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// What is shown of a case: all but its name, its source and what it expects.
const SHOWN: [&str; 4] = ["request:", "live:", "facts:", "settings:"];

struct Case {
    /// Below the root of the repository.
    path: String,
    dialect: String,
    text: String,
    /// Whether its settings decide as well.
    set: bool,
    expect: String,
}

/// A table of rules with their examples, as Rust. Outside the repository there is no corpus, and the table is empty.
pub fn table(root: &Path) -> Result<String, String> {
    let corpus = root.join("tests").join("cases");
    let mut table = String::from("&[\n");
    if corpus.is_dir() {
        println!("cargo::rerun-if-changed={}", corpus.display());
        for rule in names(&corpus)? {
            let folder = corpus.join(&rule);
            let mut cases = Vec::new();
            for name in names(&folder)?.into_iter().filter(|name| name.ends_with(".yaml")) {
                let text = fs::read_to_string(folder.join(&name)).map_err(|error| format!("{name}: {error}"))?;
                cases.push(Case::read(format!("tests/cases/{rule}/{name}"), &text));
            }
            let (fires, quiet) = choose(&rule, &cases);
            let _ = writeln!(table, "    ({rule:?}, {}, {}),", literal(fires), literal(quiet));
        }
    }
    table.push_str("]\n");
    Ok(table)
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

impl Case {
    fn read(path: String, source: &str) -> Self {
        let mut case = Self { path, dialect: String::new(), text: String::new(), set: false, expect: String::new() };
        let mut section = "";
        for line in source.lines() {
            let top = !line.starts_with([' ', '-', '#']) && line.contains(':');
            if top {
                section = line.split_inclusive(':').next().unwrap_or_default();
            }
            match section {
                "dialect:" => case.dialect = line.trim_start_matches(section).trim().to_owned(),
                "expect:" => case.expect += &format!("{line}\n"),
                section if SHOWN.contains(&section) => {
                    case.set |= section == "settings:";
                    case.text += &format!("{line}\n");
                }
                _ => {}
            }
        }
        case
    }

    fn names(&self, words: &[&str], rule: &str) -> bool {
        let mut list = "";
        // Of block and flow style alike only the words are left.
        self.expect.split(|c: char| c.is_whitespace() || "{}[],'\"".contains(c)).any(|word| {
            list = word.strip_suffix(':').unwrap_or(list);
            words.contains(&list) && word == rule
        })
    }
}

/// The smallest of each sort; rather one that the shipped settings are enough for, and two of the same platform.
fn choose<'c>(rule: &str, cases: &'c [Case]) -> (Option<&'c Case>, Option<&'c Case>) {
    let judged: Vec<_> = cases.iter().filter(|case| !case.expect.contains("decision: error")).collect();
    let named = |case: &&&Case| case.names(&["deny", "warn", "fires"], rule);
    let size = |case: &&&'c Case| (case.set, Reverse(case.names(&["deny", "warn"], rule)), case.text.len());
    let fires = judged.iter().filter(named).min_by_key(size).copied();
    let dialect = fires.map(|case| case.dialect.as_str()).unwrap_or_default();
    let others = judged.iter().filter(|case| !named(case));
    (fires, others.min_by_key(|case| (case.dialect != dialect, size(case))).copied())
}

fn literal(case: Option<&Case>) -> String {
    case.map_or("None".to_owned(), |Case { path, text, .. }| {
        format!("Some(Example {{ path: {path:?}, text: {text:?} }})")
    })
}
