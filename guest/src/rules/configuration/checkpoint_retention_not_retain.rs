//! Checkpoints that go with the job, where a later start may need them (VVP-KB). Ships switched off.

use crate::configuration::RETENTION;
use crate::finding::Report;
use crate::operation::{Action, Dialect, Stage, Verb};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "checkpoint-retention-not-retain",
    title: "checkpoints are not retained on a cancel",
    family: "configuration",
    why: "Unless checkpoints are retained, the last one is deleted with the job: LATEST_STATE and the way back after a \
          cancel find nothing.",
    source: "VVP-KB; REC R5, R6; DOMAIN 3.6, 4.2-13",
    looks_at: &[
        (Dialect::Kubernetes, "`execution.checkpointing.externalized-checkpoint-retention`"),
        (Dialect::Ververica, "the same key with `restoreStrategy.kind: LATEST_STATE`"),
        (Dialect::FlinkRest, "the same key of a jar run"),
    ],
    facts: &["platform.flinkConfiguration", "deployment.flinkConfiguration", "deployment.restoreStrategy.kind"],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let value = current.configuration.present(RETENTION);
    // The operator injects it (DOMAIN 4.2-13).
    let by_default = || !current.configuration_complete || stage.platform == Dialect::Kubernetes;
    if current.configuration.retains().unwrap_or_else(by_default) || !is_judged(stage) {
        return;
    }
    let place = stage.place_of(current.configuration.entry(RETENTION));
    let key = RETENTION.first().copied().unwrap_or_default();
    report
        .main(&place, "a cancel deletes the last checkpoint: without a savepoint nothing is left to start from")
        .observed(value.unwrap_or("none"))
        .expected("RETAIN_ON_CANCELLATION")
        .remedy(format!("set `{key}: RETAIN_ON_CANCELLATION`"));
}

fn is_judged(stage: &Stage<'_>) -> bool {
    match stage.platform {
        Dialect::Kubernetes => stage.declaration.as_ref().is_some_and(|declaration| {
            let job = declaration.new_spec().is_some_and(|spec| spec.job().is_some());
            declaration.verb != Verb::Delete && job
        }),
        Dialect::Ververica => {
            let changes = stage.operations.iter().any(|it| matches!(it.action, Action::Change(_)));
            changes && stage.content.restores_latest_state && stage.content.configuration.is_some()
        }
        _ => stage.starts().next().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Kind, Reach, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, change, configured, declared, only, says, stage, start};

    fn with(stage: Stage<'static>, map: &str) -> Stage<'static> {
        configured(stage, map, true)
    }

    const KEEP: &str = "execution.checkpointing.externalized-checkpoint-retention: retain_on_cancellation";
    const DELETE: &str = "execution.checkpointing: {externalized-checkpoint-retention: DELETE_ON_CANCELLATION}";

    #[test]
    fn the_operator_injects_it_others_do_not() {
        let create = || declared(Kind::Deployment, None, Some("job: {}"));
        assert_eq!(says(&RULE, &with(create(), DELETE)), only(Effect::Warn));
        assert_eq!(says(&RULE, &with(create(), KEEP)), SILENT);
        assert_eq!(says(&RULE, &with(create(), "{}")), SILENT);
        let run = || stage(Dialect::FlinkRest, start(StartCause::Request, Restore::Empty));
        assert_eq!(says(&RULE, &with(run(), "{}")), only(Effect::Warn));
        assert_eq!(says(&RULE, &with(run(), KEEP)), SILENT);
    }

    #[test]
    fn on_ververica_latest_state_needs_it() {
        let edit = |latest| {
            let stage = stage(Dialect::Ververica, change(Reach::Applied));
            stage.with(|stage| stage.content.restores_latest_state = latest)
        };
        assert_eq!(says(&RULE, &with(edit(true), "{}")), only(Effect::Warn));
        assert_eq!(says(&RULE, &with(edit(true), KEEP)), SILENT);
        assert_eq!(says(&RULE, &with(edit(false), DELETE)), SILENT);
    }
}
