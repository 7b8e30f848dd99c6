//! A new job that writes checkpoints but is set up to lose them with every change (DOMAIN 6.12).

use crate::configuration::{CHECKPOINT_DIRECTORY, CHECKPOINT_INTERVAL, Configuration};
use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage, UpgradeMode, Verb};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "stateless-mode-with-checkpointing",
    title: "stateless mode although checkpoints are written",
    family: "restore",
    why: "`upgradeMode` defaults to `stateless`: the job has state, and every later change starts it empty.",
    source: "FKO JobSpec; FLINK-41157; DOMAIN 4.1, 6.12",
    looks_at: &[(
        Dialect::Kubernetes,
        "`upgradeMode` of a create, checkpoint directory and interval, high availability",
    )],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref().filter(|it| it.verb == Verb::Create && it.kind.runs_job())
    else {
        return;
    };
    let Some(spec) = declaration.new_spec() else { return };
    let Some(job) = spec.job().filter(|job| job.is_object() && spec.upgrade_mode() == UpgradeMode::Stateless) else {
        return;
    };
    // What the operator sets for every job says nothing of this one.
    let Some(settings) = spec.get("flinkConfiguration") else { return };
    let mut own = Configuration::default();
    own.overlay(settings);
    let sign = if own.present(CHECKPOINT_DIRECTORY).is_some() {
        "a checkpoint directory"
    } else if own.present(CHECKPOINT_INTERVAL).is_some() {
        "a checkpoint interval"
    } else if own.is_highly_available() == Some(true) {
        "high availability"
    } else {
        return;
    };
    let path = words::spec(stage);
    let mode = spec.of_job("upgradeMode");
    let given = if mode.is_some() { "`upgradeMode: stateless`" } else { "no `upgradeMode`, which means `stateless`" };
    report
        .main(
            &Place::Body(mode.unwrap_or(job)),
            format!("the job is set up with {sign}, but has {given}: every later change starts it empty"),
        )
        .expected("savepoint, last-state")
        .remedy(format!("set `{path}.job.upgradeMode: savepoint` or `last-state`, unless its state never matters"));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::Kind;
    use crate::rules::testing::{SILENT, declared, findings, only, says, updated};

    #[test]
    fn state_that_will_be_lost_is_told() {
        for kind in [Kind::Deployment, Kind::SessionJob, Kind::BlueGreen] {
            for settings in [
                "state.checkpoints.dir: s3://b/cp",
                "execution.checkpointing.interval: 30s",
                "high-availability: kubernetes",
            ] {
                let create = |job: &str| {
                    declared(kind, None, Some(&format!("flinkConfiguration: {{{settings}}}\njob: {{{job}}}")))
                };
                assert_eq!(says(&RULE, &create("upgradeMode: stateless")), only(Effect::Warn), "{settings}");
                assert!(findings(&RULE, &create(""))[0].message.contains("no `upgradeMode`"));
                assert_eq!(says(&RULE, &create("upgradeMode: savepoint")), SILENT);
            }
        }
    }

    #[test]
    fn a_job_without_state_and_a_session_cluster_are_fine() {
        let create = |spec: &str| says(&RULE, &declared(Kind::Deployment, None, Some(spec)));
        assert_eq!(create("flinkConfiguration: {taskmanager.numberOfTaskSlots: 2}\njob: {parallelism: 1}"), SILENT);
        assert_eq!(create("flinkConfiguration: {high-availability.type: NONE}\njob: {parallelism: 1}"), SILENT);
        assert_eq!(create("flinkConfiguration: {high-availability.type: kubernetes}"), SILENT);
        let spec = "flinkConfiguration: {execution.checkpointing.interval: 30s}\njob: {parallelism: 1}";
        assert_eq!(says(&RULE, &updated("job: {parallelism: 1}", spec)), SILENT);
    }
}
