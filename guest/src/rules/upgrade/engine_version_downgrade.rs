//! An older Flink over state of a newer one (DOMAIN 6.12): what it does not know, it cannot read.

use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, JobState, Place, Stage, Want};
use crate::rules::kept::{Kept, is_suspended_with_state, kept};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "engine-version-downgrade",
    title: "older Flink version over kept state",
    family: "upgrade",
    why: "State that a newer Flink has written is not readable by an older one: the job is stopped and does not come back.",
    source: "DOMAIN 6.5, 6.12",
    looks_at: &[
        (Dialect::Kubernetes, "`flinkVersion`"),
        (Dialect::Ververica, "`artifact.flinkVersion`"),
        (Dialect::Alibaba, "`engineVersion`"),
    ],
    facts: &["related", "platform.flinkVersion", "deployment.restoreStrategy.kind"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// Version numbers in order: Flink's, then those of the distribution around it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    flink: (u32, u32),
    distribution: Vec<u32>,
}

impl Version {
    /// Reads `v1_20`, `1.20.1`, `vvr-8.0.9-flink-1.17`.
    fn read(word: &str) -> Option<Self> {
        let numbers = |text: &str| -> Vec<u32> {
            let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
            let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '_')).unwrap_or(text.len());
            text.get(..end).unwrap_or_default().split(['.', '_']).map_while(|part| part.parse().ok()).collect()
        };
        let (distribution, flink) = match word.rsplit_once("flink-") {
            Some((distribution, flink)) => (numbers(distribution), flink),
            None => (Vec::new(), word),
        };
        match numbers(flink).as_slice() {
            [major, minor, ..] => Some(Self { flink: (*major, *minor), distribution }),
            _ => None,
        }
    }
}

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(node) = stage.content.engine_version else { return };
    let Some(word) = node.scalar() else { return };
    let Some(asked) = Version::read(&word) else { return };
    let Some(ran_word) = ran(stage) else {
        // A read brings the stored deployment along.
        if stage.declaration.is_none() && stage.lookup(&Want::Deployment).is_some() && kept(stage).is_some() {
            report.lacks(Want::Deployment, "the version that the job runs with");
        }
        return;
    };
    let Some(ran) = Version::read(&ran_word) else { return };
    let distribution = asked.flink == ran.flink
        && !asked.distribution.is_empty()
        && !ran.distribution.is_empty()
        && asked.distribution < ran.distribution;
    if asked.flink >= ran.flink && !distribution {
        return;
    }
    let Some(kept) = kept(stage) else { return };
    let place = Place::Body(node);
    let message = format!("the state is of `{ran_word}`, which is newer than `{word}`: it may not be readable by that");
    let draft = match refused(stage, &kept) {
        Ok(()) if !distribution => report.main(&place, message),
        Err(Some(lacks)) if !distribution => {
            report.lacks(Want::Deployment, lacks);
            report.warn(&place, message)
        }
        _ => report.warn(&place, message),
    };
    draft.observed(word.as_ref()).expected(format!("at least `{ran_word}`")).remedy(match stage.platform {
        Dialect::Kubernetes => {
            "keep the version; to go back, set `initialSavepointPath` to a savepoint of the old version with a new \
             `savepointRedeployNonce`"
        }
        _ => "keep the version; to go back, start from a savepoint of the old version, or without state",
    });
}

