//! Kubernetes: AdmissionReviews and manifests of the Flink Kubernetes Operator's resources, read as its reconciler
//! reads them (DOMAIN 4 and 5).

mod current;
mod deletion;
mod difference;
mod hygiene;
mod leniency;
mod lifecycle;
mod request;
mod scale;
mod snapshot;
mod stored;
#[cfg(test)]
mod tests;
mod ververica;
mod volumes;

use std::borrow::Cow;

use super::{Context, reads};
use crate::document::{Node, all};
use crate::gate::Failure;
use crate::operation::Verb;
use crate::operation::{
    Action, Decoded, Dialect, Oddity, OddityKind, Operation, Override, Place, Skipped, Stage, Target,
};
use crate::operation::{Kind, Resource};
use difference::Difference;
use lifecycle::Transition;
use request::{Ask, Asked};
use stored::Stored;

/// Decodes an AdmissionReview.
pub(super) fn review<R>(
    review: Node<'_>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    decode(request::review(review)?, context, then)
}

/// Decodes a manifest: without the live object as a create, with it as an update.
pub(super) fn manifest<R>(
    manifest: Node<'_>,
    live: Option<Node<'_>>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    decode(request::manifest(manifest, live)?, context, then)
}

#[inline(never)]
fn decode<R>(asked: Asked<'_>, context: &Context<'_>, then: impl FnOnce(&Decoded<'_>) -> R) -> Result<R, Failure> {
    match asked {
        Asked::Resource(ask) => match idle(&ask) {
            Some((why, place)) => {
                let look = |stage: &mut Stage<'_>| stage.repeats = repeats(&ask);
                single(Action::Nothing(why), ask.target.clone(), place, context, look, then)
            }
            None if matches!(ask.kind, Kind::Snapshot | Kind::Ververica) => other(&ask, context, then),
            None => job(&ask, context, then),
        },
        Asked::Scale { target, user, object, old } => {
            let mut stage = context.stage(Dialect::Kubernetes, &target.namespace, &target.name)?;
            context.observe(&mut stage, &|_| reads::scaled(&target.namespace, &target.name));
            let deployment = current::related(&stage.facts, Kind::Deployment.word(), &target.namespace, &target.name);
            stage.current.state = current::state(deployment, &stage.facts);
            let number = object.in_spec(&["replicas"]);
            let same = scale::is_unchanged(old, number, deployment);
            stage.current.perhaps_unchanged = same.is_none();
            let action = match same {
                Some(true) => Action::Nothing("leave unchanged"),
                _ => Action::Rescale(number),
            };
            stage.leniency = leniency::of_user(Verb::Update, &user, context.settings);
            common(&mut stage, Some(object), Some(user).filter(|user| !user.is_empty()), context);
            let place = Place::Body(number.unwrap_or(object.node));
            stage.operations.push(Operation { action, target, place });
            finish(stage, then)
        }
        Asked::Nothing { why, target, place } => single(Action::Nothing(why), target, place, context, |_| {}, then),
        Asked::Unknown { oddity, target, verb, user, object } => {
            let mut stage = context.stage(Dialect::Kubernetes, &target.namespace, &target.name)?;
            let place = oddity.place.clone();
            stage.operations.push(Operation { action: Action::Unknown, target, place });
            stage.oddities.push(oddity);
            stage.leniency = leniency::of_user(verb, &user, context.settings);
            common(&mut stage, object, Some(user).filter(|user| !user.is_empty()), context);
            finish(stage, then)
        }
    }
}

/// Why a request changes nothing in a job's life, where its metadata and spec tell already.
fn idle<'d>(ask: &Ask<'d>) -> Option<(&'static str, Place<'d>)> {
    let place = Place::of(ask.resource().map(|resource| resource.node));
    if ask.before().is_some_and(|before| before.canary().is_some()) && ask.resource()?.canary().is_some() {
        // A canary has no spec. One that has a job is a deployment in disguise, and is judged.
        let job = ask.resource().and_then(|resource| resource.spec(ask.kind).job());
        return job.is_none().then_some(("leave canary", place));
    }
    if ask.verb == Verb::Delete && ask.old?.metadata("deletionTimestamp").is_some() {
        return Some(("repeat the delete of", place));
    }
    let (Some(old), Some(object)) = (ask.old, ask.object) else { return None };
    let unchanged = match (old.whole_spec(), object.whole_spec()) {
        (None, None) => true,
        (Some(before), Some(after)) => before.same(&after),
        _ => false,
    };
    if !unchanged || object.canary().is_some() && old.canary().is_none() {
        return None;
    }
    match loses_finalizer(ask, old, object) {
        true if ask.kind == Kind::Snapshot => Some(("remove finalizer of", place)),
        true => None,
        false => Some(("leave unchanged", place)),
    }
}

