//! Restore and start (DOMAIN 6.4).

pub(super) mod opaque_start;
pub(super) mod restore_from_drained_savepoint;
pub(super) mod restore_from_savepoint_needs_id;
pub(super) mod restore_ignores_unversioned_savepoint;
pub(super) mod savepoint_redeploy_needs_path;
pub(super) mod start_without_state;
