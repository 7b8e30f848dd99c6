//! A restore that is asked for among the configuration, where checks of the named fields do not look (DOMAIN 3.3).

use crate::configuration::{Configuration, Entry};
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, Place, Stage, Verb};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-hidden-in-config",
    title: "restore hidden in the configuration",
    family: "restore",
    why: "These keys decide what a job restores from just as the fields do. Who reads the request, or checks its \
          fields, does not see it; and in a stored configuration every later start restores from there again.",
    source: "REC R19; DOMAIN 3.3, 6.4",
    looks_at: &[
        (Dialect::Kubernetes, "`execution.state-recovery.*` in `flinkConfiguration`"),
        (Dialect::FlinkRest, "`execution.state-recovery.*` in `flinkConfiguration`"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

/// So many keys are enough for one verdict.
const MOST: usize = 20;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        if let Some(map) = start.configuration {
            look(map, None, "`savepointPath`, `claimMode` and `allowNonRestoredState`", report);
        }
    }
    let Some(declaration) = stage.declaration.filter(|it| it.verb != Verb::Delete) else { return };
    // The resource's own keys are among these, and usually none of them is one of recovery.
    if stage.current.configuration.entries().iter().any(|entry| is_recovery(&entry.key))
        && let Some(map) = declaration.new_spec().and_then(|spec| spec.get("flinkConfiguration"))
    {
        let before = declaration.old_spec().and_then(|spec| spec.get("flinkConfiguration"));
        look(map, before, "`job.initialSavepointPath` and `job.allowNonRestoredState`", report);
    }
}

/// Reports such keys; softer if they stood there before (DOMAIN 6.0-4).
fn look(map: Node<'_>, before: Option<Node<'_>>, fields: &str, report: &mut Report<'_>) {
    let (mut configuration, mut stored) = (Configuration::default(), Configuration::default());
    configuration.overlay(map);
    before.into_iter().for_each(|map| stored.overlay(map));
    let stored = stored.places();
    let is_old = |entry: &Entry<'_>| stored.last(&entry.key).is_some_and(|stood| stood.value == entry.value);
    // What this request brings in first.
    let hidden =
        |old: bool| configuration.entries().iter().filter(move |entry| is_recovery(&entry.key) && is_old(entry) == old);
    for entry in hidden(false).chain(hidden(true)).take(MOST) {
        let place = Place::Body(entry.node);
        let message = format!("`{}` decides what the job restores, beside the fields that are made for it", entry.key);
        let draft = match is_old(entry) {
            true => report.warn(&place, message),
            false => report.main(&place, message),
        };
        draft.observed(entry.value.as_ref()).remedy(format!("say it with {fields}, and take the key out"));
    }
}

fn is_recovery(key: &str) -> bool {
    let rest = key.strip_prefix("execution.").unwrap_or_default();
    rest.starts_with("state-recovery.") || rest.starts_with("savepoint.") || rest == "savepoint-restore-mode"
}

#[cfg(test)]
mod tests {
    use super::{MOST, RULE, is_recovery};
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, stage, start_with};

    #[test]
    fn keys_of_recovery_are_told_by_their_name() {
        for key in ["execution.state-recovery.path", "execution.savepoint.path", "execution.savepoint-restore-mode"] {
            assert!(is_recovery(key), "{key}");
        }
        for key in
            ["execution.checkpointing.savepoint-dir", "state.savepoints.dir", "kubernetes.operator.savepoint.path"]
        {
            assert!(!is_recovery(key), "{key}");
        }
    }

    #[test]
    fn only_the_request_s_own_configuration_hides() {
        let with = |map: &str| {
            let map = body(map);
            let start = start_with(StartCause::Request, Restore::Empty, |it| it.configuration = Some(map));
            says(&RULE, &stage(Dialect::FlinkRest, start))
        };
        assert_eq!(with("{execution: {state-recovery: {claim-mode: CLAIM}}}"), only(Effect::Warn));
        assert_eq!(with("{execution.checkpointing.interval: 1m}"), SILENT);
        let many: String = (0..5_000).map(|at| format!("execution.state-recovery.x{at}: 1, ")).collect();
        assert_eq!(with(&format!("{{{many}}}")).effects.len(), MOST);
    }
}
