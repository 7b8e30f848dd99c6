//! The state that the job comes back with after a request: what every rule on compatibility asks first. A job that
//! never ran, or comes back empty, may change as it likes.

use crate::configuration::SAVEPOINT_FORMAT;
use crate::facts::Savepoint;
use crate::location::is_checkpoint;
use crate::operation::{
    Action, Desired, Dialect, JobState, Restore, Spec, Stage, Start, StartCause, StopMode, UpgradeMode, Verb,
};
use crate::restore::{Choice, select};

/// State that the next start restores.
pub(super) struct Kept<'s, 'd> {
    pub(super) format: Format,
    /// The snapshot, if it is a known one.
    pub(super) savepoint: Option<&'s Savepoint<'d>>,
    /// The request names the snapshot, which may be of any run: what ran before tells nothing of it.
    pub(super) named: Option<&'s str>,
    /// It is known that there is state, and that it is restored.
    pub(super) certain: bool,
}

/// How state is written (DOMAIN 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A checkpoint, always in the state backend's own format.
    Checkpoint,
    /// A savepoint in the state backend's own format.
    Native,
    /// A savepoint that every state backend reads.
    Canonical,
    Unknown,
}

/// What the job comes back with: at the start in this request, else at the next one.
pub(super) fn kept<'s, 'd>(stage: &'s Stage<'d>) -> Option<Kept<'s, 'd>> {
    if stage.facts.deployment.execution_mode.as_deref() == Some("BATCH") {
        return None;
    }
    let kept = match stage.starts().last() {
        Some((_, start)) => at_start(stage, start),
        None if stage.platform == Dialect::Kubernetes => later_on_kubernetes(stage),
        None => later(stage),
    }?;
    let deployment = &stage.facts.deployment;
    let none = deployment.never_started == Some(true) || deployment.has_state == Some(false);
    (!none || kept.named.is_some() || kept.savepoint.is_some()).then_some(kept)
}

fn at_start<'s, 'd>(stage: &'s Stage<'d>, start: &'s Start<'d>) -> Option<Kept<'s, 'd>> {
    let own = Kept { format: Format::Unknown, savepoint: None, named: None, certain: exists(stage) };
    let asked = matches!(start.restore, Restore::Location(_) | Restore::Savepoint(_));
    Some(match select(stage, start).choice {
        Choice::Empty => return None,
        Choice::One(savepoint) => {
            let named = savepoint.location.as_deref().or(savepoint.id.as_deref()).filter(|_| asked);
            Kept { format: of_savepoint(stage, savepoint), savepoint: Some(savepoint), named, certain: true }
        }
        Choice::Named(name) if name.trim().is_empty() => return None,
        Choice::Named(name) if is_checkpoint(name) => {
            Kept { format: Format::Checkpoint, named: Some(name).filter(|_| asked), certain: true, ..own }
        }
        Choice::Named(name) if asked => Kept { named: Some(name), certain: true, ..own },
        Choice::Named(_) => Kept { format: configured(stage), certain: true, ..own },
        Choice::OneOf { or_empty, .. } => Kept { certain: !or_empty || own.certain, ..own },
        Choice::Stopped => Kept { format: stopped(stage), ..own },
        // A new deployment of which nothing is known has no state.
        Choice::Unknown(_) if start.cause == StartCause::Create => return None,
        Choice::Unknown(_) => own,
    })
}

/// Without a start: a job that is suspended by this request, or was; or one that is scaled as it runs.
fn later_on_kubernetes<'s, 'd>(stage: &'s Stage<'d>) -> Option<Kept<'s, 'd>> {
    let declaration = stage.declaration.as_ref().filter(|declaration| declaration.verb == Verb::Update)?;
    let (old, new) = (declaration.old_spec()?, declaration.new_spec()?);
    if declaration.old.is_some_and(|old| old.is_terminating()) {
        return None;
    }
    let own = |format| Kept { format, savepoint: None, named: None, certain: exists(stage) };
    if stage.operations.iter().any(|operation| matches!(operation.action, Action::Rescale(_))) {
        return Some(own(Format::Checkpoint));
    }
    match stage.stops().last() {
        Some((_, stop)) if stop.mode == StopMode::Cancel => return None,
        Some(_) => return Some(own(stopped(stage))),
        None if old.desired() != Desired::Suspended || new.desired() != Desired::Suspended => return None,
        None => {}
    }
    // The mode of the suspend is stored and wins, unless the new one is stateless (DOMAIN 4.2-5).
    let stateless = |spec: Spec<'_>| spec.upgrade_mode() == UpgradeMode::Stateless;
    (!stateless(new) && !declaration.last.is_some_and(stateless)).then(|| own(stopped(stage)))
}

