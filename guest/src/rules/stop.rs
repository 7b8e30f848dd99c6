//! Stop and drain (DOMAIN 6.2).

pub(super) mod cancel_deletes_checkpoints;
pub(super) mod cancel_needs_running;
pub(super) mod cancel_without_savepoint;
pub(super) mod change_while_transitioning;
pub(super) mod cluster_shutdown_with_running_jobs;
pub(super) mod delete_blocked_by_impossible_savepoint;
pub(super) mod delete_needs_cancelled;
pub(super) mod delete_running_without_savepoint;
pub(super) mod drain_intent_missing;
pub(super) mod drain_setting_left_on;
pub(super) mod drain_with_planned_restart;
pub(super) mod get_request_cancels_job;
pub(super) mod implicit_cancel_mode;
pub(super) mod removed_endpoint;
pub(super) mod savepoint_cancel_job_is_not_stop;
pub(super) mod session_cluster_delete_with_jobs;
