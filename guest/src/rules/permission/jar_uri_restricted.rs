//! A jar that the operator must not fetch: from its own file system, or from inside its network (DOMAIN 4.5, V18 to V23;
//! 6.12). Names are not looked up.

use std::borrow::Cow;

use crate::configuration::{Configuration, Key};
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Stage};
use crate::rules::operator::{self, Since, Subject};
use crate::rules::{Level, Rule};
use crate::uri::{Uri, host};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "jar-uri-restricted",
    title: "jar from a place that the operator must not read",
    family: "permission",
    why: "The operator itself fetches the jar of a session job, with its own rights: a jar of its file system or its \
          network hands out its secrets.",
    source: "FKO V18-V23, server-side request forgery",
    looks_at: &[(Dialect::Kubernetes, "`spec.job.jarURI` of a FlinkSessionJob, and softer of a FlinkDeployment")],
    facts: &["platform.flinkConfiguration", "platform.operatorVersion"],
    parameters: &[],
    level: Level::Deny,
    check,
};

const SINCE: Since = (1, 15);
const SCHEMES: Key = &["kubernetes.operator.user.artifacts.allowed-schemes"];
const HOSTS: Key = &["kubernetes.operator.user.artifacts.disallow-restricted-hosts"];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::SessionJob, Kind::Deployment]) else { return };
    let Some(node) = subject.spec.of_job("jarURI") else { return };
    let Some(text) = node.text() else { return };
    let place = Place::Body(node);
    let uri = Uri::parse(&text);
    let http = |scheme: &str| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if subject.declaration.kind == Kind::Deployment {
        // The job's own pods fetch it, with their rights.
        let host = uri.filter(|uri| uri.scheme.is_some_and(http)).and_then(|uri| uri.host);
        if let Some(host) = host.filter(|host| host::is_restricted(host)) {
            let message = "the jar comes from an address that has a meaning only inside the cluster or the pod";
            report.note(&place, message).observed(host).remedy("check that every pod of the job reaches it");
        }
        return;
    }
    let was = subject.old.and_then(|old| old.of_job("jarURI")).is_some_and(|old| old.is(&text));
    let mut refuse = |observed: &str, message: &str, expected: &str, remedy: &str| {
        if let Some(draft) = subject.refuse(report, SINCE, was, &place, message) {
            draft.observed(observed).expected(expected).remedy(remedy);
        }
    };
    let fetch = "put the jar where the operator may fetch it, such as `https://repo.example.com/orders.jar`";
    let Some(uri) = uri else {
        let message = "`jarURI` is no URI: the operator refuses it";
        return refuse(&text, message, "a URI", "write a URI, with spaces and braces percent-encoded");
    };
    let Some(scheme) = uri.scheme else {
        let message = "`jarURI` has no scheme: the operator refuses it";
        return refuse(&text, message, "scheme, host and path", fetch);
    };
    let configuration = defaults(&subject);
    let allowed = configuration.as_ref().and_then(|defaults| allowed(&subject, defaults));
    if let Some(allowed) = &allowed
        && !allowed.split(';').any(|it| it.trim().eq_ignore_ascii_case(scheme))
    {
        let message = format!("the operator fetches no jars by `{scheme}`: it refuses this one");
        refuse(scheme, &message, allowed, fetch);
    }
    if allowed.is_none() && scheme.eq_ignore_ascii_case("file") {
        let message = "the operator would read this jar from its own file system, where its secrets lie";
        refuse(scheme, message, "https", fetch);
    }
    let checks_hosts = configuration.as_ref().is_none_or(|defaults| defaults.is_on(HOSTS) != Some(false));
    if http(scheme) && checks_hosts {
        match uri.host {
            None => {
                let message = "`jarURI` names no host that Java can read: the operator refuses it";
                refuse(&text, message, "a host name, or an address of four numbers", fetch);
            }
            Some(host) if host::is_restricted(host) => {
                let message = "the operator would fetch this jar from inside its own network or from itself";
                refuse(host, message, "a public host", fetch);
            }
            Some(_) => {}
        }
    }
    let open = ["https", "file"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if allowed.is_none() && !open && !subject.is_newer(SINCE) && !was {
        let message =
            format!("operators since 1.15 fetch jars by `https` alone unless set otherwise, not by `{scheme}`");
        let [key] = SCHEMES else { return };
        report.note(&place, message).observed(scheme).remedy(format!("make sure that the operator's `{key}` lists it"));
        report.unjudged(
            "by which schemes the operator fetches jars (`platform.flinkConfiguration` and `operatorVersion`)",
        );
    }
}

/// The operator's own configuration, which no resource can change.
fn defaults<'d>(subject: &Subject<'_, 'd>) -> Option<Configuration<'d>> {
    let node = subject.stage.facts.platform.configuration?;
    let mut defaults = Configuration::default();
    defaults.overlay(node);
    Some(defaults)
}

