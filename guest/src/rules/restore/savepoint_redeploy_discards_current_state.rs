//! A running job is thrown back to a savepoint that the request names (DOMAIN 4.2-6).

use crate::finding::Report;
use crate::operation::{Dialect, JobState, Restore, Stage, StartCause};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-redeploy-discards-current-state",
    title: "redeploy discards the running job's state",
    family: "restore",
    why: "The job is cancelled without a savepoint and starts from the path given: everything since then is discarded, and no \
          rollback brings it back.",
    source: "DOMAIN 4.2-6",
    looks_at: &[(Dialect::Kubernetes, "a changed `savepointRedeployNonce`")],
    facts: &["job.status"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if stage.current.state != Some(JobState::Running) {
        return;
    }
    for (operation, start) in stage.starts().filter(|(_, start)| start.cause == StartCause::Redeploy) {
        // The operator refuses a redeploy without a path (V40).
        let Restore::Location(path) = &start.restore else { continue };
        if path.trim().is_empty() {
            continue;
        }
        report
            .main(
                &operation.place,
                format!("the running job is cancelled without a savepoint and goes back to `{path}`: what came after is lost"),
            )
            .remedy(format!(
                "to keep a way back, {} first, or create a FlinkStateSnapshot; if the state is bad, go on",
                words::stop_with_savepoint(stage)
            ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start};

    #[test]
    fn only_a_running_job_loses_by_it() {
        let redeploy = |path: &'static str, state: &str| {
            stage(Dialect::Kubernetes, start(StartCause::Redeploy, Restore::Location(path.into()))).in_state(state)
        };
        assert_eq!(says(&RULE, &redeploy("s3://b/sp", "RUNNING")), only(Effect::Warn));
        for state in ["FAILED", "RESTARTING", "SUSPENDED"] {
            assert_eq!(says(&RULE, &redeploy("s3://b/sp", state)), SILENT, "{state}");
        }
        assert_eq!(says(&RULE, &redeploy(" ", "RUNNING")), SILENT);
        let upgrade = stage(Dialect::Kubernetes, start(StartCause::Upgrade, Restore::Stopped));
        assert_eq!(says(&RULE, &upgrade.in_state("RUNNING")), SILENT);
    }
}
