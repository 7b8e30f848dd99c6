//! Judges Apache Flink lifecycle requests (cancel, stop, start, savepoint, change, delete) before they happen, and says
//! what will become of the job's state.
//!
//! The rules are one WebAssembly component that imports nothing. This library carries it, runs it in a fresh sandbox for
//! every request, and hands back its verdict:
//!
//! ```
//! use sluicegate::facts::NoSource;
//! use sluicegate::{Decision, Envelope, HttpHead, Limits, Policy, Request, Settings};
//!
//! let policy = Policy::embedded(Limits::default())?;
//! let head = HttpHead { api: None, method: "GET", target: "/jobs/overview", headers: &[] };
//! let request = Request { envelope: Envelope::Http(head), body: b"" };
//! let verdict = policy.decide(&request, &[], &Settings::default(), &NoSource)?;
//! assert_eq!(verdict.decision, Decision::Allow);
//! println!("{}", verdict.document);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod case;
pub mod clock;
mod examples;
pub mod facts;
pub mod input;
pub mod logged;
pub mod nearest;
mod policy;
pub mod report;
#[cfg(feature = "serve")]
pub mod server;
mod words;
pub mod yaml;

pub use examples::{Example, Examples};
pub use policy::{
    Answer, Api, Basis, Cache, Candidate, CheckError, Decision, Description, Dialect, Effect, Envelope, Exempted, Fact,
    Failure, FailureKind, Fate, Finding, HttpHead, Input, Inspection, Level, Limits, Lookup, Need, ObjectRef,
    Operation, Origin, Outcome, Parameter, Place, Policy, PolicyError, Problem, Request, RestorePlan, Rule, Scoped,
    Settings, SettingsError, Source, Span, Subject, Target, Unjudged, Verdict,
};
