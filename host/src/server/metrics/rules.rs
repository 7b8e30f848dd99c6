//! Counters of single rules. Their ids come from the policy, which may be anybody's: only so many, and only what looks
//! like one, get a counter of their own.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::Verdict;

/// How many rules are told apart.
const MOST_RULES: usize = 500;
/// Characters of the longest id that is a label.
const LONGEST_ID: usize = 64;
/// All the others together.
const OTHER: &str = "other";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRule {
    rule: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    rule: Arc<str>,
    effect: &'static str,
}

/// Counters by rule.
#[derive(Debug, Default)]
pub(super) struct Rules {
    known: RwLock<BTreeSet<Arc<str>>>,
    findings: Family<Found, Counter>,
    unjudged: Family<OfRule, Counter>,
    overrides: Family<OfRule, Counter>,
    exempted: Family<OfRule, Counter>,
    shadow: Family<OfRule, Counter>,
}

impl Rules {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let rules = Self::default();
        registry.register("findings", "What rules had to say", rules.findings.clone());
        registry.register("unjudged", "Rules that could have denied but lacked a fact", rules.unjudged.clone());
        registry.register("overrides", "Denials that an override turned into warnings", rules.overrides.clone());
        registry.register("exempted", "Rules that the settings exempted", rules.exempted.clone());
        registry.register(
            "shadow_differences",
            "Requests about which the shadow policy says something else under this rule",
            rules.shadow.clone(),
        );
        rules
    }

    pub(super) fn judged(&self, verdict: &Verdict) {
        for finding in &verdict.findings {
            let rule = self.label(&finding.rule);
            if finding.overridden.is_some() {
                self.overrides.get_or_create(&OfRule { rule: rule.clone() }).inc();
            }
            self.findings.get_or_create(&Found { rule, effect: finding.effect.name() }).inc();
        }
        for unjudged in &verdict.unjudged {
            self.unjudged.get_or_create(&OfRule { rule: self.label(&unjudged.rule) }).inc();
        }
        for exempted in &verdict.exempted {
            self.exempted.get_or_create(&OfRule { rule: self.label(&exempted.rule) }).inc();
        }
    }

    pub(super) fn shadow_differs(&self, rule: &str) {
        self.shadow.get_or_create(&OfRule { rule: self.label(rule) }).inc();
    }

    /// The id as a label, which is shared by all that count it.
    fn label(&self, rule: &str) -> Arc<str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = known.get(rule) {
            return label.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let usable = (1..=LONGEST_ID).contains(&rule.len()) && rule.bytes().all(plain) && known.len() < MOST_RULES;
        let name = if usable { rule } else { OTHER };
        if let Some(label) = known.get(name) {
            return label.clone();
        }
        let label: Arc<str> = name.into();
        known.insert(label.clone());
        label
    }
}
