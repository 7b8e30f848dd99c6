//! A drained savepoint ends a job; one that goes on from it repeats windows that were closed early (S1-6, REC R4).

use crate::facts::Savepoint;
use crate::operation::{Dialect, Stage, Start, StartCause};
use crate::restore::{Choice, select};
use crate::rules::Rule;
use crate::verdict::{Effect, Report};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "restore-from-drained-savepoint",
    title: "restore from a drained savepoint",
    family: "restore",
    why: "A drain closes every window before its savepoint is taken. A job that goes on from it sends the rest of the same windows as second, partial results, and nothing fails.",
    source: "S1-6; REC R4; DOMAIN 3.4, 9",
    dialects: &[Dialect::Alibaba, Dialect::Ververica, Dialect::FlinkRest, Dialect::Kubernetes],
    effect: Effect::Deny,
    example: r#"POST /api/v2/namespaces/default/jobs%3Astart {"restoreStrategy": {"kind": "FROM_SAVEPOINT", "savepointId": "354d…"}, …} of a savepoint with stopWithDrainEnabled"#,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        match select(stage, start).choice {
            Choice::One(savepoint) => match savepoint.drained {
                Some(true) => deny(stage, start, savepoint, report),
                Some(false) => {}
                None => report.unjudged(format!("whether `{}` was written by a drain", savepoint.label())),
            },
            Choice::OneOf { possible, or_empty, lacks } => {
                let drained = possible.iter().find(|savepoint| savepoint.drained == Some(true));
                let all = possible.iter().all(|savepoint| savepoint.drained == Some(true));
                match drained {
                    Some(savepoint) if all && !or_empty => deny(stage, start, savepoint, report),
                    Some(savepoint) => {
                        let message =
                            format!("the job may come back from `{}`, which was written by a drain", savepoint.label());
                        report
                            .warn(&start.restore_place, message)
                            .observed(format!("`{}`", savepoint.label()))
                            .remedy(remedy(stage));
                        report.unjudged(lacks);
                    }
                    None if possible.iter().any(|savepoint| savepoint.drained.is_none()) => report.unjudged(lacks),
                    None => {}
                }
            }
            Choice::Named(name) => report.unjudged(format!("whether `{name}` was written by a drain")),
            // What this request itself stops is for drain-with-planned-restart.
            Choice::Stopped if start.cause == StartCause::Resume && stage.stops().next().is_none() => {
                report.unjudged("whether the stop before was a drain");
            }
            Choice::Unknown(lacks) => report.unjudged(lacks),
            Choice::Stopped | Choice::Empty => {}
        }
    }
}

fn deny(stage: &Stage<'_>, start: &Start<'_>, savepoint: &Savepoint<'_>, report: &mut Report<'_>) {
    let message = format!(
        "`{}` was written by a drain: its windows were closed early, and the job would send the rest of them as second, partial results",
        savepoint.label()
    );
    report
        .main(&start.restore_place, message)
        .observed(format!("`{}`", savepoint.label()))
        .expected("a snapshot that was not drained")
        .remedy(remedy(stage));
}

fn remedy(stage: &Stage<'_>) -> String {
    let how = match stage.platform {
        Dialect::Alibaba => "restore with FROM_SAVEPOINT",
        Dialect::Ververica => "register it again as the newest (POST …/savepoints) and restore",
        Dialect::Kubernetes => "set `initialSavepointPath` with a new `savepointRedeployNonce` to restore",
        Dialect::FlinkRest | Dialect::Plan => "give `savepointPath` to restore",
    };
    let other = stage
        .facts
        .savepoints
        .iter()
        .flatten()
        .find(|savepoint| savepoint.drained == Some(false) && savepoint.state.as_deref() == Some("COMPLETED"));
    let from = match other {
        Some(savepoint) => format!("from `{}`, which was not drained", savepoint.label()),
        None => "from a snapshot older than the drain".to_owned(),
    };
    format!("{how} {from}; if the windows were flushed on purpose, override this rule with a reason")
}
