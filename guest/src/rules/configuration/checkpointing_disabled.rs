//! A job that is to keep state, without a checkpoint interval. The job's code may set one, so this ships switched off.

use crate::configuration::CHECKPOINT_INTERVAL;
use crate::finding::Report;
use crate::operation::{Action, Dialect, Restore, Stage, StartCause, UpgradeMode, Verb};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "checkpointing-disabled",
    title: "stateful job without a checkpoint interval",
    family: "configuration",
    why: "Without checkpoints a failure takes the job back to where it started.",
    source: "DOMAIN 3.6, 4.2-13, 6.6",
    looks_at: &[
        (Dialect::Kubernetes, "`execution.checkpointing.interval` with `upgradeMode: savepoint`"),
        (Dialect::Ververica, "`execution.checkpointing.interval` with stateful upgrades"),
        (Dialect::Alibaba, "`execution.checkpointing.interval` in `flinkConf`"),
        (Dialect::FlinkRest, "`execution.checkpointing.interval` of a jar run that restores"),
    ],
    facts: &["platform.flinkConfiguration", "deployment.flinkConfiguration"],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let interval = current.configuration.present(CHECKPOINT_INTERVAL);
    let disabled = match interval {
        Some(value) => is_zero(value),
        None => current.configuration_complete,
    };
    if !disabled || !is_stateful(stage) {
        return;
    }
    let place = stage.place_of(current.configuration.entry(CHECKPOINT_INTERVAL));
    let message = "the job keeps state and has no checkpoint interval: unless its code sets one, a failure takes it back \
                   to where it started";
    report
        .main(&place, message)
        .observed(interval.unwrap_or("none"))
        .expected("execution.checkpointing.interval")
        .remedy("set `execution.checkpointing.interval`, such as `1min`");
}

/// An interval of nothing, in whatever unit, switches checkpoints off.
fn is_zero(value: &str) -> bool {
    let digits = value.trim().trim_end_matches(|c: char| !c.is_ascii_digit());
    !digits.is_empty() && digits.bytes().all(|byte| byte == b'0')
}

/// The request configures a job that keeps state.
fn is_stateful(stage: &Stage<'_>) -> bool {
    let changes = || {
        stage.operations.iter().any(|operation| match &operation.action {
            Action::Change(change) => stage.platform == Dialect::Alibaba || change.stateful == Some(true),
            _ => false,
        })
    };
    match stage.platform {
        // The operator sets an interval for `last-state`.
        Dialect::Kubernetes => {
            let declaration = stage.declaration.as_ref().filter(|declaration| declaration.verb != Verb::Delete);
            let spec = declaration.and_then(|declaration| declaration.new_spec());
            spec.is_some_and(|spec| spec.job().is_some() && spec.upgrade_mode() == UpgradeMode::Savepoint)
        }
        Dialect::Ververica => stage.content.configuration.is_some() && changes(),
        Dialect::Alibaba => {
            let batch = stage.facts.deployment.execution_mode.as_deref() == Some("BATCH");
            stage.content.configuration.is_some() && !batch && changes()
        }
        _ => stage.starts().any(|(_, start)| start.cause == StartCause::Request && start.restore != Restore::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Kind, Restore, StartCause};
    use crate::rules::testing::{SILENT, configured, declared, only, says, stage, start};

    #[test]
    fn a_stateful_job_should_take_checkpoints() {
        let create = |mode: &str| declared(Kind::Deployment, None, Some(&format!("job: {{upgradeMode: {mode}}}")));
        let judge = |mode, map, complete| says(&RULE, &configured(create(mode), map, complete));
        assert_eq!(judge("savepoint", "{}", true), only(Effect::Warn));
        assert_eq!(judge("savepoint", "{}", false), SILENT, "the operator may set one");
        for off in ["0", "0s", "0 ms", "00"] {
            let map = format!("execution.checkpointing.interval: '{off}'");
            assert_eq!(says(&RULE, &configured(create("savepoint"), &map, false)), only(Effect::Warn), "{off}");
        }
        for on in ["10", "10s", "1 min", "PT1M"] {
            let map = format!("execution.checkpointing: {{interval: '{on}'}}");
            assert_eq!(says(&RULE, &configured(create("savepoint"), &map, true)), SILENT, "{on}");
        }
        assert_eq!(judge("last-state", "{}", true), SILENT);
        assert_eq!(judge("stateless", "{}", true), SILENT);
    }

    #[test]
    fn so_in_the_other_dialects() {
        let change = |stateful| Action::Change(Change { content: true, stateful, ..Change::default() });
        let judge = |stage| says(&RULE, &configured(stage, "{}", true));
        assert_eq!(judge(stage(Dialect::Ververica, change(Some(true)))), only(Effect::Warn));
        assert_eq!(judge(stage(Dialect::Ververica, change(Some(false)))), SILENT);
        assert_eq!(judge(stage(Dialect::Alibaba, change(None))), only(Effect::Warn));
        let run = |restore| stage(Dialect::FlinkRest, start(StartCause::Request, restore));
        assert_eq!(judge(run(Restore::Location("s3://b/sp".into()))), only(Effect::Warn));
        assert_eq!(judge(run(Restore::Empty)), SILENT);
    }
}
