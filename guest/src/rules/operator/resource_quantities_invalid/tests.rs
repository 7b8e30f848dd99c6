//! After DefaultValidatorTest: the sub-cases about memory and the tests of resource requirements (DOMAIN 4.6).

use super::RULE;
use crate::finding::Effect;
use crate::rules::testing::{SILENT, Says, deployment, of_manifest, of_update, only, unjudged};

const KNOWN: &str = "platform: {flinkConfiguration: {}}";
const PLAIN: &str = "{memory: 2048m, cpu: 1}";

/// A deployment with this below `resource` or `resources` of JobManager and TaskManager.
fn with(settings: &str, job_manager: &str, task_manager: &str) -> String {
    let none = deployment(settings).replace(&format!("resource: {PLAIN}"), "RESOURCES");
    none.replacen("RESOURCES", job_manager, 1).replacen("RESOURCES", task_manager, 1)
}

fn says(job_manager: &str, task_manager: &str) -> Says {
    of_manifest(&RULE, &with("", job_manager, task_manager), KNOWN)
}

/// What both components say of the same.
fn both(part: &str) -> Says {
    let whole = format!("resource: {PLAIN}");
    let (job_manager, task_manager) = (says(part, &whole), says(&whole, part));
    assert_eq!(job_manager, task_manager, "{part}");
    job_manager
}

#[test]
fn memory_of_a_resource_is_read_as_the_operator_reads_it() {
    for memory in ["1G", "100", "1Gi", "2048m", "1e9", "'2 gb'"] {
        assert_eq!(both(&format!("resource: {{memory: {memory}}}")), SILENT, "{memory}");
    }
    for memory in ["invalid", "1.5Gi", "0.5Gi", "1.5G", "'0.5'", "-1Gi"] {
        assert_eq!(both(&format!("resource: {{memory: {memory}}}")), only(Effect::Deny), "{memory}");
    }
    assert_eq!(both("resource: {memory: 1G, ephemeralStorage: abc}"), only(Effect::Deny));
    assert_eq!(both("resource: {memory: 1G, ephemeralStorage: 1.5Gi}"), SILENT);
    let older = of_manifest(&RULE, &with("", "resource: {memory: abc}", "resource: {memory: 1G}"), OLDER);
    assert_eq!(older, only(Effect::Deny), "every operator reads it");
}

#[test]
fn memory_must_be_given_somewhere() {
    for part in ["", "resource: {cpu: 1}", "resource: {memory: null}", "resources: {}", "resources: {limits: {cpu: 1}}"]
    {
        assert_eq!(both(part), only(Effect::Deny), "{part}");
    }
    let blank = Says { effects: vec![Effect::Deny; 2], unjudged: false };
    assert_eq!(both("resource: {memory: ''}"), blank, "missing, and not to be read");
    for part in [
        "resources: {requests: {memory: 1Gi}}",
        "resources: {limits: {memory: 1Gi}}",
        "resource: {cpu: 1}, resources: {requests: {memory: 1Gi, cpu: 1}, limits: {memory: 1Gi, cpu: 1}}",
    ] {
        assert_eq!(both(part), SILENT, "{part}");
    }
    let none = deployment("").replace(", jobManager: {resource: {memory: 2048m, cpu: 1}}", "");
    assert_eq!(of_manifest(&RULE, &none, KNOWN), only(Effect::Deny), "no such component at all");
}

#[test]
fn memory_may_come_from_the_configuration() {
    let whole = format!("resource: {PLAIN}");
    let job_manager = |settings: &str| of_manifest(&RULE, &with(settings, "", &whole), KNOWN);
    let task_manager = |settings: &str| of_manifest(&RULE, &with(settings, &whole, ""), KNOWN);
    for settings in [
        "jobmanager.memory.heap.size: 2048m",
        "jobmanager.memory.flink.size: 2g",
        "jobmanager.memory.process.size: 2g",
        "jobmanager: {memory: {process.size: 2g}}",
        "jobmanager.heap.size: 1g",
    ] {
        assert_eq!(job_manager(settings), SILENT, "{settings}");
    }
    for settings in [
        "taskmanager.memory.flink.size: 2048m",
        "taskmanager.memory.process.size: 2048m",
        "taskmanager.memory.task.heap.size: 1024m, taskmanager.memory.managed.size: 1024m",
    ] {
        assert_eq!(task_manager(settings), SILENT, "{settings}");
    }
    assert_eq!(task_manager("taskmanager.memory.task.heap.size: 1024m"), only(Effect::Deny));
    assert_eq!(task_manager("taskmanager.memory.managed.size: 1024m"), only(Effect::Deny));
    assert_eq!(task_manager("jobmanager.memory.process.size: 2g"), only(Effect::Deny));
    assert_eq!(job_manager("jobmanager.memory.process.size: 2Gi"), only(Effect::Deny), "Flink knows no `Gi`");
    let defaults = "platform: {flinkConfiguration: {jobmanager.memory.process.size: 1600m}}";
    assert_eq!(of_manifest(&RULE, &with("", "", &whole), defaults), SILENT);
}

