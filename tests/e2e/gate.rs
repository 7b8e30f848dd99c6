//! `sluicegate serve` as people run it: the binary, with its doors on free ports of loopback.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::http;
use crate::place::{sluicegate, workplace};
use crate::process::{Process, free, until};

/// Whose word counts, as a gateway that authenticates its callers passes it on.
pub const TRUSTED: (&str, &str) = ("x-sluicegate-principal", "ops");

/// What the gate is told: a restart is assumed, as shipped, and `ops` may declare something else.
pub const SETTINGS: &str =
    "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {assume: restart, acceptFrom: [ops]}\n";

/// A gate that runs until this goes.
pub struct Gate {
    /// Check API and authorizer.
    pub main: SocketAddr,
    /// The proxy in front of Flink.
    pub door: SocketAddr,
    /// Metrics.
    pub metrics: SocketAddr,
    /// The decision log.
    log: PathBuf,
    process: Process,
}

impl Gate {
    /// Starts one before `upstream`, which asks the Flink at `witness` for facts and reads savepoints below `savepoints`.
    pub fn start(name: &str, settings: &str, upstream: &str, witness: &str, savepoints: &Path) -> Result<Self> {
        let work = workplace(&format!("gate-{name}"))?;
        let file = work.join("settings.yaml");
        fs::write(&file, settings)?;
        let (main, door, metrics, log) = (free()?, free()?, free()?, work.join("decisions.ndjson"));
        let mut command = Command::new(sluicegate());
        command
            .arg("serve")
            .args(["--listen", &main.to_string(), "--insecure-http"])
            .args(["--proxy", &format!("flink-rest=http://{upstream}@{door}")])
            .args(["--metrics-listen", &metrics.to_string()])
            .args(["--control-plane", &format!("flink-rest={witness}")])
            .args(["--savepoint-prefix", &format!("file://{}/", savepoints.display())])
            .args(["--trusted-proxy", "127.0.0.1", "--principal-header", TRUSTED.0])
            .arg("--settings")
            .arg(&file)
            .arg("--decision-log")
            .arg(&log);
        let mut process = Process::start("sluicegate serve", &mut command, &work.join("output"))?;
        for address in [main, door, metrics] {
            process.listens(address)?;
        }
        until("ready gate", Duration::from_secs(120), || {
            let ready = http::get(&format!("http://{main}/readyz"))?;
            Ok((ready.status == 200).then_some(()))
        })
        .with_context(|| process.output())?;
        Ok(Self { main, door, metrics, log, process })
    }

    /// The proxy as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.door)
    }

    /// Every decision that was logged so far.
    pub fn decisions(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.log).with_context(|| self.log.display().to_string())?;
        // The last line may still be on its way.
        let whole = text.get(..text.rfind('\n').map_or(0, |end| end + 1)).unwrap_or_default();
        whole.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    }

    /// Ends it without a farewell.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}
