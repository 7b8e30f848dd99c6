//! Upgrade (DOMAIN 6.5).

pub(super) mod cluster_type_switch;
pub(super) mod edit_not_applied_until_restart;
pub(super) mod session_cluster_reference_changed;
pub(super) mod upgrade_mode_needs_directories;
pub(super) mod version_change_after_last_state_suspend;
