//! A max parallelism that is not the one in the state (REC R9, FLINK-27327): it is fixed when a job first starts.

use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage, Want};
use crate::rules::kept::{Kept, kept};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "max-parallelism-changed",
    title: "max parallelism differs from the state's",
    family: "upgrade",
    why: "The max parallelism is part of the state: with another one Flink refuses the restore, after the old job was \
          stopped.",
    source: "REC R9; FLINK-27327; DOMAIN 3.6, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "`pipeline.max-parallelism` of updates that keep state"),
        (Dialect::Ververica, "`pipeline.max-parallelism` of templates and starts"),
        (Dialect::FlinkRest, "`pipeline.max-parallelism` of a jar run that restores"),
    ],
    facts: &["deployment.maxParallelism", "savepoints", "deployment.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    let asked = current.configuration.max_parallelism();
    let before = current.before.as_ref().and_then(|before| before.max_parallelism()).map(|(number, _)| number);
    if asked.is_none() && before.is_none() {
        return;
    }
    let settings = stage.content.configuration;
    let given = asked.is_some_and(|(_, entry)| stage.gives(entry));
    // A job's own start brings all it says with it; an update only what is new.
    let brought_in = match stage.platform {
        Dialect::FlinkRest => given,
        _ => asked.map(|(number, _)| number) != before && (current.before.is_some() || given),
    };
    let Some(kept) = kept(stage) else { return };
    let settings = || Place::of(settings);
    let Some((number, entry)) = asked else {
        if kept.named.is_none() {
            let message = "`pipeline.max-parallelism` is taken away: Flink derives another one where the job's code sets \
                           none, and the state keeps its own";
            report
                .warn(&settings(), message)
                .observed("none")
                .expected(before.unwrap_or_default().to_string())
                .remedy("leave it as it was");
        }
        return;
    };
    let place = if given { Place::Body(entry.node) } else { settings() };
    let before = before.filter(|_| kept.named.is_none() || stage.platform == Dialect::FlinkRest);
    match in_state(stage, &kept, before) {
        Some(state) if state == number => {}
        Some(state) => {
            let message =
                format!("the state has max parallelism {state}, not {number}: the restore from it is refused");
            let draft = match brought_in && kept.certain {
                true => report.main(&place, message),
                false if brought_in => {
                    report.lacks(Want::Savepoints, "whether there is state that the next start restores");
                    report.warn(&place, message)
                }
                false => report.warn(&place, message),
            };
            draft.observed(number.to_string()).expected(state.to_string()).remedy(format!(
                "set `pipeline.max-parallelism: {state}`, or leave it out; to change it, start without state"
            ));
        }
        // A new resource changes nothing.
        None if !brought_in || stage.declaration.as_ref().is_some_and(|it| it.old.is_none()) => {}
        None => {
            let want = match (kept.named, stage.platform) {
                (Some(location), _) => Want::Location(location.to_owned()),
                (None, Dialect::Ververica) => Want::Deployment,
                (None, _) => Want::Checkpoints,
            };
            report.lacks(want, "the max parallelism of the state (`deployment.maxParallelism`)");
            let message = format!("unless the state has max parallelism {number}, the restore from it is refused");
            let draft = report.warn(&place, message).observed(number.to_string());
            draft.remedy("set it to that of the state, or leave it out; to change it, start without state");
        }
    }
}

