//! Entries to the disk and back: nothing is lost that is needed to judge again, and trouble with the disk stays there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::Value;

use super::{DecisionLog, Entry, Options};
use crate::facts::Answered;
use crate::input::{Envelope, HttpHead};
use crate::logged::{Logged, Said};
use crate::server::door::{Door, Mode, Timings};
use crate::server::metrics::Metrics;
use crate::{Api, Fact, Limits, Lookup, Policy, Settings, Source};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sluicegate-log-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("decisions.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new("0.1.0", "sha256:0"))
}

fn failures(metrics: &Metrics) -> u64 {
    let page = metrics.render();
    let line = page.lines().find_map(|line| line.strip_prefix("sluicegate_decision_log_failures_total "));
    line.unwrap().parse().unwrap()
}

fn open(path: &Path, bytes: u64, keep: usize, metrics: &Arc<Metrics>) -> DecisionLog {
    DecisionLog::open(Options { path: path.to_owned(), bytes, keep }, metrics.clone()).unwrap()
}

fn entry(envelope: Envelope, body: impl Into<Bytes>) -> Entry {
    Entry {
        at: UNIX_EPOCH + Duration::from_millis(1_795_255_200_123),
        id: "id-1".to_owned(),
        door: Door::Proxy(Api::FlinkRest),
        mode: Mode::Enforce,
        caller: Some("jane".to_owned()),
        envelope,
        body: Some(body.into()),
        live: None,
        declared: Vec::new(),
        observed: Vec::new(),
        settings: "shipped".into(),
        policy: "sha256:0".into(),
        outcome: Err("nobody asked".to_owned()),
        passed: false,
        timings: Timings { sandbox: Duration::from_micros(31), ..Timings::default() },
    }
}

fn call(method: &str, target: &str) -> Envelope {
    Envelope::Http(HttpHead {
        api: Some(Api::FlinkRest),
        method: method.to_owned(),
        target: target.to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("cookie".to_owned(), "TOPSECRET".to_owned()),
        ],
    })
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "half a line");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The entry with what the policy says about it.
fn judged(policy: &Policy, mut entry: Entry) -> Entry {
    struct Answers(Vec<(Lookup, Answered)>);
    impl crate::facts::FactSource for Answers {
        fn answer(&self, lookup: &Lookup) -> Answered {
            let found = self.0.iter().find(|(known, _)| known == lookup);
            found.map_or(Answered::Unavailable("gone".to_owned()), |(_, answer)| answer.clone())
        }
    }
    let request = crate::input::Request {
        envelope: entry.envelope.clone(),
        body: entry.body.clone().unwrap_or_default().to_vec(),
    };
    let facts: Vec<_> = entry.declared.iter().map(|(source, document)| Fact::declared(*source, document)).collect();
    let source = Answers(entry.observed.clone());
    let outcome =
        request.lend(entry.live.as_deref(), |request| policy.decide(request, &facts, &Settings::default(), &source));
    entry.outcome = outcome.map(|verdict| verdict.document).map_err(|error| error.to_string());
    entry
}

/// An object of the cluster, as an update finds it.
const DEPLOYED: &str = "\
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: {name: orders, namespace: prod}
spec:
  flinkVersion: v1_20
  flinkConfiguration: {state.savepoints.dir: 's3://b/sp', execution.checkpointing.interval: 1min}
  job: {jarURI: 'local:///a.jar', upgradeMode: savepoint, state: running, parallelism: 2}
status:
  jobStatus: {state: RUNNING, jobId: a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3}
  lifecycleState: STABLE
  reconciliationStatus: {state: DEPLOYED}
";
const JOB: &str = "a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3";
const REVIEW: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"prod","name":"orders","kind":{"group":"flink.apache.org","version":"v1beta1","kind":"FlinkDeployment"},"resource":{"group":"flink.apache.org","version":"v1beta1","resource":"flinkdeployments"},"object":{"apiVersion":"flink.apache.org/v1beta1","kind":"FlinkDeployment","metadata":{"name":"orders","namespace":"prod","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"spec\":{\"flinkConfiguration\":{\"s3.secret-key\":\"TOPSECRET\"}}}\n"}},"spec":{"flinkVersion":"v1_20","flinkConfiguration":{"s3.secret-key":"TOPSECRET","state.savepoints.dir":"s3://AKIA:TOPSECRET@b/sp"},"job":{"jarURI":"local:///app.jar","args":["--db-password","TOPSECRET"],"upgradeMode":"last-state","parallelism":2}}}}}"#;

