//! A field that its platform still reads, but is about to give up (DOMAIN 6.8). Decoders word what they notice over HTTP.

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Place, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "deprecated-field",
    title: "deprecated field",
    family: "hygiene",
    why: "It works today and stops working with an upgrade: then no snapshot is taken, or a mode is not applied, and nobody notices.",
    source: "FKO snapshots page; FLIP-193; DOMAIN 3.5, 6.8",
    looks_at: &[
        (Dialect::Kubernetes, "changed `savepointTriggerNonce` and `checkpointTriggerNonce`"),
        (Dialect::FlinkRest, "`restoreMode`"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::DeprecatedField, stage, report);
    let Some((_, old, new)) = stage.edit() else { return };
    for (name, kind) in [("savepointTriggerNonce", "savepoint"), ("checkpointTriggerNonce", "checkpoint")] {
        let Some(nonce) = new.of_job(name) else { continue };
        if old.job().is_none() || old.of_job(name).is_some_and(|before| before.same(&nonce)) {
            continue;
        }
        let message = format!("`{name}` is deprecated: the operator wants its own resource for a {kind} by hand");
        report.main(&Place::Body(nonce), message).remedy(format!(
            "create a FlinkStateSnapshot with `spec.{kind}` and a `spec.jobReference` to this job instead"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Oddity, OddityKind, Place};
    use crate::rules::testing::{SILENT, findings, only, says, stage, updated};

    #[test]
    fn a_nonce_warns_when_it_changes() {
        let case = |old: &str, new: &str| says(&RULE, &updated(&format!("job: {{{old}}}"), &format!("job: {{{new}}}")));
        assert_eq!(case("", "savepointTriggerNonce: 1"), only(Effect::Warn));
        assert_eq!(case("checkpointTriggerNonce: 1", "checkpointTriggerNonce: 2"), only(Effect::Warn));
        assert_eq!(case("savepointTriggerNonce: 1", "savepointTriggerNonce: 1, parallelism: 2"), SILENT);
        assert_eq!(case("savepointTriggerNonce: 1", ""), SILENT);
        let stage = updated("job: {}", "job: {savepointTriggerNonce: 7}");
        assert!(findings(&RULE, &stage)[0].remedy.contains("`spec.savepoint`"));
    }

    #[test]
    fn what_a_decoder_notices_is_told() {
        let oddity = Oddity::new(OddityKind::DeprecatedField, Place::Target, "old", "use the new one");
        let stage = stage(Dialect::FlinkRest, Action::Unknown).with(|it| it.oddities.push(oddity));
        assert_eq!(says(&RULE, &stage), only(Effect::Warn));
    }
}
