//! Words and fields that the operator's resource definitions do not have. The API server enforces them, so what is
//! found here comes from newer definitions or from a manifest that was not sent yet: a warning (DOMAIN 6.12).

use std::borrow::Cow;

use super::request::Ask;
use crate::configuration::{Configuration, DRAIN_ON_SAVEPOINT, Entry, SAVEPOINT_ON_DELETION};
use crate::document::Node;
use crate::nearest::{closest, nearest};
use crate::operation::Verb;
use crate::operation::{Kind, Resource, Spec};
use crate::operation::{Oddity, OddityKind, Place};

/// Nobody reads more; a document made to be large must not cost more.
const MAX_ODDITIES: usize = 50;

const DEPLOYMENT_FIELDS: &[&str] = &[
    "image",
    "imagePullPolicy",
    "serviceAccount",
    "flinkVersion",
    "ingress",
    "podTemplate",
    "jobManager",
    "taskManager",
    "logConfiguration",
    "mode",
    "restartNonce",
    "flinkConfiguration",
    "job",
];
const SESSION_JOB_FIELDS: &[&str] = &["deploymentName", "job", "restartNonce", "flinkConfiguration"];
const JOB_FIELDS: &[&str] = &[
    "jarURI",
    "parallelism",
    "entryClass",
    "args",
    "state",
    "savepointTriggerNonce",
    "initialSavepointPath",
    "checkpointTriggerNonce",
    "upgradeMode",
    "allowNonRestoredState",
    "savepointRedeployNonce",
    "autoscalerResetNonce",
];
const SNAPSHOT_FIELDS: &[&str] = &["jobReference", "savepoint", "checkpoint", "backoffLimit"];
const SAVEPOINT_FIELDS: &[&str] = &["path", "formatType", "disposeOnDelete", "alreadyExists"];
const BLUE_GREEN_FIELDS: &[&str] = &["configuration", "ingress", "template"];

const UPGRADE_MODES: &[&str] = &["savepoint", "last-state", "stateless"];
const JOB_STATES: &[&str] = &["running", "suspended"];
const MODES: &[&str] = &["native", "standalone"];
const FORMATS: &[&str] = &["CANONICAL", "NATIVE", "UNKNOWN"];
const JOB_KINDS: &[&str] = &[Kind::Deployment.word(), Kind::SessionJob.word()];
const FLINK_VERSIONS: &[&str] =
    &["v1_13", "v1_14", "v1_15", "v1_16", "v1_17", "v1_18", "v1_19", "v1_20", "v2_0", "v2_1", "v2_2", "v2_3", "v2_4"];

/// A spec that disappears is no spec left alone: nobody can tell what the operator does with the job.
fn spec_stays<'d>(ask: &Ask<'d>, object: Resource<'d>, spec: Spec<'d>, found: &mut Vec<Oddity<'d>>) {
    let had = ask.old.is_some_and(|old| old.spec(ask.kind).node.is_some());
    if !had || spec.node.is_some() || object.canary().is_some() || ask.bare {
        return;
    }
    let oddity = Oddity::new(
        OddityKind::RequiredFieldMissing,
        Place::Body(object.node),
        "the update takes the whole spec away: what becomes of the job cannot be told",
        "send the whole resource; to end the job, delete it",
    );
    found.push(oddity.expected("spec"));
}

