//! Permission (DOMAIN 6.7).

pub(super) mod cross_tenant_savepoint;
pub(super) mod jar_uri_restricted;
pub(super) mod namespace_mismatch;
pub(super) mod operation_permission;
pub(super) mod override_needs_reason;
pub(super) mod permission_to_cancel;
