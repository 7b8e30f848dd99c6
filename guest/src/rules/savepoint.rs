//! Savepoints (DOMAIN 6.3).

pub(super) mod manual_savepoint_not_completed;
pub(super) mod manual_savepoint_origin_not_copied;
pub(super) mod manual_savepoint_placeholder_id;
pub(super) mod native_format_blocks_migration;
pub(super) mod pending_savepoint_ignored;
pub(super) mod savepoint_directory_required;
pub(super) mod savepoint_dispose_in_use;
pub(super) mod savepoint_location_invalid;
pub(super) mod savepoint_location_not_accessible;
pub(super) mod savepoint_missing_spec_version;
pub(super) mod savepoint_needs_active_job;
pub(super) mod savepoint_stale_spec_version;
pub(super) mod snapshot_disposed_on_delete;
pub(super) mod snapshot_infinite_retries;
pub(super) mod snapshot_job_reference;
pub(super) mod snapshot_kind_exactly_one;
pub(super) mod snapshot_target_missing;
