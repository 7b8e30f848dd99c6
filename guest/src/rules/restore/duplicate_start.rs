//! A start of a job that runs already (DOMAIN 6.12).

use crate::configuration::Configuration;
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, JobState, Place, Stage, Start, StartCause, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "duplicate-start",
    title: "second copy of a running job",
    family: "restore",
    why: "Two copies of a job read the same sources and write the same sinks: results come out twice, and transactions \
          of one abort those of the other.",
    source: "DOMAIN 6.12",
    looks_at: &[(Dialect::FlinkRest, "POST `/jars/:jarid/run`")],
    facts: &["job.status"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    // In a plan an earlier step may have stopped it.
    for (operation, start) in stage.starts().filter(|(_, start)| start.cause == StartCause::Request && !stage.in_plan) {
        let (message, observed) = match &stage.current.state {
            Some(state @ (JobState::Running | JobState::Starting | JobState::Restarting)) => {
                ("the job runs already: a second copy would read and write the same", state.word().to_owned())
            }
            Some(_) => continue,
            None => {
                let Some((name, node)) = name(start) else { continue };
                let Some(jobs) = &stage.facts.seen.jobs else {
                    report.wish(Want::Jobs, format!("whether a job `{name}` runs already"));
                    continue;
                };
                if !jobs.iter().any(|job| job.name == name && !JobState::read(&job.state).is_over()) {
                    continue;
                }
                let message = "a job of this name runs already: a second copy would read and write the same";
                report.main(&Place::Body(node), message).observed(name).remedy(REMEDY);
                continue;
            }
        };
        report.main(&operation.place, message).observed(observed).remedy(REMEDY);
    }
}

const REMEDY: &str =
    "stop the running one with a savepoint first, and start from that; go on only if two are meant to run";

/// The name that the request gives the job.
fn name<'d>(start: &Start<'d>) -> Option<(String, Node<'d>)> {
    let mut configuration = Configuration::default();
    configuration.overlay(start.configuration?);
    let entry = configuration.entry(&["pipeline.name"]).filter(|entry| !entry.value.trim().is_empty())?;
    Some((entry.value.clone().into_owned(), entry.node))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::facts::Job;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, stage, start, start_with};

    fn run() -> Stage<'static> {
        stage(Dialect::FlinkRest, start(StartCause::Request, Restore::Empty))
    }

    #[test]
    fn a_job_that_runs_is_not_started_again() {
        for (state, expected) in
            [("RUNNING", only(Effect::Warn)), ("RESTARTING", only(Effect::Warn)), ("FINISHED", SILENT)]
        {
            assert_eq!(says(&RULE, &run().in_state(state)), expected, "{state}");
        }
        assert_eq!(says(&RULE, &run()), SILENT);
        assert_eq!(says(&RULE, &run().in_state("RUNNING").with(|it| it.in_plan = true)), SILENT);
    }

    #[test]
    fn names_are_compared_where_both_are_known() {
        let named = |name: &str, jobs: Option<Vec<Job<'static>>>| {
            let map = body(&format!("{{pipeline.name: {name}}}"));
            let start = start_with(StartCause::Request, Restore::Empty, |it| it.configuration = Some(map));
            says(&RULE, &stage(Dialect::FlinkRest, start).with(|it| it.facts.seen.jobs = jobs))
        };
        let job = |name: &'static str, state: &'static str| Job { name: name.into(), state: state.into() };
        let jobs = || Some(vec![job("orders", "RUNNING"), job("old", "FINISHED")]);
        assert_eq!(named("orders", jobs()), only(Effect::Warn));
        assert_eq!(named("old", jobs()), SILENT);
        assert_eq!(named("other", jobs()), SILENT);
        assert_eq!(named("orders", None), SILENT);
    }
}