fn later<'s, 'd>(stage: &'s Stage<'d>) -> Option<Kept<'s, 'd>> {
    let stays = |action: &Action<'_>| matches!(action, Action::Change(_) | Action::Rescale(_));
    let changes = stage.operations.iter().any(|operation| stays(&operation.action));
    let cancelled = stage.stops().any(|(_, stop)| stop.mode == StopMode::Cancel) && stage.platform == Dialect::Alibaba;
    let restored = changes && !cancelled && stage.content.restores != Some(false);
    let certain = exists(stage) && stage.content.restores == Some(true);
    restored.then_some(Kept { format: Format::Unknown, savepoint: None, named: None, certain })
}

/// How a stop writes the state that the job comes back with: the one in this request, else the one before it.
fn stopped(stage: &Stage<'_>) -> Format {
    let last = stage.declaration.as_ref().and_then(|declaration| declaration.last);
    match stage.stops().last() {
        Some((_, stop)) if stop.mode == StopMode::LastState => Format::Checkpoint,
        None if last.is_some_and(|last| last.upgrade_mode() == UpgradeMode::LastState) => Format::Checkpoint,
        _ if stage.platform == Dialect::Kubernetes => configured(stage),
        Some(_) => Format::Canonical,
        None => Format::Unknown,
    }
}

/// The format in which the operator takes its savepoints (DOMAIN 4.3).
fn configured(stage: &Stage<'_>) -> Format {
    match stage.current.configuration.present(SAVEPOINT_FORMAT) {
        Some(word) if word.trim().eq_ignore_ascii_case("NATIVE") => Format::Native,
        Some(_) => Format::Canonical,
        None if stage.current.configuration_complete => Format::Canonical,
        None => Format::Unknown,
    }
}

fn of_savepoint(stage: &Stage<'_>, savepoint: &Savepoint<'_>) -> Format {
    let checkpoint = savepoint.origin.as_deref() == Some("RETAINED_CHECKPOINT")
        || savepoint.location.as_deref().is_some_and(is_checkpoint);
    match savepoint.format.as_deref() {
        _ if checkpoint => Format::Checkpoint,
        Some(word) if word.eq_ignore_ascii_case("NATIVE") => Format::Native,
        Some(word) if word.eq_ignore_ascii_case("CANONICAL") => Format::Canonical,
        None if stage.platform == Dialect::Ververica && savepoint.origin.is_some() => Format::Canonical,
        _ => Format::Unknown,
    }
}

/// The operator has suspended the job and kept its state, whatever word is left of the job itself (Kubernetes).
pub(super) fn is_suspended_with_state(stage: &Stage<'_>) -> bool {
    let suspended = |spec: Spec<'_>| spec.desired() == Desired::Suspended;
    stage.declaration.as_ref().is_some_and(|it| {
        it.old_spec().is_some_and(suspended)
            && it.last.is_some_and(|last| suspended(last) && last.keeps_state() == Some(true))
    })
}

/// State of the job is known to exist.
fn exists(stage: &Stage<'_>) -> bool {
    let deployment = &stage.facts.deployment;
    let completed = |savepoint: &Savepoint<'_>| savepoint.state.as_deref() == Some("COMPLETED");
    matches!(stage.current.state, Some(JobState::Running | JobState::Suspended))
        || is_suspended_with_state(stage)
        || deployment.has_state == Some(true)
        || deployment.max_parallelism.is_some()
        || stage.facts.savepoints.iter().flatten().any(completed)
        || stage.declaration.as_ref().and_then(|it| it.before()).is_some_and(|before| before.knows_state())
}
