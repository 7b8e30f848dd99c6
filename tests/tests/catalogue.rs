//! The list of rules is an interface: ids are never renamed, and what is written about them is written everywhere.

use sluicegate::{Limits, Policy};
use sluicegate_tests::{compare, root};

#[test]
fn rule_ids_are_those_that_were_published() {
    let ids: String = sluicegate_policy::RULES.iter().map(|rule| format!("{}\n", rule.id)).collect();
    compare("rules.txt", &ids).unwrap();
}

#[test]
fn every_rule_says_what_a_reader_needs() {
    for rule in Policy::embedded(Limits::default()).unwrap().describe().unwrap().rules {
        let id = &rule.id;
        for (field, text) in
            [("title", &rule.title), ("why", &rule.why), ("source", &rule.source), ("example", &rule.example)]
        {
            assert!(!text.trim().is_empty(), "the rule `{id}` has no {field}");
        }
        assert!(!rule.dialects.is_empty(), "the rule `{id}` judges no platform");
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "`{id}` is not kebab-case");
        assert!(!rule.title.ends_with('.') && !rule.title.contains('|'), "the title of `{id}` does not fit a table");
    }
}

#[test]
fn the_table_in_the_readme_is_fresh() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut parts = readme.split("<!-- rules -->");
    let table = parts.nth(1).expect("README.md has no table of rules between two `<!-- rules -->` markers");
    let rules = Policy::embedded(Limits::default()).unwrap().describe().unwrap().rules;
    assert!(
        table.trim() == sluicegate::report::markdown(&rules).trim(),
        "the table of rules in README.md is stale: put the output of `sluicegate rules --format markdown` between the `<!-- rules -->` markers"
    );
}