/// What is odd about the resource that a create or an update brings.
pub(super) fn inspect<'d>(ask: &Ask<'d>, found: &mut Vec<Oddity<'d>>) {
    let Some(object) = ask.object else { return };
    let root = Spec::at(object.whole_spec());
    let spec = object.spec(ask.kind);
    objects(ask, object, found);
    spec_stays(ask, object, spec, found);
    match ask.kind {
        Kind::Deployment => fields(spec.node, DEPLOYMENT_FIELDS, found),
        Kind::SessionJob => {
            fields(spec.node, SESSION_JOB_FIELDS, found);
            job_is_there(ask, object, spec, found);
        }
        Kind::BlueGreen => {
            fields(root.node, BLUE_GREEN_FIELDS, found);
            fields(spec.node, DEPLOYMENT_FIELDS, found);
        }
        Kind::Snapshot => {
            fields(root.node, SNAPSHOT_FIELDS, found);
            let savepoint = root.get("savepoint");
            fields(savepoint, SAVEPOINT_FIELDS, found);
            word(savepoint.and_then(|savepoint| savepoint.get("formatType")), "formatType", FORMATS, found);
            word(root.get("jobReference").and_then(|job| job.get("kind")), "jobReference.kind", JOB_KINDS, found);
            for name in ["alreadyExists", "disposeOnDelete"] {
                flag(savepoint.and_then(|savepoint| savepoint.get(name)), name, found);
            }
            return;
        }
        Kind::Ververica => return,
    }
    fields(spec.job(), JOB_FIELDS, found);
    word(spec.of_job("upgradeMode"), "upgradeMode", UPGRADE_MODES, found);
    word(spec.of_job("state"), "job.state", JOB_STATES, found);
    word(spec.get("mode"), "mode", MODES, found);
    flink_version(spec.get("flinkVersion"), found);
    flag(spec.of_job("allowNonRestoredState"), "allowNonRestoredState", found);
    let mut own = Configuration::default();
    spec.get("flinkConfiguration").into_iter().for_each(|settings| own.overlay(settings));
    for key in [DRAIN_ON_SAVEPOINT, SAVEPOINT_ON_DELETION] {
        found.extend(own.entry(key).and_then(no_boolean));
    }
}

/// What everything else is read from must be objects: of another type, nobody can tell what it means.
fn objects<'d>(ask: &Ask<'d>, object: Resource<'d>, found: &mut Vec<Oddity<'d>>) {
    let job_paths: [&[&str]; 3] = [&["spec"], &["spec", "job"], &["spec", "flinkConfiguration"]];
    let template_paths: [&[&str]; 5] = [
        &["spec"],
        &["spec", "template"],
        &["spec", "template", "spec"],
        &["spec", "template", "spec", "job"],
        &["spec", "template", "spec", "flinkConfiguration"],
    ];
    let paths: &[&[&str]] = match ask.kind {
        Kind::Deployment | Kind::SessionJob => &job_paths,
        Kind::BlueGreen => &template_paths,
        Kind::Snapshot | Kind::Ververica => &[&["spec"]],
    };
    for path in paths {
        let Some(node) = object.node.path(path).filter(|node| !node.is_object()) else { continue };
        let name = path.join(".");
        let oddity = Oddity::new(
            OddityKind::UnknownEnumValue,
            Place::Body(node),
            format!("`{name}` is no object: what it means for the job cannot be told"),
            format!("write `{name}` as an object, with its fields below it"),
        )
        .expected("an object");
        // What stood there before is no fault of this request (DOMAIN 6.0-4).
        let before = ask.old.and_then(|old| old.node.path(path)).is_some_and(|old| old.same(&node));
        found.push(if before { oddity.warn() } else { oddity });
    }
}

/// A switch of the operator that Flink cannot read: it knows `true` and `false`, in any case, and nothing else.
fn no_boolean<'d>(entry: &Entry<'d>) -> Option<Oddity<'d>> {
    let is = |word: &str| entry.value.eq_ignore_ascii_case(word);
    if is("true") || is("false") {
        return None;
    }
    let oddity = Oddity::new(
        OddityKind::UnknownEnumValue,
        Place::Body(entry.node),
        format!(
            "`{}` is neither true nor false but `{}`: Flink cannot read it, so the switch is not on",
            entry.key, entry.value
        ),
        "write `\"true\"` or `\"false\"`",
    );
    Some(oddity.observed(entry.value.as_ref()).expected("true, false").warn())
}

