//! The decision log without secrets: none of those planted here survives, in whatever shape it comes, and what the policy
//! says about a request of the corpus stays the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use sluicegate::case::{self, Case, NoVerdict};
use sluicegate::input::{Envelope, Request};
use sluicegate::server::redact::{self, Shown};
use sluicegate::{Limits, Policy, Verdict};
use sluicegate_tests::home;

const SECRET: &str = "XyZZy7TopSecret";

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "s3.secret-key",
        "fs.s3a.secret.key",
        "fs.azure.account.key.prod.dfs.core.windows.net",
        "DB_PASSWORD",
        "apiToken",
        "security.ssl.key-passphrase",
        "rest.basic-auth.users",
        "client_secret",
        "X-Amz-Signature",
        "pwd",
        "security.sasl.jaas.config",
    ])
}

/// A text with the secret in it, that tells by itself that there is one.
fn telling() -> impl Strategy<Value = String> {
    (name(), 0..16_usize).prop_map(|(name, shape)| match shape {
        0 => format!("--{name} {SECRET} --port 8081"),
        1 => format!("-D{name}={SECRET}"),
        2 => format!("{name}: {SECRET}\nother: 1"),
        3 => format!("s3://AKIA:{SECRET}@bucket/path"),
        4 => format!("https://host/path?a=b&{name}={SECRET}&c=d"),
        5 => format!("CREATE TABLE t (a INT) WITH ('{name}' = '{SECRET}', 'b' = 'c')"),
        6 => format!("WITH (\"{name}\"=\"{SECRET}\")"),
        7 => format!("Authorization: Bearer {SECRET}"),
        8 => format!("<property><name>{name}</name><value>{SECRET}</value></property>"),
        9 => json!({ name: SECRET }).to_string(),
        10 => json!([json!({"key": name, "value": SECRET}).to_string()]).to_string(),
        11 => format!("{name}: |\n  {SECRET}\n  more\nother: 1"),
        12 => format!("-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----"),
        13 => format!("prefix {{\\\"{name}\\\": \\\"{SECRET}\\\"}} suffix"),
        14 => format!("{name} = \"{SECRET} and more {SECRET}\""),
        _ => format!("{{{name}={SECRET}, a=b}}"),
    })
}

/// A value under a name that gives nothing away.
fn planted() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        telling().prop_map(Value::from),
        name().prop_map(|name| json!({ name: SECRET })),
        name().prop_map(|name| json!({ name: {"value": [SECRET, 1, null]} })),
        name().prop_map(|name| json!({"value": SECRET, "name": name})),
        name().prop_map(|name| json!({"args": [format!("--{name}"), SECRET]})),
        Just(json!({"kind": "Secret", "stringData": {"a": SECRET}, "data": {"b": SECRET}})),
        telling().prop_map(|text| Value::from(base64(&text))),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|value| json!({"spec": value, "count": 1.5})),
            inner.clone().prop_map(|value| json!({"note": value.to_string()})),
            prop::collection::vec(inner, 1..4).prop_map(Value::from),
        ]
    })
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            encoded.push(if place <= group.len() { char::from(letter) } else { '=' });
        }
    }
    encoded
}

fn percent(text: &str) -> String {
    let sign =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    text.bytes().map(sign).collect()
}

fn assert_hidden(document: &[u8]) -> Result<(), TestCaseError> {
    let redacted = redact::document(document);
    prop_assert!(redacted.changed, "{}", String::from_utf8_lossy(document));
    let text = match &redacted.shown {
        Shown::Text(text) => text.as_bytes().to_vec(),
        Shown::Bytes(bytes) => bytes.iter().copied().filter(|byte| *byte != 0).collect(),
        Shown::Withheld => Vec::new(),
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    prop_assert!(!text.contains(SECRET), "{text}");
    // Base64 of any of its three alignments.
    for lead in ["", "a", "ab"] {
        let encoded = base64(&format!("{lead}{SECRET}"));
        prop_assert!(!text.contains(&encoded[4..encoded.len() - 6]), "{text}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_secret_survives_in_a_body(value in planted()) {
        assert_hidden(value.to_string().as_bytes())?;
        assert_hidden(serde_json::to_string_pretty(&value).unwrap().as_bytes())?;
        // The same as YAML, which JSON is: a comment makes sure that nobody reads it as JSON.
        assert_hidden(format!("# the request\n{value}\n").as_bytes())?;
        let wide: Vec<u8> = value.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_hidden(&wide)?;
    }

    #[test]
    fn no_secret_survives_in_a_text(text in telling()) {
        prop_assert!(!redact::text(&text).contains(SECRET), "{}", redact::text(&text));
        let again = redact::text(&text).into_owned();
        prop_assert!(!redact::text(&again).contains(SECRET));
    }

    #[test]
    fn no_secret_survives_in_a_target(text in telling(), name in name()) {
        for target in [
            format!("/jars/a/run?programArgs={}&b=c", percent(&text)),
            format!("/jars/a/run?b=c&{}={SECRET}", percent(name)),
            format!("http://user:{SECRET}@host:8081/jobs"),
        ] {
            let shown = redact::target(&target);
            prop_assert!(!shown.contains(SECRET), "{shown}");
        }
    }

    #[test]
    fn anything_is_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        redact::document(&bytes);
        redact::document(text.as_bytes());
        redact::text(&text);
        redact::target(&text);
    }
}

fn said(outcome: Result<Verdict, NoVerdict>) -> Option<(String, BTreeSet<(String, String)>)> {
    let verdict = outcome.ok()?;
    let findings = verdict.findings.iter().map(|it| (it.rule.clone(), it.effect.name().to_owned())).collect();
    Some((verdict.decision.name().to_owned(), findings))
}

#[test]
fn the_policy_says_the_same_about_what_is_left() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let mut different = Vec::new();
    let (mut judged, mut changed, mut verdicts) = (0, 0, 0);
    for (file, found) in case::find(&home().join("cases")) {
        found.unwrap();
        let mut case = Case::open(&file).unwrap();
        let Ok(request) = case.request.clone() else { continue };
        let before = case.judge(&policy);
        if let Ok(verdict) = &before {
            verdicts += usize::from(redact::document(verdict.document.as_bytes()).changed);
        }
        let redacted = redact::document(&request.body);
        let body = match redacted.shown {
            Shown::Text(text) => text.into_owned().into_bytes(),
            Shown::Bytes(bytes) => bytes.into_owned(),
            Shown::Withheld => continue,
        };
        let mut envelope = request.envelope;
        let mut touched = redacted.changed;
        if let Envelope::Http(head) = &mut envelope {
            let target = redact::target(&head.target).into_owned();
            touched |= target != head.target;
            head.target = target;
        }
        judged += 1;
        changed += usize::from(touched);
        if !touched {
            continue;
        }
        case.request = Ok(Request { envelope, body });
        let (before, after) = (said(before), said(case.judge(&policy)));
        if before != after {
            different.push(format!("{}: {before:?} became {after:?}", file.display()));
        }
    }
    assert!(different.is_empty(), "{} of {changed} changed:\n{}", different.len(), different.join("\n"));
    assert!(judged > 500 && changed > 2, "{judged} judged, {changed} of them changed");
    assert!(verdicts * 50 < judged, "what the policy says is hardly ever hidden: {verdicts} of {judged}");
}
