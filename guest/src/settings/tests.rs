//! What is set comes back, what is wrong is said, all of it at once.

use super::{Settings, compile};
use crate::operation::Assume;
use crate::rules::{self, Level};

fn place(id: &str) -> usize {
    rules::ALL.iter().position(|rule| rule.id == id).unwrap()
}

/// The settings of this document, as a judgement loads them.
fn settings(source: &str) -> Settings<'static> {
    let compiled = compile(source.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    Settings::load(Box::leak(compiled.into_boxed_slice())).unwrap()
}

#[test]
fn what_is_set_comes_back() {
    let settings = settings(
        "unjudged: undecided\nintent: {assume: restart, acceptFrom: [ops-bot]}\nrules:\n  drain-intent-missing: {level: off}\n",
    );
    assert!(settings.strict && settings.assume == Some(Assume::Restart) && !settings.undecided_allows);
    assert_eq!(settings.level(place("drain-intent-missing")), Some(Level::Off));
    assert_eq!(settings.level(place("unknown-request")), None);
    assert!(settings.accepts_intent_of(Some("ops-bot")) && !settings.accepts_intent_of(Some("ops")));
    assert!(!settings.accepts_intent_of(None));
}

#[test]
fn to_assume_nothing_is_not_to_say_nothing() {
    assert_eq!(settings("intent: {assume: unknown}").assume, Some(Assume::Unknown));
    assert_eq!(settings("intent: {acceptFrom: [ops-bot]}").assume, None);
    assert_eq!(settings("").assume, None);
}

#[test]
fn the_last_level_of_a_rule_wins() {
    let source = r#"{"rules": {"unknown-request": {"level": "off"}, "unknown-request": {"level": "deny"}}}"#;
    assert_eq!(settings(source).level(place("unknown-request")), Some(Level::Deny));
}

#[test]
fn parameters_have_units() {
    let rule = rules::find("delete-running-without-savepoint").unwrap();
    let parameter = &rule.parameters[0];
    assert_eq!(Settings::default().seconds(rule, parameter), 900);
    let set = settings("rules: {delete-running-without-savepoint: {freshFor: 2h}}");
    assert_eq!(set.seconds(rule, parameter), 7_200);
    assert_eq!(set.level(place(rule.id)), None);
}

#[test]
fn a_family_is_switched_off_but_for_what_is_named() {
    let set = settings("families: {permission: off, stop: on}\nrules: {permission-to-cancel: {level: note}}");
    assert_eq!(set.level(place("permission-to-cancel")), Some(Level::Note));
    assert_eq!(set.level(place("drain-intent-missing")), None);
    let off = settings("families: {permission: off}");
    assert_eq!(off.level(place("permission-to-cancel")), Some(Level::Off));
}

#[test]
fn a_later_scope_wins() {
    let set = settings(
        "
rules: {cancel-without-savepoint: {level: deny}}
scopes:
  - {namespaces: [dev-*, preview], rules: {cancel-without-savepoint: {level: off}, delete-running-without-savepoint: {freshFor: 1h}}}
  - {namespaces: [dev-7], rules: {cancel-without-savepoint: {level: note}}}
  - {labels: {tier: gold}, rules: {cancel-without-savepoint: {level: warn}}}
",
    );
    let level = |namespace: &str, tier: Option<&'static str>| {
        let label = |key: &str| tier.filter(|_| key == "tier").map(Into::into);
        set.within(namespace, label).level(place("cancel-without-savepoint"))
    };
    assert_eq!(level("prod", None), Some(Level::Deny));
    assert_eq!(level("preview", None), Some(Level::Off));
    assert_eq!(level("dev-7", None), Some(Level::Note));
    assert_eq!(level("dev-7", Some("gold")), Some(Level::Warn));
    assert_eq!(level("dev-8", Some("silver")), Some(Level::Off));
    let rule = rules::find("delete-running-without-savepoint").unwrap();
    let fresh = |namespace: &str| set.within(namespace, |_| None).seconds(rule, &rule.parameters[0]);
    assert_eq!((fresh("dev-1"), fresh("prod")), (3_600, 900));
}

#[test]
fn lists_are_for_rules_to_ask() {
    let set = settings(
        "
tenants:
  - {namespaces: [team-a-*], prefixes: ['s3://flink/a/', 'file:///mnt/a/*']}
  - {namespaces: ['*'], prefixes: ['s3://shared/']}
jarSchemes: [HTTPS, s3]
operatorAccounts: ['system:serviceaccount:*:fko']
",
    );
    assert_eq!(set.tenant_prefixes("team-a-1"), ["s3://flink/a/", "file:///mnt/a/", "s3://shared/"]);
    assert_eq!(set.tenant_prefixes("b"), ["s3://shared/"]);
    assert!(set.jar_schemes().unwrap().contains("https"));
    assert!(set.operator_accounts().matches("system:serviceaccount:ops:fko"));
    let shipped = Settings::default();
    assert!(shipped.operator_accounts().matches("system:serviceaccount:ops:flink-operator"));
    assert!(shipped.jar_schemes().is_none() && shipped.tenant_prefixes("b").is_empty());
}

