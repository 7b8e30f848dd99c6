//! All conditions of the operator's validator (DOMAIN 4.5), each with the rule that repeats it and the version of the
//! operator that brought it in.

use super::{ALWAYS, CHECKPOINT_AGE, HEALTH_CHECKS, NAMES, OLD_FLINK, REDEPLOY, SNAPSHOTS, STANDALONE, Since};

/// Scheme and host of `jarURI`.
const JAR_URIS: Since = (1, 15);
/// FLINK-33548 and FLINK-39826, merged after 1.15.
const STRENGTHENED: Since = (1, 16);

const CONDITIONS: &[(&str, &str, Since)] = &[
    ("V01", "resource-name-invalid", NAMES),
    ("V02", "flink-version-unsupported", ALWAYS),
    ("V03", "flink-version-unsupported", OLD_FLINK),
    // FLINK-30527. Older operators lose the state instead, so the rule denies for them as well.
    ("V04", "version-change-after-last-state-suspend", (1, 3)),
    ("V05", "ingress-template-invalid", ALWAYS),
    ("V06", "ingress-template-invalid", ALWAYS),
    ("V07", "forbidden-config-key", ALWAYS),
    ("V08", "rollback-needs-ha", ALWAYS),
    ("V09", "health-check-needs-recovery", HEALTH_CHECKS),
    ("V10", "log-config-key-invalid", ALWAYS),
    ("V11", "upgrade-mode-needs-directories", ALWAYS),
    ("V12", "upgrade-mode-needs-directories", ALWAYS),
    ("V13", "upgrade-mode-needs-directories", ALWAYS),
    ("V14", "upgrade-mode-needs-directories", ALWAYS),
    ("V15", "upgrade-mode-needs-directories", CHECKPOINT_AGE),
    ("V16", "parallelism-not-positive", ALWAYS),
    ("V17", "parallelism-not-positive", ALWAYS),
    ("V18", "jar-uri-restricted", JAR_URIS),
    ("V19", "jar-uri-restricted", JAR_URIS),
    ("V20", "jar-uri-restricted", JAR_URIS),
    ("V21", "jar-uri-restricted", JAR_URIS),
    ("V22", "jar-uri-restricted", JAR_URIS),
    ("V23", "jar-uri-restricted", JAR_URIS),
    ("V24", "resource-quantities-invalid", ALWAYS),
    ("V25", "jobmanager-replicas-invalid", ALWAYS),
    ("V26", "standby-jobmanager-needs-ha", ALWAYS),
    ("V27", "resource-quantities-invalid", ALWAYS),
    ("V28", "parallelism-not-positive", ALWAYS),
    ("V29", "resource-quantities-invalid", ALWAYS),
    ("V30", "resource-quantities-invalid", ALWAYS),
    ("V31", "resource-quantities-invalid", STRENGTHENED),
    ("V32", "resource-quantities-invalid", STRENGTHENED),
    ("V33", "resource-quantities-invalid", STRENGTHENED),
    ("V34", "resource-quantities-invalid", STRENGTHENED),
    ("V35", "resource-quantities-invalid", STRENGTHENED),
    ("V36", "cluster-type-switch", ALWAYS),
    ("V37", "cluster-type-switch", ALWAYS),
    ("V38", "cluster-type-switch", STANDALONE),
    ("V39", "cluster-type-switch", STANDALONE),
    ("V40", "savepoint-redeploy-needs-path", REDEPLOY),
    ("V41", "snapshot-kind-exactly-one", SNAPSHOTS),
    ("V42", "snapshot-job-reference", SNAPSHOTS),
    ("V43", "snapshot-target-missing", SNAPSHOTS),
    ("V44", "required-field-missing", ALWAYS),
    ("V45", "session-job-on-application-cluster", ALWAYS),
    ("V47", "session-cluster-reference-changed", ALWAYS),
    ("V48", "service-account-missing", ALWAYS),
    ("V49", "autoscaler-option-out-of-range", STRENGTHENED),
    ("A1", "autoscaler-option-out-of-range", ALWAYS),
    ("A2", "autoscaler-option-out-of-range", ALWAYS),
    // Its upper end came with A5 and A6.
    ("A3", "autoscaler-option-out-of-range", ALWAYS),
    ("A4", "autoscaler-option-out-of-range", ALWAYS),
    ("A5", "autoscaler-option-out-of-range", (1, 11)),
    ("A6", "autoscaler-option-out-of-range", (1, 11)),
    ("A7", "autoscaler-option-out-of-range", STRENGTHENED),
    ("A8", "autoscaler-option-out-of-range", STRENGTHENED),
    ("A9", "autoscaler-option-out-of-range", (1, 12)),
    ("A10", "autoscaler-option-out-of-range", STRENGTHENED),
    ("A11", "autoscaler-option-out-of-range", STRENGTHENED),
    ("A12", "autoscaler-option-out-of-range", (1, 8)),
];

/// What no rule repeats, and why.
const CANNOT_OCCUR: &[(&str, &str)] =
    &[("V46", "the cluster is looked up by the very name that the condition compares it with")];

#[test]
fn every_condition_has_one_rule() {
    let conditions = (1..=49).map(|number| format!("V{number:02}")).chain((1..=12).map(|number| format!("A{number}")));
    let listed = CONDITIONS.iter().map(|(condition, ..)| condition).chain(CANNOT_OCCUR.iter().map(|(it, _)| it));
    let listed: Vec<&str> = listed.copied().collect();
    for condition in conditions {
        assert_eq!(listed.iter().filter(|it| **it == condition).count(), 1, "{condition}");
    }
    assert_eq!(listed.len(), 61);
    for (condition, id, since) in CONDITIONS {
        assert!(crate::rules::find(id).is_some(), "{condition}: there is no rule `{id}`");
        assert!(ALWAYS <= *since, "{condition}");
    }
}
