//! Who may start, change or delete (DOMAIN 6.7). Ending a job is `permission-to-cancel`. Custom roles and unknown callers
//! are left to the platform.

use super::permission_to_cancel::{grants, stops};
use crate::finding::Report;
use crate::operation::{Action, Dialect, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "operation-permission",
    title: "caller may not do this",
    family: "permission",
    why: "A pipeline whose account lacks a grant fails half way: the job is stopped, and not started again.",
    source: "ALI-DOC RAM page; DOMAIN 1.8 (roles) and 2.6 (RAM actions)",
    looks_at: &[
        (Dialect::Ververica, "everything that changes something, besides stops"),
        (Dialect::Alibaba, "everything that changes something, besides StopJob"),
    ],
    facts: &["caller.namespaceRole", "caller.ramActions"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// What an editor may only read (DOMAIN 1.8).
const DEFAULTS: &str = "deployment-defaults";

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let changes = |action: &Action<'_>| !matches!(action, Action::Nothing(_) | Action::Unknown);
    let Some(operation) = stage.operations.iter().find(|operation| changes(&operation.action)) else { return };
    if stops(stage).next().is_some() {
        return;
    }
    let place = &operation.place;
    let may_not = |role: &&str| {
        let is = |name: &str| role.eq_ignore_ascii_case(name);
        is("viewer") || is("editor") && stage.call == Some(DEFAULTS)
    };
    if let Some(role) = stage.facts.namespace_role.as_deref().filter(may_not) {
        let needed = if stage.call == Some(DEFAULTS) { "owner" } else { "editor or owner" };
        report
            .main(place, format!("a `{role}` may look at this, not change it"))
            .observed(role)
            .expected(needed)
            .remedy(format!("let somebody do it who is {needed} in this namespace"));
    }
    let (Dialect::Alibaba, Some(actions), Some(call)) = (stage.platform, &stage.facts.ram_actions, stage.call) else {
        return;
    };
    // A call by name is taken to need no more than the call by id.
    let needed = format!("stream:{call}");
    let names = [needed.as_str(), needed.trim_end_matches("ByName")];
    if !actions.iter().any(|action| names.iter().any(|name| grants(action, name))) {
        report
            .main(place, format!("the caller's RAM policy does not allow `{needed}`"))
            .observed(actions.join(", "))
            .expected(needed.as_str())
            .remedy(format!("grant `{needed}` to the caller in RAM, or let an account do it that has it"));
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULTS, RULE};
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Reach, Restore, Stage, StartCause, StopCause, StopMode};
    use crate::rules::testing::{SILENT, change, only, says, stage, start, stop};

    fn by(platform: Dialect, call: &'static str, caller: &str) -> Stage<'static> {
        let action = start(StartCause::Request, Restore::LatestState);
        let facts = format!("caller: {{{caller}}}");
        stage(platform, action).with_facts(&facts).with(|it| it.call = Some(call))
    }

    #[test]
    fn the_ram_action_is_that_of_the_call() {
        let of = |call, actions: &str| says(&RULE, &by(Dialect::Alibaba, call, &format!("ramActions: [{actions}]")));
        assert_eq!(of("StartJob", "'stream:StartJobWithParams'"), only(Effect::Deny));
        assert_eq!(of("StartJob", "'stream:StartJob'"), SILENT);
        assert_eq!(of("StartJob", "'stream:*'"), SILENT);
        assert_eq!(of("UpdateDeploymentByName", "'stream:UpdateDeployment'"), SILENT);
        assert_eq!(of("UpdateDeploymentByName", "'stream:UpdateDeploymentByName'"), SILENT);
        assert_eq!(of("StartJob", ""), only(Effect::Deny));
    }

    #[test]
    fn viewers_change_nothing_and_editors_no_defaults() {
        for (platform, _) in RULE.looks_at {
            assert_eq!(says(&RULE, &by(*platform, "x", "namespaceRole: Viewer")), only(Effect::Deny), "{platform:?}");
            assert_eq!(says(&RULE, &by(*platform, "x", "namespaceRole: editor")), SILENT, "{platform:?}");
        }
        assert_eq!(says(&RULE, &by(Dialect::Ververica, DEFAULTS, "namespaceRole: editor")), only(Effect::Deny));
        assert_eq!(says(&RULE, &by(Dialect::Ververica, DEFAULTS, "namespaceRole: owner")), SILENT);
    }

    #[test]
    fn reads_and_stops_are_no_matter_here() {
        let read = stage(Dialect::Ververica, Action::Nothing("read of"));
        assert_eq!(says(&RULE, &read.with_facts("caller: {namespaceRole: viewer}")), SILENT);
        let stopped = stage(Dialect::Ververica, change(Reach::Nothing)).and(stop(StopMode::Cancel, StopCause::Request));
        assert_eq!(says(&RULE, &stopped.with_facts("caller: {namespaceRole: viewer}")), SILENT);
    }
}
