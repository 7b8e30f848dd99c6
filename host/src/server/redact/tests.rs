//! Single secrets; `tests/tests/redact.rs` plants many.

use super::{Redacted, Shown, document, target, text};

fn shown(input: &str) -> String {
    match document(input.as_bytes()) {
        Redacted { shown: Shown::Text(text), .. } => text.into_owned(),
        other => panic!("{input}: {other:?}"),
    }
}

#[test]
fn values_give_way_to_values_of_their_type() {
    for (from, to) in [
        (r#"{"s3.secret-key":"x" , "a":1e3,"a":2}"#, r#"{"s3.secret-key":"redacted" , "a":1e3,"a":2}"#),
        (
            r#"{"token":7,"on":{"password":[true,null,"x",""]}}"#,
            r#"{"token":0,"on":{"password":[true,null,"redacted",""]}}"#,
        ),
        (
            r#"{"fs":{"azure":{"account":{"key":{"prod":"x"}}}}}"#,
            r#"{"fs":{"azure":{"account":{"key":{"prod":"redacted"}}}}}"#,
        ),
        (r#"[{"value":"x","name":"DB_PASSWORD"}]"#, r#"[{"value":"redacted","name":"DB_PASSWORD"}]"#),
        (r#"{"args":["--password","x","--port","1"]}"#, r#"{"args":["--password","redacted","--port","1"]}"#),
        (r#"{"kind":"Secret","data":{"a":"eA=="}}"#, r#"{"kind":"Secret","data":{"a":"redacted"}}"#),
        (r#"{"note":"{\"token\":\"x\"}"}"#, r#"{"note":"{\"token\":\"redacted\"}"}"#),
        (r#"{"uri":"s3://u:p@b/x"}"#, r#"{"uri":"s3://redacted:redacted@b/x"}"#),
        ("a: 1 # token: x\n", r#"{"a":1}"#),
        ("a: {password: x}\n", r#"{"a":{"password":"redacted"}}"#),
        (r#"{"a":1} {"token":{"b":"x"}}"#, r#"{"a":1} {"token":{"b":"redacted"}}"#),
        ("user=a&password=b", "user=a&password=redacted"),
    ] {
        assert_eq!(shown(from), to);
    }
}

#[test]
fn what_holds_no_secret_stays_byte_for_byte() {
    for same in [
        "",
        " {\"a\" : [1.0e2, \"\\u0041\"]}\r\n",
        "\u{feff}{\"a\":1}",
        "a: yes # comment\nb: [1,\n  2]\n",
        "{\"uri\":\"abfss://container@account.dfs.core.windows.net/sp\",\"mail\":\"jane@example.com\"}",
        "{\"jobId\":\"a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3\",\"digest\":\"sha256:00ff\"}",
        "just a sentence",
        "{\"drain\":true} trailing text",
        "{\"extra\":{\"authentication.kubernetes.io/credential-id\":[\"X509SHA256=00ff\"]}}",
    ] {
        assert_eq!(document(same.as_bytes()), Redacted { shown: Shown::Text(same.into()), changed: false });
    }
    let wide: Vec<u8> = "{\"drain\":true}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(document(&wide), Redacted { shown: Shown::Bytes(wide.as_slice().into()), changed: false });
    let wide: Vec<u8> = "{\"token\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(document(&wide).shown, Shown::Text("{\"token\":\"redacted\"}".into()));
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    let deep = format!("{}{{\"token\": \"x\"}}{}", "[".repeat(400), "]".repeat(400));
    for unreadable in [
        b"\xff\x00\x81x".as_slice(),
        b"{\"password\": \"x",
        b"{\"drain\": tr, \"note\": \"the pass word is x",
        b"{\"p\\u0061ss\": \"x",
        b"{\"pin\": 1, \"drain\": tr",
        b"{\"uri\": \"s3://u:p@b/x",
        b"a: b: c\npassword: x",
        deep.as_bytes(),
    ] {
        assert_eq!(document(unreadable).shown, Shown::Withheld, "{:?}", String::from_utf8_lossy(unreadable));
    }
}

#[test]
fn what_breaks_off_and_speaks_of_no_secret_is_shown() {
    for text in ["{\"drain\":tr", "{\"targetDirectory\": \"s3://b/sp", "a: b: c\n"] {
        assert_eq!(document(text.as_bytes()), Redacted { shown: Shown::Text(text.into()), changed: false });
    }
}

#[test]
fn of_a_snapshot_only_what_is_read_is_shown() {
    let mut file = b"\x49\x60\x67\x2d\0\0\0\x06\0\0\0\0\0\0\0\x2aSTATE".to_vec();
    file.extend_from_slice(b"org.apache.flink.runtime.checkpoint.CheckpointPropertiesTAIL");
    let Shown::Bytes(kept) = document(&file).shown else { panic!("it is shown") };
    assert!(kept.starts_with(&file[..16]) && kept.ends_with(b"CheckpointPropertiesTAIL"));
    assert!(!kept.windows(5).any(|window| window == b"STATE"));
}

#[test]
fn texts_and_targets_lose_their_secrets() {
    for (from, to) in [
        ("run --password x --port 1", "run --password redacted --port 1"),
        ("--api-token=x -Ds3.secret-key=y z", "--api-token=redacted -Ds3.secret-key=redacted z"),
        (
            "WITH ('user' = 'a', 'password' = 'it''s', 'x' = 'y')",
            "WITH ('user' = 'a', 'password' = 'redacted', 'x' = 'y')",
        ),
        ("s3.secret-key: x y\nother: z", "s3.secret-key: redacted\nother: z"),
        ("password: |\n  x\n  y\nother: z", "password: redacted\nother: z"),
        ("Authorization: Bearer abc.def\nhost: a", "Authorization: redacted\nhost: a"),
        ("sent Basic dXNlcjpwYXNz to a", "sent Basic redacted to a"),
        ("<name>fs.s3a.secret.key</name>\n<value>x</value>", "<name>fs.s3a.secret.key</name>\n<value>redacted</value>"),
        ("jdbc:mysql://h/d?user=a&password=b&c=d", "jdbc:mysql://h/d?user=a&password=redacted&c=d"),
        ("see eyJhbGciOi.eyJzdWIi.c2ln here", "see redacted here"),
    ] {
        assert_eq!(text(from), to);
    }
    for (from, to) in [
        ("/jars/a/run?programArg=--password,x,--port,1", "/jars/a/run?programArg=--password,redacted,--port,1"),
        ("/jars/a/run?program-args=--password%20x", "/jars/a/run?program-args=--password%20redacted"),
        ("/a?pass%77ord=x&b=c", "/a?pass%77ord=redacted&b=c"),
        ("/a?url=https%3A%2F%2Fu%3Ap%40h%2F", "/a?url=https://redacted:redacted@h/"),
        ("/jobs/a?mode=cancel&x=%7B", "/jobs/a?mode=cancel&x=%7B"),
    ] {
        assert_eq!(target(from), to);
    }
}
