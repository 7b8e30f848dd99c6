//! The real binary, as pipelines and people use it: every form of input, exit codes, the report, and what goes wrong.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod check;
#[path = "../src/golden.rs"]
mod golden;
mod human;
mod known;
mod readme;
mod replay;
mod requests;
mod run;
mod settings;
mod verbs;
