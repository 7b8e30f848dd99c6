//! A job that keeps its state, or takes savepoints, without a directory to keep them in (DOMAIN 4.5, V11-V15).

use crate::configuration::{CHECKPOINT_DIRECTORY, Key, MAX_CHECKPOINT_AGE, PERIODIC_SAVEPOINT, SAVEPOINT_DIRECTORY};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage, UpgradeMode};
use crate::rules::operator::{self, ALWAYS, CHECKPOINT_AGE, Referred, Since, Subject};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "upgrade-mode-needs-directories",
    title: "stateful upgrades without a directory",
    family: "upgrade",
    why: "Without a directory no savepoint or checkpoint outlives the job: the operator refuses the spec, and no \
        later change reaches the job.",
    source: "FKO V11-V15",
    looks_at: &[(
        Dialect::Kubernetes,
        "`upgradeMode`, `savepointTriggerNonce`, periodic savepoints and the checkpoint's greatest age, beside the \
         effective checkpoint and savepoint directory; of a FlinkBlueGreenDeployment in its template",
    )],
    facts: &["platform.flinkConfiguration", "platform.operatorVersion", "related", "absent"],
    parameters: &[],
    level: Level::Deny,
    check,
};

const KINDS: &[Kind] = &[Kind::Deployment, Kind::SessionJob, Kind::BlueGreen];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, KINDS).filter(|subject| subject.spec.job().is_some()) else { return };
    let lacks = |key: Key| stage.current.configuration.present(key).is_none();
    let (checkpoints, savepoints) = (lacks(CHECKPOINT_DIRECTORY), lacks(SAVEPOINT_DIRECTORY));
    // Until the cluster is there, the operator does not look at the configuration.
    if !(checkpoints || savepoints) || matches!(subject.cluster(), Some(Referred::Absent)) {
        return;
    }
    let (spec, old) = (subject.spec, subject.old);
    if checkpoints && let Some(place) = keeps_state(spec) {
        let was = old.and_then(keeps_state).is_some();
        tell(&subject, report, CHECKPOINT_DIRECTORY, ALWAYS, was, &place, "this `upgradeMode`");
    }
    if !savepoints {
        return;
    }
    if spec.upgrade_mode() == UpgradeMode::Savepoint {
        let was = old.is_some_and(|old| old.upgrade_mode() == UpgradeMode::Savepoint);
        let place = Place::of(spec.of_job("upgradeMode"));
        tell(&subject, report, SAVEPOINT_DIRECTORY, ALWAYS, was, &place, "`upgradeMode: savepoint`");
    }
    if let Some(nonce) = spec.of_job("savepointTriggerNonce") {
        let was = old.and_then(|old| old.of_job("savepointTriggerNonce")).is_some_and(|old| old.same(&nonce));
        tell(&subject, report, SAVEPOINT_DIRECTORY, ALWAYS, was, &Place::Body(nonce), "`savepointTriggerNonce`");
    }
    // The operator asks whether they are there, whatever they say.
    for (key, since) in [(PERIODIC_SAVEPOINT, ALWAYS), (MAX_CHECKPOINT_AGE, CHECKPOINT_AGE)] {
        let Some(entry) = stage.current.configuration.entry(key) else { continue };
        let was = subject.before(|before| before.entry(key).is_some());
        let what = format!("`{}`", entry.key);
        tell(&subject, report, SAVEPOINT_DIRECTORY, since, was, &subject.place(key), &what);
    }
}

/// Where a spec asks for upgrades that keep state. To the operator a null does, unlike nothing at all.
fn keeps_state<'d>(spec: Spec<'d>) -> Option<Place<'d>> {
    let mode = spec.job()?.member("upgradeMode")?;
    let stateful = mode.is_null() || mode.is("savepoint") || mode.is("last-state");
    stateful.then_some(Place::Body(mode))
}