/// A version newer than this gate is no slip of the pen.
fn flink_version<'d>(node: Option<Node<'d>>, found: &mut Vec<Oddity<'d>>) {
    let parse = |word: &str| {
        let (major, minor) = word.strip_prefix('v')?.split_once('_')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    let newest = FLINK_VERSIONS.iter().filter_map(|word| parse(word)).max();
    let Some(node) = node.filter(|node| node.text().and_then(|word| parse(&word)) > newest) else {
        return word(node, "flinkVersion", FLINK_VERSIONS, found);
    };
    let oddity = Oddity::new(
        OddityKind::UnknownEnumValue,
        Place::Body(node),
        format!("`flinkVersion` `{}` is newer than this gate: what changed with it is not judged", shown(node)),
        "check that the operator knows this version, and update the gate",
    );
    found.push(oddity.observed(shown(node)).expected(FLINK_VERSIONS.join(", ")).warn());
}

/// V44. What was missing before is no fault of this request (DOMAIN 6.0-4).
fn job_is_there<'d>(ask: &Ask<'d>, object: Resource<'d>, spec: Spec<'d>, found: &mut Vec<Oddity<'d>>) {
    if spec.job().is_some() {
        return;
    }
    let oddity = Oddity::new(
        OddityKind::RequiredFieldMissing,
        Place::Body(spec.node.unwrap_or(object.node)),
        "a session job without `job` says nothing to run: the operator refuses it",
        "add `spec.job` with at least `jarURI` and `parallelism`",
    )
    .expected("`spec.job`");
    let before = ask.verb == Verb::Update && ask.old.is_some_and(|old| old.spec(ask.kind).job().is_none());
    found.push(if before { oddity.warn() } else { oddity });
}

fn fields<'d>(node: Option<Node<'d>>, known: &[&str], found: &mut Vec<Oddity<'d>>) {
    for (key, value) in node.iter().flat_map(|node| node.members()) {
        if found.len() >= MAX_ODDITIES {
            return;
        }
        let name = key.text().unwrap_or_default();
        if known.contains(&name.as_ref()) {
            continue;
        }
        let oddity = |message: String, remedy: String| {
            Oddity::new(OddityKind::UnknownLifecycleField, Place::Body(value), message, remedy).observed(name.as_ref())
        };
        found.push(match closest(&name, known.iter().copied()) {
            Some(near) => oddity(
                format!("there is no field `{name}`: it will be dropped without a word, and `{near}` stays unset"),
                format!("write `{near}`"),
            )
            .expected(format!("`{near}`"))
            .warn(),
            None => oddity(
                format!("the field `{name}` is not known here, so what it does is not judged"),
                "check it against the resource definition that is installed in the cluster".to_owned(),
            )
            .note(),
        });
    }
}

fn word<'d>(node: Option<Node<'d>>, name: &str, known: &[&str], found: &mut Vec<Oddity<'d>>) {
    let Some(node) = node.filter(|node| !known.iter().any(|word| node.is(word))) else { return };
    let hint = nearest(&node.scalar().unwrap_or_default(), known.iter().copied());
    let oddity = Oddity::new(
        OddityKind::UnknownEnumValue,
        Place::Body(node),
        format!("`{name}` has no value `{}`: what the operator makes of it is not known here", shown(node)),
        format!("use one of the known values{hint}; if the operator is newer than this gate, update the gate"),
    );
    found.push(oddity.observed(shown(node)).expected(known.join(", ")).warn());
}

fn flag<'d>(node: Option<Node<'d>>, name: &str, found: &mut Vec<Oddity<'d>>) {
    let Some(node) = node.filter(|node| node.bool().is_none()) else { return };
    let oddity = Oddity::new(
        OddityKind::UnknownEnumValue,
        Place::Body(node),
        format!("`{name}` is neither true nor false but `{}`", node.source()),
        "write `true` or `false`, without quotes",
    );
    found.push(oddity.observed(node.source()).expected("true, false").warn());
}

/// A value without its quotes; lists and objects as they are written.
fn shown(node: Node<'_>) -> Cow<'_, str> {
    node.scalar().unwrap_or(Cow::Borrowed(node.source()))
}
