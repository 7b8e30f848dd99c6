//! The flag that lets state be dropped, where the operator restores through the metadata of high availability and never
//! reads it (DOMAIN 6.12).

use crate::configuration::LAST_STATE_CANCEL;
use crate::finding::Report;
use crate::operation::{Desired, Dialect, Kind, Place, Restore, Spec, Stage, StartCause, StopMode, UpgradeMode, Verb};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "allow-non-restored-state-no-effect",
    title: "allowNonRestoredState without effect",
    family: "restore",
    why: "A last-state restore goes by the metadata of high availability and ignores the flag: after an operator was removed \
          from the job it cannot start, although the flag promises it.",
    source: "FLINK-30638, FLINK-39513; DOMAIN 6.12",
    looks_at: &[(Dialect::Kubernetes, "`allowNonRestoredState` with `upgradeMode: last-state`")],
    facts: &["platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if !applies(stage) {
        return;
    }
    let spec = stage.declaration.as_ref().and_then(|declaration| declaration.new_spec());
    let flag = spec.and_then(|spec| spec.of_job("allowNonRestoredState").or(spec.node));
    report
        .main(
            &Place::of(flag),
            "with `upgradeMode: last-state` the job comes back through the metadata of high availability, which ignores \
             this flag: if an operator with state is gone, the job does not start",
        )
        .remedy(
            "to drop state on purpose, change the job with `upgradeMode: savepoint`; otherwise take the flag out",
        );
}

/// Whether the flag is set in vain: then `allow-non-restored-state` has nothing to say.
pub(in crate::rules) fn applies(stage: &Stage<'_>) -> bool {
    let Some(declaration) = &stage.declaration else { return false };
    let Some(new) = declaration.new_spec().filter(|_| declaration.kind == Kind::Deployment) else { return false };
    let is_set = |spec: &Spec<'_>| spec.of_job("allowNonRestoredState").and_then(|flag| flag.bool()) == Some(true);
    let set = is_set(&new) || stage.starts().any(|(_, start)| start.allow_non_restored_state == Some(true));
    if !set
        || new.upgrade_mode() != UpgradeMode::LastState
        || stage.current.is_highly_available() != Some(true)
        || stage.current.configuration.is_on(LAST_STATE_CANCEL) == Some(true)
    {
        return false;
    }
    let mut starts = stage.starts().peekable();
    if starts.peek().is_none() {
        // Nothing starts now: the flag is told when it comes in.
        let kept =
            declaration.old_spec().is_some_and(|old| is_set(&old) && old.upgrade_mode() == UpgradeMode::LastState);
        return !kept && (declaration.verb == Verb::Create || stage.edit().is_some());
    }
    starts.all(|(_, start)| match (start.cause, &start.restore) {
        (StartCause::Create, Restore::Empty) => true,
        (StartCause::Upgrade, Restore::Stopped) => stage.stops().all(|(_, stop)| stop.mode == StopMode::LastState),
        (StartCause::Resume, Restore::Stopped) => declaration
            .last
            .is_some_and(|last| last.desired() == Desired::Suspended && last.upgrade_mode() == UpgradeMode::LastState),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Kind, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, declared, only, says, start, stop};

    const JOB: &str = "job: {upgradeMode: last-state, allowNonRestoredState: true}";

    fn with(stage: Stage<'static>, configuration: &str) -> Stage<'static> {
        let configuration = body(&format!("a: b\n{configuration}"));
        stage.with(|it| {
            it.current.configuration = Configuration::default();
            it.current.configuration.overlay(configuration);
        })
    }

    fn upgrade(kind: Kind, job: &str, mode: StopMode) -> Stage<'static> {
        let stage = declared(kind, Some(&format!("image: a\n{job}")), Some(&format!("image: b\n{job}")))
            .and(stop(mode, StopCause::Upgrade))
            .and(start(StartCause::Upgrade, Restore::Stopped));
        with(stage, "high-availability.type: kubernetes")
    }

    #[test]
    fn the_flag_is_vain_where_metadata_decides() {
        assert_eq!(says(&RULE, &upgrade(Kind::Deployment, JOB, StopMode::LastState)), only(Effect::Warn));
        let create = |restore: Restore<'static>| {
            let stage = declared(Kind::Deployment, None, Some(JOB)).and(start(StartCause::Create, restore));
            with(stage, "high-availability.type: kubernetes")
        };
        assert_eq!(says(&RULE, &create(Restore::Empty)), only(Effect::Warn));
        assert_eq!(says(&RULE, &create(Restore::Location("s3://b/sp".into()))), SILENT);
        let edit =
            |old: &str| with(declared(Kind::Deployment, Some(old), Some(JOB)), "high-availability.type: kubernetes");
        assert_eq!(says(&RULE, &edit("job: {upgradeMode: last-state}")), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit(JOB)), SILENT);
    }

    #[test]
    fn elsewhere_it_works() {
        assert_eq!(says(&RULE, &upgrade(Kind::Deployment, JOB, StopMode::Savepoint)), SILENT);
        assert_eq!(says(&RULE, &upgrade(Kind::SessionJob, JOB, StopMode::LastState)), SILENT);
        let savepoint = JOB.replace("last-state", "savepoint");
        assert_eq!(says(&RULE, &upgrade(Kind::Deployment, &savepoint, StopMode::LastState)), SILENT);
        let off = JOB.replace("true", "false");
        assert_eq!(says(&RULE, &upgrade(Kind::Deployment, &off, StopMode::LastState)), SILENT);
        let cancel =
            "high-availability.type: kubernetes\nkubernetes.operator.job.upgrade.last-state.job-cancel.enabled: true";
        for configuration in [cancel, "high-availability.type: NONE", "c: d"] {
            let stage = with(upgrade(Kind::Deployment, JOB, StopMode::LastState), configuration);
            assert_eq!(says(&RULE, &stage), SILENT, "{configuration}");
        }
    }
}
