//! Upgrade (DOMAIN 6.5).

pub(super) mod checkpointing_removed;
pub(super) mod edit_not_applied_until_restart;
pub(super) mod ha_removed_with_last_state;
pub(super) mod savepoint_mode_falls_back;
pub(super) mod scale_to_zero;
pub(super) mod stateless_upgrade_of_stateful_job;
