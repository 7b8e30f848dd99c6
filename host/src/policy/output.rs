//! What comes out of the sandbox is looked at before anybody sees it: lists and texts are bounded, and no text holds
//! control characters. A terminal, a log line or a header can take it as it is.

use super::contract::{
    Decision, Description, Failure, Lookup, Need, Outcome, Place, Problem, RestorePlan, Scoped, Verdict,
};
use super::error::PolicyError;

/// Bytes that the answer to one call may take in all; wasmtime stops copying there.
pub(super) const MOST_BYTES: usize = 4 << 20;
const MOST_ENTRIES: usize = 10_000;
const LONGEST_TEXT: usize = 16 << 10;

type Checked = Result<(), PolicyError>;

pub(super) fn outcome(outcome: &Outcome) -> Checked {
    match outcome {
        Outcome::Decided(verdict) => self::verdict(verdict),
        // A host could not tell what to look up, and would ask again with the same.
        Outcome::Needs(needs) if needs.is_empty() => {
            Err(PolicyError::InvalidOutput("an answer that asks for nothing".to_owned()))
        }
        Outcome::Needs(needs) => list("needs", needs, |Need { lookup, why }| {
            text("need", why)?;
            self::lookup(lookup)
        }),
    }
}

fn lookup(lookup: &Lookup) -> Checked {
    let scoped = |it: &Scoped| text("namespace", &it.namespace).and_then(|()| text("id", &it.id));
    match lookup {
        Lookup::FlinkJobs | Lookup::FlinkConfig => Ok(()),
        Lookup::FlinkJob(id) | Lookup::FlinkCheckpoints(id) | Lookup::FlinkCheckpointConfig(id) => text("id", id),
        Lookup::VervericaDeployment(it)
        | Lookup::VervericaSavepoints(it)
        | Lookup::VervericaJob(it)
        | Lookup::AlibabaDeployment(it)
        | Lookup::AlibabaJobs(it)
        | Lookup::AlibabaJob(it)
        | Lookup::AlibabaSavepoints(it) => scoped(it),
        Lookup::Kubernetes(it) => {
            text("kind", &it.kind)?;
            text("namespace", &it.namespace)?;
            optional("name", it.name.as_ref())
        }
        Lookup::Location(at) => text("location", at),
    }
}

fn verdict(verdict: &Verdict) -> Checked {
    if !matches!(
        (verdict.decision, verdict.passes),
        (Decision::Allow, true) | (Decision::Deny, false) | (Decision::Undecided, _)
    ) {
        let answer =
            if verdict.passes { "a denied request that passes" } else { "an allowed request that does not pass" };
        return Err(PolicyError::InvalidOutput(answer.to_owned()));
    }
    list("operations", &verdict.operations, |operation| {
        text("summary", &operation.summary)?;
        operation.target.iter().try_for_each(|target| {
            text("namespace", &target.namespace)?;
            text("name", &target.name)
        })
    })?;
    list("findings", &verdict.findings, |finding| {
        match &finding.place {
            Some(Place::Body(span)) => text("pointer", &span.pointer)?,
            Some(Place::Header(name)) => text("header", name)?,
            Some(Place::Target) | None => {}
        }
        text("rule", &finding.rule)?;
        text("message", &finding.message)?;
        text("remedy", &finding.remedy)?;
        optional("observed", finding.observed.as_ref())?;
        optional("expected", finding.expected.as_ref())?;
        optional("overridden", finding.overridden.as_ref())
    })?;
    list("unjudged", &verdict.unjudged, |unjudged| {
        text("rule", &unjudged.rule)?;
        text("lacks", &unjudged.lacks)
    })?;
    list("exempted", &verdict.exempted, |exempted| {
        text("rule", &exempted.rule)?;
        text("reason", &exempted.reason)?;
        optional("until", exempted.until.as_ref())
    })?;
    verdict.restore.iter().try_for_each(restore_plan)?;
    plain("document", &verdict.document)
}

