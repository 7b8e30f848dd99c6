//! Upgrade (DOMAIN 6.5).

pub(super) mod edit_not_applied_until_restart;
pub(super) mod engine_version_downgrade;
pub(super) mod max_parallelism_changed;
pub(super) mod operator_uid_risk;
pub(super) mod parallelism_above_max;
pub(super) mod state_backend_changed;