/// The max parallelism of the state that is restored, as far as it is known. `before`: what was configured.
pub(super) fn in_state(stage: &Stage<'_>, kept: &Kept<'_, '_>, before: Option<i64>) -> Option<i64> {
    let own = kept.savepoint.and_then(|savepoint| savepoint.max_parallelism);
    own.or(stage.facts.deployment.max_parallelism).or(before).or_else(|| {
        let mut known = stage.facts.savepoints.iter().flatten().filter_map(|savepoint| savepoint.max_parallelism);
        let first = known.next().filter(|_| kept.named.is_none())?;
        known.all(|other| other == first).then_some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Reach, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, only, says, stage, start, stop};

    /// An upgrade of a running job from one configuration to another.
    fn upgrade(mode: StopMode, before: &str, after: &str) -> Stage<'static> {
        let restore = if mode == StopMode::Cancel { Restore::Empty } else { Restore::Stopped };
        let change = Change { content: true, reach: Reach::Applied, ..Change::default() };
        stage(Dialect::Kubernetes, Action::Change(change))
            .and(stop(mode, StopCause::Upgrade))
            .and(start(StartCause::Upgrade, restore))
            .in_state("RUNNING")
            .with(|stage| configure(stage, Some(before), after))
    }

    fn configure(stage: &mut Stage<'static>, before: Option<&str>, after: &str) {
        let after = body(after);
        stage.content.configuration = Some(after);
        stage.current.configuration.overlay(after);
        stage.current.before = before.map(|map| {
            let mut before = Configuration::default();
            before.overlay(body(map));
            before
        });
    }

    #[test]
    fn another_value_than_the_state_s_is_refused() {
        let fact = "deployment: {maxParallelism: 128}";
        let to = |after: &str| upgrade(StopMode::Savepoint, "{}", after).with_facts(fact);
        assert_eq!(says(&RULE, &to("pipeline.max-parallelism: 64")), only(Effect::Deny));
        assert_eq!(says(&RULE, &to("pipeline: {max-parallelism: '64'}")), only(Effect::Deny));
        for same in ["pipeline.max-parallelism: 128", "pipeline.max-parallelism: '128'", "pipeline.max-parallelism: -1"]
        {
            assert_eq!(says(&RULE, &to(same)), SILENT, "{same}");
        }
        let stateless = upgrade(StopMode::Cancel, "{}", "pipeline.max-parallelism: 64").with_facts(fact);
        assert_eq!(says(&RULE, &stateless), SILENT);
        let fresh = "deployment: {maxParallelism: 128, neverStarted: true}";
        assert_eq!(says(&RULE, &to("pipeline.max-parallelism: 64").with_facts(fresh)), SILENT);
    }

    #[test]
    fn without_a_fact_the_old_configuration_tells() {
        let set = |before: &str, after: &str| says(&RULE, &upgrade(StopMode::LastState, before, after));
        let (old, new) = ("pipeline.max-parallelism: 128", "pipeline.max-parallelism: 64");
        assert_eq!(set(old, new), only(Effect::Deny));
        assert_eq!(set(old, "pipeline: {max-parallelism: '128'}"), SILENT);
        assert_eq!(set(old, "{}"), only(Effect::Warn), "taken away");
        assert_eq!(set("{}", new), at_least(Effect::Warn), "not known");
        let kept = upgrade(StopMode::LastState, new, new).with_facts("deployment: {maxParallelism: 128}");
        assert_eq!(says(&RULE, &kept), only(Effect::Warn), "an old blemish");
    }

    #[test]
    fn a_jar_run_is_compared_with_its_savepoint() {
        let run = |restore| {
            stage(Dialect::FlinkRest, start(StartCause::Request, restore))
                .with(|stage| configure(stage, None, "pipeline.max-parallelism: '4'"))
        };
        let from = || run(Restore::Location("s3://b/sp".into()));
        let facts = "savepoints: [{location: s3://b/sp, maxParallelism: 128}]";
        assert_eq!(says(&RULE, &from().with_facts(facts)), only(Effect::Deny));
        assert_eq!(says(&RULE, &from().with_facts(&facts.replace("128", "4"))), SILENT);
        assert_eq!(says(&RULE, &from()), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &run(Restore::Empty).with_facts(facts)), SILENT);
    }

    #[test]
    fn whether_state_is_there_may_be_unknown() {
        let starts = stage(Dialect::Ververica, start(StartCause::Resume, Restore::LatestState))
            .with(|stage| configure(stage, Some("pipeline.max-parallelism: 128"), "pipeline.max-parallelism: 64"));
        assert_eq!(says(&RULE, &starts), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &starts.with_facts("savepoints: []")), SILENT);
    }
}
