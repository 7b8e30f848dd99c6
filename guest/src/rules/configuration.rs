//! State-safety configuration (DOMAIN 6.6).

pub(super) mod last_state_cancel_needs_retention;
pub(super) mod last_state_without_ha;
