//! What can go wrong around a policy: the policy itself, a breach of its limits, or the question put to it.

use std::time::Duration;

use super::contract::{Failure, Problem};

/// The policy, or the sandbox around it, failed: nothing is known about the request.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The bytes are no WebAssembly component, or one that needs more than a sandbox offers.
    #[error("this is not a policy component that can run here: {0}")]
    Unusable(String),
    /// The component wants something from outside. A policy imports nothing, types included.
    #[error("a policy may import nothing, this component imports {}", .0.join(", "))]
    Imports(Vec<String>),
    /// The component does not export the interface `gate` of `wit/policy.wit`.
    #[error("this component does not keep the contract `sluicegate:policy/gate@0.1.0`: {0}")]
    WrongContract(String),
    /// The body, or what was handed over beside it, is larger than [`Limits`](crate::Limits) allow.
    #[error("the {what} has {size} bytes, more than the limit of {limit}")]
    InputTooLarge {
        /// What is too large.
        what: Input,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The policy ran longer than allowed and was stopped.
    #[error("the policy was stopped: it ran longer than {} ms", .limit.as_millis())]
    TimeExceeded {
        /// The limit.
        limit: Duration,
    },
    /// The policy wanted more memory than allowed and was stopped.
    #[error("the policy was stopped: it wanted more than {limit} bytes of memory")]
    MemoryExceeded {
        /// The limit in bytes for a request of this size.
        limit: usize,
    },
    /// The policy broke down: an unreachable instruction, a stack overflow, an access out of bounds.
    #[error("the policy broke down: {0}")]
    Trapped(String),
    /// What the policy answered breaks the contract: too long, or with control characters.
    #[error("the policy answered something that cannot be trusted: {0}")]
    InvalidOutput(String),
    /// All sandboxes stayed busy for as long as [`Limits::wait`](crate::Limits::wait) allows.
    #[error("every sandbox was busy for {} ms", .waited.as_millis())]
    Busy {
        /// How long the caller waited.
        waited: Duration,
    },
    /// The machine refused what a sandbox needs: address space, a thread.
    #[error("no sandbox can be set up: {0}")]
    NoSandbox(String),
}

/// The two kinds of input that have a limit of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The body of the request, or the source of settings.
    Body,
    /// Everything beside the body: the live object, the head of an HTTP call, facts and settings, together.
    Context,
    /// The component itself.
    Component,
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Body => "body",
            Self::Context => "context (live object, facts and settings)",
            Self::Component => "component",
        })
    }
}

/// Why a request got no verdict.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CheckError {
    /// The policy says that this request cannot be judged: it is malformed, or of a kind that is not judged.
    #[error("{}", .0.message)]
    Unjudgeable(Failure),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// Why settings could not be compiled.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// Everything that is wrong with the document.
    #[error("the settings are wrong: {}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Problem>),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}
