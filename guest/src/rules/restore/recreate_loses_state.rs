//! A resource that is made anew goes back to an older snapshot than its name is known to have, or to none (DOMAIN 6.12).

use std::borrow::Cow;

use crate::finding::Report;
use crate::instant::Instant;
use crate::location;
use crate::operation::{Declaration, Dialect, Kind, Place, Resource, Restore, Stage, StartCause, Target, Verb, Want};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "recreate-loses-state",
    title: "resource made anew without its newest state",
    family: "restore",
    why: "Whoever deletes a resource and makes it anew, often to have another savepoint path read, starts from what that path \
          holds: what the job did since then is lost.",
    source: "user@flink 2023-07; DOMAIN 4.2-1, 4.7, 6.12",
    looks_at: &[(Dialect::Kubernetes, "`initialSavepointPath` of a create, and the snapshots of that name")],
    facts: &["savepoints", "related", "deployment.hasState", "deployment.neverStarted"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(declaration) = stage.declaration.as_ref().filter(|it| it.verb == Verb::Create && it.kind.runs_job())
    else {
        return;
    };
    let Some((operation, start)) = stage.starts().find(|(_, start)| start.cause == StartCause::Create) else { return };
    let facts = &stage.facts.deployment;
    let batch = facts.execution_mode.as_deref() == Some("BATCH");
    if batch || facts.never_started == Some(true) || facts.has_state == Some(false) {
        return;
    }
    let asked = match &start.restore {
        Restore::Location(path) if !path.trim().is_empty() => Some(path.as_ref()),
        Restore::Location(_) | Restore::Empty => None,
        _ => return,
    };
    let known = known(stage, declaration, &operation.target);
    let unused = || known.iter().filter(|it| !asked.is_some_and(|path| it.is_at(path)));
    let Some(newest) = unused().max_by_key(|it| it.at) else {
        if known.is_empty() {
            nothing_known(stage, asked, &start.restore_place, report);
        }
        return;
    };
    let used = asked.and_then(|path| known.iter().find(|it| it.is_at(path))).and_then(|it| it.at);
    let place = &start.restore_place;
    let dated = unused().all(|it| it.at.is_some());
    let draft = match (asked, used, newest.at) {
        (Some(path), Some(used), Some(at)) if at > used => report.main(
            place,
            format!("`{path}` is not the newest state known of this name: what came after it would be lost"),
        ),
        (Some(_), Some(_), _) if dated => return,
        (Some(path), ..) => {
            report.unjudged(format!("which is newer: `{path}` or `{}`", newest.label));
            report.warn(place, "other snapshots of this name are known, and whether they are newer is not")
        }
        (None, ..) => report.warn(place, "a resource made anew does not look for the snapshots that its name has"),
    };
    let path = words::spec(stage);
    let draft = draft.observed(asked.unwrap_or("no path")).expected(newest.label.as_ref());
    if asked.is_some() && (used.is_none() || newest.at.is_none()) {
        return draft.remedy("make sure that the path is the newest state of the job");
    }
    draft.remedy(format!(
        "set `{path}.job.initialSavepointPath` to `{}`; override this rule if the older state, or none, is meant",
        newest.label
    ));
}

/// No snapshot is known, but perhaps a read knows one.
fn nothing_known(stage: &Stage<'_>, asked: Option<&str>, place: &Place<'_>, report: &mut Report<'_>) {
    match asked {
        None if stage.facts.deployment.has_state == Some(true) => report
            .warn(place, "this name had a job with state, and nothing of it is used")
            .remedy("find its newest savepoint or retained checkpoint, and give it in `initialSavepointPath`"),
        _ if stage.facts.savepoints.is_some() || stage.facts.knows_all(Kind::Snapshot.word(), stage.namespace()) => {}
        None => report.wish(Want::Savepoints, "snapshots of a job that had this name before"),
        Some(_) => report.lacks(Want::Savepoints, "snapshots of a job that had this name before, which may be newer"),
    }
}

struct Known<'f> {
    /// Its location, else its id.
    label: Cow<'f, str>,
    location: Option<Cow<'f, str>>,
    /// When it was taken.
    at: Option<Instant>,
}

impl Known<'_> {
    fn is_at(&self, path: &str) -> bool {
        self.location.as_deref().is_some_and(|location| location::same(location, path))
    }
}

