//! What the decoders of Ververica and Alibaba share, whose APIs have one root: fields that decide, fields that look
//! like known ones, the declared intent, and calls that are not known.

use std::borrow::Cow;

use super::{Call, http, read_intent};
use crate::document::Node;
use crate::nearest::closest;
use crate::operation::{
    Action, Deletion, Dialect, HEADERS, Oddity, OddityKind, Operation, Override, Place, Restore, Stage, Target,
};

/// So many unknown fields make no request of these APIs; naming more helps nobody.
const MOST_UNKNOWN_FIELDS: usize = 40;

const INTENT: &str = "x-sluicegate-intent";

/// Adds an operation.
pub(super) fn push<'d>(stage: &mut Stage<'d>, action: Action<'d>, target: &Target<'d>, place: Place<'d>) {
    stage.operations.push(Operation { action, target: target.clone(), place });
}

/// The call is not read, for this reason.
pub(super) fn refuse<'d>(stage: &mut Stage<'d>, oddity: Oddity<'d>) {
    let place = oddity.place.clone();
    push(stage, Action::Unknown, &Target::default(), place);
    stage.oddities.push(oddity);
}

/// No decoder knows this call.
pub(super) fn unknown<'d>(call: &Call<'_>, platform: &str) -> Oddity<'d> {
    Oddity::new(
        OddityKind::UnknownRequest,
        Place::Target,
        format!("`{} {}` is no request of the {platform} API that is known here", call.method, call.target),
        format!("{}; if the request is harmless, lower the level of `unknown-request` in the settings", call.check()),
    )
    .observed(format!("{} {}", call.method, call.target))
}

/// Reads the declared intent from its header.
pub(super) fn header_intent<'d>(call: &Call<'_>, stage: &mut Stage<'d>) {
    for word in call.headers(INTENT) {
        intent(word.trim(), Place::Header(INTENT), stage);
    }
}

/// Reads the rules that the caller asks to lift from its headers: they count only from callers that the settings list.
pub(super) fn header_override<'d>(call: &Call<'d>, stage: &mut Stage<'d>) {
    let [rules, reason, until] = HEADERS;
    let lists: Vec<Cow<'d, str>> = call.headers(rules).map(Cow::Borrowed).collect();
    if lists.is_empty() {
        return;
    }
    stage.overrides.push(Override {
        lists,
        reason: call.header(reason).map(|reason| http::decode(reason, false)),
        until: call.header(until).map(Cow::Borrowed),
        place: Place::Header(rules),
        spelling: HEADERS,
        only_listed: true,
        told: false,
    });
}

/// Reads one word of intent; false: it is none.
pub(super) fn intent<'d>(word: &str, place: Place<'d>, stage: &mut Stage<'d>) -> bool {
    let known = read_intent(&mut stage.intent, word, place.clone());
    if !known {
        let message = "the intent must be `restart` or `final`; this one is not read";
        let oddity = Oddity::new(OddityKind::UnknownEnumValue, place, message, "say `restart` or `final`");
        stage.oddities.push(oddity.observed(format!("`{word}`")).expected("restart or final").warn());
    }
    known
}

/// One of these values, exactly. Ververica's clients send back what they read, from newer versions too: there only
/// look-alikes and wrong types are refused (DOMAIN 6.12).
pub(super) fn choice<'d>(
    node: Node<'d>,
    field: &str,
    values: &[&'static str],
    stage: &mut Stage<'d>,
) -> Option<&'static str> {
    let found = values.iter().find(|value| node.is(value)).copied();
    if found.is_none() {
        let near = node.scalar().and_then(|word| closest(&word, values.iter().copied()));
        let remedy = match near {
            Some(value) => format!("write `{value}`, exactly so"),
            None => format!("use one of {}, exactly so", values.join(", ")),
        };
        let message = format!("`{field}` has no value {}: what the platform does with it is not known", short(node));
        let oddity = Oddity::new(OddityKind::UnknownEnumValue, Place::Body(node), message, remedy)
            .observed(short(node))
            .expected(values.join(", "));
        let newer = stage.platform == Dialect::Ververica && near.is_none() && node.is_string();
        stage.oddities.push(if newer { oddity.note() } else { oddity });
    }
    found
}

/// A boolean, and nothing that only looks like one.
pub(super) fn flag<'d>(node: Node<'d>, field: &str, stage: &mut Stage<'d>) -> Option<bool> {
    let found = node.bool();
    if found.is_none() {
        stage.oddities.push(wrong_type(node, field, "true or false"));
    }
    found
}

