//! Random and malformed requests, judged natively and in the sandbox: both give the same verdict or the same failure,
//! and the sandbox never gives way.

use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use sluicegate::{
    Answer, Api, CheckError, Fact, Limits, Outcome, Policy, PolicyError, Settings, SettingsError, Source, Subject,
};
use sluicegate_policy::gate as native;

/// Time and room enough for the largest body on a slow machine: what is looked for here are breakdowns.
static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let (body, context) = (16 << 20, 32 << 20);
    let (time, wait) = (Duration::from_secs(20), Duration::from_secs(120));
    let limits = Limits { body, context, time, wait, ..Limits::default() };
    Policy::embedded(limits).unwrap()
});

/// Real bodies to start from.
static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = sluicegate_tests::home();
    let mut bodies = vec![
        br#"{"drain": true, "targetDirectory": "s3://b/x", "formatType": "NATIVE", "triggerId": null}"#.to_vec(),
        br#"{"spec": {"state": "SUSPENDED", "template": {"spec": {"parallelism": 3}}}}"#.to_vec(),
        br#"{"stopStrategy": "STOP_WITH_DRAIN"}"#.to_vec(),
        b"apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: a, namespace: b}\nspec:\n  job: {state: suspended, upgradeMode: stateless, args: [a, &x b, *x]}\n".to_vec(),
        b"apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlan\ndeployment: {platform: alibaba, namespace: p, name: o}\nsteps:\n  - stop: {mode: drain}\n  - start: {restore: latest-savepoint}\n".to_vec(),
    ];
    for file in ["kubernetes-delete.json", "kubernetes-suspend.json", "kubernetes-upgrade.json"] {
        bodies.push(fs::read(folder.join("demo").join(file)).unwrap());
    }
    bodies
});

const TARGETS: &[&str] = &[
    "/jobs/a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3/stop",
    "/v1/jobs/a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3?mode=cancel",
    "/jars/x.jar/run?savepointPath=s3%3A%2F%2Fb%2Fx&allowNonRestoredState=true",
    "/api/v1/namespaces/prod/deployments/5af6",
    "/api/v1/namespaces/prod/savepoints",
    "/api/v2/namespaces/prod/jobs/5af6%3Astop",
    "/api/v2/namespaces/prod/jobs%3Astart",
];

const FACTS: &str = "apiVersion: sluicegate.dev/v1alpha1\nkind: Facts\nintent: {restartPlanned: true}\njob: {status: RUNNING}\ndeployment: {specState: RUNNING, specVersion: '4', flinkConfiguration: {a: b}}\nsavepoints:\n  - {id: x, location: 's3://b/x', origin: COPIED, state: COMPLETED, createdAt: '2026-11-21T10:00:00Z', annotations: {}}\nnow: '2026-11-21T10:00:00Z'\n";

const SETTINGS: &str =
    "unjudged: undecided\nintent: {assume: restart, acceptFrom: ['*']}\nrules:\n  unknown-request: {level: warn}\n";

/// A request, owned.
#[derive(Clone, Debug)]
struct Question {
    envelope: Envelope,
    body: Bytes,
    facts: Vec<Bytes>,
    settings: Bytes,
}

/// Bytes that a failed test shows as text.
#[derive(Clone)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes b\"{}\"", self.0.len(), self.0[..self.0.len().min(20_000)].escape_ascii())
    }
}

#[derive(Clone, Debug)]
enum Envelope {
    AdmissionReview,
    Manifest(Option<Bytes>),
    Plan,
    Http { api: Option<usize>, method: String, target: String, headers: Vec<(String, String)> },
}

/// What came of it, from either side.
#[derive(Debug, PartialEq)]
enum Ending {
    Verdict(String),
    Failure(String, String, Option<u64>),
    Settings(Vec<(String, String, u32)>),
    /// The reads that would help: why.
    Needs(Vec<String>),
    /// Only in the sandbox, and only for bodies made of millions of values.
    OutOfMemory,
}

impl Question {
    fn natively(&self) -> Ending {
        const APIS: [native::Api; 3] = [native::Api::Ververica, native::Api::Alibaba, native::Api::FlinkRest];
        let envelope = match &self.envelope {
            Envelope::AdmissionReview => native::Envelope::AdmissionReview,
            Envelope::Manifest(live) => native::Envelope::Manifest(live.as_ref().map(|live| live.0.as_slice())),
            Envelope::Plan => native::Envelope::Plan,
            Envelope::Http { api, method, target, headers } => {
                native::Envelope::Http(native::HttpHead { api: api.map(|api| APIS[api]), method, target, headers })
            }
        };
        let settings = match sluicegate_policy::compile_settings(&self.settings.0) {
            Ok(settings) => settings,
            Err(problems) => {
                let row = |problem: sluicegate_policy::Problem| (problem.message, problem.pointer, problem.offset);
                return Ending::Settings(problems.into_iter().map(row).collect());
            }
        };
        let fact = |document| native::Fact::declared(native::Source::Operator, document);
        let facts: Vec<_> = self.facts.iter().map(|document| fact(document.0.as_slice())).collect();
        match native::check(&native::Request { envelope, body: &self.body.0 }, &facts, &settings) {
            Ok(native::Outcome::Decided(verdict)) => Ending::Verdict(verdict.document),
            Ok(native::Outcome::Needs(needs)) => Ending::Needs(needs.into_iter().map(|need| need.why).collect()),
            Err(failure) => Ending::Failure(kind(failure.kind), failure.message, failure.offset.map(|at| at as u64)),
        }
    }

