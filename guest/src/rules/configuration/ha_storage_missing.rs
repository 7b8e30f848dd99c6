//! High availability without a place to store its metadata: the JobManager does not start.

use crate::configuration::{Configuration, HA_STORAGE, HIGH_AVAILABILITY};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Stage, Verb};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "ha-storage-missing",
    title: "high availability without a storage directory",
    family: "configuration",
    why: "With high availability on and no `high-availability.storageDir` the JobManager does not start, and a job that \
          was stopped for the change does not come back.",
    source: "VVP-KB; DOMAIN 6.0-3, 6.6",
    looks_at: &[
        (Dialect::Kubernetes, "`high-availability.type` and `high-availability.storageDir`"),
        (Dialect::Ververica, "`high-availability.type` and `high-availability.storageDir`"),
    ],
    facts: &["platform.flinkConfiguration", "platform.universalBlobStorage", "deployment.flinkConfiguration"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let current = &stage.current;
    // The platform's own service needs none (VVP-KB).
    let own = current.configuration.get(HIGH_AVAILABILITY).is_some_and(|word| word.trim() == "vvp-kubernetes");
    if !lacks(&current.configuration) || own || stage.facts.platform.universal_blob_storage == Some(true) {
        return;
    }
    // A session job runs on its cluster's, and a delete starts nothing.
    let judged = match &stage.declaration {
        Some(declaration) => declaration.verb != Verb::Delete && declaration.kind != Kind::SessionJob,
        None => stage.content.configuration.is_some(),
    };
    if !judged {
        return;
    }
    let entry = current.configuration.entry(HIGH_AVAILABILITY);
    let place = stage.place_of(entry);
    if !current.configuration_complete {
        return report.unjudged(match stage.platform {
            Dialect::Kubernetes => "the operator's default configuration (`platform.flinkConfiguration`)",
            _ => "the deployment's `flinkConfiguration`",
        });
    }
    if stage.platform == Dialect::Ververica && stage.facts.platform.universal_blob_storage.is_none() {
        return report.unjudged("whether universal blob storage is configured (`platform.universalBlobStorage`)");
    }
    let message = "high availability is on and has no storage directory: the JobManager does not start";
    let draft = match current.before.as_ref().is_some_and(lacks) {
        true => report.warn(&place, message),
        false => report.main(&place, message),
    };
    let spec = if stage.platform == Dialect::Ververica { "spec.template.spec" } else { words::spec(stage) };
    draft
        .expected("high-availability.storageDir")
        .remedy(format!("set `high-availability.storageDir` in `{spec}.flinkConfiguration` to shared storage"));
}

fn lacks(configuration: &Configuration<'_>) -> bool {
    configuration.has_high_availability() && configuration.present(HA_STORAGE).is_none()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::configuration::Configuration;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Kind};
    use crate::rules::testing::{SILENT, body, change, configured, declared, only, says, stage, unjudged, updated};

    const ON: &str = "high-availability.type: kubernetes";

    #[test]
    fn a_resource_needs_it_where_all_layers_are_known() {
        let create = || declared(Kind::Deployment, None, Some("image: a"));
        assert_eq!(says(&RULE, &configured(create(), ON, true)), only(Effect::Deny));
        assert_eq!(says(&RULE, &configured(create(), ON, false)), unjudged());
        for map in [
            "{high-availability: {type: kubernetes, storageDir: 's3://b/ha'}}",
            "{high-availability: zookeeper, recovery.zookeeper.storageDir: 's3://b/ha'}",
            "high-availability.type: NONE",
            "high-availability: none",
            "high-availability.storageDir: ''",
            "{}",
        ] {
            assert_eq!(says(&RULE, &configured(create(), map, true)), SILENT, "{map}");
        }
        let blank = "{high-availability: kubernetes, high-availability.storageDir: ' '}";
        assert_eq!(says(&RULE, &configured(create(), blank, true)), only(Effect::Deny));
        let session_job = declared(Kind::SessionJob, None, Some("deploymentName: session"));
        assert_eq!(says(&RULE, &configured(session_job, ON, true)), SILENT);
        assert_eq!(says(&RULE, &configured(declared(Kind::Deployment, Some("image: a"), None), ON, true)), SILENT);
    }

    #[test]
    fn an_old_blemish_is_a_warning() {
        let edit = |old: &str| {
            let mut before = Configuration::default();
            before.overlay(body(old));
            configured(updated("image: a", "image: b"), ON, true).with(|stage| stage.current.before = Some(before))
        };
        assert_eq!(says(&RULE, &edit(ON)), only(Effect::Warn));
        assert_eq!(says(&RULE, &edit("{}")), only(Effect::Deny));
    }

    #[test]
    fn on_ververica_blob_storage_will_do() {
        let edit = |service, facts: &str| {
            let stage = stage(Dialect::Ververica, change(crate::operation::Reach::Applied)).with_facts(facts);
            says(&RULE, &configured(stage, service, true))
        };
        let edit_own = |facts: &str| edit("high-availability: vvp-kubernetes", facts);
        assert_eq!(edit_own("platform: {universalBlobStorage: false}"), SILENT);
        let edit = |facts: &str| edit(ON, facts);
        assert_eq!(edit("platform: {universalBlobStorage: true}"), SILENT);
        assert_eq!(edit("platform: {universalBlobStorage: false}"), only(Effect::Deny));
        assert_eq!(edit("{}"), unjudged());
    }
}
