//! The engine around a policy: what it lets in, what it stops, what it keeps.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cache;
mod hostile;
mod random;
mod reuse;
mod sandboxes;
mod shape;
mod written;
