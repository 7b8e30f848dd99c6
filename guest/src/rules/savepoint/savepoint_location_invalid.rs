//! A location that Flink cannot read is told before it costs the state (S2-7, DOMAIN 3.3).

use crate::location::SavepointLocation;
use crate::location::named::{Role, named};
use crate::operation::{Dialect, Stage};
use crate::rules::Rule;
use crate::verdict::{Effect, Report};

const EXPECTED: &str = "scheme://…/path, for example s3://bucket/savepoints";

pub(in crate::rules) static RULE: Rule = Rule {
    id: "savepoint-location-invalid",
    title: "savepoint location that cannot be read",
    family: "savepoint",
    why: "Platforms take any text as a location and find out only when a job restores from it or writes to it: then the state is out of reach, or the savepoint fails after the request was accepted.",
    source: "S2-7; REC R24; DOMAIN 3.3",
    dialects: &[Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes],
    effect: Effect::Deny,
    example: r#"POST /jobs/4d50…/stop {"targetDirectory": "savepoints", "drain": false}"#,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for location in named(stage) {
        let what = location.role.words();
        let harm = match location.role {
            Role::Directory => "no savepoint can be written there, and that shows only after the request was accepted",
            Role::Registered => "nothing checks it now, and the restore that needs it fails",
            Role::Restored => "the job cannot start from it",
            Role::Disposed => "nothing is disposed, and that shows only on polling",
        };
        match SavepointLocation::parse(&location.text) {
            Err(problem) => report
                .main(&location.place, format!("the {what} `{}` {}: {harm}", location.text, problem.words()))
                .observed(format!("`{}`", location.text))
                .expected(EXPECTED)
                .remedy(format!("give the full URI of the {what}, with its scheme and without spaces")),
            Ok(parsed) if parsed.scheme().is_none() => {
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
                    "write `file://{}` if it lies on a volume that every Flink process mounts, else the full URI of the storage",
                    location.text
                ));
            }
            Ok(_) => {}
        }
    }
}
