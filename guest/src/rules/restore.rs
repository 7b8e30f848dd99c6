//! Restore and start (DOMAIN 6.4).

pub(super) mod allow_non_restored_state;
pub(super) mod allow_non_restored_state_no_effect;
pub(super) mod claim_and_restore_mode_both;
pub(super) mod claim_mode_legacy;
pub(super) mod claim_on_shared_savepoint;
pub(super) mod duplicate_start;
pub(super) mod initial_savepoint_needs_two_steps;
pub(super) mod initial_savepoint_path_change_ignored;
pub(super) mod opaque_start;
pub(super) mod recreate_loses_state;
pub(super) mod restore_from_drained_savepoint;
pub(super) mod restore_from_flink_owned_checkpoint;
pub(super) mod restore_from_savepoint_needs_id;
pub(super) mod restore_hidden_in_config;
pub(super) mod restore_id_ignored;
pub(super) mod restore_ignores_unversioned_savepoint;
pub(super) mod restore_none_with_stateful_upgrade;
pub(super) mod restore_savepoint_not_completed;
pub(super) mod restore_savepoint_of_other_deployment;
pub(super) mod resume_inherits_stateless_suspend;
pub(super) mod savepoint_redeploy_discards_current_state;
pub(super) mod savepoint_redeploy_needs_path;
pub(super) mod start_time_ignored;
pub(super) mod start_time_not_13_digits;
pub(super) mod start_without_state;
pub(super) mod stateless_mode_with_checkpointing;
