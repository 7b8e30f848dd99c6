//! What is said of a snapshot besides its fate: where it comes from, and what makes it suspicious.

use crate::facts::Savepoint;
use crate::location;
use crate::operation::{ClaimMode, Dialect, Stage, Start};
use crate::restore::{Candidate, Fate, SPEC_VERSION};
use crate::text::clean;

/// Among so many snapshots, others at the same location are looked for.
const MAX_COMPARED: usize = 200;
/// How many of them are named.
const MAX_TWINS: usize = 3;

/// A candidate with its reason: `fate` in words, and what else is to be said of it.
pub(super) fn candidate<'a>(
    stage: &Stage<'_>,
    savepoint: &Savepoint<'_>,
    all: impl Iterator<Item = &'a Savepoint<'a>>,
    fate: Fate,
    words: &str,
) -> Candidate {
    let mut reason = match origin(savepoint) {
        Some(origin) => format!("{origin}, {words}"),
        None => words.to_owned(),
    };
    remarks(stage, savepoint, all, fate, &mut reason);
    Candidate { id: clean(savepoint.label()), fate, reason: clean(&reason) }
}

/// Where it comes from: the words of Ververica (S2-2), of Alibaba (DOMAIN 2.4) and of the operator's snapshots.
fn origin(savepoint: &Savepoint<'_>) -> Option<&'static str> {
    Some(match savepoint.origin.as_deref()? {
        "USER_REQUEST" | "MANUAL" => "savepoint of a user",
        "SUSPEND" => "savepoint of a suspend",
        "SUSPEND_AND_UPGRADE" | "UPGRADE" => "savepoint of an upgrade",
        "STOP_WITH_SAVEPOINT" => "savepoint of a stop",
        "PERIODIC" => "periodic savepoint",
        "COPIED" => "registered by hand",
        "RETAINED_CHECKPOINT" => "retained checkpoint",
        "CHECKPOINT" => "checkpoint",
        _ => return None,
    })
}

fn remarks<'a>(
    stage: &Stage<'_>,
    savepoint: &Savepoint<'_>,
    all: impl Iterator<Item = &'a Savepoint<'a>>,
    fate: Fate,
    reason: &mut String,
) {
    let used = fate == Fate::Used;
    if let Some((its, current)) = other_version(stage, savepoint) {
        reason.push_str(&format!(", of spec version `{its}` while the deployment has `{current}`"));
    }
    for (position, twin) in twins(savepoint, all).take(MAX_TWINS).enumerate() {
        let lead = if position == 0 { ", the same Flink savepoint as" } else { " and" };
        reason.push_str(&format!("{lead} `{}`", twin.label()));
    }
    if savepoint.drained == Some(true) {
        reason.push_str(", written by a drain");
    }
    if savepoint.claimed == Some(true) {
        reason.push_str(", claimed by an earlier start, so that Flink may have deleted it");
    }
    if is_unreadable(stage, savepoint) {
        reason.push_str(", at a location that cannot be read");
        if used {
            reason.push_str(": the start fails");
        }
    }
}

/// The spec version of the savepoint and of its deployment, where they differ: suspicious, not fatal (DOMAIN 1.6-5).
fn other_version<'s>(stage: &'s Stage<'_>, savepoint: &'s Savepoint<'_>) -> Option<(String, &'s str)> {
    let current = stage.facts.deployment.spec_version.as_deref().filter(|_| stage.platform == Dialect::Ververica)?;
    let its = savepoint.annotations?.get(SPEC_VERSION)?.scalar()?;
    (!its.trim().is_empty() && its != current).then(|| (its.into_owned(), current))
}

/// The other resources of the same Flink savepoint (S2-1).
fn twins<'a>(
    savepoint: &Savepoint<'_>,
    all: impl Iterator<Item = &'a Savepoint<'a>>,
) -> impl Iterator<Item = &'a Savepoint<'a>> {
    let there = |other: &&Savepoint<'_>| {
        let same = |at: &str| other.location.as_deref().is_some_and(|theirs| location::same(theirs, at));
        other.id.is_some() && other.id != savepoint.id && savepoint.location.as_deref().is_some_and(same)
    };
    all.take(MAX_COMPARED).filter(there)
}

/// It is known that nothing can be read where it should lie.
fn is_unreadable(stage: &Stage<'_>, savepoint: &Savepoint<'_>) -> bool {
    let gone = |at: &str| stage.facts.absent.iter().any(|absent| location::same(&absent.name, at));
    savepoint.readable == Some(false) || savepoint.location.as_deref().is_some_and(gone)
}

/// Who owns the snapshot after the start, where that is said or matters (DOMAIN 3.5).
pub(super) fn claim(stage: &Stage<'_>, start: &Start<'_>) -> Option<&'static str> {
    Some(match start.claim.as_ref().map(|claim| claim.mode) {
        Some(ClaimMode::Claim) => {
            "CLAIM: Flink owns it from now on, and deletes it once a newer checkpoint subsumes it"
        }
        Some(ClaimMode::Legacy) => "LEGACY: later checkpoints may refer to it for ever, so it can never be deleted",
        None if stage.platform != Dialect::FlinkRest => return None,
        Some(ClaimMode::NoClaim) | None => {
            "NO_CLAIM: it stays yours, and must stay until the first checkpoint is complete"
        }
    })
}