/// Whether the job is known to have run on the newer version and to come back with that state; else the fact that
/// would tell, if any.
fn refused(stage: &Stage<'_>, kept: &Kept<'_, '_>) -> Result<(), Option<&'static str>> {
    // A snapshot that is named may be of the older version: to go back to it is the way out (DOMAIN 6.0-5).
    if kept.named.is_some() {
        return Err(None);
    }
    let state = stage.current.state.as_ref();
    match stage.platform {
        // What the operator stores, the job may never have run with.
        Dialect::Kubernetes => match state {
            Some(JobState::Running | JobState::Suspended) => Ok(()),
            _ if is_suspended_with_state(stage) => Ok(()),
            _ => Err(None),
        },
        _ if kept.certain => Ok(()),
        Dialect::Alibaba => match stage.facts.deployment.restore_kind.as_deref() {
            // The next start says what it restores.
            Some("NONE") => Err(None),
            Some(_) if state == Some(&JobState::Running) || stage.facts.deployment.has_state == Some(true) => Ok(()),
            _ => Err(Some("whether the next start restores state (`deployment.restoreStrategy.kind`)")),
        },
        _ => Err(Some("whether there is state that the next start restores")),
    }
}

/// The version that the state is of.
fn ran(stage: &Stage<'_>) -> Option<String> {
    let text = |node: Node<'_>| node.scalar().map(std::borrow::Cow::into_owned);
    if let Some(declaration) = &stage.declaration {
        let old = declaration.last.and_then(|last| last.get("flinkVersion").and_then(text));
        return old.or_else(|| text(declaration.old_spec()?.get("flinkVersion")?));
    }
    let artifact = ["spec", "template", "spec", "artifact", "flinkVersion"];
    let stored = stage.stored().and_then(|stored| stored.get("engineVersion").or_else(|| stored.path(&artifact)));
    let known = stored.and_then(text);
    // On Ververica each deployment names its own, and no fact is of all.
    let declared = stage.facts.platform.flink_version.as_deref().filter(|_| stage.platform == Dialect::Alibaba);
    known.or_else(|| declared.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::{RULE, Version};
    use crate::finding::Effect;
    use crate::operation::{
        Action, Change, Declaration, Dialect, Kind, Reach, Resource, Restore, Spec, Stage, StartCause, StopCause,
        StopMode, Verb,
    };
    use crate::rules::testing::{SILENT, at_least, body, only, says, stage, start, stop, updated};

    fn upgrade(from: &str, to: &'static str, restore: Restore<'static>) -> Stage<'static> {
        let spec = |version: &str| format!("flinkVersion: {version}\njob: {{upgradeMode: savepoint}}");
        let cause = if restore == Restore::Stopped { StartCause::Upgrade } else { StartCause::Redeploy };
        updated(&spec(from), &spec(to))
            .and(Action::Change(Change { content: true, reach: Reach::Applied, ..Change::default() }))
            .and(stop(StopMode::Savepoint, StopCause::Upgrade))
            .and(start(cause, restore))
            .in_state("RUNNING")
            .with(|stage| stage.content.engine_version = Some(body(to)))
    }

    #[test]
    fn versions_are_ordered_by_flink_first() {
        let version = |word| Version::read(word).unwrap();
        assert!(version("v1_9") < version("v1_20") && version("v1_20") < version("v2_0"));
        assert!(version("vvr-8.0.9-flink-1.17") > version("vvr-6.0.7-flink-1.15"));
        assert!(version("vvr-8.0.11-flink-1.17") > version("vvr-8.0.9-flink-1.17"));
        assert_eq!(version("1.20.1").flink, version("v1_20").flink);
        assert_eq!(version("vvr-11.1-jdk11-flink-1.20").flink, (1, 20));
        assert_eq!(Version::read("latest"), None);
    }

    #[test]
    fn an_older_flink_over_kept_state_is_refused() {
        assert_eq!(says(&RULE, &upgrade("v2_0", "v1_20", Restore::Stopped)), only(Effect::Deny));
        for (from, to) in [("v1_20", "v2_0"), ("v1_20", "v1_20"), ("v1_9", "v1_20")] {
            assert_eq!(says(&RULE, &upgrade(from, to, Restore::Stopped)), SILENT);
        }
        assert_eq!(says(&RULE, &upgrade("v2_0", "v1_20", Restore::Empty)), SILENT);
        let back = upgrade("v2_0", "v1_20", Restore::Location("s3://b/old".into()));
        assert_eq!(says(&RULE, &back), only(Effect::Warn), "the way out");
        let stored = "job: {state: suspended, upgradeMode: savepoint}\nflinkVersion: v2_0";
        let suspended = upgrade("v2_0", "v1_20", Restore::Stopped).in_state("FINISHED").with(|it| {
            let declaration = it.declaration.as_mut().unwrap();
            let new = declaration.object;
            let old = Some(Resource::at(body(&format!("spec: {{{}}}", stored.replace('\n', ", ")))));
            *declaration = Declaration::new(Verb::Update, Kind::Deployment, new, old, false);
            declaration.last = Some(Spec::at(Some(body(stored))));
        });
        assert_eq!(says(&RULE, &suspended), only(Effect::Deny));
        let never_ran = upgrade("v2_0", "v1_20", Restore::Stopped).in_state("RECONCILING");
        assert_eq!(says(&RULE, &never_ran), only(Effect::Warn));
    }

    #[test]
    fn on_alibaba_the_next_start_decides() {
        let facts = "related: [{name: orders, engineVersion: vvr-8.0.9-flink-1.17}]";
        let update = |to: &'static str, more: &str| {
            let change = Change { content: true, reach: Reach::NextStart, ..Change::default() };
            let stage = stage(Dialect::Alibaba, Action::Change(change)).in_state("RUNNING");
            let stage = stage.with_facts(&format!("{facts}\n{more}"));
            says(&RULE, &stage.with(|stage| stage.content.engine_version = Some(body(to))))
        };
        let older = "vvr-6.0.7-flink-1.15";
        assert_eq!(update(older, "deployment: {restoreStrategy: {kind: LATEST_STATE}}"), only(Effect::Deny));
        assert_eq!(update(older, "deployment: {restoreStrategy: {kind: NONE}}"), only(Effect::Warn));
        assert_eq!(update(older, ""), at_least(Effect::Warn));
        assert_eq!(update("vvr-8.0.5-flink-1.17", ""), only(Effect::Warn));
        assert_eq!(update("vvr-8.0.11-flink-1.17", ""), SILENT);
    }
}
