//! The Sluicegate policy: glue only. What it does stands in the modules; how a host reaches it, in `wit/policy.wit`.
#![allow(missing_docs, reason = "what a host relies on is documented in wit/policy.wit")]

#[cfg(target_arch = "wasm32")]
mod component;
mod configuration;
#[cfg(not(target_arch = "wasm32"))]
pub mod cost;
mod dialect;
mod document;
mod duration;
mod facts;
mod failure;
mod finding;
pub mod gate;
mod instant;
mod location;
#[cfg(target_arch = "wasm32")]
mod memory;
mod nearest;
mod number;
mod operation;
mod overrides;
mod period;
mod quantity;
mod restore;
mod rules;
mod settings;
mod text;
mod uri;
mod verdict;
mod writer;

pub use finding::{Effect, Finding, Position, Unjudged};
pub use operation::Dialect;
pub use restore::{Basis, Candidate, Fate, RestorePlan};
pub use rules::{ALL as RULES, Level, Rule};
pub use settings::{Problem, compile as compile_settings, schema as settings_schema};
pub use verdict::{Decision, Exempted, OperationSummary, Verdict};