/// Whether an update leaves all as it was that people or controllers write. `kubectl` notes what it was given.
fn repeats(ask: &Ask<'_>) -> bool {
    const KUBECTL: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let (Some(old), Some(object)) = (ask.old, ask.object) else { return false };
    let unchanged = match (old.whole_spec(), object.whole_spec()) {
        (Some(before), Some(after)) => before.same(&after),
        _ => false,
    };
    let same = |name: &str| match (old.metadata(name), object.metadata(name)) {
        (Some(before), Some(after)) if name == "annotations" => {
            let (mut before, mut after) = (before.present(), after.present());
            before.retain(|member| member.name != KUBECTL);
            after.retain(|member| member.name != KUBECTL);
            all(&before, &after, |a, b| a.same(b))
        }
        (Some(before), Some(after)) => before.same(&after),
        (before, after) => before.is_none() && after.is_none(),
    };
    let metadata = || ["finalizers", "ownerReferences", "labels", "annotations"].into_iter().all(same);
    ask.kind.runs_job() && unchanged && (ask.bare || metadata())
}

/// The operator's finalizer is taken away. A manifest never lists it, and leaves it alone.
fn loses_finalizer(ask: &Ask<'_>, old: Resource<'_>, object: Resource<'_>) -> bool {
    let lost = |name: &str| old.has_finalizer(name) && !object.has_finalizer(name);
    !ask.bare && ask.kind.finalizer().is_some_and(lost)
}

/// A stage of one operation, of which no resource is shown to rules; `look` adds what is known.
fn single<'d, R>(
    action: Action<'d>,
    target: Target<'d>,
    place: Place<'d>,
    context: &Context<'d>,
    look: impl FnOnce(&mut Stage<'_>),
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    let mut stage = context.stage(Dialect::Kubernetes, &target.namespace, &target.name)?;
    look(&mut stage);
    stage.operations.push(Operation { action, target, place });
    finish(stage, then)
}

fn finish<R>(stage: Stage<'_>, then: impl FnOnce(&Decoded<'_>) -> R) -> Result<R, Failure> {
    Ok(then(&Decoded { dialect: Dialect::Kubernetes, stages: vec![stage] }))
}

/// Snapshots, and the resources of Ververica's operator.
#[inline(never)]
fn other<'d, R>(ask: &Ask<'d>, context: &Context<'d>, then: impl FnOnce(&Decoded<'_>) -> R) -> Result<R, Failure> {
    let job = snapshot::job_of(ask).filter(|_| ask.kind == Kind::Snapshot);
    let about = job.as_ref().filter(|_| ask.verb != Verb::Delete).unwrap_or(&ask.target);
    let mut stage = context.stage(Dialect::Kubernetes, &about.namespace, &about.name)?;
    if let Some(job) = &job {
        let kind = snapshot::kind_of(ask).word();
        context.observe(&mut stage, &|seen| reads::snapshot(kind, &job.namespace, &job.name, seen));
    }
    stage.declaration = Some(ask.declaration(None));
    stage.leniency = leniency::of(ask, context.settings);
    hygiene::inspect(ask, &mut stage.oddities);
    common(&mut stage, ask.resource(), ask.user.clone(), context);
    if ask.kind == Kind::Snapshot {
        stage.current = snapshot::current(ask, &stage.facts);
        snapshot::decode(&mut stage, ask);
    } else {
        ververica::decode(&mut stage, ask);
    }
    finish(stage, then)
}

