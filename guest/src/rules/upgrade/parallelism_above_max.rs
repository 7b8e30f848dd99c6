//! A parallelism above the max parallelism (REC R10): the job cannot start with it.

use super::max_parallelism_changed::in_state;
use crate::configuration::MAX_PARALLELISM;
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Action, Dialect, Place, Reach, Stage, Want};
use crate::rules::kept::kept;
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "parallelism-above-max",
    title: "parallelism above the max parallelism",
    family: "upgrade",
    why: "Flink refuses to start a job with more parallelism than the max parallelism of its configuration or state, \
          after the old job was stopped.",
    source: "REC R10; DOMAIN 3.6",
    looks_at: &[
        (Dialect::Kubernetes, "`job.parallelism`"),
        (Dialect::Ververica, "`parallelism` of the template"),
        (Dialect::Alibaba, "hot updates, `basicResourceSetting.parallelism`"),
    ],
    facts: &["deployment.maxParallelism", "savepoints", "deployment.flinkConfiguration", "related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// Flink derives no lower max parallelism (DOMAIN 3.6).
const LOWEST_DERIVED: i64 = 128;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let scaled = || {
        stage.operations.iter().find_map(|operation| match &operation.action {
            // On Kubernetes it may be the number of TaskManagers.
            Action::Rescale(node) if stage.platform == Dialect::Alibaba => *node,
            _ => None,
        })
    };
    let Some(node) = stage.content.parallelism.or_else(scaled) else { return };
    let Some(asked) = number(node) else { return };
    let configuration = &stage.current.configuration;
    let left = stage.current.is_left_to_cluster(configuration, MAX_PARALLELISM, stage.content.configuration);
    if left && asked > 1 {
        report.wish(Want::Cluster, "the max parallelism in the session cluster's configuration");
    }
    let configured = configuration.max_parallelism().filter(|_| !left).map(|(number, _)| number);
    let max = match configured {
        Some(max) => max,
        None if asked <= 1 => return,
        None => {
            let Some(kept) = kept(stage) else { return };
            match in_state(stage, &kept, None) {
                Some(max) => max,
                None => {
                    if asked > LOWEST_DERIVED && old(stage).is_none_or(|old| asked > old) && kept.certain {
                        report
                            .lacks(Want::Checkpoints, "the max parallelism of the state (`deployment.maxParallelism`)");
                    }
                    return;
                }
            }
        }
    };
    if asked <= max {
        return;
    }
    let before = stage.current.before.as_ref();
    let max_before = before.and_then(|before| before.max_parallelism()).map(|(number, _)| number);
    let max_before = max_before.or(stage.facts.deployment.max_parallelism);
    let worse = old(stage).is_none_or(|old| asked > old) || max_before.is_none_or(|before| max < before);
    let message = format!("parallelism {asked} is above the max parallelism {max}: the job cannot start");
    let place = Place::Body(node);
    let draft = if worse && starts(stage) { report.main(&place, message) } else { report.warn(&place, message) };
    let remedy = match configured {
        Some(_) => "lower it; raise `pipeline.max-parallelism` only for a job that starts without state",
        None => "lower it: the max parallelism is part of the state, and only a start without state changes it",
    };
    draft.observed(asked.to_string()).expected(format!("at most {max}")).remedy(remedy);
}

/// The parallelism before an update.
fn old(stage: &Stage<'_>) -> Option<i64> {
    if stage.platform == Dialect::Kubernetes {
        return number(stage.declaration.as_ref()?.old_spec()?.of_job("parallelism")?);
    }
    let stored = stage.stored()?;
    let template = || stored.path(&["streamingResourceSetting", "basicResourceSetting", "parallelism"]);
    number(stored.path(&["spec", "template", "spec", "parallelism"]).or_else(template)?)
}

/// Whether a job starts with it, now or once the one that runs is restarted. A stopped job keeps its state, and can be
/// corrected before it starts.
fn starts(stage: &Stage<'_>) -> bool {
    stage.operations.iter().any(|operation| match &operation.action {
        Action::Start(_) | Action::Rescale(_) => true,
        Action::Change(change) => change.reach != Reach::Nothing,
        _ => false,
    })
}

