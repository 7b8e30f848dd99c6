//! What was observed, laid over what was declared. Where both speak of the same and differ, the platform's own word
//! counts, and the difference is told.

use std::borrow::Cow;

use super::{Facts, Savepoint, Savepoints};
use crate::configuration::{Configuration, Entry, RETENTION};
use crate::document::{Node, Slots};
use crate::operation::{JobState, Retention};
use crate::text::is_secret;

/// How many differences are told; one alone shows that the declaration is stale.
const MOST: usize = 20;

/// Something that was declared and observed differently.
#[derive(Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The path in a `Facts` document.
    pub what: String,
    pub declared: String,
    pub observed: String,
}

/// Lays `observed` over `facts`.
pub fn lay<'d>(facts: &mut Facts<'d>, observed: Facts<'d>) -> Vec<Contradiction> {
    let mut found = Found(Vec::new());
    let (ours, theirs) = (&mut facts.deployment, observed.deployment);
    found.state("job.status", &mut facts.job_status, observed.job_status);
    found.state("deployment.specState", &mut ours.spec_state, theirs.spec_state);
    found.state("deployment.statusState", &mut ours.status_state, theirs.status_state);
    found.text("deployment.specVersion", &mut ours.spec_version, theirs.spec_version);
    found.text("deployment.executionMode", &mut ours.execution_mode, theirs.execution_mode);
    found.text("deployment.artifactKind", &mut ours.artifact_kind, theirs.artifact_kind);
    found.text("deployment.restoreStrategy.kind", &mut ours.restore_kind, theirs.restore_kind);
    found.text("deployment.upgradeStrategy.kind", &mut ours.upgrade_kind, theirs.upgrade_kind);
    let allow = "deployment.restoreStrategy.allowNonRestoredState";
    found.flag(allow, &mut ours.allow_non_restored_state, theirs.allow_non_restored_state);
    found.retention(ours.configuration, observed.seen.retention);
    found.map("deployment.annotations", &mut ours.annotations, theirs.annotations);
    found.map("deployment.flinkConfiguration", &mut ours.configuration, theirs.configuration);
    found.text("platform.flinkVersion", &mut facts.platform.flink_version, observed.platform.flink_version);
    let cluster = &mut facts.platform.configuration;
    found.map("platform.flinkConfiguration", cluster, observed.platform.configuration);
    found.savepoints(&mut facts.savepoints, observed.savepoints, &observed.seen);
    found.related(&mut facts.related, &observed.related);
    facts
        .absent
        .retain(|gone| !observed.related.iter().any(|node| named(node, &gone.kind, &gone.namespace, &gone.name)));
    for gone in observed.absent {
        if let Some(at) = facts.related.iter().position(|node| named(node, &gone.kind, &gone.namespace, &gone.name)) {
            found.add(&format!("related ({} {})", gone.kind, gone.name), "it exists", "there is none");
            facts.related.remove(at);
        }
        facts.absent.push(gone);
    }
    facts.seen = observed.seen;
    found.0
}

struct Found(Vec<Contradiction>);

impl Found {
    #[inline(never)]
    fn add(&mut self, what: &str, declared: &str, observed: &str) {
        if self.0.len() < MOST {
            let (what, declared, observed) = (what.to_owned(), declared.to_owned(), observed.to_owned());
            self.0.push(Contradiction { what, declared, observed });
        }
    }

