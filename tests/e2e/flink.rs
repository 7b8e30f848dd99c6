//! A real Flink in one JVM, its jobs, and what it says about them. Always asked directly, never through the gate: this is
//! the witness.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::{self, Reply};
use crate::place::{classes, flink_home, workplace};
use crate::process::{Process, until};

/// Longer than anything takes that Flink does here.
pub const BOUND: Duration = Duration::from_secs(180);

/// What a job came to, as Flink and the files it wrote show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It goes on as before.
    None,
    /// It goes on, and there is one more savepoint.
    Savepoint,
    /// It ended with a savepoint.
    Stopped,
    /// It ended with a savepoint after MAX_WATERMARK had gone through it.
    Drained,
    /// It was cancelled, and nothing was kept.
    Cancelled,
    /// It was cancelled as soon as a savepoint was there.
    SavedAndCancelled,
    /// Another job was started.
    Started,
}

/// A Flink that runs until this goes.
pub struct Flink {
    /// Where its REST API is, without a slash at the end.
    pub url: String,
    /// Where it puts savepoints.
    pub savepoints: PathBuf,
    /// The id of the uploaded jar of `StatefulJob`.
    pub jar: String,
    _process: Process,
}

impl Flink {
    /// Starts it and uploads the jar.
    pub fn start() -> Result<Self> {
        let work = workplace("flink")?;
        for folder in ["chk", "sp", "tmp", "upload"] {
            fs::create_dir_all(work.join(folder))?;
        }
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        for package in ["java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5"] {
            command.arg(format!("--add-exports={package}=ALL-UNNAMED"));
        }
        for package in OPENED {
            command.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
        }
        command
            .arg(format!("-Dlog4j.configurationFile=file:{}/conf/log4j-console.properties", flink_home()?.display()))
            .arg(format!("-Dlog.file={}", work.join("flink.log").display()))
            .arg("-cp")
            .arg(format!("{}:{}/lib/*", classes().join("Mini").display(), flink_home()?.display()))
            .args(["Mini", "0", "40"])
            .arg(&work);
        let mut process = Process::start("flink", &mut command, &work.join("output"))?;
        let url = process.wait_for("its REST address", BOUND, |output| {
            let line = output.lines().find(|line| line.starts_with("REST http"))?;
            Some(line.split_whitespace().nth(1)?.to_owned())
        })?;
        until("task manager", BOUND, || {
            let overview = http::get(&format!("{url}/overview"))?.json()?;
            Ok((overview.get("taskmanagers") == Some(&json!(1))).then_some(()))
        })?;
        let uploaded = upload(&url, &classes().join("StatefulJob.jar"))?.well()?;
        Ok(Self { jar: jar_id(&uploaded)?, url, savepoints: work.join("sp"), _process: process })
    }

