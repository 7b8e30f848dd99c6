//! What the parsers accept, refuse and report; the spellings that platforms read in their own way.

use super::{Document, DocumentError, MAX_DEPTH, Reading};

fn json(text: &str) -> Document<'_> {
    Document::parse(text.as_bytes(), Reading::Json).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn refused(bytes: &[u8], reading: Reading) -> DocumentError {
    match Document::parse(bytes, reading) {
        Ok(document) => panic!("{:?} was read as {:?}", String::from_utf8_lossy(bytes), document.root()),
        Err(error) => error,
    }
}

#[test]
fn values_know_their_pointer_and_span() {
    let text = r#"{"a": [1, {"b/c": "x\u0041"}], "d": null, "e": {}, "f": []}"#;
    let document = json(text);
    let root = document.root();
    let deep = root.get("a").and_then(|a| a.elements().nth(1)).and_then(|o| o.get("b/c")).unwrap();
    assert_eq!(deep.pointer(), "/a/1/b~1c");
    assert_eq!(deep.text().unwrap(), "xA");
    let (start, end) = deep.span();
    assert_eq!(&text[start as usize..end as usize], r#""x\u0041""#);
    assert!(root.get("d").is_none() && root.member("d").is_some());
    assert_eq!(root.get("f").unwrap().pointer(), "/f");
    assert_eq!(root.pointer(), "");
}

#[test]
fn the_last_duplicate_wins_and_escaped_names_count() {
    let document = json(r#"{"drain": false, "dr\u0061in": true}"#);
    assert_eq!(document.root().get("drain").and_then(|node| node.bool()), Some(true));
}

#[test]
fn flink_ignores_what_follows_and_reads_every_unicode_encoding() {
    let text = r#"{"drain": true, "ä": "𝄞"}"#;
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let le: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let be: Vec<u8> = [0xfe, 0xff].into_iter().chain(utf16.iter().flat_map(|unit| unit.to_be_bytes())).collect();
    let utf32: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let marked: Vec<u8> = b"\xef\xbb\xbf".iter().copied().chain(text.bytes()).collect();
    let trailing = format!("{text} xyz").into_bytes();
    for bytes in [&le, &be, &utf32, &marked, &trailing] {
        let document = Document::parse(bytes, Reading::FlinkJson).unwrap();
        let drain = document.root().get("drain").unwrap();
        assert_eq!(drain.bool(), Some(true));
        assert!(bytes[drain.span().0 as usize..].iter().take(4).any(|byte| *byte == b't'));
    }
    refused(&le, Reading::Json);
    refused(&trailing, Reading::Json);
}

#[test]
fn broken_json_is_refused_with_its_place() {
    for (text, offset) in [
        ("", 0),
        ("{", 1),
        ("{\"a\" 1}", 5),
        ("{\"a\": 01}", 6),
        ("[1,]", 3),
        ("{\"a\": tru}", 6),
        ("{\"a\": 1e}", 8),
        ("\"a\u{1}b\"", 2),
        ("\"\\x\"", 1),
        ("\"\\u12\"", 1),
        ("{/* */}", 1),
        ("nullx", 4),
        ("{} {}", 3),
        ("{'a': 1}", 1),
    ] {
        assert_eq!(refused(text.as_bytes(), Reading::Json).offset, offset, "{text}");
    }
    assert_eq!(refused(b"{\"a\": \"\xff\"}", Reading::Json).offset, 7);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    json(&nested(MAX_DEPTH));
    assert!(refused(nested(MAX_DEPTH + 1).as_bytes(), Reading::Json).too_large);
    assert!(refused(nested(5_000_000).as_bytes(), Reading::JsonOrYaml).too_large);
    let yaml = format!("a: {}", nested(MAX_DEPTH + 1));
    refused(yaml.as_bytes(), Reading::JsonOrYaml);
    let chain = |depth: usize| {
        let links: String = (1..depth).map(|link| format!("- &a{link} [*a{}]\n", link - 1)).collect();
        format!("- &a0 [x]\n{links}")
    };
    Document::parse(chain(MAX_DEPTH - 1).as_bytes(), Reading::JsonOrYaml).unwrap();
    assert!(refused(chain(MAX_DEPTH).as_bytes(), Reading::JsonOrYaml).too_large);
}

#[test]
fn managed_fields_are_checked_but_not_kept() {
    let document = json(r#"{"metadata": {"managedFields": [{"a": {"b": [1, 2]}}, []], "name": "x"}, "spec": 1}"#);
    let metadata = document.root().get("metadata").unwrap();
    assert_eq!(metadata.get("managedFields").unwrap().elements().count(), 0);
    assert!(metadata.get("name").unwrap().is("x"));
    assert_eq!(metadata.get("name").unwrap().pointer(), "/metadata/name");
    assert_eq!(document.root().get("spec").unwrap().integer(), Some(1));
    refused(br#"{"managedFields": [}"#, Reading::Json);
    let yaml = "metadata:\n  managedFields:\n  - a: {b: [1]}\n  name: x\nspec: 1\n";
    let document = Document::parse(yaml.as_bytes(), Reading::JsonOrYaml).unwrap();
    assert!(document.root().path(&["metadata", "name"]).unwrap().is("x"));
    assert_eq!(document.root().get("spec").unwrap().integer(), Some(1));
}

#[test]
fn yaml_means_what_kubectl_makes_of_it() {
    let text =
        "ü: ö\nflag: yes\nquoted: 'yes'\nhex: 0x10\noctal: 010\nsize: 1_000\nversion: 1.20\ntilde: ~\nlist: [a, 2]\n";
    let document = Document::parse(text.as_bytes(), Reading::JsonOrYaml).unwrap();
    let root = document.root();
    let scalar = |name: &str| root.get(name).and_then(|node| node.scalar()).map(|text| text.into_owned());
    assert_eq!(root.get("flag").unwrap().bool(), Some(true));
    assert_eq!(scalar("quoted").as_deref(), Some("yes"));
    assert_eq!(scalar("hex").as_deref(), Some("16"));
    assert_eq!(scalar("octal").as_deref(), Some("8"));
    assert_eq!(root.get("size").unwrap().integer(), Some(1000));
    assert_eq!(scalar("version").as_deref(), Some("1.20"));
    assert!(root.get("tilde").is_none());
    let list = root.get("list").unwrap();
    assert_eq!(list.elements().count(), 2);
    let (start, end) = root.get("quoted").unwrap().span();
    assert_eq!(&text[start as usize..end as usize], "'yes'");
}

#[test]
fn flow_style_is_yaml_too() {
    let document = Document::parse(b"{spec: {state: CANCELLED}}\n", Reading::JsonOrYaml).unwrap();
    assert!(document.root().path(&["spec", "state"]).unwrap().is("CANCELLED"));
    // What is neither is told as broken JSON.
    assert_eq!(refused(b"{\"a\": 1,, \"b\": [}", Reading::JsonOrYaml).offset, 8);
    refused(b"{spec: 1}", Reading::Json);
}

#[test]
fn yaml_aliases_repeat_their_value_and_stay_bounded() {
    let document = Document::parse(b"a: &x {b: [1, 2]}\nc: *x\n", Reading::JsonOrYaml).unwrap();
    let root = document.root();
    assert!(root.get("a").unwrap().same(&root.get("c").unwrap()));
    assert_eq!(root.path(&["c", "b"]).unwrap().pointer(), "/c/b");
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let inner = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(refused(bomb.as_bytes(), Reading::JsonOrYaml).too_large);
    refused(b"a: &a [*a]\n", Reading::JsonOrYaml);
}

#[test]
fn yaml_that_tools_disagree_on_is_refused() {
    for text in [
        "a: 1\na: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: !own x\n",
        "b: &b {c: 1}\na:\n  <<: *b\n",
        "? [x]\n: y\n",
        "a: !!int x\n",
    ] {
        refused(text.as_bytes(), Reading::JsonOrYaml);
    }
}

#[test]
fn sameness_ignores_order_and_nulls() {
    let (a, b) = (json(r#"{"x": 1, "y": [true, "a"], "z": null}"#), json(r#"{"y": [true, "\u0061"], "x": 1}"#));
    assert!(a.root().same(&b.root()) && b.root().same(&a.root()));
    let c = json(r#"{"y": [true], "x": 1}"#);
    assert!(!a.root().same(&c.root()) && !c.root().same(&a.root()));
}
