//! What the rules' unit tests share: stages built by hand, and what a rule says about them in short.

use crate::document::{Document, Node, Reading};
use crate::facts::{Declared, Voice};
use crate::finding::{Effect, Finding, Report, Said, Unjudged};
use crate::operation::{
    Action, Change, Declaration, Deletion, Dialect, JobState, Kind, Operation, Place, Reach, Registration, Resource,
    Restore, Stage, Start, StartCause, Stop, StopCause, StopMode, Target, Trigger, Verb,
};
use crate::restore::SPEC_VERSION;
use crate::rules::Rule;
use crate::settings::Settings;

/// A stage that does this to `prod/orders`, of which nothing is known.
pub(crate) fn stage(platform: Dialect, action: Action<'static>) -> Stage<'static> {
    Stage::new(platform, crate::facts::Facts::default()).and(action)
}

impl<'d> Stage<'d> {
    /// A further operation on the same target.
    pub(crate) fn and(mut self, action: Action<'d>) -> Self {
        let target = Target { namespace: "prod".into(), name: "orders".into() };
        self.operations.push(Operation { action, target, place: Place::Request });
        self
    }

    /// The job's state, in any platform's word.
    pub(super) fn in_state(mut self, word: &str) -> Self {
        self.current.state = Some(JobState::read(word));
        self
    }

    /// Whoever runs the gate declares that a restart is planned, or that none follows.
    pub(super) fn restart_planned(mut self, planned: bool) -> Self {
        self.intent.operator = Some(planned);
        self
    }

    /// Any other knowledge.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl Stage<'static> {
    /// The facts of this `Facts` document; `apiVersion` and `kind` may be left out. Decoders fill `current` from them,
    /// this does not.
    pub(crate) fn with_facts(mut self, yaml: &str) -> Self {
        let documents: &'static [(Document<'static>, Voice)] = Box::leak(Box::new([(parse(yaml), Voice::Trusted)]));
        self.facts = Declared::new(documents).unwrap().about(self.platform, "prod", "orders").unwrap();
        self.intent.operator = self.facts.restart_planned.or(self.intent.operator);
        self
    }
}

/// An update of the FlinkDeployment `prod/orders`, of which rules see the resource alone: operations are added where a
/// rule looks at them. Specs are YAML, without `{}` around them.
pub(crate) fn updated(old: &str, new: &str) -> Stage<'static> {
    declared(Kind::Deployment, Some(old), Some(new))
}

/// A create, update or delete of a resource that runs a job, by the specs before and after.
pub(crate) fn declared(kind: Kind, old: Option<&str>, new: Option<&str>) -> Stage<'static> {
    let resource = |spec: &str| {
        let head = if kind == Kind::BlueGreen { "spec:\n template:\n  spec:" } else { "spec:" };
        Resource::at(body(&format!("{head}\n   {}", spec.replace('\n', "\n   "))))
    };
    let (old, object) = (old.map(resource), new.map(resource));
    let verb = match (&old, &object) {
        (None, _) => Verb::Create,
        (_, None) => Verb::Delete,
        _ => Verb::Update,
    };
    let mut stage = Stage::new(Dialect::Kubernetes, crate::facts::Facts::default());
    stage.declaration = Some(Declaration::new(verb, kind, object, old, false));
    stage
}

/// The stage with this configuration, which it brings; `complete`: no other layer has a say.
pub(super) fn configured(stage: Stage<'static>, map: &str, complete: bool) -> Stage<'static> {
    let map = body(map);
    stage.with(|stage| {
        stage.content.configuration = Some(map);
        stage.current.configuration.overlay(map);
        stage.current.configuration_complete = complete;
    })
}

/// A value of a request's body.
pub(crate) fn body(source: &str) -> Node<'static> {
    let document: &'static Document<'static> = Box::leak(Box::new(parse(source)));
    document.root()
}

/// A stop.
pub(crate) fn stop(mode: StopMode, cause: StopCause) -> Action<'static> {
    Action::Stop(Stop { mode, cause, drain: None, directory: None })
}