#[test]
fn unknown_defaults_may_give_the_memory() {
    let whole = format!("resource: {PLAIN}");
    assert_eq!(of_manifest(&RULE, &with("", "", &whole), "{}"), unjudged());
    assert_eq!(of_manifest(&RULE, &with("jobmanager.memory.process.size: 2g", "", &whole), "{}"), SILENT);
    let unreadable = with("jobmanager.memory.process.size: two", "", &whole);
    assert_eq!(of_manifest(&RULE, &unreadable, "{}"), only(Effect::Deny), "nothing below can mend it");
    assert_eq!(of_manifest(&RULE, &with("", "resource: {memory: abc}", &whole), "{}"), only(Effect::Deny));
}

const OLDER: &str = "platform: {operatorVersion: '1.15', flinkConfiguration: {}}";

#[test]
fn requirements_are_positive_and_within_their_limits() {
    let memory = "memory: 1Gi";
    for (requests, limits) in [
        ("memory: 1Gi, cpu: '1'", "memory: 2Gi, cpu: '2'"),
        ("memory: 1Gi, cpu: 300m", "memory: 1Gi, cpu: 0.3"),
        ("memory: 2048m, cpu: 1", "memory: 2Gi"),
        ("memory: 1Gi, ephemeral-storage: 0", "memory: 1Gi, nvidia.com/gpu: 1"),
    ] {
        let part = format!("resources: {{requests: {{{requests}}}, limits: {{{limits}}}}}");
        assert_eq!(both(&part), SILENT, "{part}");
    }
    for (requests, limits) in [
        ("memory: 2Gi", memory),
        ("memory: 1Gi, cpu: '2'", "memory: 1Gi, cpu: '1'"),
        ("memory: 0", ""),
        ("memory: 0Gi", memory),
        (memory, "memory: 1Gi, cpu: 0"),
        ("memory: 1Gi, cpu: '-1'", ""),
        ("memory: 1Gi, ephemeral-storage: -1Gi", ""),
        ("memory: -1Gi", ""),
        ("memory: 1.5Gi", ""),
        ("memory: abc", ""),
        ("memory: 1Gi, cpu: notacpu", ""),
        ("memory: 1Gi, ephemeral-storage: xyz", ""),
        (memory, "memory: abc"),
    ] {
        let part = format!("resources: {{requests: {{{requests}}}, limits: {{{limits}}}}}");
        assert_eq!(both(&part), only(Effect::Deny), "{part}");
        let whole = format!("resource: {PLAIN}");
        assert_eq!(of_manifest(&RULE, &with("", &part, &whole), OLDER), only(Effect::Note), "{part}");
    }
    let part = "resources: {requests: {memory: 0, cpu: 0}, limits: {cpu: x, ephemeral-storage: -1}}";
    assert_eq!(both(part).effects, [Effect::Deny; 4], "all at once");
}

#[test]
fn an_old_blemish_is_a_warning() {
    let whole = format!("resource: {PLAIN}");
    let update = |live: &str, new: &str, facts: &str| {
        let (live, new) = (with("", live, &whole), with("", new, &whole));
        of_update(&RULE, &new.replace("parallelism: 2", "parallelism: 4"), &live, facts)
    };
    assert_eq!(update("", "", KNOWN), only(Effect::Warn));
    assert_eq!(update("", "", "{}"), SILENT);
    assert_eq!(update(&whole, "", KNOWN), only(Effect::Deny));
    assert_eq!(update(&whole, "", "{}"), unjudged());
    assert_eq!(update("resource: {memory: 1.5Gi}", "resource: {memory: 2.5Gi}", KNOWN), only(Effect::Warn));
    assert_eq!(update("resource: {memory: 1Gi}", "resource: {memory: 1.5Gi}", KNOWN), only(Effect::Deny));
    let broken = with("", "resource: {memory: 1.5Gi}", &whole);
    assert_eq!(of_update(&RULE, &broken, &broken, KNOWN), SILENT, "only metadata changes");
}
