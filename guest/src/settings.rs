//! What whoever runs the gate has set: levels and parameters of rules, where they hold, and what to assume. `compile`
//! reads the document a person writes and says everything that is wrong with it; `load` takes the short form back.

mod compile;
mod list;
mod pattern;
mod schema;
mod stored;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::operation::Assume;
use crate::rules::{Level, Parameter, ParameterKind, Rule};
pub use compile::{Problem, compile};
pub use list::List;
pub use schema::schema;

/// The operator's own account, in whatever namespace it is installed (DOMAIN 6.0-1).
const OPERATOR: &str = "system:serviceaccount:*:flink-operator";

/// How far ahead an override may end, unless the settings say otherwise: a day.
const LONGEST_OVERRIDE: u64 = 86_400;

/// The settings that apply to one judgement. They borrow from their compiled form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings<'s> {
    /// By the rule's place in the catalogue; no entries at all: every level is the shipped one.
    levels: Vec<Option<Level>>,
    /// Parameters that differ from the shipped ones; of several for one parameter the last counts.
    parameters: Vec<Value<'s>>,
    scopes: Vec<Scope<'s>>,
    tenants: Vec<Tenant<'s>>,
    jar_schemes: Option<List<'s>>,
    operator_accounts: Option<List<'s>>,
    accept_intent_from: List<'s>,
    exemptions: Vec<Exemption<'s>>,
    override_from: List<'s>,
    override_never: List<'s>,
    longest_override: Option<u64>,
    /// A rule that could have denied but lacked a fact makes the verdict undecided.
    pub strict: bool,
    /// A server treats an undecided verdict as allowed.
    pub undecided_allows: bool,
    /// What is assumed without a declared intent; `None`: they do not say, so the facts may.
    pub assume: Option<Assume>,
}

/// A parameter that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value<'s> {
    rule: &'static str,
    name: &'s str,
    /// As it is stored: a length of time in seconds.
    text: &'s str,
}

/// Settings of rules that hold in some namespaces only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Scope<'s> {
    namespaces: List<'s>,
    /// `key=pattern`: labels that the namespace must have.
    labels: List<'s>,
    levels: Vec<(usize, Level)>,
    parameters: Vec<Value<'s>>,
}

/// Whose savepoints may lie where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tenant<'s> {
    namespaces: List<'s>,
    prefixes: List<'s>,
}

/// Rules that do not count for some callers, in some namespaces, for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemption<'s> {
    /// Patterns; none stands for everybody.
    principals: List<'s>,
    /// Rule ids.
    rules: List<'s>,
    /// Patterns; none stands for all.
    namespaces: List<'s>,
    /// RFC 3339; without it, it never ends.
    pub until: Option<&'s str>,
    /// Why.
    pub reason: &'s str,
}

/// The families of rules, in the order of the catalogue.
fn families() -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for rule in crate::rules::ALL {
        if !names.contains(&rule.family) {
            names.push(rule.family);
        }
    }
    names
}

impl<'s> Settings<'s> {
    /// The level set for the rule at this place of the catalogue, if one is set.
    pub fn level(&self, place: usize) -> Option<Level> {
        self.levels.get(place).copied().flatten()
    }

    /// A length of time that this rule has as a parameter.
    pub fn seconds(&self, rule: &Rule, parameter: &Parameter) -> u64 {
        let ParameterKind::Duration(shipped) = parameter.kind;
        let mut set = self.parameters.iter().rev();
        let set = set.find(|value| value.name == parameter.name && value.rule == rule.id);
        set.and_then(|value| value.text.parse().ok()).unwrap_or(shipped)
    }

    /// Where the savepoints of this namespace may lie: prefixes of locations, without an asterisk at their end. Nothing:
    /// no tenant is configured for it.
    pub fn tenant_prefixes(&self, namespace: &str) -> Vec<&'s str> {
        let tenants = self.tenants.iter().filter(|tenant| tenant.namespaces.matches(namespace));
        tenants.flat_map(|tenant| tenant.prefixes.iter()).collect()
    }

    /// The schemes that a jar may be fetched by, in lower case; `None`: not configured.
    pub fn jar_schemes(&self) -> Option<List<'s>> {
        self.jar_schemes
    }

    /// The accounts that the operator itself works with: patterns.
    pub fn operator_accounts(&self) -> List<'s> {
        self.operator_accounts.unwrap_or(List::of_one(OPERATOR))
    }

    /// Whether the word of this caller for `final` counts when it comes in a header.
    pub fn accepts_intent_of(&self, principal: Option<&str>) -> bool {
        self.accept_intent_from.admits(principal)
    }

    /// The exemptions of this rule for this caller in this namespace, ended ones too.
    pub fn exemptions<'e, 'n>(
        &'e self,
        rule: &'n str,
        principal: Option<&'n str>,
        namespace: &'n str,
    ) -> impl Iterator<Item = &'e Exemption<'s>> + use<'s, 'e, 'n> {
        self.exemptions.iter().filter(move |exemption| {
            let Exemption { principals, rules, namespaces, .. } = exemption;
            rules.contains(rule)
                && (principals.is_empty() || principals.admits(principal))
                && (namespaces.is_empty() || namespaces.matches(namespace))
        })
    }

    /// Who may override: patterns. Nothing: nobody over HTTP, and on Kubernetes whoever may annotate.
    pub fn override_from(&self) -> List<'s> {
        self.override_from
    }

    /// Whether no override lifts this rule.
    pub fn is_never_overridden(&self, rule: &str) -> bool {
        self.override_never.contains(rule)
    }

    /// How far ahead an override may end, in seconds.
    pub fn longest_override(&self) -> u64 {
        self.longest_override.unwrap_or(LONGEST_OVERRIDE)
    }

    /// These settings as they are in a namespace. `label` tells a label of it; a scope that asks for labels does not
    /// hold where they are not known.
    pub fn within<'l>(&self, namespace: &str, label: impl Fn(&str) -> Option<Cow<'l, str>>) -> Cow<'_, Self> {
        let mut here = Cow::Borrowed(self);
        for scope in self.scopes.iter().filter(|scope| scope.holds(namespace, &label)) {
            let here = here.to_mut();
            for (place, level) in &scope.levels {
                here.set_level(*place, *level);
            }
            here.parameters.extend_from_slice(&scope.parameters);
        }
        here
    }

    fn set_level(&mut self, place: usize, level: Level) {
        self.levels.resize(crate::rules::ALL.len(), None);
        if let Some(slot) = self.levels.get_mut(place) {
            *slot = Some(level);
        }
    }
}

impl Scope<'_> {
    fn holds<'l>(&self, namespace: &str, label: &impl Fn(&str) -> Option<Cow<'l, str>>) -> bool {
        let labelled = |wanted: &str| {
            let (key, wanted) = wanted.split_once('=').unwrap_or((wanted, "*"));
            label(key).is_some_and(|value| pattern::matches(wanted, &value))
        };
        (self.namespaces.is_empty() || self.namespaces.matches(namespace)) && self.labels.iter().all(labelled)
    }
}
