//! The chart and what is rendered from it: linted and rendered with a real helm, each document read by the typed API of
//! the version it claims, and held against what the gate needs. No cluster takes part.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod conditions;
mod flags;
mod helm;
mod image;
mod manifests;
mod metrics;
mod pods;
mod rights;
mod typed;
mod values;
mod webhook;
