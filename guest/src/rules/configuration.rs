//! State-safety configuration (DOMAIN 6.6).

pub(super) mod checkpoint_dir_ephemeral;
pub(super) mod checkpoint_retention_not_retain;
pub(super) mod checkpointing_disabled;
pub(super) mod conflicting_renamed_keys;
pub(super) mod ha_storage_missing;
