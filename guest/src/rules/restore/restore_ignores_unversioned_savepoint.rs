//! A restore passes over savepoints without the annotation of the spec version (S2-8, DOMAIN 1.6).

use crate::facts::Savepoint;
use crate::finding::Report;
use crate::operation::{Dialect, Restore, Stage, Start, Want};
use crate::restore::{Choice, SPEC_VERSION, Selection, Snapshots, Standing, latest, select};
use crate::rules::{Level, Rule, words};

/// How many passed-over savepoints get a note of their own.
const MAX_NOTES: usize = 20;

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-ignores-unversioned-savepoint",
    title: "restore that passes a savepoint over",
    family: "restore",
    why: "Ververica Platform passes savepoints without the annotation of the spec version over in silence: with \
        no other left, the job starts empty and nothing fails.",
    source: "S2-8, S2-4; DOMAIN 1.6",
    looks_at: &[(Dialect::Ververica, "the annotations of every savepoint that a start may choose")],
    facts: &["savepoints", "deployment.restoreStrategy", "deployment.specState", "deployment.statusState"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        match &start.restore {
            Restore::Unknown if stage.facts.savepoints.is_some() => strategy_unknown(stage, start, report),
            _ => judge(stage, start, &select(stage, start), report),
        }
    }
}

fn judge(stage: &Stage<'_>, start: &Start<'_>, selection: &Selection<'_, '_>, report: &mut Report<'_>) {
    if let Choice::Unknown(lacks) = selection.choice {
        report.lacks(words::unknown_choice(start), lacks);
        return;
    }
    let unversioned = unversioned(selection);
    let may_be_unversioned = selection
        .standings
        .iter()
        .any(|(savepoint, standing)| matches!(standing, Standing::MayCount(_)) && savepoint.annotations.is_none());
    match &selection.choice {
        Choice::Empty if !unversioned.is_empty() => deny(stage, start, &unversioned, report),
        Choice::OneOf { or_empty: true, lacks, .. } if may_be_unversioned || !unversioned.is_empty() => {
            notes(stage, start, &unversioned, selection, report);
            report.lacks(Want::Savepoints, lacks.as_str());
        }
        _ => notes(stage, start, &unversioned, selection, report),
    }
}

/// NONE would start empty on purpose; under any other strategy the narrowest one tells whether something is left.
fn strategy_unknown(stage: &Stage<'_>, start: &Start<'_>, report: &mut Report<'_>) {
    let selection = latest(stage, Snapshots::Savepoints);
    let unversioned = unversioned(&selection);
    notes(stage, start, &unversioned, &selection, report);
    let nothing_left = matches!(selection.choice, Choice::Empty | Choice::OneOf { or_empty: true, .. });
    if nothing_left && !unversioned.is_empty() {
        report.lacks(Want::Deployment, "the restore strategy of the deployment");
    }
}

fn unversioned<'s, 'd>(selection: &Selection<'s, 'd>) -> Vec<&'s Savepoint<'d>> {
    let passed = selection
        .standings
        .iter()
        .filter(|(savepoint, standing)| *standing == Standing::Unversioned && savepoint.state.is_some());
    passed.map(|(savepoint, _)| *savepoint).collect()
}

