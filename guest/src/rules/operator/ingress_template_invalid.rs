//! An ingress whose template makes no URL (DOMAIN 4.5, V05 and V06).

use std::net::Ipv6Addr;

use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Resource, Spec, Stage};
use crate::rules::operator::{self, ALWAYS};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "ingress-template-invalid",
    title: "ingress without a template that makes a URL",
    family: "operator",
    why: "The operator refuses the deployment: it could not tell host and path of the ingress.",
    source: "FKO V05, V06",
    looks_at: &[(Dialect::Kubernetes, "`spec.ingress.template` of a FlinkDeployment")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// In bytes. A host has 253 at most, and servers read 8 KiB of a request line.
const LONGEST: usize = 4096;

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let Some(subject) = operator::subject(stage, &[Kind::Deployment]) else { return };
    let Some((place, message)) = fault(subject.object, subject.spec) else { return };
    let was = subject.declaration.old.zip(subject.old).is_some_and(|(old, spec)| fault(old, spec).is_some());
    if let Some(mut draft) = subject.refuse(report, ALWAYS, was, &place, message) {
        if let Place::Body(node) = &place
            && let Some(template) = node.scalar()
        {
            draft = draft.observed(template);
        }
        draft
            .expected("host, port and path, such as `example.com/{{namespace}}/{{name}}`")
            .remedy("set `spec.ingress.template` to such a URL: a port is a number, and everything else is the path");
    }
}

fn fault<'d>(object: Resource<'d>, spec: Spec<'d>) -> Option<(Place<'d>, &'static str)> {
    let ingress = spec.get("ingress")?;
    let Some(node) = ingress.get("template") else {
        return Some((Place::Body(ingress), "the ingress has no template: the operator refuses it"));
    };
    let metadata = |name: &str| object.metadata(name).and_then(|node| node.text()).unwrap_or_default();
    let url = node.scalar()?;
    if url.len() > LONGEST {
        return Some((Place::Body(node), "the ingress template is longer than 4 KiB: no server reads such a URL"));
    }
    let url = rendered(&url, "{{name}}", &metadata("name"));
    let url = rendered(&url, "{{namespace}}", &metadata("namespace"));
    (!is_url(&url)).then_some((Place::Body(node), "the ingress template makes no URL: the operator refuses it"))
}

/// The operator knows the variable in any case.
fn rendered(template: &str, variable: &str, value: &str) -> String {
    let lower = template.to_ascii_lowercase();
    let (mut done, mut from) = (String::new(), 0);
    for (at, _) in lower.match_indices(variable) {
        done.push_str(template.get(from..at).unwrap_or_default());
        done.push_str(value);
        from = at + variable.len();
    }
    done + template.get(from..).unwrap_or_default()
}

/// As `java.net.URL` reads it behind `http://`, which the operator puts in front: only the port and the brackets of an
/// address can be wrong.
fn is_url(text: &str) -> bool {
    let protocol = ["http://", "https://"]
        .into_iter()
        .find(|protocol| text.get(..protocol.len()).is_some_and(|start| start.eq_ignore_ascii_case(protocol)));
    let rest = text.get(protocol.map_or(0, str::len)..).unwrap_or_default();
    let rest = rest.trim_end_matches(|c| c <= ' ');
    let authority = rest.split(['#', '?', '/']).next().unwrap_or_default();
    let host = match authority.split_once('@') {
        Some((_, rest)) if rest.contains('@') => return true,
        Some((_, rest)) => rest,
        None => authority,
    };
    let port = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((inside, rest)) = rest.split_once(']') else { return false };
            let address = inside.split_once('%').map_or(inside, |(address, _)| address);
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                None if !rest.is_empty() => return false,
                port => port,
            }
        }
        None => host.split_once(':').map(|(_, port)| port),
    };
    port.is_none_or(|port| port.is_empty() || port.parse::<i32>().is_ok_and(|port| port >= -1))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, RULE, is_url, rendered};
    use crate::finding::Effect;
    use crate::rules::testing::{SILENT, deployment, of_manifest, of_update, only};

    fn with(ingress: &str) -> String {
        deployment("").replace("spec: {", &format!("spec: {{ingress: {ingress}, "))
    }

    #[test]
    fn a_template_makes_a_url() {
        let says = |ingress| of_manifest(&RULE, &with(ingress), "{}");
        assert_eq!(says("{template: 'example.com/{{namespace}}/{{name}}'}"), SILENT);
        assert_eq!(says("{template: 'example.com:port'}"), only(Effect::Deny));
        assert_eq!(says("{}"), only(Effect::Deny));
        assert_eq!(says("{className: nginx, template: null}"), only(Effect::Deny));
        assert_eq!(says("{template: 'example.com:{{name}}'}"), only(Effect::Deny));
        assert_eq!(says("null"), SILENT);
        let long = |length| {
            let ingress = format!("{{template: 'example.com/{}'}}", "a".repeat(length));
            of_manifest(&RULE, &with(&ingress), "{}")
        };
        assert_eq!(long(LONGEST - 12), SILENT);
        assert_eq!(long(LONGEST - 11), only(Effect::Deny));
        let live = with("{className: nginx}");
        let scaled = live.replace("parallelism: 2", "parallelism: 4");
        assert_eq!(of_update(&RULE, &scaled, &live, "{}"), only(Effect::Warn));
        assert_eq!(of_update(&RULE, &live, &deployment(""), "{}"), only(Effect::Deny));
    }

    #[test]
    fn urls_are_java_s() {
        for url in [
            "",
            "example.com",
            "example.com:8080/a",
            "example.com:/a",
            "example.com:-1",
            "HTTPS://example.com",
            "http://a@b@c:x",
            "/path:x",
            "[::1]:80",
            "a b/c",
            "example.com:80 ",
            "ftp://x",
            "a?b:c",
        ] {
            assert!(is_url(url), "{url}");
        }
        for url in
            ["a:b", "a:-2", "https:example.com", "a:99999999999", "[::1", "[x]:80", "[::1]80", "a:80 /b", "u@a:b"]
        {
            assert!(!is_url(url), "{url}");
        }
    }

    #[test]
    fn variables_are_known_in_any_case() {
        assert_eq!(rendered("{{Name}}.x/{{NAME}}", "{{name}}", "orders"), "orders.x/orders");
        assert_eq!(rendered("ä{{name}}ö{{nam", "{{name}}", "ü"), "äüö{{nam");
        assert_eq!(rendered("{{ name }}", "{{name}}", "orders"), "{{ name }}");
    }
}