#[test]
fn a_line_can_be_judged_again() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let drain = || call("POST", &format!("/jobs/{JOB}/stop?access_token=TOPSECRET"));
    let restart: Arc<[u8]> = Arc::from(b"intent: {restartPlanned: true}".as_slice());
    let body = "{\"drain\": true, \"targetDirectory\": \"s3://b/sp\"}";
    let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let plan = "apiVersion: sluicegate.dev/v1alpha1\nkind: ChangePlan\ndeployment: {platform: ververica, namespace: prod, name: orders}\nsteps:\n  - start: {restore: latest-savepoint}\n";
    let mut cancel = entry(call("PATCH", &format!("/jobs/{JOB}?mode=cancel")), "");
    cancel.observed = vec![
        (
            Lookup::FlinkJob(JOB.to_owned()),
            Answered::Found(format!("{{\"jid\":\"{JOB}\",\"state\":\"FAILING\"}}").into()),
        ),
        (Lookup::FlinkJobs, Answered::Absent),
        (Lookup::FlinkConfig, Answered::Unavailable("refused, Authorization: Bearer TOPSECRET".to_owned())),
    ];
    let mut entries = vec![
        Entry { declared: vec![(Source::Operator, restart.clone())], ..entry(drain(), body) },
        Entry { declared: vec![(Source::Operator, restart)], ..entry(drain(), wide) },
        entry(Envelope::AdmissionReview, REVIEW),
        entry(Envelope::Plan, plan),
        entry(
            Envelope::Manifest,
            "kind: FlinkDeployment\nmetadata: {name: a}\nspec: {job: {upgradeMode: savepoint}}\n",
        ),
        Entry {
            live: Some(DEPLOYED.into()),
            ..entry(Envelope::Manifest, DEPLOYED.replace("savepoint", "stateless").replace("a.jar", "b.jar"))
        },
        entry(drain(), "{\"drain\": tru"),
        cancel,
    ];
    entries = entries.into_iter().map(|entry| judged(&policy, entry)).collect();
    let (folder, metrics) = (Folder::new(), metrics());
    let log = open(&folder.file(), 1 << 20, 1, &metrics);
    entries.iter().for_each(|entry| log.record(entry.clone()));
    log.record(entry(drain(), vec![0xff, 0x00, 0x81]));
    log.close();
    let text = std::fs::read_to_string(folder.file()).unwrap();
    assert!(!text.contains("TOPSECRET"), "{text}");
    let read: Vec<Logged> = text.lines().map(|line| Logged::parse(line.as_bytes()).unwrap()).collect();
    assert_eq!(read.len(), entries.len() + 1);
    let mut decisions = Vec::new();
    for (logged, entry) in read.iter().zip(&entries) {
        decisions.push(logged.said().decision.clone());
        // A body that cannot be read is not in the log, since it cannot be told what is in it.
        let Some(again) = logged.judge(&policy, &Settings::default()) else {
            assert!(entry.outcome.is_err(), "{entry:?}");
            continue;
        };
        assert_eq!(logged.said().differences(&Said::of(&again)), Vec::<String>::new(), "{entry:?}");
    }
    assert_eq!(decisions[..2], ["deny", "deny"], "{text}");
    assert_eq!(decisions[6], "error");
    assert!(entries[5].outcome.as_ref().unwrap().contains("stateless-upgrade-of-stateful-job"), "{:?}", entries[5]);
    assert!(read.last().unwrap().request.as_ref().unwrap_err().contains("is in the log"));
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["time"], &first["door"], &first["api"]),
        (&"2026-11-21T10:00:00.123Z".into(), &"proxy".into(), &"flink-rest".into())
    );
    assert_eq!(
        (&first["caller"], &first["redacted"], &first["timings"]["sandbox"]),
        (&"jane".into(), &true.into(), &31.into())
    );
    assert_eq!(first["request"]["http"]["bodyText"], body);
    let findings = first["verdict"]["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["rule"] == "drain-with-planned-restart"), "{findings:?}");
    assert_eq!(failures(&metrics), 0);
}

#[test]
fn a_file_at_a_location_that_is_no_snapshots_is_not_written_down() {
    let folder = Folder::new();
    let metrics = metrics();
    let log = open(&folder.file(), 1 << 20, 1, &metrics);
    let found = |name: &str, bytes: &[u8]| (Lookup::Location(name.to_owned()), Answered::Found(bytes.to_vec()));
    let status = (Lookup::FlinkJob(JOB.to_owned()), Answered::Found(b"{\"state\":\"RUNNING\"}".to_vec()));
    let observed = vec![found("s3://b/notes", b"a diary, word for word"), status];
    log.record(Entry { observed, ..entry(call("POST", "/jars/a.jar/run"), "{}") });
    log.close();
    let line = &lines(&folder.file())[0];
    assert!(!line.to_string().contains("diary"), "{line}");
    assert_eq!(
        line["observed"][0]["unavailable"],
        "22 bytes that are not a snapshot's metadata are not in the decision log"
    );
    assert_eq!(line["observed"][1]["found"]["state"], "RUNNING");
}

