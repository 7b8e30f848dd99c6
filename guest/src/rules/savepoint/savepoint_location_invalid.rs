//! A location that Flink cannot read is told before it costs the state (S2-7, DOMAIN 3.3).

use crate::finding::{Draft, Report};
use crate::location::named::{NamedLocation, Role, named};
use crate::location::{Problem, SavepointLocation};
use crate::operation::{Dialect, Stage};
use crate::rules::{Level, Rule};

const EXPECTED: &str = "scheme://…/path, for example s3://bucket/savepoints";

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-location-invalid",
    title: "savepoint location that cannot be read",
    family: "savepoint",
    why: "Platforms take any text as a location and find out only when a job restores from it or writes to it: \
        then the state is out of reach, or the savepoint fails after the request was accepted.",
    source: "S2-7; REC R24; DOMAIN 3.3",
    looks_at: &[
        (Dialect::Ververica, "`spec.savepointLocation`"),
        (Dialect::FlinkRest, "`savepointPath`, `targetDirectory`, `savepoint-path`"),
        (Dialect::Kubernetes, "`initialSavepointPath`, `savepoint.path`"),
    ],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for location in named(stage) {
        let what = location.role.words();
        let harm = match location.role {
            Role::Directory => {
                "no savepoint can be written there, and that shows only after the request was \
                 accepted"
            }
            Role::Registered => "nothing checks it now, and the restore that needs it fails",
            Role::Restored => "the job cannot start from it",
            Role::Stored => "nothing reads it now, and the redeploy that does fails",
            Role::Disposed => "nothing is disposed, and that shows only on polling",
        };
        match SavepointLocation::parse(&location.text) {
            Err(problem) => {
                let which = match problem {
                    Problem::Blank => what.to_owned(),
                    _ => format!("{what} `{}`", location.text),
                };
                refused(&location, format!("the {which} {}: {harm}", problem.words()), report)
                    .observed(format!("`{}`", location.text))
                    .expected(EXPECTED)
                    .remedy(match (problem, location.role) {
                        (Problem::Blank, Role::Directory) => {
                            "give the full URI of the directory, or leave it out to use the configured one".to_owned()
                        }
                        (Problem::Blank, Role::Restored | Role::Stored) => {
                            "give the full URI of the savepoint; to start empty, leave the field out".to_owned()
                        }
                        _ => format!("give the full URI of the {what}, with its scheme and without spaces"),
                    })
            }
            Ok(parsed) if parsed.scheme().is_none() && location.role != Role::Stored => {
                let message = format!(
                    "the {what} `{}` has no scheme: which file system it means depends on the cluster's default",
                    location.text
                );
                // Recorded: Flink takes an absolute path for a `file:` path (DOMAIN section 8).
                let finding = match stage.platform {
                    Dialect::Ververica => report.main(&location.place, message),
                    _ => report.warn(&location.place, message),
                };
                finding.observed(format!("`{}`", location.text)).expected(EXPECTED).remedy(format!(
                    "write `file://{}` if it lies on a volume that every Flink process mounts, else the full \
                     URI of the storage",
                    parsed.local_path().unwrap_or(&location.text)
                ));
            }
            Ok(_) => {}
        }
    }
}

/// What is only stored does no harm yet.
fn refused<'r>(location: &NamedLocation<'_, '_>, message: String, report: &'r mut Report<'_>) -> Draft<'r> {
    match location.role {
        Role::Stored => report.warn(&location.place, message),
        _ => report.main(&location.place, message),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Change, Dialect, Disposal, Restore, Stage, StartCause, Stop, StopCause, StopMode};
    use crate::rules::testing::{SILENT, body, findings, only, registration, says, stage, start};

    fn registered(platform: Dialect, location: &str) -> Stage<'static> {
        stage(platform, registration(body(&format!("spec: {{savepointLocation: {location:?}}}"))))
    }

    #[test]
    fn what_cannot_be_read_is_refused_everywhere() {
        for platform in [Dialect::Ververica, Dialect::Kubernetes] {
            for location in ["   ", "savepoints/sp-1", "s3://b/my sp", "s3://b/sp\n", "s3:"] {
                assert_eq!(says(&RULE, &registered(platform, location)), only(Effect::Deny), "{location:?}");
            }
            for location in ["s3://b/sp", "file:///sp", "hdfs:///sp"] {
                assert_eq!(says(&RULE, &registered(platform, location)), SILENT, "{location:?}");
            }
        }
    }

    #[test]
    fn a_missing_scheme_is_refused_by_ververica_only() {
        assert_eq!(says(&RULE, &registered(Dialect::Ververica, "/flink-data/sp")), only(Effect::Deny));
        assert_eq!(says(&RULE, &registered(Dialect::Kubernetes, "/flink-data/sp")), only(Effect::Warn));
        let restore = start(StartCause::Request, Restore::Location("/flink-data/sp".into()));
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, restore)), only(Effect::Warn));
    }

    #[test]
    fn a_location_that_is_only_stored_warns() {
        let stores = |text: &str| {
            let change = Change { stores_location: Some(body(&format!("{text:?}"))), ..Change::default() };
            says(&RULE, &stage(Dialect::Kubernetes, Action::Change(change)))
        };
        for text in ["sp/2", "", " "] {
            assert_eq!(stores(text), only(Effect::Warn), "{text:?}");
            let used = start(StartCause::Create, Restore::Location(text.to_owned().into()));
            assert_eq!(says(&RULE, &stage(Dialect::Kubernetes, used)), only(Effect::Deny), "{text:?}");
        }
        assert_eq!(stores("s3://b/sp"), SILENT);
        assert_eq!(stores("/flink-data/sp"), SILENT);
    }

    #[test]
    fn every_location_of_a_request_is_looked_at() {
        let text = || Some(body("relative"));
        let stop = Stop { mode: StopMode::Savepoint, cause: StopCause::Request, drain: None, directory: text() };
        let actions = [
            Action::Stop(stop),
            Action::Dispose(Disposal { location: text() }),
            start(StartCause::Request, Restore::Location("relative".into())),
        ];
        for action in actions {
            let stage = stage(Dialect::FlinkRest, action);
            assert_eq!(findings(&RULE, &stage)[0].observed.as_deref(), Some("`relative`"));
        }
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, start(StartCause::Request, Restore::Empty))), SILENT);
    }
}