/// The schemes, separated by `;`. Without the option they are known only of an operator that has it.
fn allowed<'c>(subject: &Subject<'_, '_>, defaults: &'c Configuration<'_>) -> Option<Cow<'c, str>> {
    let version = subject.stage.facts.platform.operator_version.is_some();
    let shipped = (version && !subject.is_newer(SINCE)).then_some("https");
    defaults.get(SCHEMES).or(shipped).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, Says, at_least, deployment, of_manifest, of_update, only, session_job};

    const KNOWN: &str = "platform: {operatorVersion: 1.15.0, flinkConfiguration: {}}";
    const OLDER: &str = "platform: {operatorVersion: 1.14.0, flinkConfiguration: {}}";

    fn jar(uri: &str) -> String {
        session_job("parallelism: 1").replace("https://example.com/a.jar", uri)
    }

    fn says(uri: &str, facts: &str) -> Says {
        of_manifest(&RULE, &jar(uri), facts)
    }

    fn allowing(schemes: &str) -> String {
        let key = "kubernetes.operator.user.artifacts.allowed-schemes";
        format!("platform: {{flinkConfiguration: {{{key}: {schemes}}}}}")
    }

    #[test]
    fn schemes_are_those_of_the_operator() {
        assert_eq!(says("https://example.com/a.jar", KNOWN), SILENT);
        assert_eq!(says("HTTPS://example.com/a.jar", KNOWN), SILENT);
        for uri in ["file:///a.jar", "http://example.com/a.jar", "s3://b/a.jar", "local:///a.jar"] {
            assert_eq!(says(uri, KNOWN), only(Effect::Deny), "{uri}");
            assert_eq!(
                says(uri, OLDER).effects.iter().max(),
                (uri.starts_with("file")).then_some(&Effect::Note),
                "{uri}"
            );
        }
        assert_eq!(says("s3://b/a.jar", &allowing("https;s3")), SILENT);
        assert_eq!(says("S3://b/a.jar", &allowing("[https, s3]")), SILENT);
        assert_eq!(says("s3://b/a.jar", &allowing("'https,s3'")), only(Effect::Deny), "one unknown scheme");
        assert_eq!(says("https://example.com/a.jar", &allowing("s3")), only(Effect::Deny));
        assert_eq!(says("file:///a.jar", &allowing("https;file")), SILENT);
        let own = jar("s3://b/a.jar").replace(
            "spec: {",
            "spec: {flinkConfiguration: {kubernetes.operator.user.artifacts.allowed-schemes: s3}, ",
        );
        assert_eq!(of_manifest(&RULE, &own, KNOWN), only(Effect::Deny), "no resource widens the list");
    }

    #[test]
    fn without_a_known_list_only_what_does_harm_is_refused() {
        for facts in ["{}", "platform: {flinkConfiguration: {}}"] {
            assert_eq!(says("https://example.com/a.jar", facts), SILENT);
            assert_eq!(says("file:///a.jar", facts), only(Effect::Deny));
            assert_eq!(says("https://127.0.0.1/a.jar", facts), only(Effect::Deny));
            assert_eq!(says("s3://b/a.jar", facts), at_least(Effect::Note));
            assert_eq!(says("http://example.com/a.jar", facts), at_least(Effect::Note));
        }
    }

    #[test]
    fn hosts_are_neither_the_operator_nor_its_network() {
        for host in [
            "169.254.169.254",
            "127.0.0.1",
            "localhost",
            "jobs.localhost",
            "10.0.0.1",
            "192.168.1.1",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "[::1]",
            "[fe80::1]",
            "[::ffff:127.0.0.1]",
            // These are no hosts to Java.
            "",
            "127.1",
        ] {
            let uri = format!("https://{host}/a.jar");
            assert_eq!(says(&uri, KNOWN), only(Effect::Deny), "{host}");
            assert_eq!(says(&uri, OLDER), only(Effect::Note), "{host}");
            let unchecked =
                KNOWN.replace("{}", "{kubernetes.operator.user.artifacts.disallow-restricted-hosts: false}");
            assert_eq!(says(&uri, &unchecked), SILENT, "{host}");
        }
        for host in ["example.com", "203.0.113.5", "100.64.0.1", "[fd00::1]", "jane:secret@example.com:8443"] {
            assert_eq!(says(&format!("https://{host}/a.jar"), KNOWN), SILENT, "{host}");
        }
    }

    #[test]
    fn a_jar_has_a_uri_with_a_scheme() {
        for uri in ["https://", "ht tp://bad uri", "/no/scheme/job.jar", "a.jar", ""] {
            assert_eq!(says(uri, "{}"), only(Effect::Deny), "{uri}");
        }
    }

    #[test]
    fn what_stood_there_before_warns() {
        let (bad, good) = (jar("file:///a.jar"), jar("https://example.com/a.jar"));
        let scaled = bad.replace("parallelism: 1", "parallelism: 2");
        assert_eq!(of_update(&RULE, &scaled, &bad, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &bad, &good, "{}"), only(Effect::Deny));
        assert_eq!(of_update(&RULE, &good, &bad, "{}"), SILENT);
        assert_eq!(of_update(&RULE, &bad, &bad, "{}"), SILENT);
    }

    #[test]
    fn a_deployment_fetches_with_the_rights_of_its_job() {
        let with = |uri: &str| of_manifest(&RULE, &deployment("").replace("local:///a.jar", uri), KNOWN);
        assert_eq!(with("local:///a.jar"), SILENT);
        assert_eq!(with("'file:///a.jar'"), SILENT);
        assert_eq!(with("'http://10.0.0.1/a.jar'"), only(Effect::Note));
    }
}
