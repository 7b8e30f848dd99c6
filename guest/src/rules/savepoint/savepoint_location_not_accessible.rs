//! The cluster must have a file system for a location, and a local path must be shared (S2-7, REC R18).

use crate::finding::Report;
use crate::location::named::{NamedLocation, Role, named};
use crate::location::{SavepointLocation, is_below};
use crate::operation::{Dialect, Stage, Want};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-location-not-accessible",
    title: "savepoint location out of reach of the cluster",
    family: "savepoint",
    why: "A scheme that the cluster has no file system for, or a local disk, is found out only when the \
        savepoint is written or restored: after the request was accepted, when the job may be gone.",
    source: "S2-7; REC R18; DOMAIN 1.8",
    looks_at: &[
        (Dialect::Ververica, "the scheme of `spec.savepointLocation`"),
        (Dialect::FlinkRest, "the scheme of every path in the request"),
        (Dialect::Kubernetes, "the scheme of `initialSavepointPath` and `savepoint.path`"),
    ],
    facts: &["platform.fileSystems"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for location in named(stage).filter(|location| !matches!(location.role, Role::Disposed | Role::Stored)) {
        // What cannot be read at all is for savepoint-location-invalid.
        let Ok(parsed) = SavepointLocation::parse(&location.text) else { continue };
        if stage.platform == Dialect::Kubernetes && location.role == Role::Restored {
            outside_every_volume(stage, &location, &parsed, report);
        }
        if matches!(location.role, Role::Registered | Role::Restored) {
            nothing_there(stage, &location, &parsed, report);
        }
        // So is a missing scheme.
        let Some(scheme) = parsed.scheme() else { continue };
        let harm = match location.role {
            Role::Directory => "the request is accepted and the savepoint fails later",
            Role::Registered | Role::Restored | Role::Stored | Role::Disposed => "a restore from it fails",
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
            None if !scheme.eq_ignore_ascii_case("file") => {
                report.unjudged("the file systems of the cluster (`platform.fileSystems`)");
            }
            _ => {}
        }
    }
}

/// Nobody has to guess where the location itself can be looked at.
fn nothing_there(
    stage: &Stage<'_>,
    location: &NamedLocation<'_, '_>,
    parsed: &SavepointLocation<'_>,
    report: &mut Report<'_>,
) {
    match stage.facts.seen.at(&location.text) {
        None => report.wish(Want::Location(location.text.clone().into_owned()), "whether a snapshot lies there"),
        Some(seen) if seen.metadata.is_some() => {}
        Some(_) => {
            let message = "there is no snapshot at this location (no `_metadata`): a restore from it fails";
            // Another machine may have another disk.
            let draft = match parsed.local_path() {
                Some(_) => report.warn(&location.place, message),
                None => report.main(&location.place, message),
            };
            draft
                .observed(format!("`{}`", location.text))
                .expected("the location of a completed snapshot")
                .remedy("look for the snapshot's folder (the one that holds `_metadata`), and give that");
        }
    }
}

/// The pods of a FlinkDeployment are described beside the path: one that no volume covers lies in a container, and is
/// gone with it.
fn outside_every_volume(
    stage: &Stage<'_>,
    location: &NamedLocation<'_, '_>,
    parsed: &SavepointLocation<'_>,
    report: &mut Report<'_>,
) {
    let (Some(path), Some(mounts)) = (parsed.local_path(), &stage.current.mounts) else { return };
    // Linux has no longer path, and comparing one with every mount would cost.
    if path.len() > 4_096 {
        return;
    }
    let elsewhere = parsed.scheme().is_none() && stage.current.configuration.present(&["fs.default-scheme"]).is_some();
    if elsewhere || mounts.iter().any(|mount| is_below(path, mount)) {
        return;
    }
    let message = format!(
        "`{}` is a local path that no volume of JobManager and TaskManagers covers: a restore from it fails, unless the \
         image holds it",
        location.text
    );
    report
        .warn(&location.place, message)
        .observed(format!("`{}`", location.text))
        .expected("shared storage")
        .remedy("use shared storage such as `s3://…`, or mount the volume in `podTemplate` for both (no `emptyDir`)");
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Disposal, Restore, Stage, StartCause, Stop, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, only, registration, says, stage, start, unjudged};

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
    fn unknown_file_systems_warn_of_local_paths_and_leave_the_rest_open() {
        assert_eq!(says(&RULE, &from(Dialect::FlinkRest, "file:///sp")), only(Effect::Warn));
        assert_eq!(says(&RULE, &from(Dialect::Ververica, "file:///sp")), only(Effect::Warn));
        assert_eq!(says(&RULE, &from(Dialect::Kubernetes, "file:///sp")), SILENT);
        for platform in [Dialect::FlinkRest, Dialect::Ververica, Dialect::Kubernetes] {
            assert_eq!(says(&RULE, &from(platform, "gs://b/sp")), unjudged(), "{platform:?}");
            assert_eq!(says(&RULE, &from(platform, "/sp")), SILENT);
        }
        let stop = Stop {
            mode: StopMode::Savepoint,
            cause: StopCause::Request,
            drain: None,
            directory: Some(body("gs://b/sp")),
        };
        let stops = stage(Dialect::FlinkRest, Action::Stop(stop));
        assert_eq!(says(&RULE, &stops), unjudged());
        assert_eq!(says(&RULE, &stops.in_state("RUNNING")), unjudged());
    }

    #[test]
    fn on_kubernetes_the_volumes_beside_the_path_count() {
        let at = |location: &'static str, mounts: &[&'static str]| {
            let mounts = Some(mounts.iter().map(|path| (*path).into()).collect());
            says(&RULE, &from(Dialect::Kubernetes, location).with(|it| it.current.mounts = mounts))
        };
        assert_eq!(at("file:///flink-data/sp/1", &[]), only(Effect::Warn));
        assert_eq!(at("/flink-data/sp/1", &["/flink"]), only(Effect::Warn));
        assert_eq!(at("file:///flink-data/sp/1", &["/flink-data/"]), SILENT);
        assert_eq!(at("s3://b/sp", &[]), unjudged());
        let elsewhere = from(Dialect::Kubernetes, "/sp").with(|it| {
            it.current.mounts = Some(Vec::new());
            it.current.configuration.overlay(body("fs.default-scheme: hdfs://namenode"));
        });
        assert_eq!(says(&RULE, &elsewhere), SILENT);
    }

    #[test]
    fn registered_locations_count_disposed_ones_do_not() {
        let registered = registration(body("spec: {savepointLocation: 'file:/tmp/sp'}"));
        assert_eq!(says(&RULE, &stage(Dialect::Ververica, registered)), only(Effect::Warn));
        let disposed = Action::Dispose(Disposal { location: Some(body("file:/tmp/sp")) });
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, disposed)), SILENT);
    }
}
