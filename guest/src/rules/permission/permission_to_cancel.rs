//! Who may end a job (DOMAIN 6.7): the platform's own permissions, checked before anything is half done. Custom roles
//! and unknown callers are left to the platform.

use crate::finding::Report;
use crate::operation::{Dialect, Operation, Stage, StopCause};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "permission-to-cancel",
    title: "caller may not end the job",
    family: "permission",
    why: "Ending a job needs a grant of its own; a pipeline whose account lacks it fails half way, or somebody ends a \
          job who was only meant to look.",
    source: "S1-3; DOMAIN 1.8 (roles) and 2.6 (RAM actions)",
    looks_at: &[
        (Dialect::Kubernetes, "suspends"),
        (Dialect::Ververica, "cancels and suspends"),
        (Dialect::Alibaba, "StopJob"),
        (Dialect::FlinkRest, "stops and cancels"),
    ],
    facts: &["caller.namespaceRole", "caller.ramActions", "job.status"],
    parameters: &[],
    level: Level::Deny,
    check,
};

const STOP_JOB: &str = "stream:StopJob";

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(operation) = stops(stage).next() else { return };
    let place = &operation.place;
    if let Some(role) = stage.facts.namespace_role.as_deref().filter(|role| role.eq_ignore_ascii_case("viewer")) {
        report
            .main(place, format!("a `{role}` may look at jobs, not end them"))
            .observed(role)
            .expected("editor or owner")
            .remedy("ask an owner of the namespace for the role editor, or let somebody with it end the job");
    }
    if let (Dialect::Alibaba, Some(actions)) = (stage.platform, &stage.facts.ram_actions)
        && !actions.iter().any(|action| grants(action, STOP_JOB))
    {
        report
            .main(place, format!("the caller's RAM policy does not allow `{STOP_JOB}`"))
            .observed(actions.join(", "))
            .expected(STOP_JOB)
            .remedy(format!("grant `{STOP_JOB}` to the caller in RAM, or let an account that has it stop the job"));
    }
}

/// The stops that are asked for, not made by the platform on the way.
pub(super) fn stops<'s, 'd>(stage: &'s Stage<'d>) -> impl Iterator<Item = &'s Operation<'d>> {
    let asked = stage.stops().filter(|(_, stop)| matches!(stop.cause, StopCause::Request | StopCause::Suspend));
    asked.map(|(operation, _)| operation)
}

/// Whether a RAM action covers another. A pattern counts up to its first wildcard: never denied by mistake.
pub(super) fn grants(pattern: &str, action: &str) -> bool {
    match pattern.split_once(['*', '?']) {
        Some((start, _)) => action.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)),
        None => pattern.eq_ignore_ascii_case(action),
    }
}

#[cfg(test)]
mod tests {
    use super::{RULE, STOP_JOB, grants};
    use crate::finding::Effect;
    use crate::operation::{Dialect, Stage, StopCause, StopMode};
    use crate::rules::testing::{SILENT, only, says, stage, stop};

    fn by(platform: Dialect, caller: &str) -> Stage<'static> {
        stage(platform, stop(StopMode::Savepoint, StopCause::Request)).with_facts(&format!("caller: {{{caller}}}"))
    }

    #[test]
    fn a_viewer_ends_nothing_anywhere() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &by(*platform, "namespaceRole: viewer")), only(Effect::Deny), "{platform:?}");
            for role in ["editor", "owner", "night-shift"] {
                assert_eq!(says(&RULE, &by(*platform, &format!("namespaceRole: {role}"))), SILENT, "{role}");
            }
        }
    }

    #[test]
    fn ram_actions_count_on_alibaba() {
        assert_eq!(says(&RULE, &by(Dialect::Alibaba, "ramActions: ['stream:GetJob']")), only(Effect::Deny));
        assert_eq!(says(&RULE, &by(Dialect::Alibaba, "ramActions: []")), only(Effect::Deny));
        assert_eq!(says(&RULE, &by(Dialect::Alibaba, "ramActions: ['stream:StopJob']")), SILENT);
        assert_eq!(says(&RULE, &by(Dialect::FlinkRest, "ramActions: []")), SILENT);
        for pattern in ["*", "stream:*", "stream:Stop*", "stream:S?opJob", "Stream:stopjob"] {
            assert!(grants(pattern, STOP_JOB), "{pattern}");
        }
        for pattern in ["", "stream:Start*", "ecs:*", "stream:StopJobs"] {
            assert!(!grants(pattern, STOP_JOB), "{pattern}");
        }
    }

    #[test]
    fn unknown_callers_and_what_the_platform_does_itself_pass() {
        assert_eq!(says(&RULE, &stage(Dialect::Alibaba, stop(StopMode::Cancel, StopCause::Request))), SILENT);
        let upgrade = stage(Dialect::Kubernetes, stop(StopMode::Savepoint, StopCause::Upgrade))
            .with_facts("caller: {namespaceRole: viewer}");
        assert_eq!(says(&RULE, &upgrade), SILENT);
    }
}
