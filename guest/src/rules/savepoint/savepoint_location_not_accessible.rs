//! The cluster must have a file system for a location, and a local path must be shared (S2-7, REC R18).

use crate::location::SavepointLocation;
use crate::location::named::{Role, named};
use crate::operation::{Dialect, Stage};
use crate::rules::Rule;
use crate::verdict::{Effect, Report};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-location-not-accessible",
    title: "savepoint location out of reach of the cluster",
    family: "savepoint",
    why: "A scheme that the cluster has no file system for, or a local disk, is found out only when the \
        savepoint is written or restored: after the request was accepted, when the job may be gone.",
    source: "S2-7; REC R18; DOMAIN 1.8",
    dialects: &[Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes],
    effect: Effect::Deny,
    example: r#"POST /jobs/4d50…/savepoints {"target-directory": "gs://b/sp"} on a cluster with file and s3 only"#,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for location in named(stage).filter(|location| location.role != Role::Disposed) {
        // What cannot be read at all, or has no scheme, is for savepoint-location-invalid.
        let Ok(parsed) = SavepointLocation::parse(&location.text) else { continue };
        let Some(scheme) = parsed.scheme() else { continue };
        let harm = match location.role {
            Role::Directory => "the request is accepted and the savepoint fails later",
            Role::Registered | Role::Restored | Role::Disposed => "a restore from it fails",
        };
        let observed = format!("`{}`", location.text);
        match &stage.facts.platform.file_systems {
            Some(known) if !known.iter().any(|system| system.eq_ignore_ascii_case(scheme)) => report
                .main(&location.place, format!("the cluster has no file system for `{scheme}`: {harm}"))
                .observed(observed)
                .expected(known.join(", "))
                .remedy(format!(
                    "use a location of one of the cluster's file systems, or add Flink's file system plugin for \
                     `{scheme}`"
                )),
            None if scheme.eq_ignore_ascii_case("file") && stage.platform != Dialect::Kubernetes => {
                let message = format!(
                    "`{}` is a local path: unless every Flink process mounts the same volume there, {harm}",
                    location.text
                );
                report.warn(&location.place, message).observed(observed).expected("shared storage").remedy(
                    "use shared storage such as `s3://…`; if the path is a shared volume, declare `file` in the fact \
                     `platform.fileSystems`",
                );
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::operation::{Action, Dialect, Disposal, Restore, Stage, StartCause};
    use crate::rules::testing::{SILENT, body, only, registration, says, stage, start};
    use crate::verdict::Effect;

    fn from(platform: Dialect, location: &'static str) -> Stage<'static> {
        stage(platform, start(StartCause::Create, Restore::Location(location.into())))
    }

    #[test]
    fn a_scheme_without_file_system_is_refused() {
        let facts = "platform: {fileSystems: [file, s3]}";
        for platform in [Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes] {
            assert_eq!(says(&RULE, &from(platform, "gs://b/sp").with_facts(facts)), only(Effect::Deny));
            assert_eq!(says(&RULE, &from(platform, "s3://b/sp").with_facts(facts)), SILENT);
            assert_eq!(says(&RULE, &from(platform, "file:///sp").with_facts(facts)), SILENT);
        }
    }

    #[test]
    fn unknown_file_systems_warn_of_local_paths_only() {
        assert_eq!(says(&RULE, &from(Dialect::FlinkRest, "file:///sp")), only(Effect::Warn));
        assert_eq!(says(&RULE, &from(Dialect::Ververica, "file:///sp")), only(Effect::Warn));
        assert_eq!(says(&RULE, &from(Dialect::Kubernetes, "file:///sp")), SILENT);
        assert_eq!(says(&RULE, &from(Dialect::FlinkRest, "gs://b/sp")), SILENT);
        assert_eq!(says(&RULE, &from(Dialect::FlinkRest, "/sp")), SILENT);
    }

    #[test]
    fn registered_locations_count_disposed_ones_do_not() {
        let registered = registration(body("spec: {savepointLocation: 'file:/tmp/sp'}"));
        assert_eq!(says(&RULE, &stage(Dialect::Ververica, registered)), only(Effect::Warn));
        let disposed = Action::Dispose(Disposal { location: Some(body("file:/tmp/sp")) });
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, disposed)), SILENT);
    }
}
