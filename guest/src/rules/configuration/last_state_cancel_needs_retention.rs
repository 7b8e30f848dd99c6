//! Last-state upgrades that cancel the job, and a cancel that deletes what they would restore (DOMAIN 4.2-2, REC R5).

use crate::configuration::{Configuration, LAST_STATE_CANCEL, RETENTION};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage, StopMode, UpgradeMode, Verb, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "last-state-cancel-needs-retention",
    title: "last-state by cancel deletes its checkpoint",
    family: "configuration",
    why: "Without high availability, with `job-cancel.enabled` and for session jobs, a last-state upgrade cancels the job and \
          restores its last checkpoint; unless that is retained, the cancel has deleted it.",
    source: "FKO AbstractJobReconciler; REC R5; DOMAIN 3.6, 4.2-2",
    looks_at: &[(Dialect::Kubernetes, "`upgradeMode: last-state`, retention of checkpoints, high availability")],
    facts: &["platform.flinkConfiguration", "related"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref().filter(|it| it.verb == Verb::Create || stage.edit().is_some())
    else {
        return;
    };
    let Some(spec) = declaration.new_spec() else { return };
    let current = &stage.current;
    if !matches!(declaration.kind, Kind::Deployment | Kind::SessionJob) {
        return;
    }
    // Later stops go by the new configuration, the one in this request by that before it.
    let later = current.configuration.retains() == Some(false);
    let before = current.before.as_ref().filter(|before| before.retains() == Some(false));
    let now = || stage.stops().any(|(_, stop)| stop.mode == StopMode::LastState);
    let open = current.is_left_to_cluster(&current.configuration, RETENTION, spec.get("flinkConfiguration"));
    let at_once = before.filter(|_| now());
    if open && at_once.is_none() && cancels(declaration.kind, spec, &current.configuration, None) == Some(true) {
        let known = declaration.old_spec().filter(|old| old.upgrade_mode() == UpgradeMode::LastState);
        return left_to_cluster(spec, later, known.is_some(), report);
    }
    let Some(configuration) = (if later { Some(&current.configuration) } else { at_once }) else {
        return;
    };
    let cancels = cancels(declaration.kind, spec, &current.configuration, current.is_highly_available());
    if cancels == Some(false) {
        return;
    }
    let Some(entry) = configuration.entry(RETENTION) else { return };
    // What was so before is no reason to refuse an unrelated edit (DOMAIN 6.0-4).
    let before = declaration
        .old_spec()
        .zip(before)
        .is_some_and(|(old, before)| cancels_before(declaration.kind, old, before, cancels));
    let own = declaration.object.is_some_and(|object| object.holds(entry.node));
    let place = Place::of(if own { Some(entry.node) } else { spec.of_job("upgradeMode") });
    let message = "a last-state upgrade cancels the job, which deletes its last checkpoint: nothing is left to restore";
    let draft = match cancels {
        None => {
            report.unjudged("whether high availability is on by default (`platform.flinkConfiguration`)");
            report.warn(&place, format!("unless high availability is on by default, {message}"))
        }
        Some(_) if before => report.warn(&place, message),
        Some(_) => report.main(&place, message),
    };
    let key = RETENTION.first().copied().unwrap_or_default();
    let draft = draft.observed(entry.value.as_ref()).expected("RETAIN_ON_CANCELLATION");
    if !later {
        return draft
            .remedy("the job runs with the old retention until it stops: use `upgradeMode: savepoint` this once");
    }
    draft.remedy(format!("set `{key}: RETAIN_ON_CANCELLATION`, or leave the key out: the operator sets that itself"));
}

/// A session job leaves it to its cluster, which is not known.
fn left_to_cluster(spec: Spec<'_>, deleted_by_default: bool, as_before: bool, report: &mut Report<'_>) {
    const LACKS: &str = "the retention of checkpoints in the session cluster's configuration (`related`)";
    match as_before {
        // No reason to refuse an unrelated edit, whatever it is (DOMAIN 6.0-4).
        true => report.wish(Want::Cluster, LACKS),
        false => report.lacks(Want::Cluster, LACKS),
    }
    if !deleted_by_default {
        return;
    }
    let message = "by the operator's defaults a last-state upgrade cancels the job and deletes its last checkpoint, unless \
                   the session cluster's configuration keeps it";
    let key = RETENTION.first().copied().unwrap_or_default();
    report
        .warn(&Place::of(spec.of_job("upgradeMode")), message)
        .expected("RETAIN_ON_CANCELLATION")
        .remedy(format!("set `{key}: RETAIN_ON_CANCELLATION` in the job's `spec.flinkConfiguration`"));
}

