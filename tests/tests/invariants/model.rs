//! A model of the lifecycle to enumerate: scenarios (a request, and what is done by it), each with the facts that may or
//! may not be known, and every combination of them.

use serde_json::{Map, Value, json};
use sluicegate::case::Case;
use sluicegate_policy::Verdict;
use sluicegate_tests::native;

/// A request, and the facts that may be known besides it.
pub struct Scenario {
    pub name: String,
    /// The `request` of a case.
    pub request: Value,
    /// Each with the values it may have.
    pub facts: Vec<(&'static str, Vec<Value>)>,
}

/// One value, or none, for each fact of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known(pub Vec<Option<usize>>);

impl Scenario {
    /// Every combination of known and unknown facts.
    pub fn combinations(&self) -> Vec<Known> {
        let mut all = vec![Known(Vec::new())];
        for (_, values) in &self.facts {
            let choices = || std::iter::once(None).chain((0..values.len()).map(Some));
            all = all
                .iter()
                .flat_map(|known| choices().map(|choice| Known([known.0.as_slice(), &[choice]].concat())))
                .collect();
        }
        all
    }

    /// The `Facts` document of a combination.
    pub fn document(&self, known: &Known) -> Value {
        let mut document = Map::new();
        for ((path, values), choice) in self.facts.iter().zip(&known.0) {
            if let Some(value) = choice.and_then(|choice| values.get(choice)) {
                put(&mut document, path, value.clone());
            }
        }
        Value::Object(document)
    }

    /// The judgement, with these settings.
    pub fn judge(&self, known: &Known, settings: &Value) -> Verdict {
        let facts = self.document(known);
        let case = json!({
            "name": self.name, "source": "model", "request": self.request, "facts": facts, "settings": settings,
            "expect": {"decision": "allow"}
        });
        let case = Case::parse(&case.to_string()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let (ending, verdict) = native(&case);
        verdict.unwrap_or_else(|| panic!("{} with {facts}: {ending:?}", self.name))
    }
}

/// Puts a value at a dotted path.
fn put(document: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(document.insert(path.to_owned(), value)),
        Some((head, rest)) => {
            let inner = document.entry(head).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The words for a job's state that matter.
pub fn states(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| json!(word)).collect()
}

/// Known restore points: none, and one of each kind that the platforms tell apart.
pub fn savepoint_sets() -> Vec<Value> {
    let version = "com.dataartisans.appmanager.controller.deployment.spec.version";
    let good = json!({"id": "a", "state": "COMPLETED", "origin": "USER_REQUEST", "location": "s3://b/a",
        "createdAt": "2026-11-20T10:00:00Z", "annotations": {version: "4"}, "drained": false});
    let mut unversioned = good.clone();
    unversioned["annotations"] = json!({});
    unversioned["origin"] = json!("COPIED");
    let mut drained = good.clone();
    drained["drained"] = json!(true);
    let mut failed = good.clone();
    failed["state"] = json!("FAILED");
    let mut retained = good.clone();
    retained["origin"] = json!("RETAINED_CHECKPOINT");
    vec![json!([]), json!([good]), json!([unversioned]), json!([drained]), json!([failed]), json!([retained])]
}
