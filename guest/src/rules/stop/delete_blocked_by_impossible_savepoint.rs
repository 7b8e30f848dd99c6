//! A delete that is to take a savepoint, of a job that cannot give one (DOMAIN 4.2-8, 6.12).

use crate::configuration::SAVEPOINT_DIRECTORY;
use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Stage, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "delete-blocked-by-impossible-savepoint",
    title: "delete waits for an impossible savepoint",
    family: "stop",
    why: "With `savepoint-on-deletion` a job that is not RUNNING, or has no savepoint directory, keeps its resource in \
          Terminating, and the namespace with it.",
    source: "FLINK-40388; DOMAIN 4.2-8, 6.12",
    looks_at: &[(Dialect::Kubernetes, "deletes with `savepoint-on-deletion`")],
    facts: &["job.status", "platform.flinkConfiguration", "related"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let state = current.state.as_ref();
    if state.is_some_and(JobState::is_over) {
        return;
    }
    for operation in &stage.operations {
        let Action::Delete(deletion) = &operation.action else { continue };
        if deletion.deployed != Some(true) {
            continue;
        }
        if deletion.savepoint_first.is_none() && current.cluster_unknown {
            report.wish(Want::Cluster, "whether the session cluster's configuration asks for a savepoint first");
        }
        if deletion.savepoint_first != Some(true) {
            continue;
        }
        let blank = current.configuration_complete && current.configuration.present(SAVEPOINT_DIRECTORY).is_none();
        let (message, observed, expected) = match state {
            Some(state) if *state != JobState::Running => (
                "a savepoint is to be taken first, but the job is not RUNNING: the delete hangs in Terminating",
                words::state(stage.platform, state),
                "RUNNING",
            ),
            _ if blank => (
                "a savepoint is to be taken first, but there is no savepoint directory: the delete hangs in Terminating",
                "no directory",
                "execution.checkpointing.savepoint-dir",
            ),
            _ => continue,
        };
        report.main(&deletion.place, message).observed(observed).expected(expected).remedy(
            "let the job run with a savepoint directory first; if its state is not needed, set \
             `kubernetes.operator.job.savepoint-on-deletion: \"false\"` (works on a resource in Terminating, too)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Action, Deletion, Dialect, Stage};
    use crate::rules::testing::{SILENT, body, deletion, only, says, stage};

    fn delete(state: &str) -> Stage<'static> {
        let deletion = Deletion { savepoint_first: Some(true), ..deletion() };
        stage(Dialect::Kubernetes, Action::Delete(deletion)).in_state(state)
    }

    #[test]
    fn a_job_that_gives_no_savepoint_is_told() {
        for state in ["RESTARTING", "RECONCILING", "CREATED"] {
            assert_eq!(says(&RULE, &delete(state)), only(Effect::Warn), "{state}");
        }
        let known = |map: &'static str| {
            delete("RUNNING").with(|it| {
                it.current.configuration = Configuration::default();
                it.current.configuration.overlay(body(map));
                it.current.configuration_complete = true;
            })
        };
        assert_eq!(says(&RULE, &known("state.savepoints.dir: ''")), only(Effect::Warn));
        assert_eq!(says(&RULE, &known("state.savepoints.dir: s3://b/sp")), SILENT);
    }

    #[test]
    fn what_can_be_deleted_passes() {
        for state in ["RUNNING", "FAILED", "FINISHED", "SUSPENDED"] {
            assert_eq!(says(&RULE, &delete(state)), SILENT, "{state}");
        }
        assert_eq!(says(&RULE, &delete("RUNNING").with(|it| it.current.state = None)), SILENT);
        let other =
            |deletion| says(&RULE, &stage(Dialect::Kubernetes, Action::Delete(deletion)).in_state("RESTARTING"));
        assert_eq!(other(deletion()), SILENT);
        assert_eq!(other(Deletion { savepoint_first: Some(true), deployed: Some(false), ..deletion() }), SILENT);
    }
}
