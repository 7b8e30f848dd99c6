//! A start without state while state is known to exist (S1-7).

use crate::facts::Facts;
use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage, Start, StartCause, Want};
use crate::restore::{self, Choice, Standing};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "start-without-state",
    title: "start that leaves known state behind",
    family: "restore",
    why: "The job comes up empty although state of it exists: what it had counted, joined or deduplicated is \
        gone, and sources start over.",
    source: "S1-7; ALI-DOC start options; FKO user@flink 2023-07",
    looks_at: &[
        (Dialect::Alibaba, "`restoreStrategy.kind: NONE`, and strategies that find nothing"),
        (Dialect::Ververica, "`restoreStrategy.kind: NONE`, and strategies that find nothing"),
        (Dialect::FlinkRest, "a start without `savepointPath`"),
        (Dialect::Kubernetes, "a create without `initialSavepointPath`"),
    ],
    facts: &["savepoints", "deployment.hasState"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        // On Kubernetes a stateless upgrade has its own rule, and so has a resume (resume-inherits-stateless-suspend).
        if stage.platform == Dialect::Kubernetes && start.cause != StartCause::Create {
            continue;
        }
        let empty = match &start.restore {
            Restore::Empty => true,
            Restore::Location(location) => location.trim().is_empty(),
            Restore::LatestState | Restore::LatestSavepoint => finds_nothing(stage, start),
            _ => false,
        };
        if !empty {
            continue;
        }
        let Some(state) = known_state(&stage.facts, owner(stage.platform)) else {
            let known = &stage.facts;
            let told = known.deployment.has_state.is_some() || known.deployment.never_started == Some(true);
            // A batch job keeps no state.
            let batch = known.deployment.execution_mode.as_deref() == Some("BATCH");
            if known.savepoints.is_none() && !told && !batch && stage.platform != Dialect::Kubernetes {
                report.wish(Want::Savepoints, "whether there is state that this start leaves behind");
            }
            continue;
        };
        report
            .main(
                &start.restore_place,
                format!("the job starts empty, although {state}: what it has computed so far is left behind"),
            )
            .observed(state)
            .remedy(remedy(stage));
    }
}

/// A strategy that asks for state, and passes over all there is. Where a missing annotation is the reason, another rule
/// says so (restore-ignores-unversioned-savepoint).
fn finds_nothing(stage: &Stage<'_>, start: &Start<'_>) -> bool {
    let selection = restore::select(stage, start);
    matches!(selection.choice, Choice::Empty)
        && stage.facts.savepoints.is_some()
        && !selection.standings.iter().any(|(_, standing)| *standing == Standing::Unversioned)
}

/// Whose state it is: on Kubernetes a new resource of an old name, over REST a new job.
fn owner(platform: Dialect) -> &'static str {
    match platform {
        Dialect::Kubernetes => "the job that had this name before",
        Dialect::FlinkRest => "an earlier run of the job",
        Dialect::Ververica | Dialect::Alibaba | Dialect::Plan => "this deployment",
    }
}

/// The state that is known to exist, in words.
fn known_state(facts: &Facts<'_>, owner: &str) -> Option<String> {
    let deployment = &facts.deployment;
    // A batch job keeps no state.
    let batch = deployment.execution_mode.as_deref() == Some("BATCH");
    if batch || deployment.never_started == Some(true) || deployment.has_state == Some(false) {
        return None;
    }
    let mut completed =
        facts.savepoints.iter().flatten().filter(|savepoint| savepoint.state.as_deref() == Some("COMPLETED"));
    match (completed.next(), completed.count()) {
        (Some(one), 0) => Some(format!("savepoint `{}` of {owner} exists", one.label())),
        (Some(one), more) => Some(format!("savepoint `{}` and {more} more of {owner} exist", one.label())),
        (None, _) => (deployment.has_state == Some(true)).then(|| format!("{owner} has state")),
    }
}