    fn in_the_sandbox(&self) -> Ending {
        const APIS: [Api; 3] = [Api::Ververica, Api::Alibaba, Api::FlinkRest];
        let pairs: Vec<_>;
        let envelope = match &self.envelope {
            Envelope::AdmissionReview => sluicegate::Envelope::AdmissionReview,
            Envelope::Manifest(live) => sluicegate::Envelope::Manifest(live.as_ref().map(|live| live.0.as_slice())),
            Envelope::Plan => sluicegate::Envelope::Plan,
            Envelope::Http { api, method, target, headers } => {
                pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let api = api.map(|api| APIS[api]);
                sluicegate::Envelope::Http(sluicegate::HttpHead { api, method, target, headers: &pairs })
            }
        };
        let settings: Settings = match POLICY.compile_settings(&self.settings.0) {
            Ok(settings) => settings,
            Err(SettingsError::Invalid(problems)) => {
                let row = |problem: sluicegate::Problem| (problem.message, problem.pointer, problem.offset);
                return Ending::Settings(problems.into_iter().map(row).collect());
            }
            Err(SettingsError::Policy(PolicyError::MemoryExceeded { .. })) => return Ending::OutOfMemory,
            Err(error) => panic!("{error}"),
        };
        let fact =
            |document| Fact { about: Subject::Declared, source: Source::Operator, answer: Answer::Found(document) };
        let facts: Vec<_> = self.facts.iter().map(|document| fact(document.0.as_slice())).collect();
        match POLICY.check(&sluicegate::Request { envelope, body: &self.body.0 }, &facts, &settings) {
            Ok(Outcome::Decided(verdict)) => Ending::Verdict(verdict.document),
            Ok(Outcome::Needs(needs)) => Ending::Needs(needs.into_iter().map(|need| need.why).collect()),
            Err(CheckError::Unjudgeable(failure)) => {
                Ending::Failure(kind(failure.kind), failure.message, failure.offset.map(u64::from))
            }
            Err(CheckError::Policy(PolicyError::MemoryExceeded { .. })) => Ending::OutOfMemory,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn judge(&self) {
        assert_eq!(self.natively(), self.in_the_sandbox());
    }

    #[track_caller]
    fn judge_or_run_out_of_memory(&self) {
        let sandboxed = self.in_the_sandbox();
        assert!(sandboxed == Ending::OutOfMemory || sandboxed == self.natively(), "{sandboxed:?}");
    }
}

/// The name of a kind of failure; one side writes its type before it.
fn kind(kind: impl std::fmt::Debug) -> String {
    let kind = format!("{kind:?}");
    kind.rsplit(':').next().unwrap_or_default().to_owned()
}

fn plain(envelope: Envelope, body: impl Into<Vec<u8>>) -> Question {
    Question { envelope, body: Bytes(body.into()), facts: Vec::new(), settings: Bytes(Vec::new()) }
}

fn stop() -> Envelope {
    Envelope::Http { api: None, method: "POST".to_owned(), target: TARGETS[0].to_owned(), headers: Vec::new() }
}

/// A real document with a few bytes changed, cut or repeated.
fn damaged(original: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Bytes> {
    let harm = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, any::<u8>());
    (original, prop::collection::vec(harm, 0..4)).prop_map(|(mut bytes, harms)| {
        for (at, to, how, byte) in harms {
            if bytes.is_empty() {
                break;
            }
            let (at, to) = (at.index(bytes.len()), to.index(bytes.len()));
            let (from, to) = (at.min(to), at.max(to));
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ => {
                    let piece = bytes[from..to.min(from + 200)].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        Bytes(bytes)
    })
}

/// JSON of any shape, with numbers, texts and names that parsers stumble over.
fn json() -> impl Strategy<Value = Bytes> {
    let word = prop::sample::select(vec![
        "null",
        "true",
        "1e999999",
        "-0",
        "123456789012345678901234567890",
        "0.1e-400",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"RUNNING\"",
        "\"suspended\"",
        "\"s3://b/x\"",
        "\"\u{202e}\"",
        "nul",
        "01",
        "+1",
        "\"a",
        "NaN",
    ]);
    let name = prop::sample::select(vec![
        "spec",
        "job",
        "state",
        "metadata",
        "annotations",
        "object",
        "oldObject",
        "request",
        "kind",
        "drain",
        "steps",
        "flinkConfiguration",
        "restoreStrategy",
        "savepoints",
        "",
    ]);
    let leaf = word.prop_map(str::to_owned);
    leaf.prop_recursive(8, 64, 6, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\": {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
    .prop_map(|text| Bytes(text.into_bytes()))
}

fn body() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        3 => damaged((0..BODIES.len()).prop_map(|at| BODIES[at].clone())),
        2 => json(),
        1 => prop::collection::vec(any::<u8>(), 0..500).prop_map(Bytes),
    ]
}

fn envelope() -> impl Strategy<Value = Envelope> {
    let method = prop_oneof![
        prop::sample::select(vec!["GET", "POST", "PATCH", "PUT", "DELETE", "post"]).prop_map(str::to_owned),
        any::<String>(),
    ];
    let real = prop::sample::select(TARGETS).prop_map(|target| target.as_bytes().to_vec());
    let target = prop_oneof![
        3 => damaged(real).prop_map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned()),
        1 => any::<String>(),
    ];
    let name = prop::sample::select(vec!["content-type", "content-encoding", "workspace", "x-sluicegate-intent", "é"]);
    let value = prop_oneof![
        prop::sample::select(vec!["application/json", "gzip", "multipart/form-data; boundary=x", "final", "restart"])
            .prop_map(str::to_owned),
        any::<String>(),
    ];
    let headers = prop::collection::vec((name.prop_map(str::to_owned), value), 0..3);
    prop_oneof![
        2 => Just(Envelope::AdmissionReview),
        2 => prop::option::of(body()).prop_map(Envelope::Manifest),
        1 => Just(Envelope::Plan),
        4 => (prop::option::of(0..3_usize), method, target, headers)
            .prop_map(|(api, method, target, headers)| Envelope::Http { api, method, target, headers }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_is_judged_or_refused(envelope in envelope(), body in body()) {
        plain(envelope, body.0).judge();
    }

    #[test]
    fn any_facts_are_read_or_refused(facts in prop::collection::vec(damaged(Just(FACTS.into())), 0..3)) {
        Question { facts, ..plain(stop(), r#"{"drain": true}"#) }.judge();
    }

    #[test]
    fn any_settings_are_compiled_or_refused(settings in damaged(Just(SETTINGS.into()))) {
        Question { settings, ..plain(stop(), r#"{"drain": true}"#) }.judge();
    }
}

/// Every way to send a body.
fn everywhere(body: &[u8], judge: fn(&Question)) {
    for envelope in [Envelope::AdmissionReview, Envelope::Manifest(Some(Bytes(body.to_vec()))), Envelope::Plan, stop()]
    {
        judge(&plain(envelope, body));
    }
    judge(&Question { facts: vec![Bytes(body.to_vec())], ..plain(stop(), "{}") });
    judge(&Question { settings: Bytes(body.to_vec()), ..plain(stop(), "{}") });
}

#[test]
fn depth_is_bounded() {
    for depth in [100, 255, 256, 257, 10_000, 1_000_000] {
        for (open, close) in [("[", "]"), ("{\"spec\":", "}"), ("- ", ""), ("{a: ", "}")] {
            let middle = if open.starts_with('{') { "1" } else { "" };
            let body = open.repeat(depth) + middle + &close.repeat(depth);
            everywhere(body.as_bytes(), Question::judge);
            everywhere(open.repeat(depth).as_bytes(), Question::judge);
        }
    }
}

#[test]
fn equal_objects_may_be_deep() {
    let spec = |last: u32| format!("{}{last}{}", "{\"a\":".repeat(200), "}".repeat(200));
    let object = |last| {
        format!(
            r#"{{"apiVersion":"flink.apache.org/v1beta1","kind":"FlinkDeployment","metadata":{{"name":"a"}},"spec":{}}}"#,
            spec(last)
        )
    };
    for last in [1, 2] {
        plain(Envelope::Manifest(Some(Bytes(object(1).into_bytes()))), object(last)).judge();
    }
}

#[test]
fn the_largest_bodies_are_judged_or_refused() {
    let size = 8 << 20;
    let objects = |pair: &str| format!("{{{}\"z\":0}}", pair.repeat((size - 8) / pair.len()));
    let many = |piece: &str| format!("[{}0]", piece.repeat((size - 3) / piece.len()));
    let text = format!("{{\"spec\":\"{}\"}}", "x".repeat(size - 12));
    for body in [
        " ".repeat(size),
        "1".repeat(size),
        "\"".repeat(size),
        text,
        many("0,"),
        many("[],"),
        many("\"\\u0041\","),
        objects("\"a\":1,"),
        "a: b\n".repeat(size / 5),
        "- x\n".repeat(size / 4),
        "\u{feff}".repeat(size / 3),
        "&a [*a, ".repeat(size / 8),
    ] {
        assert!(body.len() <= size);
        everywhere(body.as_bytes(), Question::judge_or_run_out_of_memory);
    }
}

#[test]
fn nothing_but_noise_is_refused() {
    for bytes in [
        &b""[..],
        b"\0",
        b"\xff\xfe",
        b"\xfe\xff\0{",
        b"\xef\xbb\xbf",
        b"\xc3\x28",
        b"\x80",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ] {
        everywhere(bytes, Question::judge);
    }
}
