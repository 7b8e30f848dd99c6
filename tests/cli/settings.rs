//! Settings: the verb, and what exemptions and overrides look like in reports.

use serde_json::Value;

use crate::run::Folder;

const WRONG: &str =
    "unjudged: note\nrules:\n  drain-with-planed-restart: {level: off}\nexempt: [{rules: [unknown-request]}]\n";
const DRAIN: &str = "POST /jobs/42aedb6e5490ff65f60746294f1d1f35/stop HTTP/1.1\nx-sluicegate-override: drain-with-planned-restart\nx-sluicegate-override-reason: ticket%2012\nx-sluicegate-override-until: 2026-11-21T18:00:00Z\n\n{\"targetDirectory\": \"s3://flink/sp\", \"drain\": true}\n";
const FACTS: &str = "kind: Facts\nnow: 2026-11-21T10:00:00Z\ncaller: {principal: ops-bot}\n";

#[test]
fn wrong_settings_are_told_line_by_line() {
    let folder = Folder::with(&[("wrong.yaml", WRONG), ("right.yaml", "rules: {unknown-request: {level: warn}}\n")]);
    let right = folder.run(&["settings", "check", "right.yaml"]);
    assert_eq!((right.code, right.out.as_str()), (0, "right.yaml: good\n"));
    let both = folder.run(&["settings", "check", "right.yaml", "wrong.yaml"]);
    assert_eq!(both.code, 2, "{both:?}");
    let places: Vec<_> = both.out.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["right.yaml", "wrong.yaml:3:3", "wrong.yaml:4:10"], "{}", both.out);
    assert!(both.out.contains("did you mean `drain-with-planned-restart`?"), "{}", both.out);
    assert_eq!(folder.run(&["settings", "check", "missing.yaml"]).code, 2);
}

#[test]
fn the_schema_is_printed() {
    let schema: Value = serde_json::from_str(&Folder::with(&[]).run(&["settings", "schema"]).out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let rules = schema["$defs"]["rules"]["properties"].as_object().unwrap();
    assert!(rules.contains_key("drain-with-planned-restart") && !rules.contains_key("@rules"));
}

#[test]
fn nothing_is_judged_by_wrong_settings() {
    let folder = Folder::with(&[("wrong.yaml", WRONG), ("stop.http", DRAIN)]);
    let run = folder.run(&["check", "stop.http", "--settings", "wrong.yaml"]);
    assert!(run.code == 2 && run.out.is_empty() && run.err.contains("wrong.yaml:3:3: "), "{run:?}");
}

#[test]
fn an_override_is_echoed() {
    let folder =
        Folder::with(&[("stop.http", DRAIN), ("facts.yaml", FACTS), ("set.yaml", "overrides: {from: [ops-*]}\n")]);
    let common = ["stop.http", "--facts", "facts.yaml", "--intent", "restart"];
    let (code, report) = folder.report(&[&common[..], &["--settings", "set.yaml"]].concat());
    let finding = &report["results"][0]["findings"][0];
    assert_eq!(
        (code, &finding["effect"], &finding["overridden"]),
        (0, &"warn".into(), &"ticket 12".into()),
        "{report}"
    );
    let (code, report) = folder.report(&common);
    assert_eq!(code, 1, "{report}");
    assert!(report.to_string().contains("not among those who may override"), "{report}");
}

#[test]
fn an_exemption_is_echoed() {
    let exempt = "exempt: [{principals: [ops-bot], rules: [drain-with-planned-restart], reason: the sink is idempotent, until: 2026-12-01T00:00:00Z}]\n";
    let folder = Folder::with(&[("stop.http", DRAIN), ("facts.yaml", FACTS), ("set.yaml", exempt)]);
    let arguments = ["stop.http", "--facts", "facts.yaml", "--intent", "restart", "--settings", "set.yaml"];
    let (code, report) = folder.report(&arguments);
    let echo = &report["results"][0]["exempted"][0];
    assert_eq!((code, &echo["rule"]), (0, &"drain-with-planned-restart".into()), "{report}");
    assert_eq!((&echo["reason"], &echo["until"]), (&"the sink is idempotent".into(), &"2026-12-01T00:00:00Z".into()));
    let human = folder.run(&[&["check"], &arguments[..]].concat());
    let line = "  exempted  drain-with-planned-restart, until 2026-12-01T00:00:00Z: the sink is idempotent\n";
    assert!(human.out.contains(line), "{}", human.out);
}

#[test]
fn a_rule_is_explained_by_examples() {
    let folder = Folder::with(&[]);
    let text = folder.run(&["rules", "delete-running-without-savepoint"]).out;
    for part in [
        "  settings  `freshFor: 15m`: ",
        "  facts     ",
        "    kubernetes  ",
        "  fires     tests/cases/",
        "  does not  tests/cases/",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let json = folder.run(&["rules", "drain-with-planned-restart", "--format", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    let examples = &json["rules"][0]["examples"];
    assert!(examples["fires"]["case"].as_str().is_some_and(|case| case.starts_with("request:\n")), "{examples}");
    assert!(examples["quiet"]["path"].as_str().is_some_and(|path| path.ends_with(".yaml")), "{examples}");
}
