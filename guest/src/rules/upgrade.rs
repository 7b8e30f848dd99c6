//! Upgrade (DOMAIN 6.5).

pub(super) mod edit_not_applied_until_restart;
