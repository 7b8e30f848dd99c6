//! What a decoder noticed and a rule has to report: spellings, fields and shapes.

use std::borrow::Cow;

use super::Place;

/// Something a decoder noticed that a rule has to report. Each kind belongs to one rule.
#[derive(Debug)]
pub struct Oddity<'d> {
    /// Which rule.
    pub kind: OddityKind,
    /// Where.
    pub place: Place<'d>,
    /// What is wrong, for people.
    pub message: Cow<'static, str>,
    /// The value found.
    pub observed: Option<String>,
    /// What it should have been.
    pub expected: Option<String>,
    /// What to do.
    pub remedy: Cow<'static, str>,
    /// Report softer than the rule's main effect.
    pub soft: Option<Soft>,
}

impl<'d> Oddity<'d> {
    /// An oddity with the rule's main effect.
    pub fn new(
        kind: OddityKind,
        place: Place<'d>,
        message: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { kind, place, message: message.into(), observed: None, expected: None, remedy: remedy.into(), soft: None }
    }

    /// With the value found.
    pub fn observed(mut self, observed: impl Into<String>) -> Self {
        self.observed = Some(observed.into());
        self
    }

    /// With what it should have been.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// At most a warning.
    pub fn warn(mut self) -> Self {
        self.soft = Some(Soft::Warn);
        self
    }

    /// At most a note.
    pub fn note(mut self) -> Self {
        self.soft = Some(Soft::Note);
        self
    }
}

/// How far a softened finding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soft {
    Warn,
    Note,
}

/// The rule that an oddity belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddityKind {
    UnknownEnumValue,
    UnknownLifecycleField,
    RequiredFieldMissing,
    ResourceNameInvalid,
    UnknownRequest,
    ContextUnreadable,
    FactsContradict,
    GetRequestCancelsJob,
    ImplicitCancelMode,
    RemovedEndpoint,
    SavepointCancelJob,
    ClaimAndRestoreModeBoth,
    InitialSavepointNeedsTwoSteps,
    NamespaceMismatch,
    MaxAttemptsNotPositive,
    DeprecatedField,
}