fn restore_plan(plan: &RestorePlan) -> Checked {
    text("strategy", &plan.strategy)?;
    optional("chosen", plan.chosen.as_ref())?;
    text("reason", &plan.reason)?;
    list("candidates", &plan.candidates, |candidate| {
        text("id", &candidate.id)?;
        text("reason", &candidate.reason)
    })
}

pub(super) fn failure(failure: &Failure) -> Checked {
    text("message", &failure.message)
}

pub(super) fn problems(problems: &[Problem]) -> Checked {
    list("problems", problems, |problem| {
        text("message", &problem.message)?;
        text("pointer", &problem.pointer)
    })
}

pub(super) fn description(description: &Description) -> Checked {
    text("version", &description.version)?;
    plain("settings-schema", &description.settings_schema)?;
    list("rules", &description.rules, |rule| {
        for (what, value) in [
            ("id", &rule.id),
            ("title", &rule.title),
            ("family", &rule.family),
            ("why", &rule.why),
            ("source", &rule.source),
        ] {
            text(what, value)?;
        }
        list("dialects", &rule.looks_at, |(_, looks)| text("looks-at", looks))?;
        list("facts", &rule.facts, |fact| text("fact", fact))?;
        list("parameters", &rule.parameters, |it| {
            [&it.name, &it.title, &it.shipped].into_iter().try_for_each(|value| text("parameter", value))
        })
    })
}

fn list<T>(what: &str, entries: &[T], check: impl Fn(&T) -> Checked) -> Checked {
    if entries.len() > MOST_ENTRIES {
        return Err(PolicyError::InvalidOutput(format!("{} {what}, more than {MOST_ENTRIES}", entries.len())));
    }
    entries.iter().try_for_each(check)
}

fn optional(what: &str, value: Option<&String>) -> Checked {
    value.map_or(Ok(()), |value| text(what, value))
}

fn text(what: &str, value: &str) -> Checked {
    if value.len() > LONGEST_TEXT {
        return Err(PolicyError::InvalidOutput(format!("a {what} of {} bytes, more than {LONGEST_TEXT}", value.len())));
    }
    plain(what, value)
}

/// No control character: C0, DEL, C1.
fn plain(what: &str, value: &str) -> Checked {
    // Sixteen bytes at a time; nearly every text is plain ASCII.
    let odd = |byte: &u8| byte.wrapping_sub(0x20) >= 0x5f;
    let simple = value.as_bytes().chunks(16).all(|chunk| !chunk.iter().fold(false, |found, byte| found | odd(byte)));
    if !simple && value.chars().any(char::is_control) {
        return Err(PolicyError::InvalidOutput(format!("a {what} with control characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::contract::Dialect;
    use super::*;

    #[test]
    fn a_policy_cannot_let_a_denied_request_pass() {
        let judged = |decision, passes| Verdict {
            decision,
            passes,
            dialect: Dialect::Plan,
            operations: Vec::new(),
            findings: Vec::new(),
            unjudged: Vec::new(),
            exempted: Vec::new(),
            restore: None,
            document: "{}".to_owned(),
        };
        for (decision, passes) in [(Decision::Allow, true), (Decision::Deny, false)] {
            assert!(verdict(&judged(decision, passes)).is_ok());
            assert!(verdict(&judged(decision, !passes)).is_err());
            assert!(verdict(&judged(Decision::Undecided, passes)).is_ok());
        }
    }

    #[test]
    fn texts_are_bounded_and_plain() {
        assert!(text("message", "naïve `s3://…`").is_ok());
        for control in ["\n", "\u{1b}[31m", "\u{7f}", "\u{85}", "\0"] {
            assert!(text("message", control).is_err(), "{control:?}");
        }
        assert!(text("message", &"x".repeat(LONGEST_TEXT + 1)).is_err());
        assert!(list("rules", &[(); MOST_ENTRIES + 1], |()| Ok(())).is_err());
    }
}
