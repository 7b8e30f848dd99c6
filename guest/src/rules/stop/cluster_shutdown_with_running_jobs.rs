//! The end of a session cluster is the end of all its jobs (DOMAIN 6.2).

use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Stage, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cluster-shutdown-with-running-jobs",
    title: "session cluster shut down with its jobs",
    family: "stop",
    why: "Shutting a session cluster down ends every job in it at once, without a savepoint.",
    source: "FL ShutdownHeaders; DOMAIN 3.1",
    looks_at: &[(Dialect::FlinkRest, "DELETE `/cluster`")],
    facts: &["job.status"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    const REMEDY: &str = "stop each job with a savepoint first (POST `/jobs/:jobid/stop` with `\"drain\": false`)";
    for operation in stage.operations.iter().filter(|operation| matches!(operation.action, Action::ShutDown)) {
        if let Some(jobs) = &stage.facts.seen.jobs {
            let running: Vec<_> = jobs.iter().filter(|job| !JobState::read(&job.state).is_over()).collect();
            let Some(first) = running.first() else { continue };
            let message =
                format!("this ends every job of the cluster, without savepoints, and {} still run", running.len());
            report
                .main(&operation.place, message)
                .observed(format!("`{}` is {}", first.name, first.state))
                .remedy(REMEDY);
            continue;
        }
        match &stage.current.state {
            Some(state) if state.is_over() => {}
            Some(JobState::Unknown(_)) | None => {
                report.lacks(Want::Jobs, "whether jobs run in the cluster (`job.status`)");
                report.warn(&operation.place, "this ends every job of the cluster, without savepoints").remedy(REMEDY);
            }
            Some(state) => report
                .main(&operation.place, "this ends every job of the cluster, without savepoints, and one still runs")
                .observed(state.word())
                .remedy(REMEDY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::facts::Facts;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, JobState, Operation, Place, Stage, Target};
    use crate::rules::testing::run;

    fn effect(state: Option<JobState>) -> (Option<Effect>, usize) {
        let mut stage = Stage::new(Dialect::FlinkRest, Facts::default());
        stage.current.state = state;
        let operation = Operation { action: Action::ShutDown, target: Target::default(), place: Place::Target };
        stage.operations.push(operation);
        let (findings, unjudged) = run(&RULE, &stage);
        (findings.first().map(|finding| finding.effect), unjudged.len())
    }

    #[test]
    fn a_running_job_denies_an_unknown_one_warns() {
        assert_eq!(effect(Some(JobState::Running)), (Some(Effect::Deny), 0));
        assert_eq!(effect(Some(JobState::Restarting)), (Some(Effect::Deny), 0));
        assert_eq!(effect(None), (Some(Effect::Warn), 1));
        assert_eq!(effect(Some(JobState::Finished)), (None, 0));
    }
}
