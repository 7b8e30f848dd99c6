//! A running job is scaled to nothing (DOMAIN 6.12): it is not stopped, it has nowhere to run.

use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Action, Dialect, JobState, Kind, Operation, Place, Resource, Stage, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "scale-to-zero",
    title: "running job scaled to zero",
    family: "upgrade",
    why: "Without TaskManagers the job is not suspended but fails and restarts without end, and no savepoint can be taken of it.",
    source: "DOMAIN 4.1 (scale subresource), 6.12",
    looks_at: &[(Dialect::Kubernetes, "`parallelism`, `taskManager.replicas`, the scale subresource")],
    facts: &["job.status", "related"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    // The scale subresource shows nothing of the job.
    if stage.declaration.is_none() {
        for operation in &stage.operations {
            if let Action::Rescale(replicas) = &operation.action
                && replicas.is_none_or(is_zero)
            {
                by_scale(operation, stage, report);
            }
        }
        return;
    }
    let Some((_, old, new)) = stage.edit() else { return };
    let runs = stage.current.state.as_ref().is_some_and(|state| !state.is_over());
    if !runs || old.job().is_none() || new.job().is_none() {
        return;
    }
    let replicas = |node: Option<Node<'_>>| node.and_then(|manager| manager.get("replicas")).is_some_and(is_zero);
    let (before, after) = (old.get("taskManager"), new.get("taskManager"));
    if replicas(after) && !replicas(before) {
        let node = after.and_then(|manager| manager.get("replicas"));
        tell(stage, &Place::of(node), report);
    }
    // A number of TaskManagers wins over the parallelism.
    let by_replicas = after.is_some_and(|manager| manager.get("replicas").is_some());
    if let Some(parallelism) = new.of_job("parallelism").filter(|node| is_zero(*node))
        && !by_replicas
        && !old.of_job("parallelism").is_some_and(is_zero)
    {
        tell(stage, &Place::Body(parallelism), report);
    }
}

fn by_scale(operation: &Operation<'_>, stage: &Stage<'_>, report: &mut Report<'_>) {
    let (current, target) = (&stage.current, &operation.target);
    let resource = stage.facts.related(Kind::Deployment.word(), &target.namespace, &target.name).map(Resource::at);
    let session = resource.is_some_and(|resource| resource.spec(Kind::Deployment).job().is_none());
    if session || current.state.as_ref().is_some_and(JobState::is_over) {
        return;
    }
    if current.state.is_none() {
        report.lacks(Want::Job, "whether the job runs (`job.status`)");
    }
    if current.perhaps_unchanged {
        report.lacks(Want::Deployment, "whether `spec.taskManager.replicas` is zero already (`related`)");
    }
    tell(stage, &operation.place, report);
}

fn is_zero(node: Node<'_>) -> bool {
    node.integer() == Some(0)
}

fn tell(stage: &Stage<'_>, place: &Place<'_>, report: &mut Report<'_>) {
    let next = words::stop_with_savepoint(stage);
    let message = "at zero the job has nowhere to run: it is not suspended, but fails again and again";
    let draft = match (stage.current.perhaps_unchanged, &stage.current.state) {
        (true, _) => report.warn(place, format!("unless `spec.taskManager.replicas` is zero already: {message}")),
        (false, None) => report.warn(place, format!("if it runs: {message}")),
        (false, Some(_)) => report.main(place, message),
    };
    draft.observed("0").expected("1 or more").remedy(format!("to stop the job for a while, {next}"));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect};
    use crate::rules::testing::{SILENT, body, findings, only, says, stage, updated};

    #[test]
    fn a_running_job_is_not_scaled_to_nothing() {
        let case = |old: &str, new: &str, state: &str| says(&RULE, &updated(old, new).in_state(state));
        for (old, new) in [
            ("job: {parallelism: 2}", "job: {parallelism: 0}"),
            ("job: {parallelism: 2}", "job: {parallelism: 2}\ntaskManager: {replicas: 0}"),
            ("job: {}\ntaskManager: {replicas: 3}", "job: {}\ntaskManager: {replicas: 0}"),
        ] {
            assert_eq!(case(old, new, "RUNNING"), only(Effect::Warn), "{new}");
            assert_eq!(case(old, new, "SUSPENDED"), SILENT, "{new}");
            assert_eq!(case(new, old, "RUNNING"), SILENT, "{new}");
            assert_eq!(case(new, &format!("image: b\n{new}"), "RUNNING"), SILENT, "{new}");
        }
        let by_replicas = "job: {parallelism: 0}\ntaskManager: {replicas: 2}";
        assert_eq!(case("job: {parallelism: 4}", by_replicas, "RUNNING"), SILENT);
        assert_eq!(case("image: a", "taskManager: {replicas: 0}", "RUNNING"), SILENT);
    }

    #[test]
    fn the_scale_subresource_counts_too() {
        let scale = |replicas: &str| stage(Dialect::Kubernetes, Action::Rescale(Some(body(replicas))));
        assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, Action::Rescale(None))), only(Effect::Warn), "left out");
        assert_eq!(says(&RULE, &scale("0")), only(Effect::Warn));
        assert_eq!(says(&RULE, &scale("0").in_state("FINISHED")), SILENT);
        assert_eq!(says(&RULE, &scale("1")), SILENT);
        let job = "related: [{kind: FlinkDeployment, metadata: {name: orders, namespace: prod}, spec: {job: {}}}]";
        assert_eq!(says(&RULE, &scale("0").with_facts(job)), only(Effect::Warn));
        assert_eq!(says(&RULE, &scale("0").with_facts(&job.replace("job: {}", ""))), SILENT, "a session cluster");
        let unclear = stage(Dialect::Kubernetes, Action::Rescale(None)).in_state("RUNNING");
        let unclear = unclear.with(|it| it.current.perhaps_unchanged = true);
        assert!(findings(&RULE, &unclear)[0].message.starts_with("unless"));
    }
}
