//! The words of the contract as reports, cases and settings write them.

use crate::{Answer, Api, Basis, Decision, Dialect, Effect, Fact, Fate, Level, Rule, Source, Subject};

impl<'a> Fact<'a> {
    /// A `Facts` document, from whom.
    pub fn declared(source: Source, document: &'a [u8]) -> Self {
        Self { about: Subject::Declared, source, answer: Answer::Found(document) }
    }
}

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

impl Api {
    /// Every API there is.
    pub const ALL: [Self; 3] = [Self::Ververica, Self::Alibaba, Self::FlinkRest];

    /// The word in documents and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ververica => "ververica",
            Self::Alibaba => "alibaba",
            Self::FlinkRest => "flink-rest",
        }
    }

    /// The API of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.name() == name)
    }
}

impl Source {
    /// Every source there is.
    pub const ALL: [Self; 4] = [Self::Host, Self::Operator, Self::Observed, Self::Requester];

    /// The word in the decision log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Operator => "operator",
            Self::Observed => "observed",
            Self::Requester => "requester",
        }
    }
}

impl Basis {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Kept => "kept",
            Self::Empty => "empty",
            Self::Nothing => "nothing",
            Self::Unknown => "unknown",
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

impl Level {
    /// The word in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl Rule {
    /// The words of the dialects that it judges.
    pub fn dialects(&self) -> Vec<&'static str> {
        self.looks_at.iter().map(|(dialect, _)| dialect.name()).collect()
    }
}
