//! An override that does not count (DESIGN section 7; DOMAIN 6.0-8 and 6.12): it lifts nothing, and whoever wrote it
//! should know why.

use crate::finding::Report;
use crate::nearest::nearest;
use crate::operation::{Dialect, MOST_OVERRIDDEN, Override, Stage};
use crate::overrides::{Fault, faults};
use crate::rules::{self, Level, Rule, duration};
use crate::settings::Settings;
use crate::text::join;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "override-needs-reason",
    title: "override that does not count",
    family: "permission",
    why: "An override without a reason and an end stays for ever, and nobody knows why; without both it lifts nothing, \
          and the rule that it means refuses as before.",
    source: "DOMAIN 6.0-8, 6.1-5 and 6.12",
    looks_at: &[
        (
            Dialect::Kubernetes,
            "annotations `sluicegate.dev/override`, `-reason`, `-until`; of a delete, the old object's",
        ),
        (
            Dialect::Ververica,
            "the same annotations of a deployment, headers `x-sluicegate-override`, `-reason`, `-until`",
        ),
        (Dialect::Alibaba, "headers `x-sluicegate-override`, `-reason`, `-until`"),
        (Dialect::FlinkRest, "headers `x-sluicegate-override`, `-reason`, `-until`"),
    ],
    facts: &["now", "caller.principal"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for asked in stage.overrides.iter().filter(|asked| !asked.told) {
        for fault in faults(asked, stage, report.settings()) {
            let (why, observed, remedy) = words(fault, asked, stage, report.settings());
            say(asked, join(&["the override does not count: ", why]), observed, remedy, report);
        }
        for name in asked.rules() {
            let message = if !rules::ALL.iter().any(|rule| rule.id == name) {
                let hint = nearest(name, rules::ALL.iter().map(|rule| rule.id));
                join(&["there is no rule `", name, "` to override", &hint])
            } else if report.settings().is_never_overridden(name) {
                join(&["the settings let nobody override `", name, "`"])
            } else {
                continue;
            };
            let remedy = "name rules that can be overridden: `sluicegate rules` lists all, the settings except some";
            say(asked, message, Some(name), remedy.to_owned(), report);
        }
        if asked.has_more() {
            let message = format!("the override names too many rules: only the first {MOST_OVERRIDDEN} count");
            say(asked, message, None, "name the rules that refuse this request".to_owned(), report);
        }
    }
}

fn say(asked: &Override<'_>, message: String, observed: Option<&str>, remedy: String, report: &mut Report<'_>) {
    let mut draft = report.main(&asked.place, message);
    if let Some(observed) = observed {
        draft = draft.observed(observed);
    }
    draft.remedy(remedy);
}

/// Why it does not count, what was found, and what to do.
fn words<'s>(
    fault: Fault,
    asked: &'s Override<'_>,
    stage: &'s Stage<'_>,
    settings: &Settings<'_>,
) -> (&'static str, Option<&'s str>, String) {
    let [list, reason, until] = asked.spelling;
    let end = asked.until.as_deref();
    let soon = || {
        let longest = duration::write(settings.longest_override());
        join(&["give `", until, "`, at most ", &longest, " ahead, written like `2026-11-21T10:00:00Z`"])
    };
    match fault {
        Fault::NoRule => ("it names no rule", None, join(&["name rule ids in `", list, "`, or take it away"])),
        Fault::NoReason => ("it gives no reason", None, join(&["say in `", reason, "` why this is right now"])),
        Fault::NoEnd => ("it does not say when it ends", None, soon()),
        Fault::BadEnd => ("its end is no time with an offset", end, soon()),
        Fault::NoClock => ("the time is not known", None, "declare `now` in the facts".to_owned()),
        Fault::Ended => ("it has ended", end, "take it away, or give it a new reason and end".to_owned()),
        Fault::TooFar => ("its end is too far ahead", end, soon()),
        Fault::Unlisted => (
            "its caller is not among those who may override",
            stage.facts.principal.as_deref(),
            "let one of them send it, or add the caller to `overrides.from` in the settings".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::operation::{ANNOTATIONS, Action, Dialect, MOST_OVERRIDDEN, Override, Place, Stage};
    use crate::rules::testing::{SILENT, findings, says, stage};

    fn asked(rules: &[&'static str], reason: &'static str, until: &'static str) -> Stage<'static> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text.into());
        stage(Dialect::Kubernetes, Action::Unknown).with_facts("now: 2026-11-21T10:00:00Z").with(|it| {
            it.overrides.push(Override {
                lists: rules.iter().map(|rule| (*rule).into()).collect(),
                reason: given(reason),
                until: given(until),
                place: Place::Request,
                spelling: ANNOTATIONS,
                only_listed: false,
                told: false,
            });
        })
    }

    fn messages(stage: &Stage<'_>) -> Vec<String> {
        findings(&RULE, stage).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_good_override_is_nothing_to_say() {
        assert_eq!(says(&RULE, &asked(&["unknown-request"], "incident 7", "2026-11-21T18:00:00Z")), SILENT);
        assert_eq!(says(&RULE, &asked(&["unknown-request"], "incident 7", "2026-11-22T10:00:00Z")), SILENT);
        assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, Action::Unknown)), SILENT);
    }

    #[test]
    fn everything_that_is_missing_is_told() {
        let told = messages(&asked(&[], " ", ""));
        assert_eq!(told.len(), 3, "{told:?}");
        for (until, words) in [
            ("soon", "no time"),
            ("1795255200500", "no time"),
            ("2026-11-21T10:00:00Z", "has ended"),
            ("2026-11-22T10:00:01Z", "too far"),
        ] {
            let told = messages(&asked(&["unknown-request"], "incident 7", until));
            assert!(told.len() == 1 && told[0].contains(words), "{until}: {told:?}");
        }
        let timeless = asked(&["unknown-request"], "x", "2026-11-21T18:00:00Z").with(|it| it.facts.now = None);
        assert!(messages(&timeless)[0].contains("the time is not known"));
    }

    #[test]
    fn unknown_rules_and_callers_are_told() {
        let told = messages(&asked(&["unknown-requst"], "x", "2026-11-21T18:00:00Z"));
        assert!(told[0].contains("did you mean `unknown-request`"), "{told:?}");
        let http =
            asked(&["unknown-request"], "x", "2026-11-21T18:00:00Z").with(|it| it.overrides[0].only_listed = true);
        assert!(messages(&http)[0].contains("not among those"));
    }

    #[test]
    fn many_names_are_told_in_one_line() {
        let list = |count: usize| -> String { (0..count).map(|at| format!("{}-{at},", "x".repeat(1_000))).collect() };
        let with =
            |count| asked(&[], "x", "2026-11-21T18:00:00Z").with(|it| it.overrides[0].lists = vec![list(count).into()]);
        let told = messages(&with(10_000));
        assert_eq!(told.len(), MOST_OVERRIDDEN + 1);
        assert!(told[0].len() < 200 && told[20].contains("too many"), "{told:?}");
        assert_eq!(messages(&with(MOST_OVERRIDDEN)).len(), MOST_OVERRIDDEN);
    }

    #[test]
    fn a_plan_is_told_once() {
        let told = asked(&[], "", "").with(|it| it.overrides[0].told = true);
        assert_eq!(says(&RULE, &told), SILENT);
    }
}
