//! High availability goes while the job's state is to come from its metadata (DOMAIN 6.12).

use crate::configuration::{HIGH_AVAILABILITY, LAST_STATE_CANCEL};
use crate::finding::Report;
use crate::operation::{Desired, Dialect, JobState, Kind, Place, Stage, StopMode, UpgradeMode};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "ha-removed-with-last-state",
    title: "high availability removed under last-state",
    family: "upgrade",
    why: "The operator tears the job down and then fails its own check: what it would restore from is no longer read, and \
          the job stays down.",
    source: "DOMAIN 4.2-2, 6.12; FLINK-26577",
    looks_at: &[(Dialect::Kubernetes, "`high-availability.type` with `upgradeMode: last-state`")],
    facts: &["platform.flinkConfiguration", "job.status"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// How the job's state lies in the metadata that an update removes.
struct Cut {
    /// The update stops the job and restores it from there.
    stops: bool,
    /// The job was suspended with its state there.
    suspended: bool,
}

/// Whether this rule has something to say.
pub(in crate::rules) fn applies(stage: &Stage<'_>) -> bool {
    cut(stage).is_some()
}

fn cut(stage: &Stage<'_>) -> Option<Cut> {
    let (declaration, old, new) = stage.edit()?;
    let current = &stage.current;
    let was_on = current.before.as_ref().and_then(|before| before.is_highly_available()) == Some(true);
    let is_on = current.is_highly_available();
    if declaration.kind != Kind::Deployment
        || !was_on
        || is_on == Some(true)
        || new.redeploys(&old)
        || current.configuration.is_on(LAST_STATE_CANCEL) == Some(true)
    {
        return None;
    }
    let stops = stage.stops().any(|(_, stop)| stop.mode == StopMode::LastState);
    let suspended = declaration
        .last
        .is_some_and(|last| last.desired() == Desired::Suspended && last.upgrade_mode() == UpgradeMode::LastState);
    let keeps = new.upgrade_mode() != UpgradeMode::Stateless;
    let stops = stops && new.upgrade_mode() == UpgradeMode::LastState;
    let over = current.state.as_ref().is_some_and(JobState::is_over);
    (stops && !over || suspended && keeps).then_some(Cut { stops, suspended })
}

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(Cut { stops, suspended }) = cut(stage) else { return };
    let Some((declaration, _, new)) = stage.edit() else { return };
    let current = &stage.current;
    let is_on = current.is_highly_available();
    let entry = current.configuration.entry(HIGH_AVAILABILITY);
    let entry = entry.filter(|entry| declaration.object.is_some_and(|object| object.holds(entry.node)));
    let place = Place::of(entry.map(|entry| entry.node).or(new.get("flinkConfiguration")).or(new.node));
    let state = current.state.as_ref();
    if is_on.is_none() {
        report.unjudged("whether the operator's defaults keep high availability on (`platform.flinkConfiguration`)");
    } else if stops && state.is_none() {
        report.unjudged("the job's state");
    }
    let draft = match (state, is_on) {
        (Some(JobState::Running), Some(false)) if stops => report.main(
            &place,
            "high availability is removed while `upgradeMode: last-state` restores from its metadata: the job is torn \
             down, and then cannot be restored",
        ),
        (Some(JobState::Running), _) if stops => report.warn(
            &place,
            "high availability leaves the spec while `upgradeMode: last-state` restores from its metadata: unless the \
             operator's defaults keep it on, the job is torn down and then cannot be restored",
        ),
        _ => report.warn(
            &place,
            "high availability is removed, and the job's last state lies in its metadata: it cannot be restored",
        ),
    };
    draft.remedy(match suspended {
        true => "keep high availability until the job has resumed",
        false => {
            "ask for `upgradeMode: savepoint` in the same change; or set \
             `kubernetes.operator.job.upgrade.last-state.job-cancel.enabled: \"true\"` in it"
        }
    });
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Kind, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, at_least, body, declared, only, says, stop};

    fn edit(kind: Kind, mode: &str, old: &str, new: &str) -> Stage<'static> {
        let job = format!("job: {{upgradeMode: {mode}}}");
        let layer = |text: &str| {
            let mut configuration = Configuration::default();
            configuration.overlay(body(&format!("a: b\n{text}")));
            configuration
        };
        declared(kind, Some(&format!("flinkVersion: v2_1\n{job}")), Some(&job))
            .and(stop(StopMode::LastState, StopCause::Upgrade))
            .in_state("RUNNING")
            .with(|it| {
                it.current.before = Some(layer(old));
                it.current.configuration = layer(new);
                it.current.configuration_complete = true;
            })
    }

    const ON: &str = "high-availability.type: kubernetes";

    #[test]
    fn a_running_job_is_not_cut_off_from_its_state() {
        for new in ["", "high-availability.type: NONE", "high-availability: standalone"] {
            assert_eq!(says(&RULE, &edit(Kind::Deployment, "last-state", ON, new)), only(Effect::Deny), "{new}");
        }
        let removed = || edit(Kind::Deployment, "last-state", ON, "");
        assert_eq!(says(&RULE, &removed().in_state("RESTARTING")), only(Effect::Warn));
        assert_eq!(says(&RULE, &removed().in_state("FAILED")), SILENT);
        assert_eq!(
            says(&RULE, &removed().with(|it| it.current.configuration_complete = false)),
            at_least(Effect::Warn)
        );
        assert_eq!(says(&RULE, &removed().with(|it| it.current.state = None)), at_least(Effect::Warn));
    }

    #[test]
    fn what_does_not_need_its_metadata_passes() {
        let case = |kind, mode, old, new| says(&RULE, &edit(kind, mode, old, new));
        assert_eq!(case(Kind::Deployment, "last-state", ON, "high-availability.type: zookeeper"), SILENT);
        assert_eq!(case(Kind::Deployment, "last-state", "", ""), SILENT);
        assert_eq!(case(Kind::Deployment, "savepoint", ON, ""), SILENT);
        assert_eq!(case(Kind::SessionJob, "last-state", ON, ""), SILENT);
        let cancel = "kubernetes.operator.job.upgrade.last-state.job-cancel.enabled: true";
        assert_eq!(case(Kind::Deployment, "last-state", ON, cancel), SILENT);
    }
}
