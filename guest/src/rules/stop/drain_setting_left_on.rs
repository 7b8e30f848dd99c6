//! The sticky drain switch turned on without a stop (DOMAIN 6.2, 6.0-10): an edit that arms a later loss.

use crate::finding::Report;
use crate::operation::{Action, Dialect, Stage};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "drain-setting-left-on",
    title: "drain switched on for every later stop",
    family: "stop",
    why: "The switch stays on: nothing happens now, but every later suspend and stateful upgrade drains the job and \
          then resumes it, which emits windows twice.",
    source: "VVP-DOC draining; FLINK-32700; DOMAIN 4.2-9",
    looks_at: &[
        (Dialect::Kubernetes, "`drain-on-savepoint-deletion`"),
        (Dialect::Ververica, "the annotation `stop-with-drain`"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        let Action::Change(change) = &operation.action else { continue };
        let Some(place) = &change.arms_drain else { continue };
        let ends = stage.declaration.as_ref().and_then(|it| it.old).is_some_and(|old| old.is_terminating());
        if ends {
            let message =
                "the resource is being deleted: if its clean-up takes a savepoint, it now drains the job first";
            report.note(place, message).remedy("do not start a job from the savepoint that a drain writes");
            continue;
        }
        let (message, next) = match stage.platform {
            Dialect::Ververica => (
                "the drain annotation stays on the deployment: every later suspend and stateful upgrade drains the \
                 job, and a job that resumes after that emits windows twice",
                "take the annotation out; for the last stop, set it in the same PATCH as `spec.state: SUSPENDED`",
            ),
            _ => (
                "despite its name the key works on every stop with savepoint: nothing happens now, but each later \
                 suspend and upgrade drains the job, and the resumed job emits windows twice",
                "take the key out or set it to `false`; set it only for the last stop, right before the delete",
            ),
        };
        let mut draft = report.main(place, message);
        if let Some(value) = words::value(place) {
            draft = draft.observed(value).expected("false");
        }
        draft.remedy(next);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Place, Reach};
    use crate::rules::testing::{SILENT, body, change, findings, says, stage};

    #[test]
    fn the_switch_is_reported_where_it_is_turned_on() {
        for platform in [Dialect::Kubernetes, Dialect::Ververica] {
            let switch = body(r#"{"stop-with-drain": "true"}"#).get("stop-with-drain");
            let arms = Change {
                content: false,
                reach: Reach::Nothing,
                arms_drain: Some(Place::of(switch)),
                stateful: Some(true),
                ..Change::default()
            };
            let finding = findings(&RULE, &stage(platform, Action::Change(arms))).remove(0);
            assert_eq!((finding.effect, finding.observed.as_deref()), (Effect::Warn, Some("true")));
        }
    }

    #[test]
    fn other_changes_are_no_matter() {
        assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, change(Reach::Applied))), SILENT);
    }
}