    #[inline(never)]
    fn text<'d>(&mut self, what: &str, slot: &mut Option<Cow<'d, str>>, observed: Option<Cow<'d, str>>) {
        let Some(observed) = observed else { return };
        if let Some(declared) = slot.as_ref().filter(|declared| **declared != observed) {
            self.add(what, declared, &observed);
        }
        *slot = Some(observed);
    }

    /// Platforms spell states differently.
    #[inline(never)]
    fn state<'d>(&mut self, what: &str, slot: &mut Option<Cow<'d, str>>, observed: Option<Cow<'d, str>>) {
        let Some(observed) = observed else { return };
        if let Some(declared) = slot.as_ref().filter(|it| JobState::read(it) != JobState::read(&observed)) {
            self.add(what, declared, &observed);
        }
        *slot = Some(observed);
    }

    #[inline(never)]
    fn flag(&mut self, what: &str, slot: &mut Option<bool>, observed: Option<bool>) {
        let Some(observed) = observed else { return };
        if slot.is_some_and(|declared| declared != observed) {
            let word = |flag: bool| if flag { "true" } else { "false" };
            self.add(what, word(!observed), word(observed));
        }
        *slot = Some(observed);
    }

    /// Secrets, and what a platform masks, are not compared.
    #[inline(never)]
    fn map<'d>(&mut self, what: &str, slot: &mut Option<Node<'d>>, observed: Option<Node<'d>>) {
        let Some(observed) = observed else { return };
        if let Some(declared) = *slot {
            let entries = |map: Node<'d>| {
                let mut layer = Configuration::default();
                layer.overlay(map);
                layer
            };
            let (ours, theirs) = (entries(declared), entries(observed));
            for entry in ours.entries() {
                let seen = theirs.entries().iter().rev().find(|other| other.key == entry.key);
                let masked = |value: &str| !value.is_empty() && value.bytes().all(|byte| byte == b'*');
                let hidden = |seen: &Entry<'_>| is_secret(&entry.key) || masked(&entry.value) || masked(&seen.value);
                if let Some(seen) = seen.filter(|seen| seen.value != entry.value && !hidden(seen)) {
                    self.add(&format!("{what}.{}", entry.key), &entry.value, &seen.value);
                }
            }
        }
        *slot = Some(observed);
    }

    /// A job's own configuration against what the job says of itself.
    fn retention(&mut self, declared: Option<Node<'_>>, seen: Option<Retention>) {
        let (Some(map), Some(Retention::Kept | Retention::Deleted)) = (declared, seen) else { return };
        let kept = seen == Some(Retention::Kept);
        let mut configuration = Configuration::default();
        configuration.overlay(map);
        let Some(value) = configuration.get(RETENTION) else { return };
        if configuration.retains() == Some(!kept) {
            let key = RETENTION.first().copied().unwrap_or_default();
            let said = if kept { "the checkpoint is kept" } else { "the checkpoint is deleted" };
            self.add(&format!("deployment.flinkConfiguration.{key}"), value, said);
        }
    }

    /// The platform's list is all there is. What only a declaration can tell of a savepoint is kept.
    fn savepoints<'d>(
        &mut self,
        slot: &mut Option<Savepoints<'d>>,
        observed: Option<Savepoints<'d>>,
        seen: &super::Seen<'d>,
    ) {
        let mut known = slot.take().map(Savepoints::into_vec);
        if let Some(observed) = observed {
            let mut observed = observed.into_vec();
            for mut declared in known.take().unwrap_or_default() {
                let same = |other: &&mut Savepoint<'_>| match (&declared.id, &declared.location) {
                    (Some(id), _) => other.id.as_ref() == Some(id),
                    (None, at) => at.is_some() && other.location == *at,
                };
                let Some(other) = observed.iter_mut().find(same) else {
                    self.add(&format!("savepoints `{}`", declared.label()), "it exists", "the platform has none");
                    continue;
                };
                let what = |field: &str| format!("savepoints `{}` {field}", other.label());
                let (state, origin, drained) = (what("state"), what("origin"), what("drained"));
                self.text(&state, &mut declared.state, other.state.take());
                self.text(&origin, &mut declared.origin, other.origin.take());
                self.flag(&drained, &mut declared.drained, other.drained);
                declared.id = other.id.take();
                declared.deployment_id = other.deployment_id.take().or(declared.deployment_id);
                declared.location = other.location.take().or(declared.location);
                declared.created_at = other.created_at.take().or(declared.created_at);
                declared.annotations = other.annotations.or(declared.annotations);
                declared.format = other.format.take().or(declared.format);
                *other = declared;
            }
            known = Some(observed);
        }
        for savepoint in known.iter_mut().flatten() {
            let at = savepoint.location.as_deref().and_then(|at| seen.at(at)).and_then(|seen| seen.metadata);
            let what = || format!("savepoints `{}` drained", savepoint.label());
            if let Some(drained) = at.and_then(|metadata| metadata.drained) {
                let what = what();
                self.flag(&what, &mut savepoint.drained, Some(drained));
            }
        }
        *slot = known.map(Savepoints::from);
    }

    /// What is stored takes the place of what was declared, and of an earlier read of the same object.
    fn related<'d>(&mut self, ours: &mut Vec<Node<'d>>, observed: &[Node<'d>]) {
        let declared = ours.len();
        let mut slots = Slots::new();
        let mut all: Vec<_> = std::mem::take(ours).into_iter().map(Some).collect();
        for (at, node) in all.iter().flatten().enumerate() {
            slots.entry(Name::of(node).key(true)).or_insert(at);
        }
        for node in observed {
            let name = Name::of(node);
            let known = slots.get(&name.key(true)).or_else(|| slots.get(&name.key(false))).copied();
            let earlier = known.and_then(|at| all.get_mut(at)).and_then(Option::take);
            let spec = |node: &Node<'d>| node.get("spec");
            if known.is_some_and(|at| at < declared)
                && let Some((ours, theirs)) = earlier.as_ref().and_then(spec).zip(spec(node))
                && !ours.same(&theirs)
            {
                let what = format!("related ({} {})", name.kind, name.name);
                self.add(&what, "another `spec`", "the `spec` that is stored");
            }
            slots.insert(name.key(true), all.len());
            all.push(Some(*node));
        }
        ours.extend(all.into_iter().flatten());
    }
}

