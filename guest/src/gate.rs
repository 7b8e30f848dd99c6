//! The types of the contract (`wit/policy.wit`) as native Rust, and the three functions behind them. The component's
//! glue and native callers (tests, benchmarks, fuzzing) both come in here.

use crate::dialect;
use crate::facts::{self, Declared, Observed, Voice};
pub use crate::failure::{Failure, FailureKind};
pub use crate::operation::{Lookup, ObjectRef, Scoped};
use crate::settings::Settings;
use crate::text::clean;
use crate::verdict::{self, Verdict};

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Request<'b> {
    pub envelope: Envelope<'b>,
    pub body: &'b [u8],
}

/// How a request travels.
#[derive(Clone, Debug)]
pub enum Envelope<'b> {
    AdmissionReview,
    /// With the live object, if known.
    Manifest(Option<&'b [u8]>),
    Http(HttpHead<'b>),
    Plan,
}

/// The head of an HTTP call.
#[derive(Clone, Debug)]
pub struct HttpHead<'b> {
    /// `None`: told from method and path.
    pub api: Option<Api>,
    pub method: &'b str,
    pub target: &'b str,
    pub headers: &'b [(String, String)],
}

/// The HTTP APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    Ververica,
    Alibaba,
    FlinkRest,
}

/// Who vouches for a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Host,
    Operator,
    Observed,
    Requester,
}

/// Something known besides the request.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'b> {
    pub about: Subject<'b>,
    pub source: Source,
    pub answer: Answer<'b>,
}

impl<'b> Fact<'b> {
    /// A `Facts` document, declared by `source`.
    pub fn declared(source: Source, document: &'b [u8]) -> Self {
        Self { about: Subject::Declared, source, answer: Answer::Found(document) }
    }

    /// The platform's answer to a read.
    pub fn observed(lookup: &'b Lookup, answer: Answer<'b>) -> Self {
        Self { about: Subject::Observed(lookup), source: Source::Observed, answer }
    }
}

/// What a fact is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'b> {
    /// A `Facts` document.
    Declared,
    /// The answer to this read.
    Observed(&'b Lookup),
}

/// The outcome of looking something up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'b> {
    /// The raw bytes.
    Found(&'b [u8]),
    /// It is known not to exist.
    Absent,
    /// It could not be learnt; the text says why.
    Unavailable(&'b str),
}

/// What `check` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and it is handed on at once")]
pub enum Outcome {
    Decided(Verdict),
    /// The reads that could change the judgement.
    Needs(Vec<Need>),
}

/// One read that could change the judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub lookup: Lookup,
    /// Why, for people.
    pub why: String,
}

