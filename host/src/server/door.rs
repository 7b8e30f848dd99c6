//! The ways in, as metrics, logs and settings name them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Api;

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `POST /validate`: the admission webhook.
    Validate,
    /// `POST /v1/check`: the check API.
    Check,
    /// `/authz/<api>/…`: a gateway asks.
    Authorize(Api),
    /// A reverse proxy in front of this API.
    Proxy(Api),
}

impl Door {
    /// The word in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Check => "check",
            Self::Authorize(_) => "authz",
            Self::Proxy(_) => "proxy",
        }
    }

    /// Whose API is called, where the door knows.
    pub fn api(self) -> Option<Api> {
        match self {
            Self::Validate | Self::Check => None,
            Self::Authorize(api) | Self::Proxy(api) => Some(api),
        }
    }
}

/// Tells a request that brings no id of its own from all others in the logs, whatever its door.
pub fn number() -> String {
    static NUMBERS: AtomicU64 = AtomicU64::new(1);
    format!("{:x}-{}", std::process::id(), NUMBERS.fetch_add(1, Ordering::Relaxed))
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a refusal does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// What is denied is refused.
    #[default]
    Enforce,
    /// Nothing is refused: what would be is said as a warning.
    Warn,
}

impl Mode {
    /// The word in metrics, logs and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
        }
    }
}

/// What the time of a request goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waiting for a free sandbox.
    Queue,
    /// Waiting for what the policy asked to look up.
    Facts,
    /// In the sandbox.
    Sandbox,
    /// Writing the answer.
    Reply,
}

impl Stage {
    /// The word in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Facts => "facts",
            Self::Sandbox => "sandbox",
            Self::Reply => "reply",
        }
    }
}

/// Where the time of one judgement went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a free sandbox.
    pub queue: Duration,
    /// Waiting for what the policy asked to look up.
    pub facts: Duration,
    /// In the sandbox.
    pub sandbox: Duration,
}
