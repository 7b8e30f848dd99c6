//! Upgrade (DOMAIN 6.5).

pub(super) mod checkpointing_removed;
pub(super) mod cluster_type_switch;
pub(super) mod edit_not_applied_until_restart;
pub(super) mod engine_version_downgrade;
pub(super) mod ha_removed_with_last_state;
pub(super) mod max_parallelism_changed;
pub(super) mod operator_uid_risk;
pub(super) mod parallelism_above_max;
pub(super) mod savepoint_mode_falls_back;
pub(super) mod scale_to_zero;
pub(super) mod session_cluster_reference_changed;
pub(super) mod state_backend_changed;
pub(super) mod stateless_upgrade_of_stateful_job;
pub(super) mod upgrade_mode_needs_directories;
pub(super) mod version_change_after_last_state_suspend;