fn number(node: Node<'_>) -> Option<i64> {
    node.scalar()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach, Stage};
    use crate::rules::testing::{SILENT, body, only, says, stage, unjudged, updated};

    fn set(stage: &mut Stage<'static>, parallelism: &str, configuration: &str) {
        stage.content.parallelism = Some(body(parallelism));
        stage.current.configuration.overlay(body(configuration));
    }

    #[test]
    fn configured_or_stored_it_is_the_limit() {
        let asks = |parallelism: &'static str, configuration: &'static str, facts: &str| {
            let change = Change { content: true, reach: Reach::NextStart, ..Change::default() };
            let stage = stage(Dialect::Ververica, Action::Change(change)).with_facts(facts);
            says(&RULE, &stage.in_state("RUNNING").with(|stage| set(stage, parallelism, configuration)))
        };
        assert_eq!(asks("200", "pipeline.max-parallelism: 128", "{}"), only(Effect::Deny));
        assert_eq!(asks("128", "pipeline.max-parallelism: '128'", "{}"), SILENT);
        let by_default = stage(
            Dialect::Kubernetes,
            Action::Change(Change { content: true, reach: Reach::NextStart, ..Change::default() }),
        )
        .with(|stage| set(stage, "200", "pipeline.max-parallelism: 128"));
        assert_eq!(says(&RULE, &by_default), only(Effect::Deny));
        let of_a_cluster = by_default.with(|stage| stage.current.cluster_unknown = true);
        assert_eq!(says(&RULE, &of_a_cluster), SILENT, "the cluster may say otherwise");
        assert_eq!(asks("200", "{}", "deployment: {maxParallelism: 128}"), only(Effect::Deny));
        assert_eq!(asks("200", "{}", "deployment: {maxParallelism: 256}"), SILENT);
        assert_eq!(asks("200", "{}", "deployment: {maxParallelism: 128, neverStarted: true}"), SILENT);
        assert_eq!(asks("200", "{}", "{}"), SILENT, "what the next start restores is not known");
    }

    #[test]
    fn a_hot_update_is_of_a_running_job() {
        let scale = |to: &'static str| stage(Dialect::Alibaba, Action::Rescale(Some(body(to)))).in_state("RUNNING");
        let fact = "deployment: {maxParallelism: 128}";
        assert_eq!(says(&RULE, &scale("8").with_facts(fact)), SILENT);
        assert_eq!(says(&RULE, &scale("129").with_facts(fact)), only(Effect::Deny));
        assert_eq!(says(&RULE, &scale("'129'").with_facts(fact)), only(Effect::Deny));
        assert_eq!(says(&RULE, &scale("128")), SILENT);
    }

    #[test]
    fn an_old_blemish_is_a_warning() {
        let edit = |from: u32, to: &'static str| {
            let old = format!("job: {{upgradeMode: savepoint, parallelism: {from}}}");
            let change = Change { content: true, reach: Reach::Applied, ..Change::default() };
            updated(&old, &old).and(Action::Change(change)).with_facts("deployment: {maxParallelism: 8}").with(
                |stage| {
                    set(stage, to, "pipeline.max-parallelism: 8");
                },
            )
        };
        assert_eq!(says(&RULE, &edit(4, "9")), only(Effect::Deny));
        assert_eq!(says(&RULE, &edit(16, "12")), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit(16, "17")), only(Effect::Deny));
        assert_eq!(says(&RULE, &edit(16, "8")), SILENT);
    }

    #[test]
    fn what_is_stored_or_starts_nothing_is_a_warning() {
        let of = |reach, stored: &str| {
            let change = Action::Change(Change { content: true, reach, ..Change::default() });
            let facts = format!("deployment: {{maxParallelism: 2}}\nrelated: [{stored}]");
            let stage = stage(Dialect::Ververica, change).with_facts(&facts).in_state("RUNNING");
            says(&RULE, &stage.with(|stage| set(stage, "4", "pipeline.max-parallelism: 2")))
        };
        let with = |parallelism| {
            format!("{{metadata: {{name: orders}}, spec: {{template: {{spec: {{parallelism: {parallelism}}}}}}}}}")
        };
        assert_eq!(of(Reach::Applied, ""), only(Effect::Deny));
        assert_eq!(of(Reach::Applied, &with(3)), only(Effect::Deny));
        assert_eq!(of(Reach::Applied, &with(4)), only(Effect::Warn));
        assert_eq!(of(Reach::Nothing, ""), only(Effect::Warn));
    }

    #[test]
    fn what_may_be_derived_is_no_limit() {
        let job = "job: {upgradeMode: savepoint, parallelism: 4, state: suspended}";
        let change = || Action::Change(Change { content: true, ..Change::default() });
        let edit = |to: &'static str| {
            let stage = updated(job, job).and(change()).in_state("SUSPENDED");
            says(&RULE, &stage.with(|stage| set(stage, to, "{}")))
        };
        assert_eq!(edit("128"), SILENT);
        assert_eq!(edit("129"), unjudged());
    }
}
