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
    /// Without any word, a restart is assumed.
    pub assume_restart: bool,
    /// Where the requester said so.
    pub place: Place<'d>,
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
            (None, said) if self.assume_restart => match said {
                Some(_) => {
                    Restart::Planned("the settings assume a restart, and the caller's word for `final` does not count")
                }
                None => Restart::Planned("the settings assume a restart"),
            },
            (None, said) => Restart::Unknown { refused: said.is_some() },
        }
    }
}
