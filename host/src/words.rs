//! The words of the contract as reports, cases and settings write them.

use crate::{Decision, Dialect, Effect, Fate};

impl Decision {
    /// Every decision there is.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Undecided];

    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Undecided => "undecided",
        }
    }
}

impl Effect {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Note => "note",
        }
    }
}

impl Dialect {
    /// The word in reports and cases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Ververica => "ververica",
            Self::Alibaba => "alibaba",
            Self::FlinkRest => "flink-rest",
            Self::Plan => "plan",
        }
    }
}

impl Fate {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Ignored => "ignored",
        }
    }
}
