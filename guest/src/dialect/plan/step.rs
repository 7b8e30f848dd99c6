//! One step of a change plan: a verb with its options, as an operation, and the state it leaves behind.

use std::borrow::Cow;

use super::{only, wrong};
use crate::document::Node;
use crate::gate::Failure;
use crate::nearest::nearest;
use crate::operation::{
    Action, Change, Deletion, Dialect, JobState, Place, Reach, Restore, Start, StartCause, Stop, StopCause, StopMode,
    Trigger,
};

const VERBS: &[&str] = &["stop", "suspend", "start", "change", "edit", "publish", "savepoint", "delete"];
const MODES: &[&str] = &["cancel", "savepoint", "drain"];
const RESTORES: &[&str] = &["none", "latest-state", "latest-savepoint", "from-savepoint"];

/// A step, with the place it stands.
pub(super) struct Step<'d> {
    pub(super) verb: Verb<'d>,
    pub(super) node: Node<'d>,
}

/// What a step does.
pub(super) enum Verb<'d> {
    Stop(StopMode, StopCause, Option<Node<'d>>),
    Start { restore: Restore<'d>, place: Place<'d>, allow_non_restored_state: Option<bool> },
    Change,
    Publish,
    Savepoint(Option<Node<'d>>),
    Delete,
}

impl Verb<'_> {
    /// Whether a job runs after it that did not run before.
    pub(super) fn starts(&self) -> bool {
        matches!(self, Self::Start { .. })
    }

    /// Whether a savepoint is taken.
    pub(super) fn leaves_savepoint(&self) -> bool {
        matches!(self, Self::Stop(StopMode::Savepoint | StopMode::Drain, ..) | Self::Savepoint(_))
    }

    /// The job's state afterwards, where the step changes it.
    pub(super) fn leaves(&self) -> Option<JobState> {
        match self {
            Self::Stop(_, StopCause::Suspend, _) => Some(JobState::Suspended),
            Self::Stop(..) | Self::Delete => Some(JobState::Canceled),
            Self::Start { .. } => Some(JobState::Running),
            Self::Change | Self::Publish | Self::Savepoint(_) => None,
        }
    }
}

impl<'d> Step<'d> {
    /// Reads `{verb: {options}}`.
    pub(super) fn read(step: Node<'d>, platform: Dialect) -> Result<Self, Failure> {
        let mut members = step.members();
        let (Some((key, options)), None) = (members.next(), members.next()) else {
            return Err(wrong(step, format!("a step is one of {} with its options", VERBS.join(", "))));
        };
        let name = key.text().unwrap_or_default();
        let verb = match name.as_ref() {
            "stop" => {
                options_only(options, &["mode", "targetDirectory"])?;
                let mode = match choice(options, "mode", MODES)? {
                    Some("cancel") => StopMode::Cancel,
                    Some("savepoint") => StopMode::Savepoint,
                    Some(_) => StopMode::Drain,
                    None => return Err(wrong(key, format!("`stop` needs `mode`: one of {}", MODES.join(", ")))),
                };
                Verb::Stop(mode, StopCause::Request, options.get("targetDirectory"))
            }
            "suspend" => {
                options_only(options, &["drain", "targetDirectory"])?;
                let mode = if flag(options, "drain")? == Some(true) { StopMode::Drain } else { StopMode::Savepoint };
                Verb::Stop(mode, StopCause::Suspend, options.get("targetDirectory"))
            }
            "start" => start(options, platform)?,
            "change" | "edit" => none(options, Verb::Change)?,
            "publish" => none(options, Verb::Publish)?,
            "savepoint" => {
                options_only(options, &["targetDirectory"])?;
                Verb::Savepoint(options.get("targetDirectory"))
            }
            "delete" => none(options, Verb::Delete)?,
            _ => {
                let hint = nearest(&name, VERBS.iter().copied());
                return Err(wrong(key, format!("unknown step `{name}`{hint}; the steps are {}", VERBS.join(", "))));
            }
        };
        Ok(Self { verb, node: options })
    }

