//! State-safety configuration (DOMAIN 6.6).

pub(super) mod autoscaler_option_out_of_range;
pub(super) mod checkpoint_dir_ephemeral;
pub(super) mod checkpoint_retention_not_retain;
pub(super) mod checkpointing_disabled;
pub(super) mod conflicting_renamed_keys;
pub(super) mod forbidden_config_key;
pub(super) mod ha_storage_missing;
pub(super) mod health_check_needs_recovery;
pub(super) mod last_state_cancel_needs_retention;
pub(super) mod last_state_without_ha;
pub(super) mod rollback_needs_ha;
pub(super) mod standby_jobmanager_needs_ha;
