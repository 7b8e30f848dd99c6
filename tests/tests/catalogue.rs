//! The list of rules is an interface: ids are never renamed, and what is written about them is written everywhere.

use sluicegate::case::Case;
use sluicegate::{Example, Examples, Limits, Policy};
use sluicegate_tests::{compare, native, root};

#[test]
fn rule_ids_are_those_that_were_published() {
    let ids: String = sluicegate_policy::RULES.iter().map(|rule| format!("{}\n", rule.id)).collect();
    compare("rules.txt", &ids).unwrap();
}

#[test]
fn every_rule_says_what_a_reader_needs() {
    for rule in Policy::embedded(Limits::default()).unwrap().describe().unwrap().rules {
        let id = &rule.id;
        for (field, text) in [("title", &rule.title), ("why", &rule.why), ("source", &rule.source)] {
            assert!(!text.trim().is_empty(), "the rule `{id}` has no {field}");
        }
        assert!(!rule.looks_at.is_empty(), "the rule `{id}` judges no platform");
        assert!(
            id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "`{id}` is not kebab-case"
        );
        assert!(!rule.title.ends_with('.') && !rule.title.contains('|'), "the title of `{id}` does not fit a table");
    }
}

#[test]
fn the_table_in_the_readme_is_fresh() {
    let mark = "<!-- rules -->";
    let file = root().join("README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let [before, table, after] = readme.split(mark).collect::<Vec<_>>()[..] else {
        panic!("README.md must hold its table of rules between two `{mark}` markers");
    };
    let rules = Policy::embedded(Limits::default()).unwrap().describe().unwrap().rules;
    let fresh = format!("\n{}", sluicegate::report::markdown(&rules));
    if table != fresh && std::env::var_os("SLUICEGATE_BLESS").is_some() {
        std::fs::write(&file, [before, &fresh, after].join(mark)).unwrap();
    } else {
        assert!(table == fresh, "the table of rules in README.md is stale; run again with SLUICEGATE_BLESS=1");
    }
}

#[test]
fn every_rule_is_shown_by_two_cases_that_say_what_they_are_taken_for() {
    let fires = |example: Example, rule: &str| {
        let case = Case::open(&root().join(example.path)).unwrap();
        native(&case).1.is_some_and(|verdict| verdict.findings.iter().any(|finding| finding.rule == rule))
    };
    for rule in sluicegate_policy::RULES {
        let id = rule.id;
        let Examples { fires: firing, quiet } = Examples::of(id);
        let firing = firing.unwrap_or_else(|| panic!("tests/cases/{id} has no case that fires the rule"));
        assert!(fires(firing, id), "{} does not fire {id}", firing.path);
        assert!(quiet.is_some(), "tests/cases/{id} has no case that leaves the rule quiet");
    }
}
