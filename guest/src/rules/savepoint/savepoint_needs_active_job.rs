//! A savepoint can be taken of a running job only (DOMAIN 1.5, 6.12).

use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Stage, Trigger, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-needs-active-job",
    title: "savepoint of a job that does not run",
    family: "savepoint",
    why: "Only a running job can take a savepoint. The request fails, on Flink and Kubernetes after it was \
        accepted, and whoever relies on the savepoint has none.",
    source: "ALI-OLD `No active job for a deployment.`; REC R14; DOMAIN 1.5, 6.12",
    looks_at: &[
        (Dialect::Ververica, "the state of the job"),
        (Dialect::Alibaba, "the state of the job"),
        (Dialect::FlinkRest, "the state of the job"),
        (Dialect::Kubernetes, "the state of the job that a snapshot refers to"),
    ],
    facts: &["job.status", "deployment.statusState"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let kubernetes = stage.platform == Dialect::Kubernetes;
    if kubernetes && !is_snapshot_alone(stage) {
        return;
    }
    for operation in &stage.operations {
        let Action::Trigger(trigger) = &operation.action else { continue };
        let what = what(trigger);
        let Some(state) = &stage.current.state else {
            if stage.facts.seen.no_such_job {
                report
                    .main(&operation.place, format!("the platform knows no such job: no {what} can be taken of it"))
                    .expected("the id of a running job")
                    .remedy("check that this is the job you mean: a restarted job has a new id");
                continue;
            }
            if stage.facts.deployment.never_started == Some(true) {
                let message = format!("the deployment was never started: there is no job to take a {what} of");
                report.main(&operation.place, message).expected("RUNNING").remedy("start it first");
                continue;
            }
            let lacks = match kubernetes {
                true => format!("the state of `{}` (`related`, or `job.status`)", operation.target),
                false => "the state of the job".to_owned(),
            };
            report.lacks(Want::Job, lacks);
            continue;
        };
        if state.is_over() {
            report
                .main(&operation.place, format!("the job is {}: no {what} can be taken of it", state.word()))
                .observed(state.word())
                .expected("RUNNING")
                .remedy(remedy(stage.platform));
        } else if kubernetes && !matches!(state, JobState::Running | JobState::Unknown(_)) {
            report
                .warn(&operation.place, format!("the job is {}: the {what} fails until it runs", state.word()))
                .observed(state.word())
                .expected("RUNNING")
                .remedy("wait until `status.jobStatus.state` is RUNNING, then create the snapshot");
        }
    }
}

/// A FlinkStateSnapshot, not a nonce in an update: whether that is carried out depends on the rest of it (DOMAIN 6.12).
fn is_snapshot_alone(stage: &Stage<'_>) -> bool {
    stage.operations.iter().all(|operation| matches!(operation.action, Action::Trigger(_)))
}

fn what(trigger: &Trigger<'_>) -> &'static str {
    if trigger.checkpoint { "checkpoint" } else { "savepoint" }
}

fn remedy(platform: Dialect) -> &'static str {
    match platform {
        Dialect::Kubernetes => {
            "use the state that the stop kept (`status.jobStatus.upgradeSavepointPath`), or resume the job \
             first; to register an existing snapshot, set `alreadyExists: true`"
        }
        Dialect::Ververica => {
            "use the newest savepoint of the deployment (GET …/savepoints?deploymentId=…), or start it first; \
             to register an existing one, give `spec.savepointLocation`"
        }
        Dialect::Alibaba => "use the newest savepoint of the deployment (ListSavepoints), or start the job first",
        Dialect::FlinkRest | Dialect::Plan => {
            "use the last savepoint or retained checkpoint (GET /jobs/:jobid/checkpoints), or start the job first"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Reach, Stage};
    use crate::rules::testing::{SILENT, change, only, says, stage, trigger, unjudged};

    fn of(platform: Dialect, state: &str) -> Stage<'static> {
        stage(platform, trigger(None)).in_state(state)
    }

    #[test]
    fn a_job_that_is_over_is_refused() {
        for platform in [Dialect::Ververica, Dialect::Alibaba, Dialect::FlinkRest, Dialect::Kubernetes] {
            for state in ["FAILED", "FINISHED", "CANCELED", "CANCELLED", "SUSPENDED"] {
                assert_eq!(says(&RULE, &of(platform, state)), only(Effect::Deny), "{platform:?} {state}");
            }
            assert_eq!(says(&RULE, &of(platform, "RUNNING")), SILENT);
            assert_eq!(says(&RULE, &stage(platform, trigger(None))), unjudged());
        }
    }

    #[test]
    fn kubernetes_warns_of_a_job_that_will_run() {
        for state in ["RESTARTING", "RECONCILING", "INITIALIZING"] {
            assert_eq!(says(&RULE, &of(Dialect::Kubernetes, state)), only(Effect::Warn), "{state}");
            assert_eq!(says(&RULE, &of(Dialect::FlinkRest, state)), SILENT, "{state}");
        }
    }

    #[test]
    fn a_nonce_in_an_update_is_not_a_snapshot() {
        let update = of(Dialect::Kubernetes, "FINISHED").and(change(Reach::Nothing));
        assert_eq!(says(&RULE, &update), SILENT);
    }
}
