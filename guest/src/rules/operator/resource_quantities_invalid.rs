//! Memory, processors and storage that the operator cannot read, or that make no sense (DOMAIN 4.5, V24, V27, V29 to
//! V35).

use std::borrow::Cow;

use crate::configuration::{Configuration, Entry, Key};
use crate::document::Node;
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Spec, Stage};
use crate::quantity::{memory, memory_size, quantity};
use crate::rules::operator::{self, ALWAYS, Since, Subject};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "resource-quantities-invalid",
    title: "memory or other resources that the operator refuses",
    family: "operator",
    why: "The operator refuses the deployment: Flink's memory could not be laid out, or Kubernetes would not start the \
          pods.",
    source: "FKO V24, V27, V29-V35; FLINK-33548",
    looks_at: &[(Dialect::Kubernetes, "`resource` and `resources` of a FlinkDeployment's JobManager and TaskManager")],
    facts: &["platform.flinkConfiguration", "platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// `resources`: FLINK-33548, merged after 1.15.
const REQUIREMENTS: Since = (1, 16);

/// Nobody reads more; a document made to be large must not cost more.
const MOST: usize = 20;

/// What pods are described for.
struct Component {
    name: &'static str,
    field: &'static str,
    /// Options that give its memory: all of one group will do.
    sizes: [&'static [Key]; 3],
}

static COMPONENTS: [Component; 2] = [
    Component {
        name: "JobManager",
        field: "jobManager",
        sizes: [
            &[&["jobmanager.memory.process.size"]],
            &[&["jobmanager.memory.flink.size"]],
            &[&["jobmanager.memory.heap.size", "jobmanager.heap.size", "jobmanager.heap.mb"]],
        ],
    },
    Component {
        name: "TaskManager",
        field: "taskManager",
        sizes: [
            &[&["taskmanager.memory.process.size"]],
            &[&["taskmanager.memory.flink.size"]],
            &[&["taskmanager.memory.task.heap.size"], &["taskmanager.memory.managed.size", "taskmanager.memory.size"]],
        ],
    },
];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    for component in &COMPONENTS {
        memory_missing(&subject, component, report);
    }
    let faults = faults(subject.spec);
    if faults.is_empty() {
        return;
    }
    let before = subject.old.map(self::faults).unwrap_or_default();
    for fault in &faults {
        let was = before.iter().any(|old| old.same(fault));
        let (message, expected) = fault.words();
        if let Some(draft) = subject.refuse(report, fault.since(), was, &Place::Body(fault.node), &message) {
            let observed = fault.node.scalar().unwrap_or_default();
            draft.observed(observed).expected(expected).remedy(fault.remedy());
        }
    }
}

/// V24 and V27.
fn memory_missing(subject: &Subject<'_, '_>, component: &Component, report: &mut Report<'_>) {
    if has_memory(subject.spec, component) {
        return;
    }
    let current = &subject.stage.current;
    let sizes = Sizes::of(&current.configuration, component);
    let was = subject.old.is_some_and(|old| !has_memory(old, component))
        && subject.before(|before| !matches!(Sizes::of(before, component), Sizes::Given));
    let (name, field) = (component.name, component.field);
    let place = match &sizes {
        Sizes::Given => return,
        Sizes::Unreadable(entry) => subject.object.place_of(entry.node),
        Sizes::Missing if !current.configuration_complete => {
            return subject.lacks_configuration(report, ALWAYS, was);
        }
        Sizes::Missing => None,
    };
    let message = match &sizes {
        Sizes::Unreadable(entry) => format!("Flink cannot read `{}`: the operator refuses it", entry.key),
        _ => format!("the {name}'s memory is not given: the operator refuses the deployment"),
    };
    let place = place.unwrap_or_else(|| subject.field(field));
    if let Some(mut draft) = subject.refuse(report, ALWAYS, was, &place, &message) {
        if let Sizes::Unreadable(entry) = &sizes {
            draft = draft.observed(entry.value.as_ref());
        }
        draft
            .expected("a size such as `2048m`")
            .remedy(format!("set `spec.{field}.resource.memory` or `spec.{field}.resources.requests.memory`"));
    }
}

/// In the spec; a blank text is none.
fn has_memory(spec: Spec<'_>, component: &Component) -> bool {
    let Some(part) = spec.get(component.field) else { return false };
    let given = part.path(&["resource", "memory"]).and_then(|node| node.scalar());
    given.is_some_and(|text| !text.trim().is_empty())
        || part.path(&["resources", "requests", "memory"]).is_some()
        || part.path(&["resources", "limits", "memory"]).is_some()
}

/// What the configuration says of a component's memory.
enum Sizes<'c, 'd> {
    Given,
    Missing,
    Unreadable(&'c Entry<'d>),
}

impl<'c, 'd> Sizes<'c, 'd> {
    fn of(configuration: &'c Configuration<'d>, component: &Component) -> Self {
        let entries = || component.sizes.iter().copied().flatten().filter_map(|key| configuration.entry(key));
        if let Some(entry) = entries().find(|entry| memory_size(&entry.value).is_none()) {
            return Self::Unreadable(entry);
        }
        let given = |group: &&[Key]| group.iter().all(|key| configuration.entry(key).is_some());
        if component.sizes.iter().any(given) { Self::Given } else { Self::Missing }
    }
}

/// An amount that cannot be.
struct Fault<'d> {
    component: &'static Component,
    /// Below the component.
    section: &'static str,
    key: Cow<'d, str>,
    what: What,
    node: Node<'d>,
    limit: Option<Cow<'d, str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Unreadable,
    NotPositive,
    Negative,
    AboveLimit,
}