#[test]
fn exemptions_are_for_some_callers_and_namespaces() {
    let set = settings(
        "
exempt:
  - {principals: [ops-*], rules: [cancel-without-savepoint], namespaces: [prod], reason: \"nightly\\nrun\", until: 2026-11-21T10:00:00Z}
  - {rules: [unknown-request], reason: 'a proxy of ours'}
",
    );
    let reasons = |rule: &str, principal: Option<&str>, namespace: &str| -> Vec<String> {
        set.exemptions(rule, principal, namespace).map(|it| it.reason.to_owned()).collect()
    };
    assert_eq!(reasons("cancel-without-savepoint", Some("ops-bot"), "prod"), ["nightly run"]);
    assert!(reasons("cancel-without-savepoint", Some("ops-bot"), "dev").is_empty());
    assert!(reasons("cancel-without-savepoint", None, "prod").is_empty());
    assert_eq!(reasons("unknown-request", None, ""), ["a proxy of ours"]);
    let until = set.exemptions("cancel-without-savepoint", Some("ops-1"), "prod").next().unwrap().until;
    assert_eq!(until, Some("2026-11-21T10:00:00Z"));
}

#[test]
fn overrides_have_their_limits() {
    let set = settings("overrides: {from: [platform-*], never: [unknown-request], longest: 8h}");
    assert!(set.is_never_overridden("unknown-request") && !set.is_never_overridden("drain-intent-missing"));
    assert!(set.override_from().admits(Some("platform-team")) && !set.override_from().admits(None));
    assert_eq!((set.longest_override(), Settings::default().longest_override()), (28_800, 86_400));
}

#[test]
fn everything_wrong_is_said_at_once() {
    let source = "
unjudgd: note
undecided: maybe
rules:
  drain-intent-misssing: {level: deny}
  unknown-request: {level: loud, x: 1}
  delete-running-without-savepoint: {freshfor: 15m, freshFor: 15}
families: {permision: off, stop: quiet}
scopes:
  - {namespace: [a], rules: {}}
  - {namespaces: ['dev-?'], rules: {none-such: {}}}
tenants: [{namespaces: [a], prefixes: [team-a, 's3://b/team-*', 's3://b/*/a', 's3://b/a/*']}]
jarSchemes: ['s3://']
operatorAccounts: flink
exempt: [{rules: [], principals: [], until: tomorrow, reason: ' '}]
overrides: {from: [], never: [jar-uri], longest: forever}
";
    let problems = compile(source.as_bytes()).unwrap_err();
    let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/unjudgd",
            "/undecided",
            "/families/permision",
            "/families/stop",
            "/rules/drain-intent-misssing",
            "/rules/unknown-request/x",
            "/rules/unknown-request/level",
            "/rules/delete-running-without-savepoint/freshfor",
            "/rules/delete-running-without-savepoint/freshFor",
            "/tenants/0/prefixes/0",
            "/tenants/0/prefixes/1",
            "/tenants/0/prefixes/2",
            "/jarSchemes/0",
            "/operatorAccounts",
            "/exempt/0/principals",
            "/exempt/0/rules",
            "/exempt/0/reason",
            "/exempt/0/until",
            "/overrides/never/0",
            "/overrides/longest",
            "/scopes/0/namespace",
            "/scopes/0",
            "/scopes/1/namespaces/0",
            "/scopes/1/rules/none-such",
        ]
    );
    let hint = |pointer: &str| &problems[pointers.iter().position(|it| *it == pointer).unwrap()].message;
    for (pointer, name) in [
        ("/unjudgd", "unjudged"),
        ("/families/permision", "permission"),
        ("/rules/drain-intent-misssing", "drain-intent-missing"),
        ("/rules/delete-running-without-savepoint/freshfor", "freshFor"),
        ("/scopes/0/namespace", "namespaces"),
    ] {
        assert!(hint(pointer).contains(&format!("did you mean `{name}`")), "{}", hint(pointer));
    }
    assert!(hint("/tenants/0/prefixes/1").contains("below a directory"), "{}", hint("/tenants/0/prefixes/1"));
}

#[test]
fn foreign_settings_are_refused() {
    assert!(Settings::load(b"unknown-request deny\n").is_err());
    assert_eq!(Settings::load(b"").unwrap(), Settings::default());
    let compiled = compile(b"rules: {unknown-request: {level: off}}").unwrap();
    let text = String::from_utf8(compiled).unwrap();
    let moved = text.replacen("level\t", "level\t1", 1);
    assert!(Settings::load(moved.as_bytes()).is_err());
}

#[test]
fn the_schema_is_json() {
    let schema = super::schema();
    assert!(schema.len() < 64 << 10 && !schema.contains(char::is_control));
    let document = crate::document::Document::parse(schema.as_bytes(), crate::document::Reading::Json).unwrap();
    let of_rule = document.root().path(&["$defs", "rules", "properties", "delete-running-without-savepoint"]).unwrap();
    assert!(of_rule.path(&["properties", "freshFor", "default"]).unwrap().is("15m"));
}
