//! What must hold for every request, over an enumerated model of the lifecycle: state, operation, strategy, savepoints,
//! and each fact known or not (DESIGN sections 1 and 7).

#![allow(clippy::indexing_slicing, clippy::panic, reason = "a model that cannot be built or judged has failed")]

#[path = "invariants/http.rs"]
mod http;
#[path = "invariants/kubernetes.rs"]
mod kubernetes;
#[path = "invariants/model.rs"]
mod model;
#[path = "invariants/recovery.rs"]
mod recovery;

use std::collections::{BTreeMap, BTreeSet};

use model::{Known, Scenario};
use serde_json::{Value, json};
use sluicegate_policy::{Decision, Effect, RULES, Verdict};

/// How many violations are shown.
const SHOWN: usize = 40;

/// The rules that refuse.
fn deniers(verdict: &Verdict) -> BTreeSet<&'static str> {
    verdict.findings.iter().filter(|it| it.effect == Effect::Deny).map(|it| it.rule).collect()
}

fn warns(verdict: &Verdict) -> bool {
    verdict.findings.iter().any(|it| it.effect >= Effect::Warn)
}

/// How much a decision lets pass, the least first. A server takes undecided for a denial.
fn strictness(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::Undecided => 1,
        Decision::Deny => 2,
    }
}

/// What is violated, and the shortest example of it.
#[derive(Default)]
struct Violations(BTreeMap<String, String>);

impl Violations {
    fn add(&mut self, what: String, example: String) {
        let known = self.0.entry(what).or_insert_with(|| example.clone());
        if example.len() < known.len() {
            *known = example;
        }
    }

    fn report(&self) {
        let shown: Vec<_> = self.0.iter().take(SHOWN).map(|(what, example)| format!("{what}\n    {example}")).collect();
        assert!(self.0.is_empty(), "{} violations, such as:\n{}", self.0.len(), shown.join("\n"));
    }
}