/// What a resource is known by.
struct Name<'d> {
    kind: Cow<'d, str>,
    name: Cow<'d, str>,
    /// A declared resource may leave it out.
    namespace: Option<Cow<'d, str>>,
}

impl<'d> Name<'d> {
    fn of(node: &Node<'d>) -> Self {
        let word = |path: &[&str]| node.path(path).and_then(|it| it.scalar());
        Self {
            kind: word(&["kind"]).unwrap_or_default(),
            name: word(&["metadata", "name"]).unwrap_or_default(),
            namespace: word(&["metadata", "namespace"]),
        }
    }

    /// In one word; no name holds a line break.
    fn key(&self, here: bool) -> Cow<'d, str> {
        let namespace = self.namespace.as_deref().filter(|_| here).unwrap_or_default();
        Cow::Owned([&self.kind, &self.name, namespace].join("\n"))
    }
}

fn named(node: &Node<'_>, kind: &str, namespace: &str, name: &str) -> bool {
    node.get("kind").is_some_and(|word| word.is(kind))
        && node.path(&["metadata", "name"]).is_some_and(|word| word.is(name))
        && node.path(&["metadata", "namespace"]).is_none_or(|word| word.is(namespace))
}

#[cfg(test)]
mod tests {
    use super::lay;
    use crate::document::{Document, Reading};
    use crate::facts::Facts;

    fn parsed(text: String) -> Document<'static> {
        Document::parse(Box::leak(text.into_boxed_str()).as_bytes(), Reading::JsonOrYaml).unwrap()
    }

    fn of<'d>(document: &'d Document<'d>) -> Facts<'d> {
        Facts { related: document.root().elements().collect(), ..Facts::default() }
    }

    #[test]
    fn what_is_stored_takes_the_place_of_what_was_declared() {
        let object = |namespace: &str, spec: &str| {
            format!("{{kind: FlinkDeployment, metadata: {{name: a{namespace}}}, spec: {{image: {spec}}}}}")
        };
        let (p, q) = (", namespace: p", ", namespace: q");
        let laid = |ours: &[String], theirs: &[String]| {
            let (ours, theirs) = (parsed(format!("[{}]", ours.join(", "))), parsed(format!("[{}]", theirs.join(", "))));
            let mut facts = of(&ours);
            (lay(&mut facts, of(&theirs)).len(), facts.related.len())
        };
        assert_eq!(laid(&[object(p, "x")], &[object(p, "y")]), (1, 1));
        assert_eq!(laid(&[object("", "x")], &[object(p, "y")]), (1, 1), "declared without a namespace");
        assert_eq!(laid(&[object(p, "x")], &[object(p, "x")]), (0, 1));
        assert_eq!(laid(&[object(q, "x")], &[object(p, "y")]), (0, 2), "another one");
        assert_eq!(laid(&[], &[object(p, "x"), object(p, "y")]), (0, 1), "two reads of one");
    }

    /// Took 12 seconds when each was looked for among all before it.
    #[test]
    fn many_objects_are_laid_quickly() {
        let list = (0..20_000).map(|at| {
            format!(r#"{{"kind":"FlinkStateSnapshot","metadata":{{"namespace":"p","name":"s{at}"}},"spec":{{}}}}"#)
        });
        let list = parsed(format!("[{}]", list.collect::<Vec<_>>().join(",")));
        let mut facts = of(&list);
        assert_eq!(lay(&mut facts, of(&list)).len(), 0);
        assert_eq!(facts.related.len(), 20_000);
    }
}
