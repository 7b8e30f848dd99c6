//! The table of rules, in the order of the catalogue (DOMAIN section 6). Each rule is one file in its family's folder.

mod configuration;
pub mod duration;
mod hygiene;
mod kept;
mod oddity;
mod operator;
mod permission;
mod restore;
mod savepoint;
mod stop;
#[cfg(test)]
pub(crate) mod testing;
mod upgrade;
mod words;

use crate::finding::{Effect, Report};
use crate::operation::{Dialect, Stage};

/// A rule: what a person needs to know about it, and one pure check.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, unique, and never given another meaning.
    pub id: &'static str,
    /// What it says, in a few words.
    pub title: &'static str,
    /// The folder it lives in.
    pub family: &'static str,
    /// The harm.
    pub why: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// The platforms it judges, and what it looks at in their requests.
    pub looks_at: &'static [(Dialect, &'static str)],
    /// The declared facts that it uses: paths in a `Facts` document.
    pub facts: &'static [&'static str],
    /// What settings may change besides the level.
    pub parameters: &'static [Parameter],
    /// What its main finding does, unless settings say otherwise.
    pub level: Level,
    /// Looks at one stage and reports.
    pub check: fn(&Stage<'_>, &mut Report<'_>),
}

/// A value of a rule that settings may change.
#[derive(Debug)]
pub struct Parameter {
    /// The name in settings, camel case.
    pub name: &'static str,
    /// What it means.
    pub title: &'static str,
    pub kind: ParameterKind,
}

/// What a parameter holds, and the value that ships.
#[derive(Clone, Copy, Debug)]
pub enum ParameterKind {
    /// A length of time; in settings `15m`, `24h`. Here in seconds.
    Duration(u64),
}

impl ParameterKind {
    /// The value that ships, as settings write it.
    pub fn shipped(self) -> String {
        match self {
            Self::Duration(seconds) => duration::write(seconds),
        }
    }
}

/// Says which rules are heard, and writes down what they say.
pub trait Bench {
    /// The report of the rule at this place of the catalogue, if it is on and judges this platform.
    fn admit(&mut self, stage: &Stage<'_>, place: usize, rule: &'static Rule) -> Option<Report<'_>>;
}

/// What settings make of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Off,
    Note,
    Warn,
    Deny,
}

impl Rule {
    /// Whether it judges this platform.
    pub fn judges(&self, platform: Dialect) -> bool {
        self.looks_at.iter().any(|(dialect, _)| *dialect == platform)
    }
}

impl Level {
    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Off, Self::Note, Self::Warn, Self::Deny].into_iter().find(|level| level.name() == name)
    }

    /// The name in settings.
    pub fn name(self) -> &'static str {
        self.effect().map_or("off", Effect::name)
    }

    /// The main effect at this level.
    pub fn effect(self) -> Option<Effect> {
        match self {
            Self::Off => None,
            Self::Note => Some(Effect::Note),
            Self::Warn => Some(Effect::Warn),
            Self::Deny => Some(Effect::Deny),
        }
    }
}

/// The rule of this id.
#[cfg(test)]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

/// Rules are called by name: through a table of functions, a fresh sandbox would have to look each of them up first.
macro_rules! catalogue {
    ($($rule:path),+ $(,)?) => {
        /// Every rule.
        pub static ALL: &[&Rule] = &[$(&$rule),+];

        /// Puts a stage before every rule that the bench admits.
        pub fn judge(stage: &Stage<'_>, bench: &mut impl Bench) {
            let mut place = 0;
            $(if let Some(mut report) = bench.admit(stage, place, &$rule) {
                ($rule.check)(stage, &mut report);
            }
            place += 1;)+
            let _ = place;
        }
    };
}

