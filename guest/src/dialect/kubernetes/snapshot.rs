//! FlinkStateSnapshot: taking, registering and disposing of savepoints and checkpoints (DOMAIN 4.1, 4.2-10).

use std::borrow::Cow;

use super::current;
use super::request::Ask;
use super::stored::{self, Stored};
use crate::configuration::{Configuration, SAVEPOINT_FORMAT};
use crate::document::Node;
use crate::facts::Facts;
use crate::operation::Verb;
use crate::operation::{Action, Current, Disposal, Operation, Place, Registration, Stage, Target, Trigger};
use crate::operation::{Kind, Resource};

/// The job that a snapshot is of.
pub(super) fn job_of<'d>(ask: &Ask<'d>) -> Option<Target<'d>> {
    let name = ask.resource()?.in_spec(&["jobReference", "name"])?.scalar()?;
    Some(Target { namespace: ask.target.namespace.clone(), name })
}

/// The kind of the job that a snapshot is of.
pub(super) fn kind_of(ask: &Ask<'_>) -> Kind {
    Kind::of_job(ask.resource().and_then(|resource| resource.in_spec(&["jobReference"])))
}

/// What is known of that job: the declared resource of its name, else the declared facts.
pub(super) fn current<'d>(ask: &Ask<'d>, facts: &Facts<'d>) -> Current<'d> {
    let kind = kind_of(ask);
    let job = job_of(ask).and_then(|job| current::related(facts, kind.word(), &job.namespace, &job.name));
    let spec = job.map(|job| job.spec(kind));
    let (mut configuration, mut complete) = current::configuration(kind, &ask.target.namespace, spec, facts);
    let declared = facts.deployment.configuration.filter(|_| job.is_none());
    if let Some(declared) = declared {
        configuration.overlay(declared);
    }
    complete &= job.is_some() || declared.is_some();
    let last = job.and_then(|job| job.status(&["reconciliationStatus", "lastReconciledSpec"]));
    let text = stored::text(last);
    let last = Stored::parse(last, text.as_deref());
    Current {
        state: current::state(job, facts),
        stateful: spec.and_then(|spec| spec.keeps_state()),
        stopped_at: job.zip(spec).and_then(|(job, spec)| current::stopped_at(job, spec, last.spec())),
        retention: Some(current::retention(&configuration)),
        configuration,
        configuration_complete: complete,
        ..Current::default()
    }
}

/// What a request for a snapshot does.
pub(super) fn decode<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>) {
    let Some(resource) = ask.resource() else { return };
    match ask.verb {
        Verb::Create => take(stage, ask, resource),
        // The operator acts once: only a snapshot that is still to be taken can be turned into another.
        Verb::Update if is_pending(ask.old) => take(stage, ask, resource),
        Verb::Update => nothing(stage, ask, "edit the finished snapshot"),
        Verb::Delete => delete(stage, ask, resource),
    }
}

fn is_pending(old: Option<Resource<'_>>) -> bool {
    let state = old.and_then(|old| old.status_text(&["state"]));
    matches!(state.as_deref(), None | Some("TRIGGER_PENDING"))
}

fn take<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, resource: Resource<'d>) {
    let savepoint = resource.in_spec(&["savepoint"]);
    let checkpoint = resource.in_spec(&["checkpoint"]);
    let path = savepoint.and_then(|savepoint| savepoint.get("path"));
    let flag = |name: &str| savepoint.and_then(|savepoint| savepoint.get(name)).and_then(|flag| flag.bool());
    let (action, target, place) = match (savepoint, checkpoint) {
        (Some(savepoint), _) if flag("alreadyExists") == Some(true) => {
            let registration = Registration {
                resource: savepoint,
                location: path,
                spec_version: None,
                origin: None,
                state: None,
                flink_savepoint_id: None,
            };
            (Action::Register(registration), ask.target.clone(), savepoint)
        }
        (Some(savepoint), _) => {
            let native = native(savepoint, &stage.current.configuration);
            stage.content.native_format = savepoint.get("formatType").filter(|_| native);
            let trigger = Trigger { checkpoint: false, directory: path, native };
            (Action::Trigger(trigger), job_of(ask).unwrap_or_else(|| ask.target.clone()), savepoint)
        }
        (None, Some(checkpoint)) => {
            let trigger = Trigger { checkpoint: true, directory: None, native: false };
            (Action::Trigger(trigger), job_of(ask).unwrap_or_else(|| ask.target.clone()), checkpoint)
        }
        // The operator refuses it (DOMAIN 4.5, V41).
        (None, None) => return nothing(stage, ask, "take neither savepoint nor checkpoint with"),
    };
    stage.operations.push(Operation { action, target, place: Place::Body(place) });
}

fn native(savepoint: Node<'_>, configuration: &Configuration<'_>) -> bool {
    let own = savepoint.get("formatType").and_then(|format| format.text());
    let word = own.or_else(|| configuration.get(SAVEPOINT_FORMAT).map(Cow::Borrowed));
    word.is_some_and(|word| word.eq_ignore_ascii_case("NATIVE"))
}

fn delete<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, resource: Resource<'d>) {
    let savepoint = resource.in_spec(&["savepoint"]);
    let completed = resource.status(&["state"]).is_some_and(|state| state.is("COMPLETED"));
    if !resource.is_disposed_of() || !completed {
        return nothing(stage, ask, "delete only the record of snapshot");
    }
    let location = resource.status(&["path"]).or_else(|| savepoint.and_then(|savepoint| savepoint.get("path")));
    let place = Place::Body(savepoint.and_then(|savepoint| savepoint.get("disposeOnDelete")).unwrap_or(resource.node));
    let action = Action::Dispose(Disposal { location });
    stage.operations.push(Operation { action, target: ask.target.clone(), place });
}

fn nothing<'d>(stage: &mut Stage<'d>, ask: &Ask<'d>, why: &'static str) {
    let place = Place::of(ask.resource().map(|resource| resource.node));
    stage.operations.push(Operation { action: Action::Nothing(why), target: ask.target.clone(), place });
}