/// Judges one request.
///
/// # Errors
/// When the request, a fact or the settings cannot be read.
pub fn check(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Outcome, Failure> {
    judge(request, facts, settings).map_err(|failure| Failure { message: clean(&failure.message), ..failure })
}

fn judge(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Outcome, Failure> {
    let settings = Settings::load(settings)?;
    let mut documents = Vec::with_capacity(facts.len());
    let mut observed = Observed::default();
    for fact in facts {
        let voice = match (fact.about, fact.source, fact.answer) {
            (Subject::Declared, Source::Host | Source::Operator, Answer::Found(document)) => (Voice::Trusted, document),
            (Subject::Declared, Source::Requester, Answer::Found(document)) => (Voice::Requester, document),
            // Only a platform's own word answers a read.
            (Subject::Observed(lookup), Source::Observed, answer) => {
                observed.add(lookup, answer);
                continue;
            }
            _ => continue,
        };
        documents.push((facts::parse(voice.1)?, voice.0));
    }
    let declared = Declared::new(&documents)?;
    dialect::decode(request, &declared, &observed, &settings, |decoded| verdict::judge(decoded, &observed, &settings))
}

#[cfg(test)]
mod tests {
    use super::{Answer, Envelope, Fact, FailureKind, HttpHead, Lookup, Need, Outcome, Request, Source, check};
    use crate::compile_settings;
    use crate::verdict::{Decision, Verdict};

    const JOB: &str = "42aedb6e5490ff65f60746294f1d1f35";
    const STOP: &str = "/jobs/42aedb6e5490ff65f60746294f1d1f35/stop";
    const DRAIN: &[u8] = br#"{"drain": true, "targetDirectory": "s3://b/sp"}"#;

    fn compiled(settings: &str) -> Vec<u8> {
        compile_settings(settings.as_bytes()).unwrap()
    }

    fn drain(facts: &[(Source, &str)], settings: &str) -> Decision {
        let head = HttpHead { api: None, method: "POST", target: STOP, headers: &[] };
        let declared = facts.iter().map(|(source, text)| Fact::declared(*source, text.as_bytes()));
        let lookup = Lookup::FlinkJob(JOB.to_owned());
        let facts: Vec<_> = declared.chain([Fact::observed(&lookup, Answer::Absent)]).collect();
        let request = Request { envelope: Envelope::Http(head), body: DRAIN };
        match check(&request, &facts, &compiled(settings)).unwrap() {
            Outcome::Decided(verdict) => verdict.decision,
            Outcome::Needs(needs) => panic!("{needs:?}"),
        }
    }

    #[test]
    fn a_caller_is_no_operator() {
        const RESTART: &str = "intent: {restartPlanned: true}";
        const FINAL: &str = "intent: {restartPlanned: false}";
        let assumed = "intent: {assume: restart}";
        let trusting = "intent: {assume: restart, acceptFrom: ['*']}";
        assert_eq!(drain(&[(Source::Operator, FINAL)], assumed), Decision::Allow);
        assert_eq!(drain(&[(Source::Requester, FINAL)], assumed), Decision::Deny);
        assert_eq!(drain(&[(Source::Requester, FINAL)], trusting), Decision::Allow);
        assert_eq!(drain(&[(Source::Requester, RESTART)], ""), Decision::Deny);
        assert_eq!(drain(&[(Source::Operator, RESTART), (Source::Requester, FINAL)], trusting), Decision::Deny);
        assert_eq!(drain(&[(Source::Requester, RESTART), (Source::Requester, FINAL)], trusting), Decision::Deny);
    }

    #[test]
    fn the_settings_and_not_the_facts_have_the_last_word_on_what_is_assumed() {
        const RESTART: &str = "intent: {assume: restart}";
        const UNKNOWN: &str = "intent: {assume: unknown}";
        const FINAL: &str = "intent: {restartPlanned: false}";
        for source in [Source::Host, Source::Operator] {
            assert_eq!(drain(&[(source, RESTART)], ""), Decision::Deny, "{source:?}");
            assert_eq!(drain(&[(source, RESTART)], UNKNOWN), Decision::Allow, "{source:?}");
            assert_eq!(drain(&[(source, UNKNOWN)], RESTART), Decision::Deny, "{source:?}");
            assert_eq!(drain(&[(source, RESTART), (source, UNKNOWN)], ""), Decision::Allow, "{source:?}");
        }
        assert_eq!(drain(&[(Source::Requester, RESTART)], ""), Decision::Allow);
        assert_eq!(drain(&[(Source::Host, RESTART), (Source::Requester, UNKNOWN)], ""), Decision::Deny);
        assert_eq!(drain(&[(Source::Host, RESTART), (Source::Requester, FINAL)], ""), Decision::Deny);
        assert_eq!(drain(&[(Source::Host, RESTART), (Source::Operator, FINAL)], ""), Decision::Allow);
        assert_eq!(
            drain(&[(Source::Host, RESTART), (Source::Requester, FINAL)], "intent: {acceptFrom: ['*']}"),
            Decision::Allow
        );
    }

    const SHUT_DOWN: HttpHead<'_> = HttpHead { api: None, method: "DELETE", target: "/cluster", headers: &[] };
    const JOBS: &[u8] = br#"{"jobs": [{"jid": "ab", "name": "orders", "state": "RUNNING"}]}"#;

    fn shut_down(facts: &[Fact<'_>]) -> Outcome {
        check(&Request { envelope: Envelope::Http(SHUT_DOWN), body: b"" }, facts, &[]).unwrap()
    }

    fn decision(outcome: &Outcome) -> Option<Decision> {
        match outcome {
            Outcome::Decided(verdict) => Some(verdict.decision),
            Outcome::Needs(_) => None,
        }
    }

    #[test]
    fn a_read_is_asked_for_once_and_with_its_reason() {
        let Outcome::Needs(needs) = shut_down(&[]) else { panic!("decided without a look") };
        let [Need { lookup: Lookup::FlinkJobs, why }] = needs.as_slice() else { panic!("{needs:?}") };
        assert_eq!(why, "whether jobs run in the cluster (`job.status`) (cluster-shutdown-with-running-jobs)");
        let lookup = Lookup::FlinkJobs;
        let answered = |answer| decision(&shut_down(&[Fact::observed(&lookup, answer)]));
        assert_eq!(answered(Answer::Found(JOBS)), Some(Decision::Deny));
        assert_eq!(answered(Answer::Found(b"{")), Some(Decision::Allow));
        assert_eq!(answered(Answer::Absent), Some(Decision::Allow));
        assert_eq!(answered(Answer::Unavailable("refused")), Some(Decision::Allow));
    }

    #[test]
    fn the_settings_say_whether_an_undecided_request_passes() {
        let head = HttpHead { api: None, method: "POST", target: STOP, headers: &[] };
        let request = Request { envelope: Envelope::Http(head), body: DRAIN };
        let job = Lookup::FlinkJob(JOB.to_owned());
        let running =
            Fact::observed(&job, Answer::Found(br#"{"jid": "42aedb6e5490ff65f60746294f1d1f35", "state": "RUNNING"}"#));
        let said = |settings: &str, facts: &[Fact<'_>]| match check(&request, facts, &compiled(settings)).unwrap() {
            Outcome::Decided(verdict) => (verdict.decision, verdict.passes),
            Outcome::Needs(needs) => panic!("{needs:?}"),
        };
        let planned = [running, Fact::declared(Source::Operator, b"intent: {restartPlanned: true}")];
        for (settings, passes) in [("", false), ("undecided: allow", true), ("undecided: deny", false)] {
            let strict = format!("unjudged: undecided\n{settings}");
            assert_eq!(said(&strict, &[running]), (Decision::Undecided, passes), "{settings}");
            assert_eq!(said(settings, &[running]), (Decision::Allow, true), "{settings}");
            assert_eq!(said(settings, &planned), (Decision::Deny, false), "{settings}");
        }
    }

    #[test]
    fn facts_for_another_target_are_told_of_where_one_is_lacking() {
        let head = || Envelope::Http(HttpHead { api: None, method: "POST", target: STOP, headers: &[] });
        let lacks = |facts: &[&str]| {
            let verdict = decided(head(), "{}", facts);
            verdict.unjudged.into_iter().map(|it| it.lacks).collect::<Vec<_>>()
        };
        let other = "{for: {platform: flink-rest, name: 42aedb6e5490ff65f60746294f1d1f36}, job: {status: RUNNING}}";
        let ours = other.replace("1f36", "1f35");
        let told = |facts: &[&str]| lacks(facts).iter().filter(|it| it.contains("declared facts")).count();
        assert!(lacks(&[other])[0].ends_with("(of the declared facts, 1 document is `for` other targets)"));
        assert!(lacks(&[other, other])[0].contains("2 documents are `for`"));
        assert_eq!((told(&[other]), told(&[&ours]), told(&[])), (1, 0, 0));
    }

    #[test]
    fn only_the_platform_answers_a_read() {
        let lookup = Lookup::FlinkJobs;
        let by = |source| Fact { source, ..Fact::observed(&lookup, Answer::Found(br#"{"jobs": []}"#)) };
        for source in [Source::Requester, Source::Operator, Source::Host] {
            assert_eq!(decision(&shut_down(&[by(source)])), None, "{source:?}");
        }
        // Of a requester only the intent is believed.
        let claimed = Fact::declared(Source::Requester, b"job: {status: FINISHED}");
        assert_eq!(decision(&shut_down(&[claimed])), None);
        let both = [claimed, Fact::observed(&lookup, Answer::Found(JOBS))];
        assert_eq!(decision(&shut_down(&both)), Some(Decision::Deny));
    }

    #[test]
    fn what_cannot_stand_in_a_path_is_not_read() {
        for target in ["/jobs/%2e%2e?mode=cancel", "/jobs/%20?mode=cancel", "/jobs/a%0ab?mode=cancel"] {
            let head = HttpHead { api: None, method: "PATCH", target, headers: &[] };
            let outcome = check(&Request { envelope: Envelope::Http(head), body: b"" }, &[], &[]);
            assert!(matches!(outcome, Ok(Outcome::Decided(_))), "{target} {outcome:?}");
        }
    }

    #[test]
    fn failures_are_bounded_and_plain() {
        let list = "- x\n".repeat(10_000);
        let request = Request { envelope: Envelope::Plan, body: list.as_bytes() };
        let failure = check(&request, &[], &[]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Malformed);
        assert!(failure.message.len() < 1_000 && !failure.message.contains(char::is_control), "{}", failure.message);
        let problems = compile_settings(format!("rules: {{}}\n{}", "a\n".repeat(9)).as_bytes()).unwrap_err();
        assert!(problems.iter().all(|problem| !problem.message.contains(char::is_control)));
        let many: String = (0..5_000).map(|name| format!("n{name}: 1\n")).collect();
        assert!(compile_settings(many.as_bytes()).unwrap_err().len() <= 100);
    }

    #[test]
    fn failures_name_types_and_not_values() {
        let stop = || Envelope::Http(HttpHead { api: None, method: "POST", target: STOP, headers: &[] });
        let failed = |envelope, body: &str, facts: &[Fact<'_>]| {
            check(&Request { envelope, body: body.as_bytes() }, facts, &[]).unwrap_err().message
        };
        for (body, words) in [
            (r#"[{"password":"hunter2"}]"#, "an array"),
            (r#""hunter2""#, "a text"),
            ("4711", "a number"),
            ("true", "`true` or `false`"),
            ("null", "`null`"),
        ] {
            assert_eq!(failed(stop(), body, &[]), format!("the body must be a JSON object, not {words}"));
        }
        for body in ["[hunter2]", "hunter2", "4711", "metadata: !!int hunter2"] {
            let facts = Fact::declared(Source::Operator, body.as_bytes());
            let told = [failed(Envelope::Plan, body, &[]), failed(stop(), "{}", &[facts])];
            assert!(told.iter().all(|told| !told.contains("hunter2") && !told.contains("4711")), "{told:?}");
        }
    }

    fn decided(envelope: Envelope<'_>, body: &str, facts: &[&str]) -> Verdict {
        let request = Request { envelope, body: body.as_bytes() };
        let mut lookups = Vec::new();
        loop {
            let declared = facts.iter().map(|text| Fact::declared(Source::Operator, text.as_bytes()));
            let read = lookups.iter().map(|lookup| Fact::observed(lookup, Answer::Unavailable("no source")));
            let facts: Vec<_> = declared.chain(read).collect();
            let needs = match check(&request, &facts, &[]).unwrap() {
                Outcome::Decided(verdict) => return verdict,
                Outcome::Needs(needs) => needs,
            };
            lookups.extend(needs.into_iter().map(|need| need.lookup));
        }
    }

    #[test]
    fn passwords_in_locations_are_not_repeated() {
        let known = "savepoints: [{location: 's3://AKIA:TOPSECRET@b/x', drained: true, referencedBy: [a]}]";
        let manifest = |path: &str| {
            format!(
                "{{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {{name: orders, namespace: \
                 prod}}, spec: {{flinkVersion: v1_20, serviceAccount: flink, job: {{jarURI: 'local:///a.jar', \
                 parallelism: 1, upgradeMode: savepoint, initialSavepointPath: '{path}'}}}}}}"
            )
        };
        for path in ["s3://AKIA:TOPSECRET@b/x", "s3://AKIA:TOPSECRET@b/ x", "s3://AKIA:TOP/TOPSECRET@b/x"] {
            let verdict = decided(Envelope::Manifest(None), &manifest(path), &[known]);
            assert!(!verdict.document.contains("TOPSECRET"), "{}", verdict.document);
            assert!(verdict.document.contains("(hidden)"), "{}", verdict.document);
        }
    }

    #[test]
    fn values_of_secret_keys_are_not_repeated() {
        let manifest = "{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {name: orders, namespace: \
                        prod}, spec: {flinkConfiguration: {fs.azure.account.key.prod: TOPSECRET, fs: {azure: \
                        {account.key.prod: TOPSECRET2}}}}}";
        let verdict = decided(Envelope::Manifest(None), manifest, &[]);
        assert!(verdict.findings.iter().any(|finding| finding.rule == "conflicting-renamed-keys"));
        assert!(!verdict.document.contains("TOPSECRET"), "{}", verdict.document);
    }

    #[test]
    fn a_plan_lacks_a_fact_once() {
        let plan = "deployment: {platform: kubernetes, namespace: prod, name: orders}\nsteps: [{stop: {mode: cancel}}, \
                    {start: {}}, {stop: {mode: cancel}}, {start: {}}]";
        let unjudged = decided(Envelope::Plan, plan, &[]).unjudged;
        assert!(!unjudged.is_empty());
        for (at, entry) in unjudged.iter().enumerate() {
            assert!(!unjudged[..at].contains(entry), "{entry:?}");
        }
    }

    #[test]
    fn plans_are_bounded() {
        let plan = |steps: usize| {
            let steps = "{\"publish\": {}},".repeat(steps - 1);
            let text = format!(
                "{{\"deployment\": {{\"platform\": \"alibaba\", \"name\": \"o\"}}, \"steps\": [{steps} {{\"publish\": {{}}}}]}}"
            );
            check(&Request { envelope: Envelope::Plan, body: text.as_bytes() }, &[], &[])
        };
        assert!(plan(200).is_ok());
        assert_eq!(plan(201).unwrap_err().kind, FailureKind::TooLarge);
    }
}