impl Fault<'_> {
    fn same(&self, other: &Fault<'_>) -> bool {
        self.component.field == other.component.field
            && (self.section, self.what) == (other.section, other.what)
            && self.key == other.key
    }

    fn since(&self) -> Since {
        if self.section == "resource" { ALWAYS } else { REQUIREMENTS }
    }

    fn words(&self) -> (String, Cow<'static, str>) {
        let (what, expected) = match (self.what, self.limit.as_ref()) {
            (What::Unreadable, _) if self.key == "memory" => ("cannot be read", "a whole number of bytes".into()),
            (What::Unreadable, _) => ("cannot be read", "a Kubernetes quantity".into()),
            (What::NotPositive, _) => ("is not more than zero", "more than 0".into()),
            (What::Negative, _) => ("is negative", "at least 0".into()),
            (What::AboveLimit, limit) => {
                ("is more than its limit", format!("at most {}", limit.map_or("the limit", |limit| limit)).into())
            }
        };
        let path = format!("spec.{}.{}.{}", self.component.field, self.section, self.key);
        (format!("`{path}` {what}: the operator refuses it"), expected)
    }

    fn remedy(&self) -> &'static str {
        match (self.what, self.key.as_ref()) {
            (What::AboveLimit, _) => "raise the limit, or ask for less",
            (_, "memory") => "write a whole amount, such as `2048m` or `2Gi`: fractions such as `1.5Gi` are refused",
            (_, "cpu") => "write an amount such as `1` or `500m`",
            _ => "write an amount such as `10Gi`",
        }
    }
}

fn faults<'d>(spec: Spec<'d>) -> Vec<Fault<'d>> {
    let mut faults = Vec::new();
    for component in &COMPONENTS {
        let Some(part) = spec.get(component.field) else { continue };
        let mut find = |section, key: Cow<'d, str>, what, node: Node<'d>, limit| {
            if faults.len() < MOST {
                faults.push(Fault { component, section, key, what, node, limit });
            }
        };
        if let Some(resource) = part.get("resource") {
            let unreadable = |name: &str, reads: fn(&str) -> bool| {
                resource.get(name).filter(|node| node.scalar().is_some_and(|text| !reads(&text)))
            };
            // What is blank may count as missing (V24), and cannot be read all the same.
            if let Some(node) = unreadable("memory", |text| memory(text).is_some()) {
                find("resource", "memory".into(), What::Unreadable, node, None);
            }
            if let Some(node) = unreadable("ephemeralStorage", |text| quantity(text).is_some()) {
                find("resource", "ephemeralStorage".into(), What::Unreadable, node, None);
            }
        }
        let Some(resources) = part.get("resources") else { continue };
        for (section, name) in [("resources.requests", "requests"), ("resources.limits", "limits")] {
            for (key, node) in resources.get(name).into_iter().flat_map(|section| section.members()) {
                let Some((key, text)) = key.text().zip(node.scalar()) else { continue };
                let what = match (key.as_ref(), amount(&key, &text)) {
                    (_, None) => What::Unreadable,
                    ("memory" | "cpu", Some(amount)) if amount <= 0.0 => What::NotPositive,
                    (_, Some(amount)) if amount < 0.0 => What::Negative,
                    _ => continue,
                };
                find(section, key, what, node, None);
            }
        }
        for key in ["cpu", "memory"] {
            let Some(request) = resources.path(&["requests", key]) else { continue };
            let limit = resources.path(&["limits", key]).and_then(|node| node.scalar());
            let asked = request.scalar().and_then(|text| amount(key, &text));
            let most = limit.as_ref().and_then(|text| amount(key, text));
            // Binary fractions of decimal ones: `300m` is `0.3`.
            if asked.zip(most).is_some_and(|(asked, most)| asked > most * (1.0 + 1e-12)) {
                find("resources.requests", key.into(), What::AboveLimit, request, limit);
            }
        }
    }
    faults
}

fn amount(key: &str, text: &str) -> Option<f64> {
    if key == "memory" { memory(text).map(|bytes| bytes as f64) } else { quantity(text) }
}

#[cfg(test)]
mod tests;
