//! Hygiene (DOMAIN 6.8): what a decoder noticed, reported under its rule.

pub(super) mod context_unreadable;
pub(super) mod deprecated_field;
pub(super) mod facts_contradict;
pub(super) mod flink_version_deprecated;
pub(super) mod flink_version_unsupported;
pub(super) mod max_attempts_not_positive;
pub(super) mod nonce_unchanged;
pub(super) mod required_field_missing;
pub(super) mod resource_name_invalid;
pub(super) mod unknown_enum_value;
pub(super) mod unknown_lifecycle_field;
pub(super) mod unknown_request;
