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
    why: "A scheme that the cluster has no file system for, or a local disk, is found out only when the savepoint is written or restored: after the request was accepted, when the job may be gone.",
    source: "S2-7; REC R18; DOMAIN 1.8",
    dialects: &[Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes],
    effect: Effect::Deny,
    example: r#"POST /jobs/4d50…/savepoints {"target-directory": "gs://flink/savepoints"} on a cluster with file and s3 only"#,
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
        match &stage.facts.platform.file_systems {
            Some(known) if !known.iter().any(|system| system.trim_end_matches(':').eq_ignore_ascii_case(scheme)) => report
                .main(&location.place, format!("the cluster has no file system for `{scheme}`: {harm}"))
                .observed(format!("`{}`", location.text))
                .expected(known.join(", "))
                .remedy(format!("use a location of one of the cluster's file systems, or add Flink's file system plugin for `{scheme}`")),
            None if scheme.eq_ignore_ascii_case("file") && stage.platform != Dialect::Kubernetes => report
                .warn(&location.place, format!("`{}` is a local path: unless every Flink process mounts the same volume there, {harm}", location.text))
                .observed(format!("`{}`", location.text))
                .expected("storage that every Flink process reaches")
                .remedy("use shared storage such as `s3://…`; if the path is a shared volume, declare `file` in the fact `platform.fileSystems`"),
            _ => {}
        }
    }
}