/// Whether last-state upgrades cancel the job; `None`: that depends on settings that are not known.
fn cancels(kind: Kind, spec: Spec<'_>, configuration: &Configuration<'_>, available: Option<bool>) -> Option<bool> {
    if spec.upgrade_mode() != UpgradeMode::LastState {
        return Some(false);
    }
    if kind == Kind::SessionJob || configuration.is_on(LAST_STATE_CANCEL) == Some(true) {
        return Some(true);
    }
    available.map(|on| !on)
}

/// The same before an update: what the known layers leave open was open then as well.
fn cancels_before(kind: Kind, old: Spec<'_>, before: &Configuration<'_>, now: Option<bool>) -> bool {
    let available = before.is_highly_available().or(now.map(|_| false));
    cancels(kind, old, before, available) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Kind, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, declared, only, says, stop, unjudged};

    fn layer(text: &str) -> Configuration<'static> {
        let mut configuration = Configuration::default();
        configuration.overlay(body(&format!("a: b\n{text}")));
        configuration
    }

    fn stage(kind: Kind, mode: &str, old: Option<&str>, new: &str) -> Stage<'static> {
        let job = format!("job: {{upgradeMode: {mode}}}");
        let before = old.map(|_| format!("image: a\n{job}"));
        declared(kind, before.as_deref(), Some(&job)).with(|it| {
            it.current.before = old.map(layer);
            it.current.configuration = layer(new);
            it.current.configuration_complete = true;
        })
    }

    const DELETE: &str = "execution.checkpointing.externalized-checkpoint-retention: DELETE_ON_CANCELLATION";
    const HA: &str = "high-availability.type: kubernetes";

    #[test]
    fn a_cancel_that_deletes_what_it_needs_denies() {
        let cancel = format!("{DELETE}\n{HA}\nkubernetes.operator.job.upgrade.last-state.job-cancel.enabled: true");
        let available = format!("{DELETE}\n{HA}");
        assert_eq!(says(&RULE, &stage(Kind::Deployment, "last-state", None, DELETE)), only(Effect::Deny));
        assert_eq!(says(&RULE, &stage(Kind::Deployment, "last-state", None, &cancel)), only(Effect::Deny));
        assert_eq!(says(&RULE, &stage(Kind::SessionJob, "last-state", None, &available)), only(Effect::Deny));
        assert_eq!(says(&RULE, &stage(Kind::Deployment, "last-state", None, &available)), SILENT);
        assert_eq!(says(&RULE, &stage(Kind::Deployment, "savepoint", None, DELETE)), SILENT);
        assert_eq!(says(&RULE, &stage(Kind::Deployment, "last-state", None, HA)), SILENT);
        assert_eq!(says(&RULE, &stage(Kind::BlueGreen, "last-state", None, DELETE)), SILENT);
        let open =
            stage(Kind::Deployment, "last-state", None, DELETE).with(|it| it.current.configuration_complete = false);
        assert_eq!(says(&RULE, &open), at_least(Effect::Warn));
    }

    #[test]
    fn what_a_session_job_leaves_to_its_cluster_is_not_judged_without_it() {
        let left = |mode, old, new: &str| {
            stage(Kind::SessionJob, mode, old, new).with(|it| {
                it.current.configuration_complete = false;
                it.current.cluster_unknown = true;
            })
        };
        assert_eq!(says(&RULE, &left("last-state", None, "")), unjudged());
        assert_eq!(says(&RULE, &left("last-state", None, DELETE)), at_least(Effect::Warn), "by default");
        assert_eq!(says(&RULE, &left("last-state", Some(""), "")), SILENT);
        assert_eq!(says(&RULE, &left("savepoint", None, DELETE)), SILENT);
    }

    #[test]
    fn only_what_this_request_brings_in_denies() {
        let update = |old: &str, new: &str| says(&RULE, &stage(Kind::Deployment, "last-state", Some(old), new));
        assert_eq!(update("", DELETE), only(Effect::Deny));
        assert_eq!(update(DELETE, DELETE), only(Effect::Warn));
        assert_eq!(update(&format!("{DELETE}\n{HA}"), DELETE), only(Effect::Deny));
        assert_eq!(update(DELETE, ""), SILENT);
    }

    #[test]
    fn the_stop_in_this_request_goes_by_the_old_retention() {
        let stage = |old: &str, new| stage(Kind::Deployment, "last-state", Some(old), new);
        let stopped = |old: &str, new| stage(old, new).and(stop(StopMode::LastState, StopCause::Upgrade));
        assert_eq!(says(&RULE, &stopped(DELETE, "")), only(Effect::Warn), "it was so before");
        let available = format!("{DELETE}\n{HA}");
        assert_eq!(says(&RULE, &stopped(&available, "")), only(Effect::Deny));
        assert_eq!(says(&RULE, &stage(&available, "")), SILENT);
        assert_eq!(says(&RULE, &stopped("", "")), SILENT);
    }
}
