//! What the host makes of files.

use super::{Envelope, Found, Input, Recognised, decides, read};
use crate::Api;

fn inputs(text: &str) -> Vec<Input> {
    read(text.as_bytes(), None).unwrap()
}

fn requests(text: &str) -> Vec<Recognised> {
    let take = |input: Input| match input.found {
        Found::Request(recognised) => *recognised,
        other => panic!("{other:?}"),
    };
    inputs(text).into_iter().map(take).collect()
}

fn body(recognised: &Recognised) -> &str {
    std::str::from_utf8(&recognised.request.body).unwrap()
}

fn broken(text: &str) -> (String, Option<usize>) {
    match inputs(text).remove(0).found {
        Found::Broken(error) | Found::Unrecognised(error) => (error.message, error.offset),
        other => panic!("{other:?}"),
    }
}

#[test]
fn bodies_are_handed_on_as_they_stand() {
    let file =
        "# stop\n---\nkind: FlinkDeployment\nmetadata: {name: a, namespace: prod} # here\n---\nkind:  ChangePlan\n";
    let found = requests(file);
    assert_eq!(body(&found[0]), "\nkind: FlinkDeployment\nmetadata: {name: a, namespace: prod} # here\n");
    assert_eq!(found[0].offset, Some(10));
    assert_eq!(found[0].object.as_ref().unwrap().to_string(), "FlinkDeployment prod/a");
    assert!(matches!(found[1].request.envelope, Envelope::Plan));
    assert_eq!(&file[found[1].offset.unwrap()..], body(&found[1]));
}

#[test]
fn calls_are_read_as_editors_write_them() {
    let file = "# first\r\nPOST http://localhost:8081/jobs/a/stop?x=1 HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n\r\n{\"drain\": true}\r\n\r\n### second\r\nPATCH {{vvp}}/api/v1/x\r\n###\r\n# nothing\r\n";
    let found = requests(file);
    assert_eq!(found.len(), 2);
    let Envelope::Http(head) = &found[0].request.envelope else { panic!() };
    assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/jobs/a/stop?x=1"));
    assert_eq!(head.headers, [("Content-Type".to_owned(), "application/json".to_owned())]);
    assert_eq!(body(&found[0]), "{\"drain\": true}");
    assert!(file[found[0].offset.unwrap()..].starts_with(body(&found[0])));
    let Envelope::Http(head) = &found[1].request.envelope else { panic!() };
    assert_eq!((head.target.as_str(), body(&found[1])), ("/api/v1/x", ""));
}

#[test]
fn what_is_wrong_with_a_call_has_a_place() {
    assert_eq!(broken("GET /a\nno header\n").1, Some(7));
    let Found::Broken(error) = &inputs("GET /a\n\n###\nPSOT jobs\n")[1].found else { panic!() };
    assert!(error.message.contains("request line") && error.offset == Some(12), "{error:?}");
    assert!(broken("GET /jobs/{{id}}\n").0.contains("variables"));
}

#[test]
fn a_body_in_utf_16_keeps_its_last_byte() {
    let mut file = b"POST /jobs/a/stop\n\n".to_vec();
    file.extend("{}\n".encode_utf16().flat_map(u16::to_be_bytes));
    let Found::Request(found) = &read(&file, None).unwrap()[0].found else { panic!() };
    assert_eq!(found.request.body.len(), 6);
}

#[test]
fn calls_can_be_documents() {
    let text = "apiVersion: sluicegate.dev/v1alpha1\nkind: HttpRequest\nmethod: POST\ntarget: /x\napi: alibaba\nheaders: {workspace: 7, Cookie: c, content-type: [a, b]}\n";
    let found = requests(&format!("{text}body: {{b: 1, a: [yes]}}\n"));
    let Envelope::Http(head) = &found[0].request.envelope else { panic!() };
    assert_eq!(head.api, Some(Api::Alibaba));
    let names: Vec<_> = head.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(names, ["workspace=7", "content-type=a", "content-type=b"]);
    assert_eq!((body(&found[0]), found[0].offset), ("{\"b\":1,\"a\":[true]}", None));
    assert_eq!(body(&requests(&format!("{text}bodyBase64: eyJhIjox\n  fQ==\n"))[0]), "{\"a\":1}");
    assert_eq!(body(&requests(&format!("{text}bodyText: ' x '\n"))[0]), " x ");
    assert!(broken(&format!("{text}bodyText: x\nbody: x\n")).0.contains("only one of"));
    assert!(broken(&format!("{text}bodyTxt: x\n")).0.contains("bodyTxt"));
    assert!(broken(&text.replace("alibaba", "aliyun")).0.contains("must be one of"));
}