fn remedy(stage: &Stage<'_>) -> &'static str {
    match stage.platform {
        Dialect::Ververica => {
            "set `spec.restoreStrategy.kind` to LATEST_STATE or LATEST_SAVEPOINT; go on only if it is meant to \
             start over"
        }
        Dialect::Alibaba => {
            "set `restoreStrategy.kind` to LATEST_STATE, LATEST_SAVEPOINT or FROM_SAVEPOINT; go on only if it \
             is meant to start over"
        }
        Dialect::Kubernetes if words::spec(stage) != "spec" => {
            "set `spec.template.spec.job.initialSavepointPath` to it; go on only if the job is meant to start over"
        }
        Dialect::Kubernetes => {
            "set `spec.job.initialSavepointPath` to it; go on only if the job is meant to start over"
        }
        Dialect::FlinkRest | Dialect::Plan => {
            "give its location in `savepointPath`, spelt exactly so; go on only if the job is meant to start over"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, findings, only, says, stage, start};

    const COMPLETED: &str = "savepoints: [{id: a, state: FAILED}, {id: b, state: COMPLETED}]";

    fn empty(platform: Dialect, cause: StartCause, facts: &str) -> crate::operation::Stage<'static> {
        stage(platform, start(cause, Restore::Empty)).with_facts(facts)
    }

    #[test]
    fn known_state_that_is_left_behind_is_told() {
        for platform in [Dialect::Alibaba, Dialect::Ververica, Dialect::FlinkRest] {
            assert_eq!(says(&RULE, &empty(platform, StartCause::Request, COMPLETED)), only(Effect::Warn));
            assert_eq!(
                says(&RULE, &empty(platform, StartCause::Request, "deployment: {hasState: true}")),
                only(Effect::Warn)
            );
            assert_eq!(says(&RULE, &empty(platform, StartCause::Upgrade, COMPLETED)), only(Effect::Warn));
            assert_eq!(says(&RULE, &empty(platform, StartCause::Request, "{}")), SILENT);
        }
        let several = "savepoints: [{id: a, state: COMPLETED}, {id: b, state: COMPLETED}, {id: c, state: COMPLETED}]";
        let finding = findings(&RULE, &empty(Dialect::Alibaba, StartCause::Request, several)).remove(0);
        assert_eq!(finding.observed.as_deref(), Some("savepoint `a` and 2 more of this deployment exist"));
    }

    #[test]
    fn nothing_to_lose_is_no_finding() {
        for facts in [
            "savepoints: []",
            "savepoints: [{id: a, state: STARTED}]",
            "deployment: {neverStarted: true, hasState: true}",
            "deployment: {executionMode: BATCH, hasState: true}",
            "deployment: {hasState: false}
savepoints: [{id: a, state: COMPLETED}]",
        ] {
            assert_eq!(says(&RULE, &empty(Dialect::Alibaba, StartCause::Request, facts)), SILENT, "{facts}");
        }
        let kept = stage(Dialect::Alibaba, start(StartCause::Request, Restore::LatestState)).with_facts(COMPLETED);
        assert_eq!(says(&RULE, &kept), SILENT);
    }

    #[test]
    fn a_strategy_that_finds_nothing_starts_empty_too() {
        let starts = |restore, facts: &str| {
            says(&RULE, &stage(Dialect::Ververica, start(StartCause::Resume, restore)).with_facts(facts))
        };
        let retained = "savepoints: [{id: a, state: COMPLETED, origin: RETAINED_CHECKPOINT}]";
        assert_eq!(starts(Restore::LatestSavepoint, retained), only(Effect::Warn));
        assert_eq!(starts(Restore::LatestState, retained), SILENT);
        assert_eq!(starts(Restore::LatestSavepoint, "deployment: {hasState: true}"), SILENT);
        let unversioned = "savepoints: [{id: a, state: COMPLETED, origin: COPIED, annotations: {}}]";
        assert_eq!(starts(Restore::LatestState, unversioned), SILENT);
    }

    #[test]
    fn on_kubernetes_only_a_create_counts() {
        assert_eq!(says(&RULE, &empty(Dialect::Kubernetes, StartCause::Create, COMPLETED)), only(Effect::Warn));
        assert_eq!(says(&RULE, &empty(Dialect::Kubernetes, StartCause::Resume, COMPLETED)), SILENT);
        let blank = |at: &'static str| {
            let blank = stage(Dialect::Kubernetes, start(StartCause::Create, Restore::Location(at.into())));
            says(&RULE, &blank.with_facts(COMPLETED))
        };
        assert_eq!(blank(" "), only(Effect::Warn));
        assert_eq!(blank("s3://b/sp"), SILENT);
    }
}
