//! A snapshot outside the places of whoever restores it (DOMAIN 6.7). Places are compared as Flink reads them, by whole
//! names, never as texts.

use crate::configuration::{Configuration, RECOVERY_PATH};
use crate::finding::Report;
use crate::location::SavepointLocation;
use crate::location::named::{Role, named};
use crate::operation::{Action, Dialect, Operation, Place, Restore, Stage, Want};
use crate::restore::{Choice, select};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "cross-tenant-savepoint",
    title: "snapshot of another tenant",
    family: "permission",
    why: "A job that restores another tenant's snapshot reads that tenant's data; one that claims or disposes it \
          deletes it.",
    source: "DOMAIN 6.7 (inferred), 8 (spellings of paths)",
    looks_at: &[
        (Dialect::Kubernetes, "`initialSavepointPath`, `savepoint.path`, `execution.state-recovery.path`"),
        (Dialect::Ververica, "`savepointLocation`, `execution.state-recovery.path`"),
        (Dialect::Alibaba, "the savepoint that a start names"),
        (Dialect::FlinkRest, "`savepointPath` everywhere it can stand, `savepoint-path`"),
    ],
    facts: &["savepoints"],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(operation) = stage.operations.first() else { return };
    let prefixes = report.settings().tenant_prefixes(&operation.target.namespace);
    if prefixes.is_empty() {
        return;
    }
    let judge = |text: &str, place: &Place<'_>, kept: bool, report: &mut Report<'_>| {
        if text.trim().is_empty() || is_own(stage, text, &prefixes) {
            return;
        }
        let message = "this location is outside the places that are configured for this namespace";
        // What was stored before is not this request's doing (DOMAIN 6.0-4).
        let draft = if kept { report.warn(place, message) } else { report.main(place, message) };
        draft.observed(text).expected(prefixes.join(", ")).remedy(
            "use a snapshot of your own, with its whole location, scheme included; if it is meant to be shared, let whoever \
             runs the gate add the place to `tenants` in the settings",
        );
    };
    for location in named(stage) {
        let judged = match location.role {
            Role::Restored | Role::Registered | Role::Stored => true,
            // What a resource of the cluster disposes of is what it wrote or registered.
            Role::Disposed => stage.platform != Dialect::Kubernetes,
            Role::Directory => false,
        };
        if judged {
            judge(&location.text, &location.place, false, report);
        }
    }
    for (_, start) in stage.starts().filter(|(_, start)| matches!(start.restore, Restore::Savepoint(Some(_)))) {
        match select(stage, start).choice {
            Choice::One(savepoint) => {
                if let Some(location) = &savepoint.location {
                    judge(location, &start.restore_place, false, report);
                }
            }
            Choice::Named(id) => {
                report.lacks(Want::Savepoints, format!("where savepoint `{id}` lies"));
            }
            _ => {}
        }
    }
    // Over REST this is the cluster's own configuration, and what the request gives is named above.
    let changes = |operation: &&Operation<'_>| matches!(operation.action, Action::Change(_) | Action::Start(_));
    let path = stage.current.configuration.present(RECOVERY_PATH).filter(|_| stage.platform != Dialect::FlinkRest);
    if let Some((path, operation)) = path.zip(stage.operations.iter().find(changes)) {
        judge(path, &operation.place, stored_path(stage, path), report);
    }
    if stage.operations.iter().any(|operation| matches!(operation.action, Action::OpaqueStart)) {
        report.unjudged("where the job restores from: a serialized graph cannot be read");
    }
}

/// Whether this path stood in the configuration before the request.
fn stored_path(stage: &Stage<'_>, path: &str) -> bool {
    let mut known = Configuration::default();
    for map in stage.facts.platform.configuration.into_iter().chain(stage.facts.deployment.configuration) {
        known.overlay(map);
    }
    let before = stage.current.before.as_ref().unwrap_or(&known);
    before.present(RECOVERY_PATH) == Some(path)
}

/// Whether a location lies in one of these places. One without a scheme is the default file system's.
fn is_own(stage: &Stage<'_>, text: &str, prefixes: &[&str]) -> bool {
    let default = stage.current.configuration.present(&["fs.default-scheme"]);
    let whole = match default {
        Some(default) if text.starts_with('/') => format!("{}{text}", default.trim_end_matches('/')),
        _ => text.to_owned(),
    };
    let Ok(location) = SavepointLocation::parse(&whole) else { return false };
    let own = |prefix: &&str| SavepointLocation::parse(prefix).is_ok_and(|prefix| location.is_inside(&prefix));
    prefixes.iter().any(own)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::{Effect, Report, Said};
    use crate::operation::{Action, Dialect, Restore, Stage, StartCause};
    use crate::rules::testing::{stage, start};
    use crate::settings::{Settings, compile};

    const TENANTS: &str = "tenants: [{namespaces: [prod], prefixes: ['s3://flink/prod/', 'file:///mnt/prod']}]";

    /// The effects, and whether something was left unjudged.
    fn says(settings: &str, stage: &Stage<'_>) -> (Vec<Effect>, bool) {
        let compiled = compile(settings.as_bytes()).unwrap();
        let (settings, mut said) = (Settings::load(&compiled).unwrap(), Said::default());
        (RULE.check)(stage, &mut Report::new(&RULE, Effect::Deny, None, &settings, &mut said));
        (said.findings.iter().map(|finding| finding.effect).collect(), !said.unjudged.is_empty())
    }

    fn from(location: &'static str) -> Stage<'static> {
        stage(Dialect::Ververica, start(StartCause::Request, Restore::Location(location.into())))
    }

    #[test]
    fn only_the_tenant_s_own_places_pass() {
        for own in ["s3://flink/prod/sp", "S3a://flink//prod/x/../sp/_metadata", "/mnt/prod/sp", "file:/mnt/prod/sp"] {
            assert_eq!(says(TENANTS, &from(own)), (vec![], false), "{own}");
        }
        for other in
            ["s3://flink/prod/../dev/sp", "s3://flink/prod2/sp", "/mnt/prod/../dev", "s3://flink/prod\\..\\dev", "sp"]
        {
            assert_eq!(says(TENANTS, &from(other)), (vec![Effect::Deny], false), "{other}");
            assert_eq!(says("{}", &from(other)), (vec![], false), "{other}");
        }
    }

    #[test]
    fn a_path_without_scheme_is_the_default_file_system_s() {
        let of = |default: &str| {
            let facts = format!("platform: {{flinkConfiguration: {{fs.default-scheme: '{default}'}}}}");
            let mut stage = from("/prod/sp").with_facts(&facts);
            stage.current.configuration.overlay(stage.facts.platform.configuration.unwrap());
            says(TENANTS, &stage).0
        };
        assert_eq!(of("s3://flink/"), []);
        assert_eq!(of("s3://other"), [Effect::Deny]);
    }

    #[test]
    fn a_named_savepoint_lies_somewhere() {
        let named = || start(StartCause::Request, Restore::Savepoint(Some("a".into())));
        let of = |facts| says(TENANTS, &stage(Dialect::Alibaba, named()).with_facts(facts));
        assert_eq!(of("savepoints: [{id: a, location: 's3://flink/dev/sp'}]"), (vec![Effect::Deny], false));
        assert_eq!(of("savepoints: [{id: a, location: 's3://flink/prod/sp'}]"), (vec![], false));
        assert_eq!(of("{}"), (vec![], true));
    }

    #[test]
    fn what_cannot_be_read_is_not_judged() {
        assert_eq!(says(TENANTS, &stage(Dialect::FlinkRest, Action::OpaqueStart)), (vec![], true));
    }
}
