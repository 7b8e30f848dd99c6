//! A jar that the operator must not fetch: from its own file system, or from inside its network (DOMAIN 4.5, V18 to V23;
//! 6.12). Names are not looked up.

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Resource, Stage};
use crate::rules::operator::{self, ALWAYS, Since, Subject};
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
const SCHEMES: &str = "kubernetes.operator.user.artifacts.allowed-schemes";
const HOSTS: &str = "kubernetes.operator.user.artifacts.disallow-restricted-hosts";

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::SessionJob, Kind::Deployment]) else { return };
    let Some(node) = subject.spec.of_job("jarURI") else { return };
    let Some(text) = node.text() else { return };
    let was = subject.old.and_then(|old| old.of_job("jarURI")).is_some_and(|old| old.is(&text));
    let place = Place::Body(node);
    let uri = Uri::parse(&text);
    let http = |scheme: &str| scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    if subject.declaration.kind == Kind::Deployment {
        // The job's own pods fetch it, with their rights.
        let host = uri.filter(|uri| uri.scheme.is_some_and(http)).and_then(|uri| uri.host);
        if let Some(host) = host.filter(|host| !was && host::is_restricted(host)) {
            let message = "the jar comes from an address that has a meaning only inside the cluster or the pod";
            report.note(&place, message).observed(host).remedy("check that every pod of the job reaches it");
        }
        return;
    }
    let ours = report.settings().jar_schemes();
    let mut refuse = |since: Since, observed: &str, message: &str, expected: &str| {
        const REMEDY: &str =
            "put the jar where the operator may fetch it, such as `https://repo.example.com/orders.jar`";
        if let Some(draft) = subject.refuse(report, since, was, &place, message) {
            draft.observed(observed).expected(expected).remedy(REMEDY);
        }
    };
    let Some(uri) = uri else {
        let expected = "a URI, with spaces and braces percent-encoded";
        return refuse(SINCE, &text, "`jarURI` is no URI: the operator refuses it", expected);
    };
    let Some(scheme) = uri.scheme else {
        return refuse(SINCE, &text, "`jarURI` has no scheme: the operator refuses it", "scheme, host and path");
    };
    let is = |word: &str| word.trim().eq_ignore_ascii_case(scheme);
    let mut open = false;
    if let Some(ours) = ours.filter(|ours| !ours.iter().any(is)) {
        let message =
            format!("jars are not to be fetched by `{scheme}`: `jarSchemes` of the settings does not list it");
        refuse(ALWAYS, scheme, &message, &ours.to_string());
    } else if let Some(theirs) = allowed(&subject) {
        if !theirs.split(';').any(is) {
            refuse(SINCE, scheme, &format!("the operator refuses jars by `{scheme}`: its list has others"), theirs);
        }
    } else if ours.is_none() && is("file") {
        let message = "the operator refuses a jar of its own file system, where its secrets lie";
        refuse(SINCE, scheme, message, "https");
    } else {
        open = ours.is_none() && !is("https");
    }
    if http(scheme) && !operator_default(&subject, HOSTS).is_some_and(|on| on.eq_ignore_ascii_case("false")) {
        match uri.host {
            None => {
                let message = "`jarURI` names no host that Java can read: the operator refuses it";
                refuse(SINCE, &text, message, "a host name, or an address of four numbers");
            }
            Some(host) if host::is_restricted(host) => {
                let message = "the operator refuses a jar from itself or from inside its own network";
                refuse(SINCE, host, message, "a public host");
            }
            // Reserved never to exist (RFC 6761); of other names only a look-up tells.
            Some(host) if host.to_ascii_lowercase().ends_with(".invalid") => {
                refuse(
                    SINCE,
                    host,
                    "`jarURI` names a host that cannot exist: the operator refuses it",
                    "a public host",
                );
            }
            Some(_) => {}
        }
    }
    if open && !subject.is_newer(SINCE) && !was {
        let message =
            format!("operators since 1.15 fetch jars by `https` alone unless told otherwise, not by `{scheme}`");
        let remedy = format!("make sure that the operator's `{SCHEMES}` lists it");
        report.note(&place, message).observed(scheme).remedy(remedy);
        report
            .unjudged("by which schemes the operator fetches jars (`platform.flinkConfiguration`, `operatorVersion`)");
    }
}

/// What the operator's own configuration says, which no resource can change.
fn operator_default<'s>(subject: &Subject<'s, '_>, key: &str) -> Option<&'s str> {
    let defaults = Resource::at(subject.stage.facts.platform.configuration?);
    let entries = subject.stage.current.configuration.entries();
    let entry = entries.iter().rev().find(|entry| entry.key == key && defaults.holds(entry.node))?;
    Some(&entry.value)
}

/// The schemes, separated by `;`. Without the option they are known only of an operator that has it.
fn allowed<'s>(subject: &Subject<'s, '_>) -> Option<&'s str> {
    let platform = &subject.stage.facts.platform;
    let known = platform.configuration.is_some() && platform.operator_version.is_some() && !subject.is_newer(SINCE);
    operator_default(subject, SCHEMES).or(known.then_some("https"))
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
            "repo.invalid",
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