/// A value of another type than the platform takes.
pub(super) fn wrong_type<'d>(node: Node<'d>, field: &str, wanted: &str) -> Oddity<'d> {
    let message = format!("`{field}` must be {wanted}, not {}", short(node));
    Oddity::new(OddityKind::UnknownEnumValue, Place::Body(node), message, format!("give `{field}` as {wanted}"))
        .observed(short(node))
        .expected(wanted)
}

/// A text that is not blank, or the oddity that it is missing.
pub(super) fn required<'d>(
    object: Node<'d>,
    name: &str,
    field: &str,
    why: &str,
    stage: &mut Stage<'d>,
) -> Option<Cow<'d, str>> {
    let node = object.get(name);
    if let Some(node) = node.filter(|node| !node.is_string()) {
        stage.oddities.push(wrong_type(node, field, "a text"));
        return None;
    }
    let text = node.and_then(|node| node.text()).filter(|text| !text.trim().is_empty());
    if text.is_none() {
        stage.oddities.push(missing(Place::Body(node.unwrap_or(object)), field, why));
    }
    text
}

/// A required field that is not there.
pub(super) fn missing<'d>(place: Place<'d>, field: &str, why: &str) -> Oddity<'d> {
    let message = format!("`{field}` is missing: {why}");
    Oddity::new(OddityKind::RequiredFieldMissing, place, message, format!("give `{field}`")).expected(field)
}

/// The namespace that a body names must be that of the path: permissions and checks go by the path.
pub(super) fn same_namespace<'d>(node: Option<Node<'d>>, namespace: &str, stage: &mut Stage<'d>) {
    let Some(node) = node else { return };
    let named = node.text().unwrap_or_default();
    if !named.is_empty() && named != namespace {
        let message = "the body is made for another namespace than the path it is sent to";
        let remedy = "send it to its own namespace, or correct the one in the body";
        let oddity = Oddity::new(OddityKind::NamespaceMismatch, Place::Body(node), message, remedy);
        stage.oddities.push(oddity.observed(named).expected(namespace));
    }
}

/// Reports members that this object does not have: look-alikes of known ones are refused, since the platform would
/// drop them without a word; others may belong to a newer version.
pub(super) fn fields<'d>(object: Node<'d>, within: &str, known: &[&'static str], stage: &mut Stage<'d>) {
    let is_known = |key: &Node<'_>| known.iter().any(|name| key.is(name));
    let strangers = object.members().filter(|(key, value)| !value.is_null() && !is_known(key));
    for (position, (key, value)) in strangers.enumerate() {
        let name = key.text().unwrap_or_default();
        if position >= MOST_UNKNOWN_FIELDS {
            let message = format!("more than {MOST_UNKNOWN_FIELDS} unknown fields in {within}");
            let remedy = "send only fields that the platform knows";
            let place = Place::Body(object);
            stage.oddities.push(Oddity::new(OddityKind::UnknownLifecycleField, place, message, remedy));
            return;
        }
        let oddity = match closest(&name, known.iter().copied()) {
            Some(candidate) => Oddity::new(
                OddityKind::UnknownLifecycleField,
                Place::Body(value),
                format!("{within} has no field `{name}`: the platform would drop it without a word"),
                format!("write `{candidate}`, or remove `{name}`"),
            )
            .expected(candidate),
            None => Oddity::new(
                OddityKind::UnknownLifecycleField,
                Place::Body(value),
                format!("{within} has no field `{name}` that is known here"),
                format!("check that this version of the platform reads `{name}`, or remove it"),
            )
            .note(),
        };
        stage.oddities.push(oddity.observed(format!("`{name}`")));
    }
}

/// What a strategy of this kind restores from. `id`: only Alibaba starts from a savepoint of choice.
pub(super) fn restore<'d>(kind: &str, id: Option<Cow<'d, str>>) -> Restore<'d> {
    match kind {
        "NONE" => Restore::Empty,
        "LATEST_STATE" => Restore::LatestState,
        "LATEST_SAVEPOINT" => Restore::LatestSavepoint,
        "FROM_SAVEPOINT" => Restore::Savepoint(id),
        _ => Restore::Unknown,
    }
}

/// A deletion of the stage's target.
pub(super) fn deletion<'d>(stage: &Stage<'_>) -> Action<'d> {
    Action::Delete(Deletion {
        savepoint_first: None,
        stateful: stage.current.stateful,
        deployed: stage.facts.deployment.never_started.map(|never| !never),
        place: Place::Target,
        restore_point: None,
        savepoint_age: None,
        skipped: None,
    })
}

/// The first characters of a value, for messages.
fn short(node: Node<'_>) -> String {
    let source = node.source();
    match source.char_indices().nth(40) {
        Some((at, _)) => format!("`{}…`", source.get(..at).unwrap_or_default()),
        None => format!("`{source}`"),
    }
}
