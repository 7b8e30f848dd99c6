//! What was said about a restart, by whom, and whose word counts (DESIGN section 5, Intent).

use super::Place;

/// What was said about a restart after a stop (DESIGN section 5, Intent). `true` stands for a planned restart.
#[derive(Clone, Debug)]
pub struct Intent<'d> {
    /// By whoever runs the gate, or by the later steps of a plan.
    pub operator: Option<bool>,
    /// By the request itself: an annotation or a header.
    pub requester: Option<bool>,
    /// Whether the requester's word for `final` counts.
    pub trusted: bool,
    /// The operator's word is a later start in the same plan.
    pub by_plan: bool,
    /// Who assumes a restart where nobody says anything; `None`: nobody does.
    pub restart_assumed: Option<AssumedBy>,
    /// Where the requester said so.
    pub place: Place<'d>,
}

/// Who says what to assume of a restart where nobody says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssumedBy {
    /// The settings.
    Settings,
    /// The facts, where the settings say nothing: the door that the request came in by.
    Facts,
}

/// What is to be assumed where nobody says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assume {
    /// Nothing.
    Unknown,
    /// That a restart follows.
    Restart,
}

impl Assume {
    /// Every word there is.
    pub const WORDS: [&str; 2] = ["unknown", "restart"];

    /// What this word stands for.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "unknown" => Some(Self::Unknown),
            "restart" => Some(Self::Restart),
            _ => None,
        }
    }
}

impl AssumedBy {
    /// Who assumes a restart, if anybody does: the settings count before the facts.
    pub fn of(settings: Option<Assume>, facts: Option<Assume>) -> Option<Self> {
        let (assume, by) = match (settings, facts) {
            (Some(assume), _) => (assume, Self::Settings),
            (None, assume) => (assume?, Self::Facts),
        };
        (assume == Assume::Restart).then_some(by)
    }
}

/// What is known of a restart after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It is planned; the text says who says so.
    Planned(&'static str),
    /// It is declared that none follows; the text says who says so.
    Final(&'static str),
    /// Nobody said. `refused`: the requester said `final`, but its word does not count.
    Unknown { refused: bool },
}

impl Intent<'_> {
    /// What was said, the most trusted voice first.
    pub fn restart(&self) -> Restart {
        match (self.operator, self.requester) {
            (Some(true), _) if self.by_plan => Restart::Planned("a later step of the plan starts it again"),
            (Some(true), _) => Restart::Planned("declared: a restart is planned"),
            (Some(false), _) => Restart::Final("declared: no restart follows"),
            (None, Some(true)) => Restart::Planned("the request declares intent `restart`"),
            (None, Some(false)) if self.trusted => Restart::Final("the request declares intent `final`"),
            (None, said) if let Some(by) = self.restart_assumed => Restart::Planned(match (by, said) {
                (AssumedBy::Settings, None) => "the settings assume a restart",
                (AssumedBy::Settings, Some(_)) => {
                    "the settings assume a restart, and the caller's word for `final` does not count"
                }
                (AssumedBy::Facts, None) => "a restart is assumed here",
                (AssumedBy::Facts, Some(_)) => {
                    "a restart is assumed here, and the caller's word for `final` does not count"
                }
            }),
            (None, said) => Restart::Unknown { refused: said.is_some() },
        }
    }
}
