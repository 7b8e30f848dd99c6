//! Forms are judged by their head, so that jars of any size stream through. That is safe because the policy never reads
//! one: whatever the body, its verdict is the one for an empty body.

use sluicegate::{Api, Envelope, HttpHead, Limits, Policy, Request, Settings};

use super::{Front, JOB, NO_DRAIN, decision, reason, stop};
use crate::server::Answer;

const FORMS: [&str; 4] =
    ["multipart/form-data; boundary=x", "Multipart/Form-Data;boundary=x", " multipart/mixed", "multipart/"];

const BODIES: [&[u8]; 6] = [
    br#"{"drain": true, "cancel-job": true, "savepointPath": "s3://b/x", "allowNonRestoredState": true}"#,
    b"--x\r\nContent-Disposition: form-data; name=\"request\"\r\n\r\n{\"drain\": true}\r\n--x--\r\n",
    br#"{"spec": {"state": "CANCELLED"}, "metadata": {"annotations": {"sluicegate.dev/override": "unknown-request"}}}"#,
    br#"{"stopStrategy": "STOP_WITH_DRAIN"}"#,
    b"{",
    b"\x00\xff",
];

#[test]
fn no_verdict_on_a_form_depends_on_its_body() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let lenient = policy.compile_settings(
        b"apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nunjudged: undecided\nrules: {unknown-request: {level: off}}\n",
    );
    let settings = [Settings::default(), lenient.unwrap()];
    let flink = [
        "/jobs",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/stop",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/savepoints",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/checkpoints",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/rescaling",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/resource-requirements",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/clientHeartbeat",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/yarn-cancel",
        "/jobs/42aedb6e5490ff65f60746294f1d1f35/coordinators/y",
        "/jars/upload",
        "/jars/x",
        "/jars/x/run",
        "/jars/x/plan",
        "/savepoint-disposal",
        "/cluster",
        "/datasets/x",
        "/v1/jobs",
        "/v1/jars/upload",
        "//jobs/42aedb6e5490ff65f60746294f1d1f35/stop/",
        "/jobs/x/stop",
        "/jobs/%73/stop",
        "/taskmanagers/x/profiler",
        "/none",
    ]
    .map(|path| (Api::FlinkRest, path));
    let ververica = [
        "deployments",
        "deployments/x",
        "deployment-defaults",
        "savepoints",
        "savepoints/x",
        "sessionclusters",
        "sessionclusters/x",
        "secret-values",
        "jobs/x",
        "none",
    ]
    .map(|path| (Api::Ververica, path));
    let mut calls = 0;
    for (api, path) in flink.into_iter().chain(ververica) {
        let target = if api == Api::Ververica { format!("/api/v1/namespaces/n/{path}") } else { path.to_owned() };
        let target =
            if path == "artifacts" { "/artifacts/v1/namespaces/n/artifacts:upload".to_owned() } else { target };
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "post", "X"] {
            for form in FORMS {
                for settings in &settings {
                    let headers = [("Content-Type", form)];
                    let judged = |body: &[u8]| {
                        let head = HttpHead { api: Some(api), method, target: &target, headers: &headers };
                        policy
                            .check(&Request { envelope: Envelope::Http(head), body }, &[], settings)
                            .map_err(|error| error.to_string())
                    };
                    let empty = judged(b"");
                    for body in BODIES {
                        assert_eq!(judged(body), empty, "{method} {target} {form}: {}", body.escape_ascii());
                        calls += 1;
                    }
                }
            }
        }
    }
    assert!(calls > 10_000, "{calls}");
}

/// A form with a file, in chunks.
fn form(target: &str, kind: &str) -> String {
    let part = "--x\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"a.jar\"\r\n\r\nPK\r\n--x--\r\n";
    format!(
        "POST {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{part}\r\n0\r\n\r\n",
        part.len()
    )
}

#[test]
fn jars_and_jobs_stream_through_with_their_warning() {
    let front = Front::start(&["--max-body", "16"]);
    let upload = Answer::parse(&front.raw(form("/v1/jars/upload", FORMS[0]).as_bytes()));
    assert_eq!(upload.status, 200, "{upload:?}");
    let arrived = front.upstream.only();
    assert_eq!((arrived.header("transfer-encoding"), arrived.header("content-length")), (Some("chunked"), None));
    assert!(arrived.body.starts_with(b"--x\r\n") && arrived.length > 16);
    let run = Answer::parse(&front.raw(form("/v1/jobs", FORMS[0]).as_bytes()));
    assert_eq!(run.status, 200, "{run:?}");
    assert!(decision(&run).starts_with("allow; rules="), "an opaque start is warned of: {run:?}");
}

#[test]
fn a_form_anywhere_else_is_refused_before_it_is_read() {
    let front = Front::start(&[]);
    for kind in &FORMS[..2] {
        let answer = Answer::parse(&front.raw(form(&stop(), kind).as_bytes()));
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(reason(&answer).contains("unknown-request"), "{answer:?}");
    }
    // Announced and never sent: there is nothing to wait for.
    let mut client = front.client();
    client.write(format!(
        "POST {JOB}/stop HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/x\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n"
    ));
    assert_eq!(client.answer().status, 403);
    assert!(front.upstream.arrived().is_empty());
    // Everything else that could hide a body is read and judged as what it is.
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "message/http"] {
        let answer = front.send("POST", &stop(), &[("content-type", kind)], super::DRAIN);
        assert_eq!(answer.status, 403, "{kind}: {answer:?}");
        assert_eq!(front.send("POST", &stop(), &[("content-type", kind)], NO_DRAIN).status, 200);
    }
}