#[test]
fn the_named_api_is_for_calls_that_name_none() {
    let found = read(b"GET /a\n", Some(Api::Ververica)).unwrap();
    let Found::Request(found) = &found[0].found else { panic!() };
    assert!(matches!(&found.request.envelope, Envelope::Http(head) if head.api == Some(Api::Ververica)));
}

#[test]
fn neighbours_are_skipped_and_look_alikes_are_not() {
    let kinds = |text: &str| matches!(inputs(text).remove(0).found, Found::Foreign(_));
    assert!(kinds("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"));
    assert!(kinds("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"kind\": \"Service\"}]}"));
    assert!(kinds("apiVersion: sluicegate.dev/v1alpha1\nkind: Facts\n"));
    assert!(!kinds("apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeploymnt\n"));
    assert!(broken("apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlans\n").0.contains("ChangePlans"));
    assert!(broken("name: x\nexpect: {}\n").0.contains("sluicegate test"));
    assert!(broken("{\"a\": 1}").0.contains("names no `kind`"));
}

#[test]
fn lists_are_taken_apart() {
    let file = "# all\n---\napiVersion: v1\nkind: List\nitems:\n- kind: Service\n- kind: FlinkDeployment\n  metadata: {name: a}\n---\nkind: ChangePlan\n";
    let found = inputs(file);
    assert_eq!(found.iter().map(|input| input.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(matches!(&found[0].found, Found::Foreign(what) if what == "Service"));
    let Found::Request(item) = &found[1].found else { panic!("{:?}", found[1]) };
    assert_eq!(item.object.as_ref().unwrap().to_string(), "FlinkDeployment a");
    assert_eq!(body(item), "  kind: FlinkDeployment\n  metadata: {name: a}\n");
    assert!(file[item.offset.unwrap() + 2..].starts_with(&body(item)[2..]));
    let (message, at) = broken("kind: List\nitems:\n- kind: List\n  items: [{kind: FlinkDeployment}]\n");
    assert!(message.contains("outer list") && at == Some(18), "{message} {at:?}");
    assert!(broken("kind: List\nitems: [{kind: FlinkDeployment}, {a: *x}]\n").0.contains("YAML"));
}

#[test]
fn of_two_kinds_the_last_counts_as_platforms_read_it() {
    let found = requests("{\"kind\":\"Service\",\"kind\":\"FlinkDeployment\",\"x\":[[1],{\"kind\":\"y\"}]}");
    assert!(matches!(found[0].request.envelope, Envelope::Manifest));
}

#[test]
fn one_bad_document_does_not_hide_the_others() {
    let found = inputs("kind: ChangePlan\n---\na: b: c\n---\nkind: ChangePlan\n");
    assert!(matches!(found[1].found, Found::Broken(_)) && matches!(found[2].found, Found::Request(_)));
    let found = inputs("{\"kind\":\"AdmissionReview\"}\n{\"kind\":\n{\"kind\":\"AdmissionReview\"}\n");
    assert!(matches!(found[1].found, Found::Broken(_)) && matches!(found[2].found, Found::Request(_)));
    assert_eq!(found[2].number, 3);
}

#[test]
fn what_is_no_text_is_told() {
    let error = |bytes: &[u8]| read(bytes, None).unwrap_err().message;
    assert!(error(b"").contains("nothing"));
    assert!(error(b"\n# only this\n").contains("nothing"));
    assert!(error(b"\x7fELF\0\0\0").contains("binary"));
    assert!(error(b"\xff\xfea\0").contains("UTF-16"));
    let Found::Broken(error) = &read(b"kind: \xc3\x28\n", None).unwrap()[0].found else { panic!() };
    assert_eq!(error.offset, Some(6));
}

#[test]
fn credentials_stay_here() {
    assert!(decides("Content-Type") && decides("X-Sluicegate-Override-Reason") && decides("workspace"));
    for name in ["Authorization", "Cookie", "X-Api-Key", "x-sluicegate-caller", "X-Acs-Signature"] {
        assert!(!decides(name), "{name}");
    }
}
