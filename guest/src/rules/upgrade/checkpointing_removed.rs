//! A stateful job loses its checkpoints by an edit (DOMAIN 6.12).

use crate::configuration::{CHECKPOINT_DIRECTORY, CHECKPOINT_INTERVAL, Configuration, Key};
use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage, UpgradeMode};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "checkpointing-removed",
    title: "checkpointing removed from a stateful job",
    family: "upgrade",
    why: "Without checkpoints every failure throws the job back to its last savepoint, or to nothing; without a directory \
          they lie in the memory of a pod.",
    source: "DOMAIN 3.6, 4.2-13, 6.12",
    looks_at: &[(Dialect::Kubernetes, "a checkpoint interval or directory that is removed")],
    facts: &["platform.flinkConfiguration", "related"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((_, _, new)) = stage.edit() else { return };
    let current = &stage.current;
    let stateful = current.stateful == Some(true) || new.keeps_state() == Some(true);
    if !stateful || new.job().is_none() || current.deployed == Some(false) {
        return;
    }
    let Some(before) = &current.before else { return };
    for (key, what) in [(CHECKPOINT_INTERVAL, "interval"), (CHECKPOINT_DIRECTORY, "directory")] {
        if !is_set(before, key) || is_set(&current.configuration, key) {
            continue;
        }
        let effect = match (what, new.upgrade_mode()) {
            ("directory", _) => "checkpoints are then kept where no restart finds them",
            (_, UpgradeMode::LastState) => "the operator then sets 5 minutes, and a failure repeats that much",
            _ => "the job then takes none, and a failure throws it back to its last savepoint",
        };
        let unless = match current.configuration_complete {
            true => "",
            false => " (unless the operator's defaults bring one)",
        };
        let place = Place::of(new.get("flinkConfiguration").or(new.node));
        let name = key.first().copied().unwrap_or_default();
        report
            .main(&place, format!("the checkpoint {what} of a stateful job is removed{unless}: {effect}"))
            .expected(before.get(key).unwrap_or_default())
            .remedy(format!("keep `{name}`"));
    }
}

/// An interval of nothing is none.
fn is_set(configuration: &Configuration<'_>, key: Key) -> bool {
    configuration
        .present(key)
        .is_some_and(|value| key != CHECKPOINT_INTERVAL || value.contains(|c| ('1'..='9').contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::Stage;
    use crate::rules::testing::{SILENT, body, findings, only, says, updated};

    fn edit(mode: &str, old: &str, new: &str) -> Stage<'static> {
        let job = format!("job: {{upgradeMode: {mode}}}");
        let layer = |text: &str| {
            let mut configuration = Configuration::default();
            configuration.overlay(body(&format!("a: b\n{text}")));
            configuration
        };
        updated(&job, &job).with(|it| {
            it.current.before = Some(layer(old));
            it.current.configuration = layer(new);
            it.current.configuration_complete = true;
        })
    }

    const INTERVAL: &str = "execution.checkpointing.interval: 30s";
    const DIRECTORY: &str = "state.checkpoints.dir: s3://b/cp";

    #[test]
    fn what_is_taken_away_is_told() {
        assert_eq!(says(&RULE, &edit("savepoint", INTERVAL, "")), only(Effect::Warn));
        assert_eq!(
            says(&RULE, &edit("savepoint", INTERVAL, "execution.checkpointing.interval: 0")),
            only(Effect::Warn)
        );
        assert_eq!(says(&RULE, &edit("savepoint", DIRECTORY, "state.checkpoints.dir: ''")), only(Effect::Warn));
        let both = edit("last-state", &format!("{INTERVAL}\n{DIRECTORY}"), "");
        assert_eq!(says(&RULE, &both).effects, [Effect::Warn, Effect::Warn]);
        assert!(findings(&RULE, &both)[0].message.contains("5 minutes"));
        let known = edit("stateless", INTERVAL, "").with(|it| it.current.stateful = Some(true));
        assert_eq!(says(&RULE, &known), only(Effect::Warn));
    }

    #[test]
    fn what_stays_or_moves_is_not() {
        assert_eq!(says(&RULE, &edit("savepoint", INTERVAL, "execution.checkpointing.interval: 5 min")), SILENT);
        assert_eq!(says(&RULE, &edit("savepoint", DIRECTORY, "execution.checkpointing.dir: s3://b/cp")), SILENT);
        assert_eq!(says(&RULE, &edit("savepoint", "", "")), SILENT);
        assert_eq!(says(&RULE, &edit("stateless", INTERVAL, "")), SILENT);
        let never = edit("savepoint", INTERVAL, "").with(|it| it.current.deployed = Some(false));
        assert_eq!(says(&RULE, &never), SILENT);
    }
}
