//! What is a case and what is none.

use super::{Case, NoVerdict, find};
use crate::input::Envelope;

const CASE: &str = "name: drain\nsource: docs\nrequest:\n  plan: {kind: ChangePlan}\nexpect: {decision: allow}\n";

fn refused(text: &str) -> String {
    Case::parse(text).unwrap_err().to_string()
}

#[test]
fn a_case_holds_one_request() {
    assert!(matches!(Case::parse(CASE).unwrap().request.unwrap().envelope, Envelope::Plan));
    assert!(refused(&CASE.replace("plan:", "manifest: {}\n  plan:")).contains("exactly one of"));
    assert!(refused(&CASE.replace("plan: {kind: ChangePlan}", "{}")).contains("exactly one of"));
}

#[test]
fn a_live_object_stands_beside_a_manifest_only() {
    let live = format!("{CASE}live: {{kind: FlinkDeployment}}\n");
    assert!(refused(&live).contains("beside a `manifest` only"));
    let case = Case::parse(&live.replace("plan:", "manifest:")).unwrap();
    assert_eq!(case.live.as_deref(), Some(&b"{\"kind\":\"FlinkDeployment\"}"[..]));
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    assert!(refused(&format!("{CASE}fact: {{}}\n")).contains("unknown field `fact`"));
    assert!(refused(&CASE.replace("plan:", "plans:")).contains("unknown field `plans`"));
    assert!(refused(&CASE.replace("allow}", "allow, denies: []}")).contains("unknown field `denies`"));
    assert!(
        refused(&CASE.replace("plan: {kind: ChangePlan}", "http: {method: GET, target: /, verb: x}")).contains("verb")
    );
}

#[test]
fn a_case_that_expects_nothing_is_none() {
    assert!(refused(&CASE.replace("{decision: allow}", "{}")).contains("decision"));
    assert!(refused(&CASE.replace("expect: {decision: allow}\n", "")).contains("expect"));
    assert!(refused(&CASE.replace("allow", "maybe")).contains("maybe"));
}

#[test]
fn rules_that_must_lack_a_fact_are_looked_for() {
    let case = Case::parse(&CASE.replace("allow}", "error, unjudged: [alpha, omega]}")).unwrap();
    let told = case.differences(&Err(NoVerdict::Unrecognised("nothing".to_owned())), &["alpha".to_owned()]);
    assert!(told[0].contains("there is no rule `omega`"), "{told:?}");
    assert_eq!(told[1..], ["expected alpha, but nothing was judged", "expected omega, but nothing was judged"]);
}

#[test]
fn raw_text_is_read_as_check_reads_a_file() {
    let raw = |text: &str| Case::parse(&CASE.replace("plan: {kind: ChangePlan}", text)).unwrap().request;
    let request = raw("raw: \"POST /jobs/a/stop\\n\\n{\\\"drain\\\": true}\"").unwrap();
    assert_eq!(request.body, b"{\"drain\": true}");
    assert!(raw("raw: \"{\"").is_err());
    assert!(raw("raw: \"kind: ChangePlan\\n---\\nkind: ChangePlan\"").unwrap_err().contains("several"));
    assert!(raw("raw: ''").unwrap_err().contains("nothing"));
}

#[test]
fn a_folder_without_cases_is_told() {
    let folder = std::env::temp_dir().join(format!("sluicegate-no-cases-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("readme.txt"), "x").unwrap();
    let error = find(&folder).remove(0).1.unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(error.contains("no case"), "{error}");
}