/// What one more known fact changes: `each` sees the verdict without it, the verdict with it, and the fact.
fn for_each_added_fact(scenario: &Scenario, mut each: impl FnMut(&Known, &Verdict, &Known, &Verdict, &'static str)) {
    let combinations = scenario.combinations();
    let verdicts: BTreeMap<&[Option<usize>], Verdict> =
        combinations.iter().map(|known| (known.0.as_slice(), scenario.judge(known, &Value::Null))).collect();
    for known in &combinations {
        for (index, (path, values)) in scenario.facts.iter().enumerate() {
            if known.0[index].is_some() {
                continue;
            }
            for value in 0..values.len() {
                let mut more = known.clone();
                more.0[index] = Some(value);
                each(known, &verdicts[known.0.as_slice()], &more, &verdicts[more.0.as_slice()], path);
            }
        }
    }
}

/// What may lift a refusal: a declared intent (DOMAIN 6.0-6), that the job is not there to be harmed or is failing (6.0-5),
/// that there is no state to lose, and that what is refused was so before (6.0-4). Every other fact only adds.
const LIFTING: [&str; 6] = [
    "intent.restartPlanned",
    "job.status",
    "deployment.specState",
    "deployment.statusState",
    "deployment.hasState",
    "deployment.restoreStrategy",
];

/// A rule does not refuse because it lacks a fact (DOMAIN 6.0-3), and where a fact lifts a refusal, the rule says that it
/// uses that fact.
fn facts_only_add(scenarios: &[Scenario]) {
    let mut violations = Violations::default();
    for scenario in scenarios {
        for_each_added_fact(scenario, |known, before, more, after, fact| {
            for rule in deniers(before).difference(&deniers(after)) {
                let names = RULES.iter().any(|it| it.id == *rule && it.facts.iter().any(|it| fact.starts_with(it)));
                if !LIFTING.contains(&fact) || !names {
                    violations.add(
                        format!("{rule} no longer denies `{}` when `{fact}` is known", scenario.name),
                        format!("{}, then {}", scenario.document(known), scenario.document(more)),
                    );
                }
            }
        });
    }
    violations.report();
}

/// A start that is allowed although known state is not used says so.
fn state_is_not_lost_in_silence(scenarios: &[Scenario], has_state: impl Fn(&Scenario, &Value) -> bool) {
    let mut violations = Violations::default();
    for scenario in scenarios {
        for known in scenario.combinations() {
            let verdict = scenario.judge(&known, &Value::Null);
            let Some(plan) = &verdict.restore else { continue };
            let facts = scenario.document(&known);
            let empty = plan.chosen.is_none() && plan.reason.contains("starts empty");
            if empty && verdict.decision == Decision::Allow && !warns(&verdict) && has_state(scenario, &facts) {
                violations.add(format!("`{}`: {}", scenario.name, plan.reason), facts.to_string());
            }
        }
    }
    violations.report();
}

/// Settings from the most lenient to the strictest.
fn ladder() -> Vec<Value> {
    let all = |level: &str| -> Value {
        let levels = RULES.iter().map(|rule| (rule.id.to_owned(), json!({"level": level})));
        json!({"rules": levels.collect::<serde_json::Map<_, _>>()})
    };
    vec![
        all("off"),
        all("note"),
        all("warn"),
        Value::Null,
        json!({"intent": {"assume": "restart"}}),
        json!({"intent": {"assume": "restart"}, "unjudged": "undecided"}),
    ]
}

/// Settings that are stricter never let more pass.
fn stricter_never_allows_more(scenarios: &[Scenario]) {
    let ladder = ladder();
    let mut violations = Violations::default();
    for scenario in scenarios {
        // Every combination at each step of the ladder would tell no more than a part of them.
        for known in scenario.combinations().into_iter().step_by(7) {
            let mut last = 0;
            for settings in &ladder {
                let strictness = strictness(scenario.judge(&known, settings).decision);
                if strictness < last {
                    violations.add(format!("`{}`: {settings}", scenario.name), scenario.document(&known).to_string());
                }
                last = strictness;
            }
            // Raising one rule that speaks never lets more pass either.
            let shipped = scenario.judge(&known, &Value::Null);
            for finding in &shipped.findings {
                let raised = json!({"rules": {finding.rule: {"level": "deny"}}});
                let decision = scenario.judge(&known, &raised).decision;
                if strictness(decision) < strictness(shipped.decision) {
                    violations.add(format!("`{}`: {raised}", scenario.name), scenario.document(&known).to_string());
                }
            }
        }
    }
    violations.report();
}

fn any_savepoint(facts: &Value) -> bool {
    let completed = |list: &Vec<Value>| list.iter().any(|it| it["state"] == "COMPLETED");
    facts["savepoints"].as_array().is_some_and(completed)
}

macro_rules! dialect {
    ($name:ident, $scenarios:expr, $has_state:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn facts_only_add() {
                super::facts_only_add(&$scenarios);
            }

            #[test]
            fn state_is_not_lost_in_silence() {
                super::state_is_not_lost_in_silence(&$scenarios, $has_state);
            }

            #[test]
            fn stricter_never_allows_more() {
                super::stricter_never_allows_more(&$scenarios);
            }
        }
    };
}

dialect!(ververica, http::ververica(), |_: &Scenario, facts: &Value| any_savepoint(facts));
dialect!(alibaba, http::alibaba(), |_: &Scenario, facts: &Value| any_savepoint(facts)
    && facts["deployment"]["hasState"] != false
    || facts["deployment"]["hasState"] == true);
dialect!(flink_rest, http::flink_rest(), |_: &Scenario, facts: &Value| any_savepoint(facts)
    && facts["deployment"]["hasState"] != false
    || facts["deployment"]["hasState"] == true);
// A stateless job that stays stateless loses nothing that anybody asked to keep (DOMAIN 6.0-10).
dialect!(on_kubernetes, kubernetes::scenarios(), |scenario: &Scenario, facts: &Value| {
    let stays_stateless = scenario.name.contains("of a stateless job");
    let deployed = !scenario.name.contains("never deployed");
    let declared = &facts["deployment"]["hasState"];
    !stays_stateless && *declared != false && (deployed || *declared == true)
});