/// A start.
pub(crate) fn start(cause: StartCause, restore: Restore<'static>) -> Action<'static> {
    Action::Start(Start::new(cause, restore, Place::Request))
}

/// A start of which more is said.
pub(super) fn start_with(
    cause: StartCause,
    restore: Restore<'static>,
    say: impl FnOnce(&mut Start<'static>),
) -> Action<'static> {
    let mut start = Start::new(cause, restore, Place::Request);
    say(&mut start);
    Action::Start(start)
}

/// A savepoint that is triggered.
pub(super) fn trigger(directory: Option<&str>) -> Action<'static> {
    Action::Trigger(Trigger { checkpoint: false, directory: directory.map(body), native: false })
}

/// A savepoint that is registered, as Ververica Platform spells it.
pub(super) fn registration(resource: Node<'static>) -> Action<'static> {
    Action::Register(Registration {
        resource,
        location: resource.path(&["spec", "savepointLocation"]),
        spec_version: resource.path(&["metadata", "annotations", SPEC_VERSION]),
        origin: resource.path(&["metadata", "origin"]),
        state: resource.path(&["status", "state"]),
        flink_savepoint_id: resource.path(&["spec", "flinkSavepointId"]),
    })
}

/// A change of content that reaches the job like this.
pub(super) fn change(reach: Reach) -> Action<'static> {
    Action::Change(Change { content: true, reach, ..Change::default() })
}

/// A deletion of a stateful job that was deployed, without a savepoint.
pub(super) fn deletion() -> Deletion<'static> {
    Deletion {
        savepoint_first: Some(false),
        stateful: Some(true),
        deployed: Some(true),
        place: Place::Request,
        restore_point: None,
        savepoint_age: None,
        skipped: None,
    }
}

/// What a rule says: the effects of its findings, and whether it could not judge.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) effects: Vec<Effect>,
    pub(super) unjudged: bool,
}

/// The rule says nothing.
pub(super) const SILENT: Says = Says { effects: Vec::new(), unjudged: false };

/// The rule has one finding, and lacks nothing.
pub(super) fn only(effect: Effect) -> Says {
    Says { effects: vec![effect], unjudged: false }
}

/// The rule has one finding, and would have said more had it known more.
pub(super) fn at_least(effect: Effect) -> Says {
    Says { effects: vec![effect], unjudged: true }
}

/// The rule has no finding, but lacks a fact.
pub(super) fn unjudged() -> Says {
    Says { effects: Vec::new(), unjudged: true }
}

/// Runs a rule.
pub(super) fn says(rule: &'static Rule, stage: &Stage<'_>) -> Says {
    let unjudged = !run(rule, stage).1.is_empty();
    Says { effects: findings(rule, stage).iter().map(|finding| finding.effect).collect(), unjudged }
}

/// The findings of a rule. Each must be fit to be read: whole texts without a full stop, and a remedy.
pub(super) fn findings(rule: &'static Rule, stage: &Stage<'_>) -> Vec<Finding> {
    assert!(rule.judges(stage.platform), "{} does not judge {:?}", rule.id, stage.platform);
    let findings = run(rule, stage).0;
    for finding in &findings {
        for text in [&finding.message, &finding.remedy] {
            assert!(!text.is_empty() && !text.ends_with(['.', '…']), "{}: {text:?}", rule.id);
        }
    }
    findings
}

/// Tests end soon: nothing is given back.
fn parse(text: &str) -> Document<'static> {
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    Document::parse(text.as_bytes(), Reading::JsonOrYaml).unwrap()
}

/// What a rule says about a stage.
pub(crate) fn run(rule: &'static Rule, stage: &Stage<'_>) -> (Vec<Finding>, Vec<Unjudged>) {
    let (settings, mut said) = (Settings::default(), Said::default());
    // What ships switched off is tried as a warning.
    let main = rule.level.effect().unwrap_or(Effect::Warn);
    (rule.check)(stage, &mut Report::new(rule, main, stage.leniency, &settings, &mut said));
    (said.findings, said.unjudged)
}