/// Resources that run a job: FlinkDeployment, FlinkSessionJob, FlinkBlueGreenDeployment.
#[inline(never)]
fn job<R>(ask: &Ask<'_>, context: &Context<'_>, then: impl FnOnce(&Decoded<'_>) -> R) -> Result<R, Failure> {
    let node = |name: &str| ask.before()?.status(&["reconciliationStatus", name]);
    let (last, stable) = (node("lastReconciledSpec"), node("lastStableSpec"));
    let (last_text, stable_text) = (stored::text(last), stored::text(stable));
    let last_spec = Stored::parse(last, last_text.as_deref());
    let stable_spec = Stored::parse(stable, stable_text.as_deref());

    let mut stage = context.stage(Dialect::Kubernetes, &ask.target.namespace, &ask.target.name)?;
    let cluster = ask.resource().and_then(|resource| resource.spec(ask.kind).get("deploymentName")?.text());
    let cluster = cluster.as_deref().filter(|_| ask.kind == Kind::SessionJob);
    context.observe(&mut stage, &|_| reads::resource(ask.kind, &ask.target.namespace, cluster));
    stage.leniency = leniency::of(ask, context.settings);
    hygiene::inspect(ask, &mut stage.oddities);
    common(&mut stage, ask.resource(), ask.user.clone(), context);
    stage.declaration = Some(ask.declaration(last_spec.spec()));
    stage.content = current::content(ask);
    stage.current = current::of(ask, &stage.facts, last_spec.spec());
    stage.oddities.extend(last_spec.oddity(last, "lastReconciledSpec"));
    stage.oddities.extend(stable_spec.oddity(stable, "lastStableSpec"));
    let deployed = deployed(ask, &stage, !matches!(last_spec, Stored::Absent));
    stage.current.deployed = deployed;

    match (ask.verb, ask.old, ask.object) {
        (Verb::Delete, ..) => deletion::delete(&mut stage, ask, deployed),
        (_, old, Some(resource)) => {
            let new = resource.spec(ask.kind);
            let deployed_before = deployed != Some(false);
            let transition = Transition { ask, resource, new, last: last_spec.spec(), deployed: deployed_before };
            // A canary that becomes a real deployment starts like a new one.
            match old.filter(|old| old.canary().is_none()) {
                None => transition.create(&mut stage),
                Some(old) => update(&mut stage, ask, &transition, old, stable_spec.spec(), deployed),
            }
        }
        (_, _, None) => {}
    }
    stage.allow_recovery();
    finish(stage, then)
}

fn update<'d>(
    stage: &mut Stage<'d>,
    ask: &Ask<'d>,
    transition: &Transition<'_, 'd>,
    old: Resource<'d>,
    stable: Option<crate::operation::Spec<'_>>,
    deployed: Option<bool>,
) {
    let object = transition.resource;
    let place = Place::Body(object.node);
    let nothing = |why| Operation { action: Action::Nothing(why), target: ask.target.clone(), place: place.clone() };
    if let Some(label) = object.canary() {
        if !deletion::abandon(stage, ask, deployed, Skipped::Canary, Place::Body(label)) {
            stage.operations.push(nothing("turn into a canary"));
        }
        return;
    }
    if loses_finalizer(ask, old, object) {
        let metadata = object.metadata("finalizers").or(object.whole_metadata()).unwrap_or(object.node);
        if !deletion::abandon(stage, ask, deployed, Skipped::Finalizer, Place::Body(metadata)) {
            stage.operations.push(nothing("remove finalizer of"));
        }
        if old.is_terminating() && stage.leniency.is_none() {
            stage.leniency = Some("the resource is being deleted, and without this it may hang for ever");
        }
    } else if old.is_terminating()
        && let Some(place) = current::switched_off(stage, object, transition.new)
    {
        deletion::abandon(stage, ask, deployed, Skipped::SwitchedOff, place);
    }
    let before = old.spec(ask.kind);
    let difference = Difference::between(before, transition.new);
    if stage.leniency.is_none() {
        stage.leniency = leniency::of_rollback(stable, before, transition.new, &difference);
    }
    if difference.place().is_some() {
        transition.update(stage, before, &difference);
    }
    if stage.operations.is_empty() {
        stage.operations.push(nothing("leave unchanged"));
    }
}

/// Whether the job was deployed at some time. A manifest's live object without status tells nothing.
fn deployed(ask: &Ask<'_>, stage: &Stage<'_>, reconciled: bool) -> Option<bool> {
    let before = ask.old?;
    let seen = before.status_text(&["jobStatus", "state"]).is_some();
    if reconciled || seen || stage.current.state.is_some() {
        return Some(true);
    }
    match stage.facts.deployment.never_started {
        Some(never) => Some(!never),
        None if ask.kind == Kind::BlueGreen && before.status(&["lastReconciledSpec"]).is_some() => Some(true),
        None if ask.bare && !before.has_status() => None,
        None => Some(false),
    }
}

/// What every decoded resource has: who asks, what is to be overridden, what is said about a restart.
fn common<'d>(
    stage: &mut Stage<'d>,
    resource: Option<Resource<'d>>,
    user: Option<Cow<'d, str>>,
    context: &Context<'_>,
) {
    // Whom the API server authenticated counts for more than whom somebody declares.
    if let Some(user) = user {
        stage.intent.trusted = context.settings.accepts_intent_of(Some(&user));
        stage.facts.principal = Some(user);
    }
    let Some(annotations) = resource.and_then(|resource| resource.metadata("annotations")) else { return };
    stage.overrides.extend(Override::annotated(|name| annotations.get(name), false));
    let Some(word) = annotations.get("sluicegate.dev/intent") else { return };
    let said = word.scalar().unwrap_or_default();
    let known = super::read_intent(&mut stage.intent, &said, Place::Body(word));
    stage.intent.trusted |= known;
    if !known {
        let oddity = Oddity::new(
            OddityKind::UnknownEnumValue,
            Place::Body(word),
            format!("the intent `{said}` is neither `restart` nor `final`, so it does not count"),
            "annotate `sluicegate.dev/intent: restart` or `final`",
        );
        stage.oddities.push(oddity.observed(said).expected("restart, final").warn());
    }
}
