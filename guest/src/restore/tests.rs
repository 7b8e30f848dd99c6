//! The plan in every dialect: what is used, and what is said of every other snapshot.

mod kubernetes;
mod named;

use super::{Basis, Fate, RestorePlan, plan};
use crate::operation::{Dialect, Restore, Stage, StartCause};
use crate::rules::testing::{stage, start};

fn starts(platform: Dialect, restore: Restore<'static>, facts: &str) -> Stage<'static> {
    stage(platform, start(StartCause::Request, restore)).with_facts(facts)
}

/// The chosen one, and the fates in short.
fn told(stage: &Stage<'_>) -> (Option<String>, Vec<String>) {
    let plan = plan_of(stage);
    let short = |candidate: &super::Candidate| match candidate.fate {
        Fate::Used => candidate.id.clone(),
        Fate::Ignored => format!("-{}", candidate.id),
    };
    (plan.chosen.clone(), plan.candidates.iter().map(short).collect())
}

fn plan_of(stage: &Stage<'_>) -> RestorePlan {
    let plan = plan(stage).unwrap();
    readable(&plan);
    plan
}

/// Every plan must be fit to be read, and to be relied on.
fn readable(plan: &RestorePlan) {
    let reasons = plan.candidates.iter().map(|candidate| &candidate.reason);
    for text in reasons.chain([&plan.reason, &plan.strategy]) {
        assert!(!text.is_empty() && !text.ends_with('.'), "{plan:#?}");
        assert!(!text.chars().any(char::is_control) && !text.contains("  "), "{plan:#?}");
    }
    assert_eq!(plan.basis == Basis::Snapshot, plan.chosen.is_some(), "{plan:#?}");
    if plan.basis == Basis::Empty {
        assert!(plan.reason.contains("starts empty"), "{plan:#?}");
    }
    let used = plan.candidates.iter().filter(|candidate| candidate.fate == Fate::Used).count();
    assert!(used <= usize::from(plan.chosen.is_some()), "{plan:#?}");
}

fn reason<'p>(plan: &'p RestorePlan, id: &str) -> &'p str {
    &plan.candidates.iter().find(|candidate| candidate.id == id).unwrap().reason
}