fn deny(stage: &Stage<'_>, start: &Start<'_>, unversioned: &[&Savepoint<'_>], report: &mut Report<'_>) {
    let label = unversioned.first().map_or("", |savepoint| savepoint.label());
    let others = match unversioned.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let message = format!(
        "the job would start empty: no savepoint is left to restore from, since `{label}`{others} without the \
         annotation `{SPEC_VERSION}` is passed over, and nothing fails"
    );
    report
        .main(&start.restore_place, message)
        .observed(format!("`{label}`{others}"))
        .expected(SPEC_VERSION)
        .remedy(remedy(stage));
}

fn notes(
    stage: &Stage<'_>,
    start: &Start<'_>,
    unversioned: &[&Savepoint<'_>],
    selection: &Selection<'_, '_>,
    report: &mut Report<'_>,
) {
    for savepoint in unversioned.iter().take(MAX_NOTES) {
        let instead = match &selection.choice {
            Choice::One(used) => format!("; the job restores from `{}`", used.label()),
            _ => String::new(),
        };
        let message = format!(
            "savepoint `{}` is passed over: it lacks the annotation `{SPEC_VERSION}`{instead}",
            savepoint.label()
        );
        report.note(&start.restore_place, message).observed(format!("`{}`", savepoint.label())).remedy(remedy(stage));
    }
    if let Some(more) = unversioned.len().checked_sub(MAX_NOTES).filter(|more| *more > 0) {
        let message = format!("{more} more savepoints are passed over for the same reason");
        report.note(&start.restore_place, message).remedy(remedy(stage));
    }
}

fn remedy(stage: &Stage<'_>) -> String {
    let value = match stage.facts.deployment.spec_version.as_deref() {
        Some(version) => format!("`{version}`"),
        None => "the value the deployment has".to_owned(),
    };
    format!(
        "register it again (POST …/savepoints) with that annotation set to {value}, then start; to start empty \
         on purpose, set `spec.restoreStrategy.kind: NONE`"
    )
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, Says, at_least, findings, only, says, stage, start, stop, unjudged};

    const VERSION: &str = "annotations: {com.dataartisans.appmanager.controller.deployment.spec.version: '4'}";

    fn starts(restore: Restore<'static>, savepoints: &str) -> Stage<'static> {
        let facts = format!("savepoints: [{}]", savepoints.replace("VERSION", VERSION));
        stage(Dialect::Ververica, start(StartCause::Resume, restore)).with_facts(&facts)
    }

    #[test]
    fn a_job_that_would_start_empty_is_refused() {
        for savepoints in [
            "{id: a, state: COMPLETED, annotations: {}}",
            "{id: a, state: COMPLETED, annotations: {}}, {id: b, state: STARTED, VERSION}",
            "{id: a, state: COMPLETED, annotations: \
             {com.dataartisans.appmanager.controller.deployment.spec.version: ''}}",
        ] {
            assert_eq!(says(&RULE, &starts(Restore::LatestState, savepoints)), only(Effect::Deny), "{savepoints}");
            assert_eq!(says(&RULE, &starts(Restore::LatestSavepoint, savepoints)), only(Effect::Deny), "{savepoints}");
        }
    }

    #[test]
    fn another_candidate_makes_it_a_note() {
        let two = "{id: a, state: COMPLETED, annotations: {}}, {id: b, state: COMPLETED, origin: \
            RETAINED_CHECKPOINT, VERSION}";
        assert_eq!(says(&RULE, &starts(Restore::LatestState, two)), only(Effect::Note));
        assert!(findings(&RULE, &starts(Restore::LatestState, two))[0].message.contains("`b`"));
        // A retained checkpoint is no savepoint.
        assert_eq!(says(&RULE, &starts(Restore::LatestSavepoint, two)), only(Effect::Deny));
    }

    #[test]
    fn what_does_not_count_anyway_is_not_told() {
        for savepoints in ["", "{id: a, state: FAILED, annotations: {}}", "{id: a, state: COMPLETED, VERSION}"] {
            assert_eq!(says(&RULE, &starts(Restore::LatestState, savepoints)), SILENT, "{savepoints}");
        }
        let only_unversioned = "{id: a, state: COMPLETED, annotations: {}}";
        assert_eq!(says(&RULE, &starts(Restore::Empty, only_unversioned)), SILENT);
        let suspended_now =
            starts(Restore::Stopped, only_unversioned).and(stop(StopMode::Savepoint, StopCause::Upgrade));
        assert_eq!(says(&RULE, &suspended_now), SILENT);
        let stateless = starts(Restore::LatestState, only_unversioned).and(stop(StopMode::Cancel, StopCause::Upgrade));
        assert_eq!(says(&RULE, &stateless), only(Effect::Deny));
    }

    #[test]
    fn missing_facts_never_refuse() {
        let unknown = stage(Dialect::Ververica, start(StartCause::Resume, Restore::LatestState));
        assert_eq!(says(&RULE, &unknown), unjudged());
        let new = stage(Dialect::Ververica, start(StartCause::Create, Restore::LatestState));
        assert_eq!(says(&RULE, &new), SILENT);
        assert_eq!(says(&RULE, &starts(Restore::LatestState, "{id: a, state: COMPLETED}")), unjudged());
        let both = "{id: a, state: COMPLETED}, {id: b, state: COMPLETED, annotations: {}}";
        assert_eq!(says(&RULE, &starts(Restore::LatestState, both)), at_least(Effect::Note));
        // What the platform took itself carries the annotation.
        let own = "{id: a, state: COMPLETED, origin: SUSPEND}, {id: b, state: COMPLETED, annotations: {}}";
        assert_eq!(says(&RULE, &starts(Restore::LatestState, own)), only(Effect::Note));
    }

    #[test]
    fn an_unknown_strategy_matters_only_if_nothing_is_left() {
        let alone = "{id: a, state: COMPLETED, annotations: {}}";
        assert_eq!(says(&RULE, &starts(Restore::Unknown, alone)), at_least(Effect::Note));
        let two = "{id: a, state: COMPLETED, annotations: {}}, {id: b, state: COMPLETED, origin: SUSPEND, VERSION}";
        assert_eq!(says(&RULE, &starts(Restore::Unknown, two)), only(Effect::Note));
        let unknown = stage(Dialect::Ververica, start(StartCause::Resume, Restore::Unknown));
        assert_eq!(says(&RULE, &unknown), unjudged());
    }

    #[test]
    fn notes_are_bounded() {
        let many = "{id: a, state: COMPLETED, annotations: {}}, ".repeat(500) + "{id: b, state: COMPLETED, VERSION}";
        let Says { effects, .. } = says(&RULE, &starts(Restore::LatestState, &many));
        assert_eq!(effects, [Effect::Note; 21]);
    }
}