catalogue![
    stop::drain_with_planned_restart::RULE,
    stop::drain_intent_missing::RULE,
    stop::drain_setting_left_on::RULE,
    stop::cancel_needs_running::RULE,
    stop::cancel_without_savepoint::RULE,
    stop::cancel_deletes_checkpoints::RULE,
    stop::change_while_transitioning::RULE,
    stop::savepoint_cancel_job_is_not_stop::RULE,
    stop::get_request_cancels_job::RULE,
    stop::implicit_cancel_mode::RULE,
    stop::removed_endpoint::RULE,
    stop::cluster_shutdown_with_running_jobs::RULE,
    stop::delete_running_without_savepoint::RULE,
    stop::delete_blocked_by_impossible_savepoint::RULE,
    stop::delete_needs_cancelled::RULE,
    stop::session_cluster_delete_with_jobs::RULE,
    savepoint::savepoint_missing_spec_version::RULE,
    savepoint::savepoint_stale_spec_version::RULE,
    savepoint::manual_savepoint_origin_not_copied::RULE,
    savepoint::manual_savepoint_not_completed::RULE,
    savepoint::manual_savepoint_placeholder_id::RULE,
    savepoint::savepoint_location_invalid::RULE,
    savepoint::savepoint_location_not_accessible::RULE,
    savepoint::savepoint_directory_required::RULE,
    savepoint::savepoint_needs_active_job::RULE,
    savepoint::native_format_blocks_migration::RULE,
    savepoint::snapshot_kind_exactly_one::RULE,
    savepoint::snapshot_job_reference::RULE,
    savepoint::snapshot_disposed_on_delete::RULE,
    savepoint::savepoint_dispose_in_use::RULE,
    savepoint::snapshot_target_missing::RULE,
    savepoint::snapshot_infinite_retries::RULE,
    savepoint::pending_savepoint_ignored::RULE,
    restore::restore_ignores_unversioned_savepoint::RULE,
    restore::restore_from_drained_savepoint::RULE,
    restore::restore_none_with_stateful_upgrade::RULE,
    restore::restore_from_savepoint_needs_id::RULE,
    restore::restore_id_ignored::RULE,
    restore::start_without_state::RULE,
    restore::start_time_not_13_digits::RULE,
    restore::start_time_ignored::RULE,
    restore::allow_non_restored_state::RULE,
    restore::allow_non_restored_state_no_effect::RULE,
    restore::claim_on_shared_savepoint::RULE,
    restore::claim_mode_legacy::RULE,
    restore::restore_from_flink_owned_checkpoint::RULE,
    restore::restore_hidden_in_config::RULE,
    restore::initial_savepoint_path_change_ignored::RULE,
    restore::savepoint_redeploy_needs_path::RULE,
    restore::savepoint_redeploy_discards_current_state::RULE,
    restore::resume_inherits_stateless_suspend::RULE,
    restore::initial_savepoint_needs_two_steps::RULE,
    restore::restore_savepoint_not_completed::RULE,
    restore::restore_savepoint_of_other_deployment::RULE,
    restore::claim_and_restore_mode_both::RULE,
    restore::stateless_mode_with_checkpointing::RULE,
    restore::recreate_loses_state::RULE,
    restore::duplicate_start::RULE,
    restore::opaque_start::RULE,
    upgrade::edit_not_applied_until_restart::RULE,
    upgrade::stateless_upgrade_of_stateful_job::RULE,
    upgrade::upgrade_mode_needs_directories::RULE,
    upgrade::savepoint_mode_falls_back::RULE,
    upgrade::version_change_after_last_state_suspend::RULE,
    upgrade::max_parallelism_changed::RULE,
    upgrade::parallelism_above_max::RULE,
    upgrade::state_backend_changed::RULE,
    upgrade::cluster_type_switch::RULE,
    upgrade::session_cluster_reference_changed::RULE,
    upgrade::operator_uid_risk::RULE,
    upgrade::engine_version_downgrade::RULE,
    upgrade::ha_removed_with_last_state::RULE,
    upgrade::checkpointing_removed::RULE,
    upgrade::scale_to_zero::RULE,
    configuration::last_state_without_ha::RULE,
    configuration::last_state_cancel_needs_retention::RULE,
    configuration::checkpoint_dir_ephemeral::RULE,
    configuration::forbidden_config_key::RULE,
    configuration::autoscaler_option_out_of_range::RULE,
    configuration::checkpointing_disabled::RULE,
    configuration::checkpoint_retention_not_retain::RULE,
    configuration::conflicting_renamed_keys::RULE,
    configuration::ha_storage_missing::RULE,
    configuration::rollback_needs_ha::RULE,
    configuration::health_check_needs_recovery::RULE,
    configuration::standby_jobmanager_needs_ha::RULE,
    operator::service_account_missing::RULE,
    operator::resource_quantities_invalid::RULE,
    operator::parallelism_not_positive::RULE,
    operator::jobmanager_replicas_invalid::RULE,
    operator::session_job_on_application_cluster::RULE,
    operator::ingress_template_invalid::RULE,
    operator::log_config_key_invalid::RULE,
    permission::permission_to_cancel::RULE,
    permission::operation_permission::RULE,
    permission::override_needs_reason::RULE,
    permission::jar_uri_restricted::RULE,
    permission::namespace_mismatch::RULE,
    permission::cross_tenant_savepoint::RULE,
    hygiene::unknown_enum_value::RULE,
    hygiene::unknown_lifecycle_field::RULE,
    hygiene::required_field_missing::RULE,
    hygiene::resource_name_invalid::RULE,
    hygiene::deprecated_field::RULE,
    hygiene::context_unreadable::RULE,
    hygiene::flink_version_unsupported::RULE,
    hygiene::flink_version_deprecated::RULE,
    hygiene::nonce_unchanged::RULE,
    hygiene::max_attempts_not_positive::RULE,
    hygiene::unknown_request::RULE,
    hygiene::facts_contradict::RULE,
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_rule_can_be_looked_up_and_read() {
        for rule in ALL {
            let looks = rule.looks_at.iter().map(|(_, looks)| *looks);
            let parameters = rule.parameters.iter().flat_map(|it| [it.name, it.title]);
            for text in looks.chain(rule.facts.iter().copied()).chain(parameters) {
                assert!(!text.trim().is_empty() && text.trim() == text, "{}: {text:?}", rule.id);
            }
            let id = rule.id;
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id}");
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{id}");
            assert_eq!(ALL.iter().filter(|other| other.id == id).count(), 1, "{id}");
            for text in [rule.title, rule.family, rule.why, rule.source] {
                assert!(!text.trim().is_empty() && text.trim() == text, "{id}: {text:?}");
            }
            assert!(!rule.title.ends_with('.') && !rule.looks_at.is_empty(), "{id}");
        }
    }
}
