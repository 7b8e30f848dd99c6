//! A session cluster is deleted while session jobs refer to it (DOMAIN 6.2, 6.12).

use super::delete_running_without_savepoint::refuses;
use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Kind, Stage, Verb, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "session-cluster-delete-with-jobs",
    title: "session cluster deleted with its jobs",
    family: "stop",
    why: "The delete hangs until every session job is deleted; where the operator does not wait for them, they end with the \
          cluster, and their state with them.",
    source: "DOMAIN 4.2-7 (`session.deletion.block-on-session-jobs`), 6.12",
    looks_at: &[(Dialect::Kubernetes, "deletes of a FlinkDeployment without a job")],
    facts: &["related", "absent"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref() else { return };
    let cluster = declaration.verb == Verb::Delete && declaration.kind == Kind::Deployment;
    if !cluster || declaration.old_spec().is_none_or(|spec| spec.job().is_some()) {
        return;
    }
    let delete = stage.operations.iter().find(|operation| matches!(operation.action, Action::Delete(_)));
    let Some(operation) = delete else { return };
    let jobs = &stage.current.dependents;
    let lossy = jobs.iter().find(|job| refuses(&job.deletion, job.state.as_ref(), stage, report.settings()));
    let Some(job) = lossy.or(jobs.first()) else {
        if !stage.facts.knows_all(Kind::SessionJob.word(), &operation.target.namespace) {
            report.lacks(Want::Referrers, "the session jobs that refer to this cluster");
        }
        return;
    };
    let name = &job.name;
    let more = match jobs.len() {
        1 => String::new(),
        all => format!(" and {} more", all - 1),
    };
    let draft = match lossy {
        Some(_) => {
            report.wish(Want::Savepoints, "whether a fresh savepoint of each job is there");
            report.main(
                &operation.place,
                format!("session jobs refer to this cluster (`{name}`{more}), and with a delete state would be lost"),
            )
        }
        None => report.warn(
            &operation.place,
            format!("session jobs refer to this cluster (`{name}`{more}): the delete hangs until none is left"),
        ),
    };
    draft
        .observed(job.state.as_ref().map_or("unknown", JobState::word))
        .remedy("delete the session jobs first, each with a savepoint if its state is needed");
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Deletion, Dependent, JobState, Kind, Stage};
    use crate::rules::testing::{SILENT, declared, deletion, only, says, unjudged};

    fn delete(spec: &str, jobs: &[(&str, Option<bool>)]) -> Stage<'static> {
        let dependent = |(state, savepoint_first): &(&str, Option<bool>)| Dependent {
            name: "orders".to_owned().into(),
            state: Some(JobState::read(state)),
            deletion: Deletion { savepoint_first: *savepoint_first, ..deletion() },
        };
        declared(Kind::Deployment, Some(spec), None)
            .and(Action::Delete(deletion()))
            .with(|it| it.current.dependents = jobs.iter().map(dependent).collect())
    }

    #[test]
    fn the_worst_job_decides() {
        let (bare, saved, over) = (("RUNNING", Some(false)), ("RUNNING", Some(true)), ("FAILED", Some(false)));
        assert_eq!(says(&RULE, &delete("image: a", &[saved, bare])), only(Effect::Deny));
        assert_eq!(says(&RULE, &delete("image: a", &[saved, over])), only(Effect::Warn));
        let last = delete("image: a", &[bare]).restart_planned(false);
        assert_eq!(says(&RULE, &last), only(Effect::Warn));
    }

    #[test]
    fn nothing_is_known_or_nothing_is_there() {
        assert_eq!(says(&RULE, &delete("image: a", &[])), unjudged());
        let none = |facts: &str| says(&RULE, &delete("image: a", &[]).with_facts(facts));
        assert_eq!(none("absent: [{kind: FlinkSessionJob}]"), SILENT);
        assert_eq!(none("absent: [{kind: FlinkSessionJob, namespace: prod}]"), SILENT);
        assert_eq!(none("absent: [{kind: FlinkSessionJob, namespace: dev}]"), unjudged());
        assert_eq!(says(&RULE, &delete("job: {}", &[("RUNNING", Some(false))])), SILENT);
    }
}
