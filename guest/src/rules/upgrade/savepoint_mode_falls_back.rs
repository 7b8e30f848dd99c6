//! A savepoint is asked for, but the job cannot give one: the operator takes its last state instead (DOMAIN 4.2-2, 6.12).

use crate::finding::Report;
use crate::operation::{Dialect, JobState, Place, Stage, StopMode, UpgradeMode};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-mode-falls-back",
    title: "savepoint mode falls back to last-state",
    family: "upgrade",
    why: "A job that is not RUNNING gives no savepoint: the operator goes by its last checkpoint without a word, which a \
          changed job or state backend may not be able to read.",
    source: "FLINK-29258; DOMAIN 4.2-2, 6.12",
    looks_at: &[(Dialect::Kubernetes, "upgrades and suspends with `upgradeMode: savepoint`")],
    facts: &["job.status", "platform.flinkConfiguration"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some((_, _, new)) = stage.edit() else { return };
    let Some(state) = &stage.current.state else { return };
    if new.upgrade_mode() != UpgradeMode::Savepoint
        || state.is_over()
        || matches!(state, JobState::Running | JobState::Cancelling)
        || !stage.stops().any(|(_, stop)| stop.mode == StopMode::LastState)
    {
        return;
    }
    report
        .main(
            &Place::of(new.of_job("upgradeMode")),
            "the job is not RUNNING and gives no savepoint: the operator falls back to its last checkpoint",
        )
        .observed(words::state(stage.platform, state))
        .expected("RUNNING")
        .remedy(
            "let the job come back to RUNNING first; if it cannot, go on: the last checkpoint is what there is; to wait \
             instead, set `kubernetes.operator.job.upgrade.last-state-fallback.enabled: \"false\"`",
        );
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, only, says, stop, updated};

    fn edit(mode: &str, stop_mode: StopMode, cause: StopCause) -> Stage<'static> {
        let job = format!("job: {{upgradeMode: {mode}}}");
        updated(&job, &format!("image: b\n{job}")).and(stop(stop_mode, cause))
    }

    #[test]
    fn a_job_in_trouble_falls_back() {
        for cause in [StopCause::Upgrade, StopCause::Suspend] {
            for state in ["RESTARTING", "RECONCILING", "CREATED", "FAILING"] {
                let edit = edit("savepoint", StopMode::LastState, cause).in_state(state);
                assert_eq!(says(&RULE, &edit), only(Effect::Warn), "{state}");
            }
        }
    }

    #[test]
    fn other_modes_and_states_do_not() {
        let case = |mode, stop, state| says(&RULE, &edit(mode, stop, StopCause::Upgrade).in_state(state));
        for state in ["RUNNING", "FAILED", "FINISHED", "CANCELED", "CANCELLING"] {
            assert_eq!(case("savepoint", StopMode::LastState, state), SILENT, "{state}");
        }
        assert_eq!(case("last-state", StopMode::LastState, "RESTARTING"), SILENT);
        // The fallback is off: the operator waits.
        assert_eq!(case("savepoint", StopMode::Savepoint, "RESTARTING"), SILENT);
        assert_eq!(says(&RULE, &edit("savepoint", StopMode::LastState, StopCause::Upgrade)), SILENT);
    }
}
