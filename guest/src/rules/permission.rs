//! Permission (DOMAIN 6.7).

pub(super) mod permission_to_cancel;