/// A FlinkDeployment that the operator takes, with these Flink settings.
pub(super) fn deployment(settings: &str) -> String {
    format!(
        "{{apiVersion: flink.apache.org/v1beta1, kind: FlinkDeployment, metadata: {{name: orders, namespace: prod}}, \
         spec: {{image: 'flink:2.2', flinkVersion: v2_2, serviceAccount: flink, flinkConfiguration: {{{settings}}}, \
         jobManager: {{resource: {{memory: 2048m, cpu: 1}}}}, taskManager: {{resource: {{memory: 2048m, cpu: 1}}}}, \
         job: {{jarURI: local:///a.jar, parallelism: 2, upgradeMode: stateless}}}}}}"
    )
}

/// A FlinkSessionJob on the cluster [`CLUSTER`], with this in `spec.job`.
pub(super) fn session_job(job: &str) -> String {
    format!(
        "{{apiVersion: flink.apache.org/v1beta1, kind: FlinkSessionJob, metadata: {{name: orders, namespace: prod}}, \
         spec: {{deploymentName: session, job: {{jarURI: 'https://example.com/a.jar', {job}}}}}}}"
    )
}

/// A FlinkStateSnapshot of the FlinkDeployment `job`, with this in its spec.
pub(super) fn snapshot(fields: &str) -> String {
    format!(
        "{{apiVersion: flink.apache.org/v1beta1, kind: FlinkStateSnapshot, metadata: {{name: snap, namespace: prod}}, \
         spec: {{jobReference: {{kind: FlinkDeployment, name: job}}, {fields}}}}}"
    )
}

/// A session cluster.
pub(super) const CLUSTER: &str =
    "{kind: FlinkDeployment, metadata: {name: session, namespace: prod}, spec: {flinkVersion: v2_2}}";

/// The status of a resource that the operator last ran with this spec.
pub(super) fn last_ran(manifest: &str, spec: &str) -> String {
    let status = format!("status: {{reconciliationStatus: {{lastReconciledSpec: '{{\"spec\": {spec}}}'}}}}");
    manifest.replacen("spec: {", &format!("{status}, spec: {{"), 1)
}

/// What a rule says of a manifest that is new, from the bytes on.
pub(super) fn of_manifest(rule: &'static Rule, manifest: &str, facts: &str) -> Says {
    judged(rule, manifest, None, facts)
}

/// The same of a manifest that takes the place of this one.
pub(super) fn of_update(rule: &'static Rule, manifest: &str, live: &str, facts: &str) -> Says {
    judged(rule, manifest, Some(live), facts)
}

fn judged(rule: &'static Rule, manifest: &str, live: Option<&str>, facts: &str) -> Says {
    use crate::gate::{self, Answer, Envelope, Fact, Outcome, Request, Source};
    // What starts with `{` would be read as JSON.
    let yaml = |text: &str| format!("---\n{text}").into_bytes();
    let (body, live, facts) = (yaml(manifest), live.map(yaml), yaml(facts));
    let request = Request { envelope: Envelope::Manifest(live.as_deref()), body: &body };
    let level = rule.level.effect().map_or("warn", Effect::name);
    let settings = format!("rules: {{{}: {{level: {level}}}}}", rule.id);
    let settings = crate::compile_settings(settings.as_bytes()).unwrap();
    let declared = Fact::declared(Source::Operator, &facts);
    let mut reads = Vec::new();
    let verdict = loop {
        let answers = reads.iter().map(|lookup| Fact::observed(lookup, Answer::Unavailable("a test")));
        let known: Vec<_> = std::iter::once(declared).chain(answers).collect();
        match gate::check(&request, &known, &settings).unwrap() {
            Outcome::Decided(verdict) => break verdict,
            Outcome::Needs(needs) => reads.extend(needs.into_iter().map(|need| need.lookup)),
        }
    };
    let ours = verdict.findings.iter().filter(|finding| finding.rule == rule.id);
    Says {
        effects: ours.map(|finding| finding.effect).collect(),
        unjudged: verdict.unjudged.iter().any(|unjudged| unjudged.rule == rule.id),
    }
}
