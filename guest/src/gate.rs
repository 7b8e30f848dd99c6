//! The types of the contract (`wit/policy.wit`) as native Rust, and the three functions behind them. The component's
//! glue and native callers (tests, benchmarks, fuzzing) both come in here.

use crate::dialect;
use crate::facts::{self, Declared, Voice};
pub use crate::failure::{Failure, FailureKind};
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

/// A declared fact: the bytes of a `Facts` document. Observed answers are not read yet: `check` asks for none.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'b> {
    pub source: Source,
    pub document: &'b [u8],
}

/// Judges one request.
///
/// # Errors
/// When the request, a fact or the settings cannot be read.
pub fn check(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Verdict, Failure> {
    judge(request, facts, settings).map_err(|failure| Failure { message: clean(&failure.message), ..failure })
}

fn judge(request: &Request<'_>, facts: &[Fact<'_>], settings: &[u8]) -> Result<Verdict, Failure> {
    let settings = Settings::load(settings)?;
    let mut documents = Vec::with_capacity(facts.len());
    for fact in facts {
        let voice = match fact.source {
            Source::Host | Source::Operator => Voice::Trusted,
            Source::Requester => Voice::Requester,
            Source::Observed => continue,
        };
        documents.push((facts::parse(fact.document)?, voice));
    }
    let declared = Declared::new(&documents)?;
    dialect::decode(request, &declared, &settings, |decoded| verdict::judge(decoded, &settings))
}

#[cfg(test)]
mod tests {
    use super::{Envelope, Fact, FailureKind, HttpHead, Request, Source, check};
    use crate::compile_settings;
    use crate::verdict::Decision;

    const DRAIN: &[u8] = br#"{"drain": true, "targetDirectory": "s3://b/sp"}"#;

    fn drain(facts: &[(Source, &str)], settings: &str) -> Decision {
        let head = HttpHead { api: None, method: "POST", target: "/jobs/ab/stop", headers: &[] };
        let facts: Vec<_> =
            facts.iter().map(|(source, text)| Fact { source: *source, document: text.as_bytes() }).collect();
        let request = Request { envelope: Envelope::Http(head), body: DRAIN };
        check(&request, &facts, &compile_settings(settings.as_bytes()).unwrap()).unwrap().decision
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