/// `was`: the same was asked before this request.
fn tell(
    subject: &Subject<'_, '_>,
    report: &mut Report<'_>,
    key: Key,
    since: Since,
    was: bool,
    place: &Place<'_>,
    what: &str,
) {
    let was = was && subject.before(|before| before.present(key).is_none());
    if !subject.settles(key) {
        return subject.lacks_configuration(report, since, was);
    }
    let checkpoints = key == CHECKPOINT_DIRECTORY;
    let (name, old_name) = match checkpoints {
        true => ("execution.checkpointing.dir", "state.checkpoints.dir"),
        false => ("execution.checkpointing.savepoint-dir", "state.savepoints.dir"),
    };
    let kind = if checkpoints { "checkpoint" } else { "savepoint" };
    let message = format!("{what} needs a {kind} directory, and none is set: the operator refuses it");
    if let Some(mut draft) = subject.refuse(report, since, was, place, &message) {
        if let Some(value) = words::value(place) {
            draft = draft.observed(value);
        }
        draft.expected(name).remedy(format!(
            "set `{name}` (before Flink 1.20 `{old_name}`) in `{}.flinkConfiguration`, to storage that outlives the pods",
            words::spec(subject.stage)
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{
        CLUSTER, SILENT, Says, deployment, of_manifest, of_update, only, session_job, unjudged,
    };

    const KNOWN: &str = "platform: {flinkConfiguration: {}}";
    const BOTH: &str = "state.checkpoints.dir: 's3://b/c', state.savepoints.dir: 's3://b/s'";

    fn mode(mode: &str, settings: &str) -> String {
        deployment(settings).replace("upgradeMode: stateless", mode)
    }

    fn new(manifest: &str) -> Says {
        of_manifest(&RULE, manifest, KNOWN)
    }

    fn denied(times: usize) -> Says {
        Says { effects: vec![Effect::Deny; times], unjudged: false }
    }

    #[test]
    fn the_mode_needs_its_directories() {
        assert_eq!(new(&mode("upgradeMode: last-state", "")), only(Effect::Deny), "V11");
        assert_eq!(new(&mode("upgradeMode: savepoint", "")), denied(2), "V11 and V12");
        assert_eq!(new(&mode("upgradeMode: null", "")), only(Effect::Deny), "a null is no stateless");
        assert_eq!(new(&mode("upgradeMode: stateless", "")), SILENT);
        assert_eq!(new(&mode("entryClass: a.B", "")), SILENT);
        assert_eq!(new(&mode("upgradeMode: savepoint", BOTH)), SILENT);
        let checkpoints = "execution.checkpointing.dir: 's3://b/c'";
        assert_eq!(new(&mode("upgradeMode: last-state", checkpoints)), SILENT);
        assert_eq!(new(&mode("upgradeMode: savepoint", checkpoints)), only(Effect::Deny), "V12");
        assert_eq!(new(&mode("upgradeMode: savepoint", "state.savepoints.dir: 's3://b/s'")), only(Effect::Deny), "V11");
        assert_eq!(new(&mode("upgradeMode: last-state", "state.checkpoints.dir: ' '")), only(Effect::Deny));
    }

    #[test]
    fn savepoints_need_a_directory_in_every_mode() {
        assert_eq!(new(&mode("savepointTriggerNonce: 0", "")), only(Effect::Deny), "V13");
        assert_eq!(new(&mode("savepointTriggerNonce: 0", BOTH)), SILENT);
        for (key, value) in
            [("periodic.savepoint.interval", "1h"), ("job.upgrade.last-state.max.allowed.checkpoint.age", "1h")]
        {
            let key = format!("kubernetes.operator.{key}: {value}");
            assert_eq!(new(&deployment(&key)), only(Effect::Deny), "{key}");
            assert_eq!(new(&deployment(&format!("{key}, {BOTH}"))), SILENT, "{key}");
        }
        let age = deployment("kubernetes.operator.job.upgrade.last-state.max.allowed.checkpoint.age: 1h");
        let old = "platform: {operatorVersion: '1.4', flinkConfiguration: {}}";
        assert_eq!(of_manifest(&RULE, &age, old), only(Effect::Note), "newer than that operator");
        let session_cluster =
            deployment("kubernetes.operator.periodic.savepoint.interval: 1h").replace("job: {", "jobs: {");
        assert_eq!(new(&session_cluster), SILENT);
    }

    #[test]
    fn what_is_unknown_is_not_judged() {
        let job = mode("upgradeMode: savepoint", "");
        assert_eq!(of_manifest(&RULE, &job, "{}"), unjudged());
        let defaults = format!("platform: {{flinkConfiguration: {{{BOTH}}}}}");
        assert_eq!(of_manifest(&RULE, &job, &defaults), SILENT);
        let blank = mode("upgradeMode: last-state", "execution.checkpointing.dir: ''");
        assert_eq!(of_manifest(&RULE, &blank, "{}"), only(Effect::Deny), "no default shows through");
        let blank = mode("upgradeMode: last-state", "state.checkpoints.dir: ''");
        assert_eq!(of_manifest(&RULE, &blank, "{}"), unjudged(), "the newer key may be among the defaults");
    }

    #[test]
    fn a_session_job_has_its_clusters_configuration_too() {
        let job = session_job("parallelism: 1, upgradeMode: last-state");
        let of = |facts: &str| of_manifest(&RULE, &job, facts);
        let related = format!("{KNOWN}\nrelated: [{CLUSTER}]");
        assert_eq!(of(&related), only(Effect::Deny));
        let configured = related.replace("spec: {", &format!("spec: {{flinkConfiguration: {{{BOTH}}}, "));
        assert_eq!(of(&configured), SILENT);
        assert_eq!(of(KNOWN), unjudged());
        assert_eq!(of(&format!("related: [{CLUSTER}]")), unjudged());
        assert_eq!(
            of(&format!("{KNOWN}\nabsent: [{{kind: FlinkDeployment, namespace: prod, name: session}}]")),
            SILENT
        );
    }

    #[test]
    fn an_old_blemish_is_a_warning() {
        let (old, new) = (mode("upgradeMode: last-state", ""), mode("upgradeMode: last-state, args: [a]", ""));
        assert_eq!(of_update(&RULE, &new, &old, KNOWN), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &new, &old, "{}"), SILENT, "at most a warning");
        assert_eq!(of_update(&RULE, &new, &deployment(""), KNOWN), only(Effect::Deny), "it was stateless");
        assert_eq!(of_update(&RULE, &new, &mode("upgradeMode: last-state", BOTH), KNOWN), only(Effect::Deny));
        let (first, second) = (mode("savepointTriggerNonce: 1", ""), mode("savepointTriggerNonce: 2", ""));
        assert_eq!(of_update(&RULE, &second, &first, KNOWN), only(Effect::Deny), "a savepoint is asked for now");
    }

    #[test]
    fn a_blue_green_deployment_keeps_it_in_its_template() {
        let nested = |manifest: &str| {
            let kind = manifest.replace("FlinkDeployment", "FlinkBlueGreenDeployment");
            format!("{}}}}}", kind.replacen("spec: {", "spec: {template: {spec: {", 1))
        };
        assert_eq!(new(&nested(&mode("upgradeMode: last-state", ""))), only(Effect::Deny));
        assert_eq!(new(&nested(&mode("upgradeMode: last-state", BOTH))), SILENT);
    }
}
