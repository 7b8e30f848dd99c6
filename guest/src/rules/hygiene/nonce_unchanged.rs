//! An update that changes nothing, although somebody sent it (DOMAIN 6.8).

use crate::finding::Report;
use crate::operation::{Dialect, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "nonce-unchanged",
    title: "update changes nothing",
    family: "hygiene",
    why: "A restart, redeploy or snapshot is asked for with a nonce that was used before, or the file was only reformatted: \
          nothing happens, and whoever sent it waits.",
    source: "FKO JobSpec (SpecDiff); DOMAIN 4.1",
    looks_at: &[(Dialect::Kubernetes, "updates that leave spec and metadata as they were")],
    facts: &[],
    parameters: &[],
    level: Level::Off,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in stage.operations.iter().filter(|_| stage.repeats) {
        report
            .main(&operation.place, "nothing differs from what is stored, nonces included: the operator does nothing")
            .remedy("to restart, redeploy or take a snapshot, give the nonce a value that it did not have before");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect};
    use crate::rules::testing::{SILENT, only, says, stage};

    #[test]
    fn only_what_repeats_is_told() {
        let update = || stage(Dialect::Kubernetes, Action::Nothing("leave unchanged"));
        assert_eq!(says(&RULE, &update().with(|it| it.repeats = true)), only(Effect::Warn));
        assert_eq!(says(&RULE, &update()), SILENT);
    }
}