#[test]
fn files_are_rotated_between_lines() {
    let (folder, metrics) = (Folder::new(), metrics());
    let log = open(&folder.file(), 4096, 2, &metrics);
    for number in 0..60 {
        log.record(Entry { id: number.to_string(), ..entry(call("GET", "/jobs"), "") });
    }
    log.close();
    let numbered = |number: u32| PathBuf::from(format!("{}.{number}", folder.file().display()));
    let mut ids = Vec::new();
    for file in [numbered(2), numbered(1), folder.file()] {
        let metadata = file.metadata().unwrap();
        assert!(metadata.len() <= 4096, "{}", metadata.len());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        ids.extend(lines(&file).into_iter().map(|line| line["id"].as_str().unwrap().parse::<u32>().unwrap()));
    }
    assert!(!numbered(3).exists());
    assert!(ids.len() > 10 && *ids.last().unwrap() == 59, "{ids:?}");
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
    assert_eq!(failures(&metrics), 0);
    // What was there before is kept, and a line that was cut short spoils no other.
    std::fs::write(folder.file(), "{\"torn").unwrap();
    let log = open(&folder.file(), 1 << 20, 2, &metrics);
    log.record(entry(call("GET", "/jobs"), ""));
    log.close();
    let text = std::fs::read_to_string(folder.file()).unwrap();
    assert!(text.starts_with("{\"torn\n{") && text.lines().count() == 2, "{text}");
}

/// Waits until it holds, and fails after a while.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_file_that_was_moved_away_is_opened_anew() {
    let (folder, metrics) = (Folder::new(), metrics());
    let log = open(&folder.file(), 1 << 20, 1, &metrics);
    log.record(entry(call("GET", "/first"), ""));
    until("the first line", || folder.file().metadata().is_ok_and(|metadata| metadata.len() > 0));
    let moved = folder.0.join("moved");
    std::fs::rename(folder.file(), &moved).unwrap();
    log.record(entry(call("GET", "/second"), ""));
    log.close();
    for (file, target) in [(moved, "/first"), (folder.file(), "/second")] {
        let lines = lines(&file);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["request"]["http"]["target"], target);
    }
}

#[test]
fn what_is_no_plain_file_is_only_written_to() {
    let (folder, metrics) = (Folder::new(), metrics());
    let target = folder.0.join("elsewhere");
    std::fs::write(&target, "").unwrap();
    std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&target, folder.file()).unwrap();
    let log = open(&folder.file(), 4096, 2, &metrics);
    for number in 0..60 {
        log.record(Entry { id: number.to_string(), ..entry(call("GET", "/jobs"), "") });
    }
    log.close();
    assert_eq!(lines(&target).len(), 60);
    assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    let names: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");

    let null = Options { path: "/dev/null".into(), bytes: 1, keep: 0 };
    let log = DecisionLog::open(null, Arc::clone(&metrics)).unwrap();
    (0..3).for_each(|_| log.record(entry(call("GET", "/jobs"), "")));
    log.close();
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
    assert_eq!(failures(&metrics), 0);
}

#[test]
fn a_full_disk_is_counted_and_outlived() {
    let (folder, metrics) = (Folder::new(), metrics());
    std::os::unix::fs::symlink("/dev/full", folder.file()).unwrap();
    let log = open(&folder.file(), 1 << 20, 1, &metrics);
    (0..3).for_each(|_| log.record(entry(call("GET", "/lost"), "")));
    until("the losses", || failures(&metrics) == 3);
    std::fs::remove_file(folder.file()).unwrap();
    log.record(entry(call("GET", "/kept"), ""));
    log.close();
    assert_eq!(lines(&folder.file()).len(), 1);
    assert_eq!(failures(&metrics), 3);
    let nowhere = Options { path: folder.0.join("no/such/folder"), bytes: 1, keep: 1 };
    assert!(DecisionLog::open(nowhere, metrics).is_err());
}

#[test]
fn a_disk_that_hangs_holds_up_nobody() {
    let (folder, metrics) = (Folder::new(), metrics());
    assert!(Command::new("mkfifo").arg(folder.file()).status().unwrap().success());
    // Open for both, so that opening blocks neither side; nothing reads from it yet.
    let mut pipe = std::fs::OpenOptions::new().read(true).write(true).open(folder.file()).unwrap();
    let log = open(&folder.file(), 1 << 20, 1, &metrics);
    let body = Bytes::from(format!("{{\"targetDirectory\": \"{}\"}}", "x".repeat(100_000)));
    for _ in 0..2_000 {
        log.record(entry(call("POST", "/jobs/a/stop"), body.clone()));
    }
    assert!(failures(&metrics) > 500, "{}", failures(&metrics));
    // The disk comes back: what was waiting is written.
    let drain = std::thread::spawn(move || {
        let (mut read, mut part, mut seen) = (0, vec![0; 1 << 16], Vec::new());
        loop {
            let length = std::io::Read::read(&mut pipe, &mut part).unwrap();
            read += length;
            seen.extend_from_slice(&part[..length]);
            if seen.windows(6).any(|window| window == b"END-ID") {
                return read;
            }
            seen.drain(..seen.len().saturating_sub(6));
        }
    });
    until("room in the queue", || log.waiting.load(Ordering::Relaxed) == 0);
    log.record(Entry { id: "END-ID".to_owned(), ..entry(call("GET", "/jobs"), "") });
    log.close();
    assert!(drain.join().unwrap() > 1 << 20);
}
