//! The claim mode that leaves a snapshot without an owner (DOMAIN 3.5).

use crate::finding::Report;
use crate::operation::{ClaimMode, Dialect, Stage};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "claim-mode-legacy",
    title: "claim mode LEGACY",
    family: "restore",
    why: "With LEGACY later checkpoints may go on using the files of the snapshot: nobody can say when it may be \
          deleted, and whoever deletes it breaks them.",
    source: "FLIP-193, FLINK-34189; REC R20; DOMAIN 3.5",
    looks_at: &[(Dialect::FlinkRest, "`claimMode`, `restoreMode`, `execution.state-recovery.claim-mode`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let Some(claim) = start.claim.as_ref().filter(|claim| claim.mode == ClaimMode::Legacy) else { continue };
        if start.location().is_some() {
            report
                .main(
                    &claim.place,
                    "with LEGACY the snapshot can never be deleted safely, and the mode will be removed",
                )
                .observed(words::value(&claim.place).unwrap_or_else(|| "LEGACY".to_owned()))
                .expected("NO_CLAIM")
                .remedy("use NO_CLAIM: the first checkpoint then no longer needs the snapshot");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Claim, ClaimMode, Dialect, Place, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start_with};

    #[test]
    fn only_a_restore_with_legacy_warns() {
        let of = |mode, restore| {
            let claim = Some(Claim { mode, place: Place::Target });
            stage(Dialect::FlinkRest, start_with(StartCause::Request, restore, |it| it.claim = claim))
        };
        let at = || Restore::Location("s3://b/sp".into());
        assert_eq!(says(&RULE, &of(ClaimMode::Legacy, at())), only(Effect::Warn));
        assert_eq!(says(&RULE, &of(ClaimMode::NoClaim, at())), SILENT);
        assert_eq!(says(&RULE, &of(ClaimMode::Legacy, Restore::Empty)), SILENT);
    }
}
