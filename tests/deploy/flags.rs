//! The flags that the chart gives: all of them are flags of `sluicegate serve`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use crate::helm::{arguments, of_kind, render, sets};

/// What `sluicegate serve` takes.
const FLAGS: &str = "\
--listen --tls-cert --tls-key --insecure-http --client-ca --proxy --strip-prefix --metrics-listen --settings --facts \
--policy --mode --shadow-policy --shadow-settings --control-plane --credentials --kubernetes --watch-namespace \
--kubernetes-cache-bytes --savepoint-prefix --trusted-proxy --principal-header --max-body --max-connections \
--concurrency --queue --deadline --facts-deadline --patience --idle --drain-time --grace --control-plane-ca --decision-log --decision-log-bytes \
--decision-log-keep --otlp-endpoint --log-format --log-level";

/// Flags that stand for something other than a value of the chart: plain HTTP is not for a webhook, and a second policy
/// comes by `extraArgs`, with the volume that holds it.
const NOT_BY_A_VALUE: [&str; 2] = ["--insecure-http", "--shadow-policy"];

fn given() -> BTreeSet<String> {
    let mut given = BTreeSet::new();
    for (set, _) in sets() {
        for deployment in of_kind(&render(&set), "Deployment") {
            let arguments = arguments(deployment);
            assert_eq!(arguments.first(), Some(&"serve"), "{set}");
            for argument in &arguments[1..] {
                assert!(argument.starts_with("--"), "{set}: {argument}");
                given.insert(argument.split('=').next().unwrap().to_owned());
            }
        }
    }
    given
}

#[test]
fn every_flag_is_known_and_every_known_flag_can_be_given() {
    let known: BTreeSet<String> =
        FLAGS.split_whitespace().filter(|flag| !NOT_BY_A_VALUE.contains(flag)).map(str::to_owned).collect();
    assert_eq!(given(), known);
}

/// What the binary says that was built beside this test. Cargo builds it for the tests of the package it is in, so for
/// all of the workspace, and hands its name to those alone.
fn help() -> String {
    let exe = std::env::current_exe().unwrap();
    let binary: PathBuf = exe.ancestors().nth(2).unwrap().join("sluicegate");
    let output = Command::new(&binary).args(["serve", "--help"]).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}; test the whole workspace", binary.display()));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_binary_agrees() {
    let help = help();
    let told: BTreeSet<&str> = help.split(|char: char| !char.is_ascii_alphanumeric() && char != '-').collect();
    let unknown: Vec<String> = given().into_iter().filter(|flag| !told.contains(flag.as_str())).collect();
    assert!(unknown.is_empty(), "`sluicegate serve` does not know {unknown:?}");
    let takes = help.lines().filter_map(|line| line.trim_start().strip_prefix("--")?.split([' ', '=']).next());
    let takes: BTreeSet<String> = takes.map(|flag| format!("--{flag}")).collect();
    let listed: BTreeSet<String> = FLAGS.split_whitespace().map(str::to_owned).collect();
    assert_eq!(takes, listed);
}

#[test]
fn a_value_stands_where_its_flag_wants_it() {
    let documents = render("everything");
    let arguments = arguments(of_kind(&documents, "Deployment")[0]);
    for argument in [
        "--listen=[::]:8443",
        "--tls-cert=/etc/sluicegate/tls/tls.crt",
        "--client-ca=/etc/sluicegate/client-ca/ca.crt",
        "--proxy=flink-rest=http://flink-rest.prod:8081@[::]:8082",
        "--proxy=ververica=https://vvp.example.com@[::]:8083",
        "--strip-prefix=flink-rest=/flink",
        "--control-plane=ververica=https://vvp.example.com",
        "--credentials=ververica=file:/etc/sluicegate/credentials/ververica/token",
        "--control-plane-ca=ververica=/etc/sluicegate/ca/ververica/ca.crt",
        "--savepoint-prefix=s3://state/savepoints/",
        "--kubernetes-cache-bytes=67108864",
        "--trusted-proxy=10.1.0.0/16",
        "--principal-header=x-principal",
        "--max-body=8388608",
        "--deadline=2500",
        "--facts-deadline=1000",
        "--drain-time=20",
        "--grace=120",
        "--idle=90",
        "--decision-log-bytes=16777216",
        "--log-format=human",
    ] {
        assert!(arguments.contains(&argument), "{argument} is not in {arguments:?}");
    }
}

#[test]
fn proxies_are_observed_until_all_is_enforced() {
    let documents = render("trial");
    let proxied: Vec<(&str, bool)> = of_kind(&documents, "Deployment")
        .into_iter()
        .map(|one| {
            let arguments = arguments(one);
            let mode = arguments.iter().find_map(|argument| argument.strip_prefix("--mode=")).unwrap();
            (mode, arguments.iter().any(|argument| argument.starts_with("--proxy=")))
        })
        .collect();
    assert_eq!(proxied, [("enforce", false), ("warn", true)]);
}
