//! Every spelling of DOMAIN section 8, recorded on Flink 1.20.5 and 2.3.0: read as Flink reads it, or refused.

use crate::dialect::decode;
use crate::facts::{Declared, Observed};
use crate::gate::{Envelope, Failure, HttpHead, Request};
use crate::operation::{Action, OddityKind, Restore, StopMode};
use crate::settings::Settings;

const JOB: &str = "/jobs/31e703d43aef93aa305aa354754659c6";

/// The one operation in words, and the kinds of what was noticed.
fn read(
    method: &str,
    target: &str,
    body: &[u8],
    headers: &[(&str, &str)],
) -> Result<(String, Vec<OddityKind>), Failure> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let head = HttpHead { api: None, method, target, headers: &headers };
    let request = Request { envelope: Envelope::Http(head), body };
    decode(&request, &Declared::none(), &Observed::default(), &Settings::default(), |decoded| {
        let stage = &decoded.stages[0];
        let words = match &stage.operations[0].action {
            Action::Stop(stop) => match stop.mode {
                StopMode::Drain => "drain".to_owned(),
                StopMode::Savepoint => "stop".to_owned(),
                StopMode::Cancel => "cancel".to_owned(),
                StopMode::LastState => "last state".to_owned(),
            },
            Action::Start(start) => match &start.restore {
                Restore::Location(path) => format!("start from {path}"),
                other => format!("start {other:?}"),
            },
            Action::Nothing(_) => "nothing".to_owned(),
            other => format!("{other:?}").split(['(', ' ']).next().unwrap_or_default().to_owned(),
        };
        (words, stage.oddities.iter().map(|oddity| oddity.kind).collect())
    })
}

#[test]
fn retention_is_known_from_all_layers() {
    use crate::document::{Document, Reading};
    use crate::operation::{Dialect, Retention, Stage};
    let of = |cluster: &str, job: &str| {
        let layer = |word: &str| match word {
            "" => "{}".to_owned(),
            word => format!("{{execution.checkpointing.externalized-checkpoint-retention: {word}}}"),
        };
        let mut facts = crate::facts::Facts::default();
        let parse = |text: String| {
            let document = Document::parse(Box::leak(text.into_boxed_str()).as_bytes(), Reading::JsonOrYaml).unwrap();
            Box::leak(Box::new(document)).root()
        };
        let map = |word: &str| (word != "-").then(|| parse(layer(word)));
        facts.platform.configuration = map(cluster);
        facts.deployment.configuration = map(job);
        let mut stage = Stage::new(Dialect::FlinkRest, facts);
        super::fill_current(&mut stage);
        stage.current.retention
    };
    let (retain, delete) = ("retain_on_cancellation", "DELETE_ON_CANCELLATION");
    assert_eq!(of("-", "-"), None);
    for (cluster, job) in [(retain, ""), (delete, retain), (retain, "-"), ("-", retain)] {
        assert_eq!(of(cluster, job), Some(Retention::Kept), "{cluster} {job}");
    }
    for (cluster, job) in [(retain, delete), (delete, ""), ("-", delete)] {
        assert_eq!(of(cluster, job), Some(Retention::Deleted), "{cluster} {job}");
    }
    for (cluster, job) in [("", ""), ("-", ""), ("", "-"), (delete, "-")] {
        assert_eq!(of(cluster, job), Some(Retention::DeletedByDefault), "{cluster} {job}");
    }
}

fn stop(body: &[u8]) -> Result<(String, Vec<OddityKind>), Failure> {
    read("POST", &format!("{JOB}/stop"), body, &[])
}

