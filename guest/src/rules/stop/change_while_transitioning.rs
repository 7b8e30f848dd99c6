//! A request that meets a platform in the middle of a transition (DOMAIN 6.2).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Operation, Stage, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "change-while-transitioning",
    title: "change during a transition",
    family: "stop",
    why: "What a change does that arrives during a transition is not defined: it can be lost, or be mixed with the \
          transition's own stop and start.",
    source: "VVP-DOC deployment-lifecycle (undefined); DOMAIN 4.2-11",
    looks_at: &[
        (Dialect::Kubernetes, "`reconciliationStatus.state`, `blueGreenState`"),
        (Dialect::Ververica, "`status.state`"),
    ],
    facts: &["deployment.statusState"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(transition) = &stage.current.transition else {
        let moves = || stage.operations.iter().any(|operation| meets(stage, operation));
        if stage.platform == Dialect::Ververica && stage.current.state.is_none() && moves() {
            report.wish(Want::Job, "whether the platform is in the middle of a transition");
        }
        return;
    };
    // One request meets one transition, however many operations it is made of.
    let Some(operation) = stage.operations.iter().find(|operation| meets(stage, operation)) else { return };
    let next = match stage.platform {
        Dialect::Ververica => "wait until `status.state` is no longer TRANSITIONING, then send it again",
        _ => {
            "wait until `status.reconciliationStatus.state` is DEPLOYED, unless this change is what gets it out of there"
        }
    };
    let message =
        format!("the platform is in the middle of `{transition}`: what becomes of this change is not defined");
    report.main(&operation.place, message).observed(transition.as_ref()).remedy(next);
}

fn meets(stage: &Stage<'_>, operation: &Operation<'_>) -> bool {
    match &operation.action {
        Action::Change(_) => true,
        Action::Stop(_) | Action::Start(_) => stage.platform == Dialect::Ververica,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Reach, StopCause, StopMode};
    use crate::rules::testing::{SILENT, change, only, says, stage, stop};

    #[test]
    fn one_warning_however_many_operations() {
        let upgrade =
            || stage(Dialect::Kubernetes, change(Reach::Applied)).and(stop(StopMode::Savepoint, StopCause::Upgrade));
        let during = upgrade().with(|it| it.current.transition = Some("UPGRADING".into()));
        assert_eq!(says(&RULE, &during), only(Effect::Warn));
        assert_eq!(says(&RULE, &upgrade()), SILENT);
    }

    #[test]
    fn ververica_s_desired_state_counts_as_a_change() {
        let cancel = |platform| {
            stage(platform, stop(StopMode::Cancel, StopCause::Request))
                .with(|it| it.current.transition = Some("TRANSITIONING".into()))
        };
        assert_eq!(says(&RULE, &cancel(Dialect::Ververica)), only(Effect::Warn));
        assert_eq!(says(&RULE, &cancel(Dialect::Kubernetes)), SILENT);
    }
}