/// The completed savepoints of this name. Checkpoints are not among them: Flink may have removed them.
fn known<'f>(stage: &'f Stage<'_>, declaration: &Declaration<'_>, target: &Target<'_>) -> Vec<Known<'f>> {
    let declared = stage.facts.savepoints.iter().flatten().filter(|savepoint| {
        let owner = savepoint.deployment_id.as_deref();
        savepoint.state.as_deref() == Some("COMPLETED")
            && owner.is_none_or(|owner| owner == target.name || owner == target.to_string())
    });
    let declared = declared.map(|savepoint| Known {
        label: savepoint.location.as_deref().unwrap_or(savepoint.label()).into(),
        location: savepoint.location.as_deref().map(Cow::Borrowed),
        at: savepoint.created_at.as_deref().and_then(Instant::parse),
    });
    let related = stage.facts.related.iter().filter_map(|node| {
        let snapshot = Resource::at(*node);
        let own = snapshot.is_savepoint_of(declaration.kind, target, "COMPLETED");
        let location = snapshot.status_text(&["path"]).filter(|_| own)?;
        let at = snapshot.taken_at().as_deref().and_then(Instant::parse);
        Some(Known { label: location.clone(), location: Some(location), at })
    });
    declared.chain(related).collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Kind, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, at_least, declared, findings, only, says, start, unjudged};

    fn create(path: Option<&'static str>, facts: &str) -> Stage<'static> {
        let restore = path.map_or(Restore::Empty, |path| Restore::Location(path.into()));
        declared(Kind::Deployment, None, Some("job: {}")).and(start(StartCause::Create, restore)).with_facts(facts)
    }

    const TWO: &str = "savepoints: [{location: s3://b/old, state: COMPLETED, createdAt: '2026-11-19T10:00:00Z'}, \
                       {location: s3://b/new, state: COMPLETED, createdAt: '2026-11-20T10:00:00Z'}]";

    #[test]
    fn an_older_path_denies() {
        assert_eq!(says(&RULE, &create(Some("s3://b/old"), TWO)), only(Effect::Deny));
        assert_eq!(says(&RULE, &create(Some("s3://b/new/_metadata"), TWO)), SILENT);
        assert!(findings(&RULE, &create(Some("s3://b/old"), TWO))[0].remedy.contains("`s3://b/new`"));
        let snapshot = "related: [{kind: FlinkStateSnapshot, metadata: {namespace: prod}, spec: {jobReference: {kind: \
                        FlinkDeployment, name: orders}, savepoint: {FLAG}}, status: {state: COMPLETED, path: s3://b/sp, \
                        triggerTimestamp: '2026-11-20T10:00:00Z'}}]\nsavepoints: [{location: s3://b/old, state: COMPLETED, \
                        createdAt: '2026-11-19T10:00:00Z'}]";
        let case = |flag: &str| says(&RULE, &create(Some("s3://b/old"), &snapshot.replace("FLAG", flag)));
        assert_eq!(case(""), only(Effect::Deny));
        assert_eq!(case("alreadyExists: true"), at_least(Effect::Warn));
    }

    #[test]
    fn state_that_is_not_used_warns() {
        assert_eq!(says(&RULE, &create(None, TWO)), only(Effect::Warn));
        assert!(findings(&RULE, &create(None, TWO))[0].remedy.contains("`s3://b/new`"));
        assert_eq!(says(&RULE, &create(Some("s3://b/chk-9"), TWO)), at_least(Effect::Warn));
        assert_eq!(says(&RULE, &create(None, "deployment: {hasState: true}")), only(Effect::Warn));
    }

    #[test]
    fn a_first_start_is_nothing_new() {
        assert_eq!(says(&RULE, &create(None, "{}")), SILENT);
        assert_eq!(says(&RULE, &create(Some("s3://b/sp"), "{}")), unjudged());
        assert_eq!(says(&RULE, &create(Some("s3://b/sp"), "savepoints: []")), SILENT);
        for facts in ["deployment: {hasState: false}", "deployment: {neverStarted: true}"] {
            assert_eq!(says(&RULE, &create(Some("s3://b/old"), &format!("{facts}\n{TWO}"))), SILENT);
        }
        let other = TWO.replace("{location", "{deploymentId: bills, location");
        assert_eq!(says(&RULE, &create(None, &other)), SILENT);
        let running = "savepoints: [{location: s3://b/x, state: IN_PROGRESS}]";
        assert_eq!(says(&RULE, &create(None, running)), SILENT);
    }
}
