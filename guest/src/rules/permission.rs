//! Permission (DOMAIN 6.7).

pub(super) mod namespace_mismatch;
pub(super) mod operation_permission;
pub(super) mod permission_to_cancel;
