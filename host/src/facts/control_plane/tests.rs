//! Control planes over real sockets: what they recorded, and everything that can go wrong with them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::{ControlPlaneOptions, Credentials};
use crate::facts::loopback::{Folder, Loopback, Reply, dead, folder, recorded};
use crate::facts::{Answered, How, Live, LiveOptions, Memory, Tally};
use crate::{Api, Lookup, Scoped};

const JOB: &str = "f038910771bf0c158ab81a591f0ad204";
const NOBODY: &str = "00000000000000000000000000000000";

/// Nothing is remembered, so that every look-up asks.
fn forgetful() -> Memory {
    Memory { found: Duration::ZERO, absent: Duration::ZERO, failure: Duration::ZERO, ..Memory::default() }
}

fn options(api: Api, address: &str) -> ControlPlaneOptions {
    ControlPlaneOptions { most: 64 << 10, ..ControlPlaneOptions::new(api, address) }
}

fn live(options: ControlPlaneOptions) -> Live {
    live_with(options, forgetful())
}

fn live_with(options: ControlPlaneOptions, memory: Memory) -> Live {
    Live::new(LiveOptions { control_planes: vec![options], memory, ..LiveOptions::default() }).unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn job(id: &str) -> Lookup {
    Lookup::FlinkJob(id.to_owned())
}

fn scoped(id: &str) -> Scoped {
    Scoped { namespace: "default".to_owned(), id: id.to_owned() }
}

#[track_caller]
fn unavailable(answer: Answered) -> String {
    match answer {
        Answered::Unavailable(why) => why,
        answer => panic!("{answer:?}"),
    }
}

fn alibaba(address: &str) -> (ControlPlaneOptions, Folder) {
    let folder = folder();
    let file = folder.path().join("key");
    std::fs::write(&file, r#"{"accessKeyId": "AK", "accessKeySecret": "s3cr3t", "workspace": "a14bd5"}"#).unwrap();
    (ControlPlaneOptions { credentials: Some(Credentials::File(file)), ..options(Api::Alibaba, address) }, folder)
}

#[tokio::test]
async fn flink_answers_as_recorded() {
    let server = Loopback::start(|target, _| {
        let name = match target.strip_prefix("/flink/jobs/").unwrap_or_default() {
            "overview" => "flink-2.3-jobs",
            JOB => "flink-2.3-job",
            "f038910771bf0c158ab81a591f0ad204/checkpoints" => "flink-2.3-checkpoints",
            "f038910771bf0c158ab81a591f0ad204/checkpoints/config" => "flink-2.3-checkpoint-config",
            NOBODY => return Reply::error(404, recorded("answers/flink-2.3-no-such-job.json")),
            "00000000000000000000000000000000/checkpoints" => {
                return Reply::error(404, recorded("answers/flink-1.20-no-such-job.json"));
            }
            _ => return Reply::error(404, recorded("answers/flink-2.3-no-such-page.json")),
        };
        Reply::json(recorded(&format!("answers/{name}.json")))
    })
    .await;
    let live = live(options(Api::FlinkRest, &format!("{}/flink/", server.address)));
    let found = |name: &str| Answered::Found(recorded(&format!("answers/{name}.json")));
    let id = || JOB.to_owned();
    assert_eq!(live.answer(&Lookup::FlinkJobs, soon()).await, found("flink-2.3-jobs"));
    assert_eq!(live.answer(&Lookup::FlinkJob(id()), soon()).await, found("flink-2.3-job"));
    assert_eq!(live.answer(&Lookup::FlinkCheckpoints(id()), soon()).await, found("flink-2.3-checkpoints"));
    assert_eq!(live.answer(&Lookup::FlinkCheckpointConfig(id()), soon()).await, found("flink-2.3-checkpoint-config"));
    assert_eq!(live.answer(&job(NOBODY), soon()).await, Answered::Absent);
    assert_eq!(live.answer(&Lookup::FlinkCheckpoints(NOBODY.to_owned()), soon()).await, Answered::Absent);
    // No such page is no such job in nobody's eyes.
    let why = unavailable(live.answer(&Lookup::FlinkConfig, soon()).await);
    assert!(why.contains("404: Not found"), "{why}");
    let head = server.heads().join("");
    assert!(!head.to_ascii_lowercase().contains("authorization"), "{head}");
    // It does not know what others know.
    let why = unavailable(live.answer(&Lookup::VervericaJob(scoped("j")), soon()).await);
    assert!(why.contains("--control-plane ververica"), "{why}");
}

#[tokio::test]
async fn a_404_is_absence_only_in_flinks_own_words() {
    let bodies = [
        "",
        "{}",
        "<html>404</html>",
        r#"{"errors": []}"#,
        r#"{"errors": ["Not found: /jobs/00000000000000000000000000000000"]}"#,
        r#"{"errors": ["org.apache.flink.runtime.rest.NotFoundException: Job 00000000000000000000000000000001 not found"]}"#,
        r#"{"errors": ["org.apache.flink.runtime.rest.NotFoundException: Checkpointing was not enabled"]}"#,
        r#"{"errors": [{"a": "Job 00000000000000000000000000000000 not found"}]}"#,
    ];
    for body in bodies {
        let server = Loopback::start(move |_, _| Reply::error(404, body)).await;
        let live = live(options(Api::FlinkRest, &server.address));
        assert!(unavailable(live.answer(&job(NOBODY), soon()).await).contains("404"), "{body}");
    }
}

#[tokio::test]
async fn ids_do_not_leave_their_segment() {
    let server = Loopback::start(|_, _| Reply::json("{}")).await;
    let live = live(options(Api::FlinkRest, &format!("{}/base", server.address)));
    for id in ["", ".", "..", "a\r\nx: y", "\0", &"x".repeat(257)] {
        let why = unavailable(live.answer(&job(id), soon()).await);
        assert!(why.contains("cannot stand in an address"), "{why}");
    }
    assert!(server.heads().is_empty());
    let odd = ["%2e%2e", "%2E%2E", ".%2e", "..%2f", "../overview", "..\\x", "a/b", "a?b=c", "a#b", "a@b", "//h", "é"];
    for id in odd {
        live.answer(&job(id), soon()).await;
    }
    let targets = server.targets();
    assert_eq!(targets.len(), odd.len());
    for target in targets {
        let id = target.strip_prefix("/base/jobs/").unwrap();
        assert!(!id.contains(['/', '?', '#', '\\']) && !id.to_ascii_lowercase().starts_with("%2e"), "{target}");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_is_unavailable_and_says_why() {
    let large = vec![b' '; (64 << 10) + 1];
    let cases: [(Reply, &str); 11] = [
        (Reply::error(500, r#"{"errors": ["Internal server error.\n\tat x.y.Z"]}"#), "500: Internal server error."),
        (Reply::error(401, "no"), "401; look at the credentials"),
        (
            Reply::error(400, r#"{"Code": "SignatureDoesNotMatch", "Message": "m\u001b[31m"}"#),
            "SignatureDoesNotMatch m",
        ),
        (Reply::error(503, ""), "503"),
        (Reply::error(204, ""), "204"),
        (Reply::json("<html>log in</html>"), "no JSON"),
        (Reply::json("{\"jid\": "), "no JSON"),
        (Reply::json(large), "more than 65536 bytes"),
        (Reply::EndlessBody(200), "more than 65536 bytes"),
        (Reply::EndlessBody(500), "500"),
        (Reply::Whole(200, "content-encoding: gzip\r\n", b"{}".to_vec()), "encoding"),
    ];
    for (reply, expected) in cases {
        let reply = Mutex::new(Some(reply));
        let server = Loopback::start(move |_, _| reply.lock().unwrap().take().unwrap_or(Reply::Nothing)).await;
        let live = live(options(Api::FlinkRest, &server.address));
        let why = unavailable(live.answer(&job(JOB), soon()).await);
        assert!(why.contains(expected) && !why.contains(char::is_control), "{why} ({expected})");
    }
}

#[tokio::test]
async fn waits_are_bounded() {
    for reply in [|| Reply::Nothing, || Reply::EndlessHead] {
        let server = Loopback::start(move |_, _| reply()).await;
        let timeout = Duration::from_millis(200);
        let live = live(ControlPlaneOptions { timeout, ..options(Api::FlinkRest, &server.address) });
        let why = unavailable(live.answer(&job(JOB), soon()).await);
        assert!(why.contains("did not answer in time"), "{why}");
        let brief = Instant::now() + Duration::from_millis(20);
        assert!(unavailable(live.answer(&job(NOBODY), brief).await).contains("in time"));
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_credentials_stay() {
    let other = Loopback::start(|_, _| Reply::json("{}")).await;
    let location: &'static str = format!("location: {}/jobs/x\r\n", other.address).leak();
    for status in [301, 302, 303, 307, 308] {
        let server = Loopback::start(move |_, _| Reply::Whole(status, location, Vec::new())).await;
        let folder = folder();
        let file = folder.path().join("token");
        std::fs::write(&file, "s3cr3t\n").unwrap();
        let credentials = Some(Credentials::File(file.clone()));
        let options = ControlPlaneOptions { credentials, ..options(Api::FlinkRest, &server.address) };
        assert!(!format!("{options:?}").contains("s3cr3t"));
        let live = live(options);
        let why = unavailable(live.answer(&job(JOB), soon()).await);
        assert!(why.contains("redirects are not followed") && !why.contains("s3cr3t"), "{why}");
        // What the file says now counts at once.
        std::fs::write(&file, "Basic dTpw").unwrap();
        live.answer(&job(JOB), soon()).await;
        let heads = server.heads().join("").to_ascii_lowercase();
        assert!(
            heads.contains("authorization: bearer s3cr3t") && heads.contains("authorization: basic dtpw"),
            "{heads}"
        );
    }
    assert!(other.heads().is_empty());
}

#[derive(Default)]
struct Count(Mutex<Vec<(&'static str, How)>>);

impl Tally for Count {
    fn looked_up(&self, source: &'static str, how: How, _: Duration) {
        self.0.lock().unwrap().push((source, how));
    }
}

#[tokio::test]
async fn fifty_callers_are_one_request() {
    let server = Loopback::start(|_, _| Reply::json("{}")).await;
    let long = Duration::from_secs(600);
    let count = Arc::new(Count::default());
    let live = Live::new(LiveOptions {
        control_planes: vec![options(Api::FlinkRest, &server.address)],
        memory: Memory { found: long, ..Memory::default() },
        tally: Some(count.clone()),
        ..LiveOptions::default()
    });
    let live = Arc::new(live.unwrap());
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let live = Arc::clone(&live);
            tokio::spawn(async move { live.answer(&job(JOB), soon()).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Answered::Found(b"{}".to_vec()));
    }
    assert_eq!(server.heads().len(), 1);
    assert_eq!(live.answer(&job(JOB), soon()).await, Answered::Found(b"{}".to_vec()));
    live.forget();
    live.answer(&job(JOB), soon()).await;
    assert_eq!(server.heads().len(), 2);
    let counted = count.0.lock().unwrap();
    assert_eq!(counted.len(), 52);
    assert_eq!(counted.get(50..), Some(&[("flink-rest", How::Hit), ("flink-rest", How::Miss)][..]));
}

#[tokio::test]
async fn a_dead_control_plane_costs_the_next_caller_nothing() {
    let long = Duration::from_secs(600);
    let memory = Memory { failure: long, ..Memory::default() };
    let live = live_with(options(Api::FlinkRest, &dead().await), memory.clone());
    let why = unavailable(live.answer(&job(JOB), soon()).await);
    assert!(why.contains("no connection"), "{why}");
    // A deadline in the past: there is an answer without any wait.
    for lookup in [job(JOB), job(NOBODY), Lookup::FlinkJobs] {
        assert_eq!(unavailable(live.answer(&lookup, Instant::now()).await), why);
    }
    let hangs = Loopback::start(|_, _| Reply::Nothing).await;
    let timeout = Duration::from_millis(100);
    let live = live_with(ControlPlaneOptions { timeout, ..options(Api::FlinkRest, &hangs.address) }, memory);
    let why = unavailable(live.answer(&job(JOB), soon()).await);
    assert_eq!(unavailable(live.answer(&job(NOBODY), Instant::now()).await), why);
    assert_eq!(hangs.heads().len(), 1);
}

#[tokio::test]
async fn ververica_answers_with_resources() {
    const ID: &str = "0cb796fc-2641-488e-bde8-52b2199c5747";
    let server = Loopback::start(|target, head| {
        if !head.contains("authorization: Bearer vvp\r\n") {
            return Reply::error(401, "{}");
        }
        match target.strip_prefix("/api/v1/namespaces/default/").unwrap_or_default() {
            "deployments/0cb796fc-2641-488e-bde8-52b2199c5747" => {
                Reply::json(recorded("answers/ververica-deployment.json"))
            }
            "savepoints?deploymentId=0cb796fc-2641-488e-bde8-52b2199c5747" => {
                Reply::json(recorded("answers/ververica-savepoints.json"))
            }
            "savepoints?deploymentId=part" => {
                Reply::json(r#"{"kind": "SavepointList", "metadata": {"continue": "x"}, "items": []}"#)
            }
            "savepoints?deploymentId=other" => Reply::json(r#"{"kind": "Savepoint"}"#),
            "deployments" => Reply::json(
                r#"{"kind": "DeploymentList", "items": [{"metadata": {"id": "listed", "name": "orders"}}]}"#,
            ),
            _ => Reply::error(404, r#"{"status": 404, "error": "Not Found", "message": "no such thing"}"#),
        }
    })
    .await;
    let folder = folder();
    let file = folder.path().join("token");
    std::fs::write(&file, "vvp\n").unwrap();
    let credentials = Some(Credentials::File(file));
    let live = live(ControlPlaneOptions { credentials, ..options(Api::Ververica, &server.address) });
    let found = |name: &str| Answered::Found(recorded(name));
    let deployment = |id: &str| Lookup::VervericaDeployment(scoped(id));
    let savepoints = |id: &str| Lookup::VervericaSavepoints(scoped(id));
    assert_eq!(live.answer(&deployment(ID), soon()).await, found("answers/ververica-deployment.json"));
    assert_eq!(live.answer(&savepoints(ID), soon()).await, found("answers/ververica-savepoints.json"));
    assert_eq!(live.answer(&deployment("gone"), soon()).await, Answered::Absent);
    for listed in ["listed", "orders"] {
        assert!(unavailable(live.answer(&deployment(listed), soon()).await).contains("404: no such thing"));
    }
    assert!(unavailable(live.answer(&savepoints("part"), soon()).await).contains("only a part"));
    assert!(unavailable(live.answer(&savepoints("other"), soon()).await).contains("no SavepointList"));
    assert!(unavailable(live.answer(&Lookup::VervericaJob(scoped("j")), soon()).await).contains("404"));
    let elsewhere = Lookup::VervericaDeployment(Scoped { namespace: "other".to_owned(), id: "gone".to_owned() });
    assert!(unavailable(live.answer(&elsewhere, soon()).await).contains("404"));
}

#[tokio::test]
async fn alibaba_is_asked_page_by_page_and_signed() {
    let server = Loopback::start(|target, head| {
        let head = head.to_ascii_lowercase();
        let signed = head.contains("authorization: acs3-hmac-sha256 credential=ak,signedheaders=host;x-acs-action;")
            && head.contains("x-acs-version: 2022-07-18")
            && head.contains("workspace: a14bd5");
        if !signed {
            return Reply::error(403, "{}");
        }
        let entries = |from: usize, to: usize| {
            let entry = |number| {
                format!(r#"{{"savepointId": "s{number}", "deploymentId": "d", "status": {{"state": "COMPLETED"}}}}"#)
            };
            (from..to).map(entry).collect::<Vec<_>>().join(",")
        };
        let page = |total: usize, entries: String| {
            Reply::json(format!(r#"{{"success": true, "totalSize": {total}, "data": [{entries}]}}"#))
        };
        match target.strip_prefix("/api/v2/namespaces/default/").unwrap_or_default() {
            "savepoints?deploymentId=d&pageIndex=1&pageSize=100" => page(150, entries(0, 100)),
            "savepoints?deploymentId=d&pageIndex=2&pageSize=100" => page(150, entries(100, 150)),
            "savepoints?deploymentId=short&pageIndex=1&pageSize=100" => page(150, entries(0, 50)),
            target if target.starts_with("savepoints?deploymentId=short&") => page(150, String::new()),
            target if target.starts_with("savepoints?deploymentId=endless&") => page(9999, entries(0, 1)),
            target if target.starts_with("savepoints?deploymentId=broken&pageIndex=1&") => page(9999, entries(0, 1)),
            target if target.starts_with("savepoints?deploymentId=untold&pageIndex=1&") => {
                Reply::json(format!(r#"{{"success": true, "data": [{}]}}"#, entries(0, 3)))
            }
            target if target.starts_with("savepoints?deploymentId=untold&") => {
                Reply::json(r#"{"success": true, "data": []}"#)
            }
            target if target.starts_with("jobs?deploymentId=refused&") => {
                Reply::json(r#"{"success": false, "errorCode": "990301", "data": null}"#)
            }
            "deployments/d%2Fx" => Reply::json(recorded("answers/alibaba-savepoint.json")),
            _ => Reply::error(500, "{}"),
        }
    })
    .await;
    let (options, _folder) = alibaba(&server.address);
    let live = live(options);
    let savepoints = |id: &str| Lookup::AlibabaSavepoints(scoped(id));
    let count = |answer: Answered| match answer {
        Answered::Found(bytes) => {
            let whole: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let data = whole["data"].as_array().unwrap().len();
            assert_eq!((whole["success"].as_bool(), whole["totalSize"].as_u64()), (Some(true), Some(data as u64)));
            data
        }
        answer => panic!("{answer:?}"),
    };
    assert_eq!(count(live.answer(&savepoints("d"), soon()).await), 150);
    assert_eq!(count(live.answer(&savepoints("untold"), soon()).await), 3);
    assert!(unavailable(live.answer(&savepoints("short"), soon()).await).contains("changed"));
    assert!(unavailable(live.answer(&savepoints("endless"), soon()).await).contains("more than 2000 entries"));
    assert!(unavailable(live.answer(&savepoints("broken"), soon()).await).contains("500"));
    let refused = live.answer(&Lookup::AlibabaJobs(scoped("refused")), soon()).await;
    assert!(matches!(&refused, Answered::Found(body) if body.ends_with(b"null}")), "{refused:?}");
    let one = live.answer(&Lookup::AlibabaDeployment(scoped("d/x")), soon()).await;
    assert_eq!(one, Answered::Found(recorded("answers/alibaba-savepoint.json")));
    let nonces: std::collections::BTreeSet<_> = server
        .heads()
        .iter()
        .map(|head| head.lines().find(|line| line.starts_with("x-acs-signature-nonce")).unwrap().to_owned())
        .collect();
    assert_eq!(nonces.len(), server.heads().len());
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let refused = |options: Vec<ControlPlaneOptions>| {
        Live::new(LiveOptions { control_planes: options, ..LiveOptions::default() }).unwrap_err().to_string()
    };
    let flink = || ControlPlaneOptions::new(Api::FlinkRest, "http://127.0.0.1:8081");
    assert!(refused(vec![flink(), flink()]).contains("given twice"));
    assert!(refused(vec![ControlPlaneOptions::new(Api::Alibaba, "https://a")]).contains("access key"));
    assert!(refused(vec![ControlPlaneOptions::new(Api::Ververica, "https://u:s3cr3t@a")]).contains("`ververica`"));
    let missing = ControlPlaneOptions { authority: Some("/nowhere/ca.pem".into()), ..flink() };
    assert!(refused(vec![missing]).contains("/nowhere/ca.pem"));
    let folder = folder();
    let empty = folder.path().join("ca.pem");
    std::fs::write(&empty, "nothing").unwrap();
    assert!(refused(vec![ControlPlaneOptions { authority: Some(empty), ..flink() }]).contains("there is none"));
}

#[tokio::test]
async fn what_is_not_set_up_is_unavailable() {
    let live = Live::new(LiveOptions::default()).unwrap();
    let object = crate::ObjectRef { kind: "FlinkDeployment".to_owned(), namespace: "n".to_owned(), name: None };
    let lookups = [job(JOB), Lookup::Kubernetes(object), Lookup::Location("s3://b/x".to_owned())];
    for (lookup, flag) in lookups.iter().zip(["--control-plane flink-rest=URL", "--kubernetes", "--savepoint-prefix"]) {
        let why = unavailable(live.answer(lookup, soon()).await);
        assert!(why.contains(flag), "{why}");
    }
}
