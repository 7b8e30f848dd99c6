//! Settings documents, right and wrong ones, held against the policy and against the schema that it gives out: what one
//! refuses, the other should refuse as well. Each wrong document says in its first line where it is wrong, and a part of
//! what must be said about it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use sluicegate::{case, yaml};
use sluicegate_policy::{compile_settings, settings_schema};
use sluicegate_tests::{home, root};

fn documents(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = home().join("settings").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&settings_schema()).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema is none");
    jsonschema::validator_for(&schema).unwrap()
}

fn read(text: &str, file: &Path) -> Value {
    match yaml::parse(text).unwrap_or_else(|error| panic!("{}: {error}", file.display())) {
        Value::Null => Value::Object(serde_json::Map::new()),
        value => value,
    }
}

#[test]
fn right_settings_pass_both() {
    let schema = schema();
    for (file, text) in documents("good") {
        assert_eq!(compile_settings(text.as_bytes()).err(), None, "{}", file.display());
        let value = read(&text, &file);
        let faults: Vec<_> = schema.iter_errors(&value).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", file.display());
    }
}

#[test]
fn wrong_settings_are_told_their_place() {
    for (file, text) in documents("wrong") {
        let problems = compile_settings(text.as_bytes()).unwrap_err();
        let told = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let (pointer, words) = told.split_once(": ").unwrap_or((told, ""));
        let found = problems.iter().any(|problem| problem.pointer == pointer && problem.message.contains(words));
        assert!(found, "{}: expected {told}, found {problems:?}", file.display());
    }
}

#[test]
fn wrong_settings_are_refused_by_the_schema() {
    let schema = schema();
    for (file, text) in documents("wrong") {
        let beyond = text.lines().any(|line| line == "# beyond the schema");
        assert_eq!(schema.is_valid(&read(&text, &file)), beyond, "{}", file.display());
    }
}

#[test]
fn settings_of_the_corpus_pass_the_schema() {
    let schema = schema();
    let mut seen = 0;
    for (file, _) in case::find(&home().join("cases")) {
        let Some(settings) = case::Case::open(&file).ok().and_then(|case| case.settings) else { continue };
        let value: Value = serde_json::from_slice(&settings).unwrap();
        assert_eq!(schema.is_valid(&value), compile_settings(&settings).is_ok(), "{}", file.display());
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn the_settings_of_the_readme_are_right() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let settings: Vec<_> = blocks.filter(|block| block.contains("kind: Settings\n")).collect();
    assert!(!settings.is_empty());
    for text in settings {
        assert_eq!(compile_settings(text.as_bytes()).err(), None);
        assert!(schema().is_valid(&read(text, Path::new("README.md"))));
    }
}
