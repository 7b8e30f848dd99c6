//! Last-state upgrades without the metadata they are named for (DOMAIN 4.2-2).

use crate::configuration::{HIGH_AVAILABILITY, LAST_STATE_CANCEL};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Stage, UpgradeMode, Verb};
use crate::rules::upgrade::ha_removed_with_last_state;
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "last-state-without-ha",
    title: "last-state without high availability",
    family: "configuration",
    why: "Without the metadata of high availability, a last-state upgrade is a cancel: the job comes back only if its last \
          checkpoint is kept and known, and a lost JobManager cannot be recovered.",
    source: "FKO AbstractJobReconciler; FLINK-26577; DOMAIN 4.2-2, 4.7",
    looks_at: &[(Dialect::Kubernetes, "`upgradeMode: last-state` and `high-availability.type`")],
    facts: &["platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref().filter(|it| it.verb == Verb::Create || stage.edit().is_some())
    else {
        return;
    };
    // A session job goes by its checkpoints in any case.
    if !matches!(declaration.kind, Kind::Deployment | Kind::BlueGreen) {
        return;
    }
    let Some(spec) = declaration.new_spec() else { return };
    let on = stage.current.is_highly_available();
    if spec.upgrade_mode() != UpgradeMode::LastState
        || on == Some(true)
        // Whoever asks for the cancel knows of it.
        || stage.current.configuration.is_on(LAST_STATE_CANCEL) == Some(true)
        // That it goes just now has a rule of its own.
        || ha_removed_with_last_state::applies(stage)
    {
        return;
    }
    let unless = if on.is_none() { " (unless the operator's defaults switch it on)" } else { "" };
    let observed = stage.current.configuration.get(HIGH_AVAILABILITY).unwrap_or("none");
    let path = words::spec(stage);
    report
        .main(
            &Place::of(spec.of_job("upgradeMode")),
            format!(
                "without high availability{unless} `last-state` means: cancel, and come back from the last retained checkpoint"
            ),
        )
        .observed(observed)
        .expected("high-availability.type: kubernetes")
        .remedy(format!(
            "set `high-availability.type: kubernetes` and `high-availability.storageDir` in `{path}.flinkConfiguration`, \
             or `upgradeMode: savepoint`"
        ));
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::Kind;
    use crate::rules::testing::{SILENT, Says, body, declared, findings, only, says};

    fn create(kind: Kind, mode: &str, configuration: &str) -> Says {
        let spec = format!("job: {{upgradeMode: {mode}}}");
        let stage = declared(kind, None, Some(&spec)).with(|it| {
            it.current.configuration = Configuration::default();
            it.current.configuration.overlay(body(configuration));
        });
        says(&RULE, &stage)
    }

    #[test]
    fn last_state_needs_high_availability() {
        for kind in [Kind::Deployment, Kind::BlueGreen] {
            for off in ["a: b", "high-availability.type: none", "high-availability: NONE"] {
                assert_eq!(create(kind, "last-state", off), only(Effect::Warn), "{off}");
                assert_eq!(create(kind, "savepoint", off), SILENT);
            }
            assert_eq!(create(kind, "last-state", "high-availability.type: kubernetes"), SILENT);
        }
        assert_eq!(create(Kind::SessionJob, "last-state", "a: b"), SILENT);
        let cancel = "kubernetes.operator.job.upgrade.last-state.job-cancel.enabled: true";
        assert_eq!(create(Kind::Deployment, "last-state", cancel), SILENT);
        let unknown = declared(Kind::Deployment, None, Some("job: {upgradeMode: last-state}"));
        assert!(findings(&RULE, &unknown)[0].message.contains("unless"));
    }
}