    /// Its address as `host:port`.
    pub fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap_or(&self.url)
    }

    /// Runs `StatefulJob` with these settings of the job, and waits until it has a checkpoint.
    pub fn job(&self, configuration: Value) -> Result<String> {
        let job = self.submitted(configuration)?;
        self.checkpointed(&job)?;
        Ok(job)
    }

    /// Runs `StatefulJob`, and waits until all of it runs: before, Flink takes no savepoint.
    pub fn running(&self) -> Result<String> {
        let job = self.submitted(json!({}))?;
        self.all_runs(&job)?;
        Ok(job)
    }

    /// Waits until every task of a job runs.
    pub fn all_runs(&self, job: &str) -> Result<()> {
        until(&format!("tasks of {job}"), BOUND, || {
            let job = self.get(&format!("/jobs/{job}"))?;
            let vertices = job.get("vertices").and_then(Value::as_array).map_or(0, Vec::len) as u64;
            let running = job.pointer("/status-counts/RUNNING").and_then(Value::as_u64);
            Ok((vertices > 0 && running == Some(vertices)).then_some(()))
        })
    }

    fn submitted(&self, configuration: Value) -> Result<String> {
        let request = json!({"entryClass": "StatefulJob", "parallelism": 1, "flinkConfiguration": configuration});
        let answer = http::post(&format!("{}/jars/{}/run", self.url, self.jar), &request)?.well()?.json()?;
        text(&answer, "/jobid")
    }

    /// The ids of all jobs, also of those that are over.
    pub fn jobs(&self) -> Result<BTreeSet<String>> {
        let list = self.get("/jobs")?;
        let jobs = list.pointer("/jobs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(jobs.iter().filter_map(|job| job.get("id")?.as_str().map(str::to_owned)).collect())
    }

    /// Waits until a job runs and has a checkpoint.
    pub fn checkpointed(&self, job: &str) -> Result<()> {
        self.wait(job, "RUNNING")?;
        until(&format!("checkpoint of {job}"), BOUND, || {
            let completed = self.get(&format!("/jobs/{job}/checkpoints"))?.pointer("/counts/completed").cloned();
            Ok(completed.and_then(|count| count.as_u64()).filter(|count| *count > 0))
        })?;
        Ok(())
    }

    /// A read of its REST API.
    pub fn get(&self, path: &str) -> Result<Value> {
        http::get(&format!("{}{path}", self.url))?.well()?.json()
    }

    /// The state of a job.
    pub fn state(&self, job: &str) -> Result<String> {
        text(&self.get(&format!("/jobs/{job}"))?, "/state")
    }

    /// Waits until a job is in this state.
    pub fn wait(&self, job: &str, state: &str) -> Result<()> {
        until(&format!("{state} of {job}"), BOUND, || {
            let now = self.state(job)?;
            if now == state {
                return Ok(Some(()));
            }
            bail!("it is {now}")
        })
    }

    /// Waits for the end of an operation that was accepted with 202; the location of its savepoint.
    pub fn operation(&self, job: &str, accepted: &Reply) -> Result<String> {
        ensure!(accepted.status == 202, "{} {}", accepted.status, accepted.text());
        let trigger = text(&accepted.json()?, "/request-id")?;
        self.triggered(job, &trigger)
    }

    /// Waits for the end of what has this id; the location of its savepoint.
    pub fn triggered(&self, job: &str, trigger: &str) -> Result<String> {
        until(&format!("end of {trigger}"), BOUND, || {
            let state = self.get(&format!("/jobs/{job}/savepoints/{trigger}"))?;
            if text(&state, "/status/id")? != "COMPLETED" {
                return Ok(None);
            }
            if let Some(cause) = state.pointer("/operation/failure-cause") {
                bail!("{cause}");
            }
            Ok(Some(text(&state, "/operation/location")?))
        })
    }

    /// How many savepoints a job has tried so far.
    pub fn savepoints_of(&self, job: &str) -> Result<u64> {
        let checkpoints = self.get(&format!("/jobs/{job}/checkpoints"))?;
        let count = checkpoints.pointer("/counts/total").and_then(Value::as_u64).unwrap_or_default();
        let history = checkpoints.pointer("/history").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let savepoints = history.iter().filter(|entry| entry.get("is_savepoint") == Some(&json!(true))).count() as u64;
        ensure!(count >= savepoints, "counts do not add up");
        Ok(savepoints)
    }

    /// From what a job was restored, if from anything.
    pub fn restored_from(&self, job: &str) -> Result<Option<String>> {
        let checkpoints = self.get(&format!("/jobs/{job}/checkpoints"))?;
        Ok(checkpoints.pointer("/latest/restored/external_path").and_then(Value::as_str).map(str::to_owned))
    }

    /// Cancels a job directly, so that its slots are free again.
    pub fn give_up(&self, job: &str) -> Result<()> {
        let _ = http::call("PATCH", &format!("{}/jobs/{job}?mode=cancel", self.url), &[], None)?;
        until(&format!("end of {job}"), BOUND, || {
            let state = self.state(job)?;
            Ok(["CANCELED", "FINISHED", "FAILED"].contains(&state.as_str()).then_some(()))
        })
    }
}

/// Whether the job that left this savepoint had been drained. The REST API cannot tell (DOMAIN section 9).
pub fn drained(location: &str) -> Result<bool> {
    let folder = location.trim_start_matches("file:").trim_start_matches("//");
    let file = Path::new(folder).join("_metadata");
    let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|piece| piece == word);
    ensure!(holds(b"TERMINATE") || holds(b"SUSPEND") || holds(b"NONE"), "no kind in {}", file.display());
    Ok(holds(b"TERMINATE"))
}

/// Uploads a jar to this Flink, or to what stands before it.
pub fn upload(url: &str, jar: &Path) -> Result<Reply> {
    let bytes = fs::read(jar).with_context(|| jar.display().to_string())?;
    let name = jar.file_name().unwrap_or_default().to_string_lossy();
    let mut body = format!(
        "--frontier\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"{name}\"\r\n\
         Content-Type: application/x-java-archive\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(&bytes);
    body.extend_from_slice(b"\r\n--frontier--\r\n");
    let kind = [("content-type", "multipart/form-data; boundary=frontier")];
    http::call("POST", &format!("{url}/jars/upload"), &kind, Some(&body))
}

/// The file in which Flink keeps an uploaded jar.
pub fn jar_file(uploaded: &Reply) -> Result<PathBuf> {
    Ok(PathBuf::from(text(&uploaded.json()?, "/filename")?))
}

/// The id of an uploaded jar.
pub fn jar_id(uploaded: &Reply) -> Result<String> {
    let file = jar_file(uploaded)?;
    Ok(file.file_name().context("a jar without a name")?.to_string_lossy().into_owned())
}

/// The text at this place of a document.
pub fn text(document: &Value, pointer: &str) -> Result<String> {
    let found = document.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no `{pointer}` in {document}"))?.to_owned())
}

/// What Flink needs of the JVM's own packages.
const OPENED: [&str; 12] = [
    "java.lang",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "sun.nio.ch",
];
