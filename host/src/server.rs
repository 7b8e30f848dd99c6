//! The server: what stands at the doors, and what is seen of it.

pub mod decision_log;
pub mod door;
pub mod metrics;
pub mod redact;
pub mod telemetry;