#[test]
fn bodies_that_drain() {
    let utf16: Vec<u8> = "{\"drain\":true}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf32: Vec<u8> = "{\"drain\":true}".chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
    let bodies: [&[u8]; 11] = [
        br#"{"drain":true}"#,
        br#"{"drain":"true"}"#,
        br#"{"drain":"TRUE"}"#,
        br#"{"drain":1}"#,
        br#"{"drain":false,"drain":true}"#,
        br#"{"dr\u0061in":true}"#,
        br#"{"drain":true} xyz"#,
        br#"{"drain":true}{"drain":false}"#,
        b"\xef\xbb\xbf{\"drain\":true}",
        &utf16,
        &utf32,
    ];
    for body in bodies {
        assert_eq!(stop(body).unwrap(), ("drain".to_owned(), vec![]), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn bodies_that_do_not() {
    for body in [
        r#"{"drain":false}"#,
        r#"{"drain":null,"triggerId":null,"targetDirectory":null}"#,
        r#"{"drain":""}"#,
        r#"{"drain":true,"drain":false}"#,
        "{}",
        "",
    ] {
        assert_eq!(stop(body.as_bytes()).unwrap(), ("stop".to_owned(), vec![]), "{body}");
    }
}

#[test]
fn spellings_that_are_refused() {
    for body in [
        r#"{"drain":"True"}"#,
        r#"{"drain":" true "}"#,
        r#"{"drain":2}"#,
        r#"{"drain":-1}"#,
        r#"{"drain":0.0}"#,
        r#"{"drain":[true]}"#,
    ] {
        assert_eq!(stop(body.as_bytes()).unwrap().1, [OddityKind::UnknownEnumValue], "{body}");
    }
    for body in
        [r#"{"formatType":1}"#, r#"{"formatType":"NATIVE "}"#, r#"{"formatType":"WEIRD"}"#, r#"{"targetDirectory":7}"#]
    {
        assert_eq!(stop(body.as_bytes()).unwrap().1, [OddityKind::UnknownEnumValue], "{body}");
    }
    for body in [r#"{"Drain":true}"#, r#"{"target-directory":"s3://a"}"#, r#"{"x":1}"#] {
        assert_eq!(stop(body.as_bytes()).unwrap().1, [OddityKind::UnknownLifecycleField], "{body}");
    }
    for body in ["[{\"drain\":true}]", "{/*c*/\"drain\":true}", "null", "drain=true", "{"] {
        assert!(stop(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn paths_that_reach_the_stop() {
    let body = br#"{"drain":true}"#;
    let id = JOB.trim_start_matches("/jobs/");
    for target in [
        format!("{JOB}/stop"),
        format!("/v1{JOB}/stop"),
        format!("/{JOB}/stop"),
        format!("//v1{JOB}/stop/"),
        format!("{JOB}/stop//"),
        format!("{JOB}/%73top"),
        format!("{JOB}/stop#x"),
        format!("/jobs/{}/stop", id.to_uppercase()),
        format!("/%6Aobs/{id}/stop"),
    ] {
        assert_eq!(read("POST", &target, body, &[]).unwrap(), ("drain".to_owned(), vec![]), "{target}");
    }
    let (words, oddities) = read("POST", &format!("{JOB}/stop?drain=true"), br#"{"drain":false}"#, &[]).unwrap();
    assert_eq!((words.as_str(), oddities), ("stop", vec![OddityKind::UnknownLifecycleField]));
}

#[test]
fn paths_that_are_refused() {
    let body = br#"{"drain":true}"#;
    for target in [
        format!("{JOB}%2fstop"),
        format!("{JOB}%2Fstop"),
        format!("{JOB}//stop"),
        format!("{JOB}/./stop"),
        format!("/jars/..{JOB}/stop"),
        format!("/JOBS{}/stop", JOB.trim_start_matches("/jobs")),
        format!("{JOB}/stop;x=1"),
        format!("/v2{JOB}/stop"),
        format!("http://127.0.0.1{JOB}/stop"),
        format!("{JOB}/stop?a=1;b=2"),
        format!("/v1/v1{JOB}/stop"),
    ] {
        assert_eq!(
            read("POST", &target, body, &[]).unwrap(),
            ("Unknown".to_owned(), vec![OddityKind::UnknownRequest]),
            "{target}"
        );
    }
    for (method, target) in
        [("post", "/stop"), ("PUT", "/stop"), ("PATCH", "/stop"), ("DELETE", ""), ("POST", "?mode=cancel")]
    {
        let target = format!("{JOB}{target}");
        assert_eq!(read(method, &target, b"", &[]).unwrap().1, [OddityKind::UnknownRequest], "{method} {target}");
    }
    let unread = [("content-encoding", "gzip"), ("Content-Type", "multipart/form-data; boundary=x")];
    for header in unread {
        assert_eq!(read("POST", &format!("{JOB}/stop"), b"", &[header]).unwrap().1, [OddityKind::UnknownRequest]);
    }
}

#[test]
fn ids_that_only_flink_reads_are_refused() {
    let id = JOB.trim_start_matches("/jobs/");
    let rest = &id[1..];
    let odd = [
        format!("+{rest}"),
        format!("%2B{rest}"),
        format!("-{rest}"),
        format!("{id}Z"),
        format!("{id}0"),
        format!("{id}%20"),
        format!("%20{id}"),
        // Full-width and Arabic-Indic threes.
        format!("%EF%BC%93{rest}"),
        format!("%D9%A3{rest}"),
        // A letter of two bytes: 32 bytes, 31 characters.
        format!("%C3%A9{}", &id[2..]),
        rest.to_owned(),
        format!("0x{}", &id[2..]),
        "a".to_owned(),
    ];
    let refused = ("Unknown".to_owned(), vec![OddityKind::UnknownRequest]);
    let routes = [
        ("PATCH", "/jobs/{}?mode=cancel"),
        ("PATCH", "/jobs/{}"),
        ("PATCH", "/v1/jobs/{}/rescaling?parallelism=4"),
        ("PATCH", "/jobs/{}/clientHeartbeat"),
        ("POST", "/jobs/{}/stop"),
        ("POST", "//v1/jobs/{}/savepoints/"),
        ("POST", "/jobs/{}/checkpoints"),
        ("POST", "/jobs/{}/coordinators/a"),
        ("PUT", "/jobs/{}/resource-requirements"),
        ("GET", "/jobs/{}/yarn-cancel"),
        ("GET", "/jobs/{}/yarn-stop"),
        ("POST", "/applications/{}/cancel"),
    ];
    for (method, route) in routes {
        for id in &odd {
            let target = route.replace("{}", id);
            assert_eq!(read(method, &target, b"", &[]).unwrap(), refused, "{method} {target}");
        }
        for id in [id.to_owned(), id.to_uppercase(), format!("%33{rest}")] {
            let target = route.replace("{}", &id);
            let oddities = read(method, &target, b"", &[]).unwrap().1;
            assert!(!oddities.contains(&OddityKind::UnknownRequest), "{method} {target}");
        }
    }
    for route in ["/jobs/{}", "/jobs/{}/checkpoints", "/jobs/{}/savepoints/a", "/applications/{}"] {
        for id in &odd {
            let target = route.replace("{}", id);
            assert_eq!(read("GET", &target, b"", &[]).unwrap(), ("nothing".to_owned(), vec![]), "{target}");
        }
    }
    // No id at all.
    assert_eq!(read("POST", "/jobs", b"", &[]).unwrap().0, "OpaqueStart");
}

#[test]
fn cancels() {
    use OddityKind::{
        GetRequestCancelsJob, ImplicitCancelMode, RemovedEndpoint, UnknownEnumValue, UnknownLifecycleField,
    };
    for (method, suffix, words, oddities) in [
        ("PATCH", "?mode=cancel", "cancel", vec![]),
        ("PATCH", "?mode=CANCEL", "cancel", vec![]),
        ("PATCH", "", "cancel", vec![ImplicitCancelMode]),
        ("PATCH", "?Mode=cancel", "cancel", vec![UnknownLifecycleField, ImplicitCancelMode]),
        ("PATCH", "?mode=bogus", "cancel", vec![UnknownEnumValue]),
        ("PATCH", "?mode=cancel&mode=stop", "cancel", vec![UnknownEnumValue]),
        ("PATCH", "?mode=stop", "nothing", vec![RemovedEndpoint]),
        ("PATCH", "/rescaling?parallelism=4", "nothing", vec![RemovedEndpoint]),
        ("GET", "/yarn-cancel", "cancel", vec![GetRequestCancelsJob]),
        ("GET", "/yarn-stop", "nothing", vec![RemovedEndpoint]),
        ("GET", "/checkpoints", "nothing", vec![]),
    ] {
        let found = read(method, &format!("{JOB}{suffix}"), b"", &[]).unwrap();
        assert_eq!(found, (words.to_owned(), oddities), "{method} {suffix}");
    }
    let savepoints = |body: &str| read("POST", &format!("{JOB}/savepoints"), body.as_bytes(), &[]).unwrap();
    assert_eq!(savepoints(r#"{"cancel-job":"true"}"#).0, "stop");
    assert_eq!(savepoints(r#"{"cancel-job":false,"cancel-job":true}"#).0, "stop");
    assert_eq!(savepoints(r#"{"cancel-job":false}"#), ("Trigger".to_owned(), vec![]));
    assert_eq!(savepoints(r#"{"cancelJob":true}"#), ("Trigger".to_owned(), vec![UnknownLifecycleField]));
}

#[test]
fn restores() {
    let run = |query: &str, body: &str| {
        read("POST", &format!("/v1/jars/fd10682d_demo.jar/run{query}"), body.as_bytes(), &[]).unwrap()
    };
    for (query, body, words) in [
        ("", r#"{"savepointPath":"file:/sp"}"#, "start from file:/sp"),
        ("?savepointPath=file%3A%2F%2F%2Fsp", "", "start from file:///sp"),
        ("?savepointPath=file:///none", r#"{"savepointPath":"s3://b/sp"}"#, "start from s3://b/sp"),
        ("?savepointPath=s3://q/sp", r#"{"savepointPath":""}"#, "start from s3://q/sp"),
        ("", r#"{"flinkConfiguration":{"execution.savepoint.path":"s3://c/sp"}}"#, "start from s3://c/sp"),
        (
            "",
            r#"{"flinkConfiguration":{"execution.savepoint.path":"s3://old","execution.state-recovery.path":"s3://new"}}"#,
            "start from s3://new",
        ),
        (
            "",
            r#"{"savepointPath":"s3://b","flinkConfiguration":{"execution.state-recovery.path":"s3://c"}}"#,
            "start from s3://b",
        ),
        ("", r#"{"savepointPath":""}"#, "start Empty"),
        ("", "", "start Empty"),
    ] {
        assert_eq!(run(query, body), (words.to_owned(), vec![]), "{query} {body}");
    }
    assert_eq!(
        run("", r#"{"SavepointPath":"s3://b"}"#),
        ("start Empty".to_owned(), vec![OddityKind::UnknownLifecycleField])
    );
    assert_eq!(run("?savepoint-path=s3://b", ""), ("start Empty".to_owned(), vec![OddityKind::UnknownLifecycleField]));
    for body in
        [r#"{"claimMode":0}"#, r#"{"claimMode":"0"}"#, r#"{"restoreMode":"CLAIM "}"#, r#"{"flinkConfiguration":"x"}"#]
    {
        assert_eq!(run("", body).1, [OddityKind::UnknownEnumValue], "{body}");
    }
    assert_eq!(run("?savepointPath=a&savepointPath=b", "").1, [OddityKind::UnknownEnumValue]);
}

#[test]
fn values_that_flink_splits_are_refused() {
    let run = |query: &str, body: &str| {
        read("POST", &format!("/v1/jars/fd10682d_demo.jar/run?{query}"), body.as_bytes(), &[]).unwrap().1
    };
    for query in [
        "savepointPath=s3://b/sp,",
        "savepointPath=s3://b/sp%2C",
        "savepointPath=s3://b/sp%2c,,",
        "savepointPath=,s3://b/sp",
        "savepointPath=s3://b/sp,s3://b/sp",
        "savepointPath=,",
        "savepointPath=s3://b/sp&savepointPath=",
        "savepointPath=&savepointPath=s3://b/sp",
        "savepointPath=s3://b/sp&s%61vepointPath",
        "allowNonRestoredState=true,",
        "allowNonRestoredState=true%2C",
        "allowNonRestoredState=,true",
        "allowNonRestoredState=true&allowNonRestoredState=",
        "allowNonRestoredState=false&allowNonRestoredState=true",
        "allowNonRestoredState=1",
        "allowNonRestoredState=%20true",
    ] {
        assert_eq!(run(query, ""), [OddityKind::UnknownEnumValue], "{query}");
    }
    for query in [
        "savepointPath=",
        "savepointPath=s3://b/sp&allowNonRestoredState=TRUE",
        "allowNonRestoredState=False",
        "allowNonRestoredState=",
        "programArg=--topics,a,b&programArg=--x,&program-args=--y%2C1,2&entry-class=a.B,&parallelism=2,",
    ] {
        assert_eq!(run(query, ""), [], "{query}");
    }
    // The body decides.
    assert_eq!(
        run(
            "savepointPath=a,&allowNonRestoredState=true,",
            r#"{"savepointPath":"s3://b/a,b","allowNonRestoredState":false}"#
        ),
        []
    );
    for query in ["?mode=cancel,", "?mode=cancel%2C", "?mode=,cancel", "?mode=cancel&mode=", "?mode=stop,"] {
        let (words, oddities) = read("PATCH", &format!("{JOB}{query}"), b"", &[]).unwrap();
        assert_eq!((words.as_str(), oddities), ("cancel", vec![OddityKind::UnknownEnumValue]), "{query}");
    }
}

#[test]
fn harmless_requests_of_the_web_page_and_the_client_are_nothing() {
    for (method, target, body) in [
        ("GET", "/", ""),
        ("GET", "/main.9f8b7c.js", ""),
        ("GET", "/assets/favicon/favicon-32x32.png", ""),
        ("GET", "/v1/config", "{}"),
        ("GET", "/jobs/overview", ""),
        ("GET", "/v1/jobs/31e703d43aef93aa305aa354754659c6/savepoints/ce118a33d8b463005b9ba310e6a97215", "{}"),
        ("POST", "/jars/upload", "--x\r\n"),
        ("DELETE", "/jars/fd10682d_demo.jar", ""),
        ("POST", "/jars/fd10682d_demo.jar/plan", "{\"entryClass\":\"a.B\"}"),
        ("PATCH", "/v1/jobs/31e703d43aef93aa305aa354754659c6/clientHeartbeat", "{\"expiredTimestamp\":1}"),
        ("OPTIONS", "/jobs/31e703d43aef93aa305aa354754659c6/stop", ""),
    ] {
        assert_eq!(
            read(method, target, body.as_bytes(), &[]).unwrap(),
            ("nothing".to_owned(), vec![]),
            "{method} {target}"
        );
    }
    let multipart = [("content-type", "multipart/form-data; boundary=x")];
    assert_eq!(read("POST", "/v1/jobs", b"--x", &multipart).unwrap(), ("OpaqueStart".to_owned(), vec![]));
    assert_eq!(read("GET", "/nothing/here", b"", &[]).unwrap().1, [OddityKind::UnknownRequest]);
}

#[test]
fn unknown_fields_are_told_a_bounded_number_of_times() {
    let fields: String = (0..1_000).map(|field| format!("\"k{field}\":1,")).collect();
    let (words, odd) = stop(format!("{{{fields}\"drain\":true}}").as_bytes()).unwrap();
    assert_eq!((words.as_str(), odd.len()), ("drain", 50));
    // What is only noted leaves room for what is refused.
    let target = format!("/jars/x/run?{}SavepointPath=s3://b", "claimMode=x&".repeat(300));
    assert_eq!(read("POST", &target, b"", &[]).unwrap().1.len(), 51);
}
