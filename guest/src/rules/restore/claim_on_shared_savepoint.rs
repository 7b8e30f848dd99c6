//! A restore that takes over a snapshot which others refer to (DOMAIN 3.5, S2-1): Flink deletes it soon after.

use crate::finding::Report;
use crate::operation::{ClaimMode, Dialect, Kind, Stage};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "claim-on-shared-savepoint",
    title: "CLAIM of a snapshot that others refer to",
    family: "restore",
    why: "With CLAIM Flink owns the snapshot and deletes it once it has a newer checkpoint. A backup, a second job or \
          another savepoint resource that refers to it is left with nothing.",
    source: "REC R7, R25; FLIP-193; S2-1; DOMAIN 3.5",
    looks_at: &[
        (Dialect::Kubernetes, "`execution.state-recovery.claim-mode` with `initialSavepointPath`"),
        (Dialect::FlinkRest, "`claimMode`, `restoreMode`, `execution.state-recovery.claim-mode`"),
    ],
    facts: &["savepoints", "related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let Some(claim) = start.claim.as_ref().filter(|claim| claim.mode == ClaimMode::Claim) else { continue };
        let Some(location) = start.location() else { continue };
        let (place, deletes) = (&claim.place, "CLAIM makes Flink delete this snapshot after its next checkpoints");
        let draft = match references(stage, location) {
            Some(0) => continue,
            Some(more @ 2..) => report.main(place, format!("{deletes}, and {more} others refer to it")),
            Some(_) => report.warn(place, format!("{deletes}, and another refers to it")),
            None => {
                report.unjudged(format!("who else refers to `{location}` (`savepoints`, `referencedBy`)"));
                report.warn(place, format!("{deletes}: fatal to whoever else refers to it"))
            }
        };
        draft
            .observed(words::value(place).unwrap_or_else(|| "CLAIM".to_owned()))
            .expected("NO_CLAIM")
            .remedy("use NO_CLAIM, the default, or claim a copy that is the job's own");
    }
}

/// How many refer to a snapshot; `None`: not known.
fn references(stage: &Stage<'_>, location: &str) -> Option<usize> {
    let known = stage.facts.savepoints.iter().flatten().filter(|savepoint| savepoint.lies_at(location));
    let snapshots = stage.facts.related.iter().filter(|resource| {
        let path = resource.path(&["status", "path"]).or_else(|| resource.path(&["spec", "savepoint", "path"]));
        let is_snapshot = resource.get("kind").is_some_and(|kind| kind.is(Kind::Snapshot.word()));
        is_snapshot && path.and_then(|path| path.scalar()).is_some_and(|path| crate::location::same(&path, location))
    });
    let (mut records, mut named) = (0, None);
    for savepoint in known {
        records += 1;
        named = named.max(savepoint.referenced_by.as_ref().map(Vec::len));
    }
    let records = records.max(snapshots.count());
    // One record is the snapshot's own, and alone tells nothing of others.
    if records > 1 { Some(records.max(named.unwrap_or_default())) } else { named }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Claim, ClaimMode, Dialect, Place, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, at_least, only, says, stage, start_with};

    fn with(mode: ClaimMode, facts: &str) -> Stage<'static> {
        let claim = Some(Claim { mode, place: Place::Target });
        let restore = Restore::Location("s3://b/sp".into());
        stage(Dialect::FlinkRest, start_with(StartCause::Request, restore, |it| it.claim = claim)).with_facts(facts)
    }

    #[test]
    fn what_others_refer_to_must_not_be_claimed() {
        for shared in [
            "savepoints: [{location: 's3://b/sp/', referencedBy: [a, b]}]",
            "savepoints: [{id: a, location: 's3://b/sp'}, {id: b, location: 'S3://b/x/../sp/_metadata'}]",
        ] {
            assert_eq!(says(&RULE, &with(ClaimMode::Claim, shared)), only(Effect::Deny), "{shared}");
            assert_eq!(says(&RULE, &with(ClaimMode::NoClaim, shared)), SILENT, "{shared}");
        }
    }

    #[test]
    fn one_or_nobody_known_is_softer() {
        let says = |facts| says(&RULE, &with(ClaimMode::Claim, facts));
        assert_eq!(says("savepoints: [{location: 's3://b/sp', referencedBy: [a]}]"), only(Effect::Warn));
        assert_eq!(says("savepoints: [{location: 's3://b/sp', referencedBy: []}]"), SILENT);
        for unknown in [
            "{}",
            "savepoints: [{location: 's3://b/sp'}]",
            "savepoints: [{location: 's3://b/other', referencedBy: [a, b]}]",
        ] {
            assert_eq!(says(unknown), at_least(Effect::Warn), "{unknown}");
        }
    }
}