    /// The operation of this step. How far a change reaches is for the plan to say.
    pub(super) fn action(&self) -> Action<'d> {
        match &self.verb {
            Verb::Stop(mode, cause, directory) => {
                Action::Stop(Stop { mode: *mode, cause: *cause, drain: None, directory: *directory })
            }
            Verb::Start { restore, place, allow_non_restored_state } => Action::Start(Start {
                allow_non_restored_state: *allow_non_restored_state,
                ..Start::new(StartCause::Request, restore.clone(), place.clone())
            }),
            Verb::Change => Action::Change(Change { content: true, reach: Reach::Applied, ..Change::default() }),
            Verb::Publish => Action::Publish(Reach::Applied),
            Verb::Savepoint(directory) => {
                Action::Trigger(Trigger { checkpoint: false, directory: *directory, native: false })
            }
            Verb::Delete => Action::Delete(Deletion {
                savepoint_first: None,
                stateful: None,
                deployed: None,
                place: Place::Body(self.node),
                restore_point: None,
                savepoint_age: None,
                skipped: None,
            }),
        }
    }
}

fn start(options: Node<'_>, platform: Dialect) -> Result<Verb<'_>, Failure> {
    options_only(options, &["restore", "savepointId", "savepointPath", "allowNonRestoredState"])?;
    let given = choice(options, "restore", RESTORES)?;
    let (id, path) = (options.get("savepointId"), options.get("savepointPath"));
    let text = |node: Option<Node<'_>>| {
        node.and_then(|node| node.scalar()).filter(|text| !text.trim().is_empty()).map(Cow::into_owned)
    };
    if let Some(node) = id.or(path).filter(|_| !matches!(given, None | Some("from-savepoint"))) {
        return Err(wrong(node, "a savepoint is named, but `restore` asks for something else; use `from-savepoint`"));
    }
    let restore = match (given, text(path)) {
        (None | Some("from-savepoint"), Some(path)) => Restore::Location(Cow::Owned(path)),
        (Some("none"), _) => Restore::Empty,
        (Some("latest-state"), _) => Restore::LatestState,
        (Some("latest-savepoint"), _) => Restore::LatestSavepoint,
        (None, None) if id.is_none() => Restore::Unknown,
        // On Alibaba a rule judges the missing id: its API takes such a request.
        _ => match text(id) {
            None if platform != Dialect::Alibaba => {
                return Err(wrong(options, "`from-savepoint` needs `savepointPath` or `savepointId`"));
            }
            id => Restore::Savepoint(id.map(Cow::Owned)),
        },
    };
    let place = options.get("restore").or(id).or(path).unwrap_or(options);
    Ok(Verb::Start {
        restore,
        place: Place::Body(place),
        allow_non_restored_state: flag(options, "allowNonRestoredState")?,
    })
}

fn none<'d>(options: Node<'d>, verb: Verb<'d>) -> Result<Verb<'d>, Failure> {
    options_only(options, &[])?;
    Ok(verb)
}

/// A step without options may be written `publish: {}` or `publish:`.
fn options_only(options: Node<'_>, names: &[&str]) -> Result<(), Failure> {
    if options.is_null() { Ok(()) } else { only(options, names) }
}

fn choice(options: Node<'_>, name: &str, values: &[&'static str]) -> Result<Option<&'static str>, Failure> {
    let Some(node) = options.get(name) else { return Ok(None) };
    match values.iter().find(|value| node.is(value)) {
        Some(value) => Ok(Some(value)),
        None => {
            let hint = nearest(&node.scalar().unwrap_or_default(), values.iter().copied());
            let message = format!("`{name}` must be one of {}, not {}{hint}", values.join(", "), node.source());
            Err(wrong(node, message))
        }
    }
}

fn flag(options: Node<'_>, name: &str) -> Result<Option<bool>, Failure> {
    match options.get(name) {
        None => Ok(None),
        Some(node) => node.bool().map(Some).ok_or_else(|| wrong(node, format!("`{name}` must be true or false"))),
    }
}
