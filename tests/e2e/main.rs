//! End-to-end tests with real parts: Flink, its command line client and web page, Envoy, nginx, Chromium, and
//! `sluicegate serve` between them. `make e2e` installs what they need and runs them. Every test asserts what became of
//! the job in Flink, not only what was answered.

mod browser;
mod client;
mod flink;
mod gate;
mod gateway;
mod gateways;
mod http;
mod page;
mod place;
mod process;
mod proxy;
mod spellings;
mod tap;

use std::sync::{Arc, OnceLock};

use anyhow::{Result, anyhow, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;

use crate::flink::Flink;
use crate::gate::{Gate, SETTINGS};

/// What the tests share: one Flink, and one gate before it.
#[derive(Default)]
pub struct World {
    // The gate goes first, then what it stands before.
    gate: OnceLock<Result<Gate, String>>,
    flink: OnceLock<Result<Flink, String>>,
    drained: OnceLock<Result<String, String>>,
}

impl World {
    /// The Flink.
    pub fn flink(&self) -> Result<&Flink> {
        let flink = self.flink.get_or_init(|| Flink::start().map_err(|error| format!("{error:#}")));
        flink.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// The gate before it, with the settings as shipped.
    pub fn gate(&self) -> Result<&Gate> {
        let flink = self.flink()?;
        let start = || Gate::start("shared", SETTINGS, flink.authority(), &flink.url, &flink.savepoints);
        let gate = self.gate.get_or_init(|| start().map_err(|error| format!("{error:#}")));
        gate.as_ref().map_err(|error| anyhow!("{error}"))
    }

    /// The folder of a savepoint that a drained job has left, without a scheme.
    pub fn drained(&self) -> Result<&str> {
        let flink = self.flink()?;
        let drained = self.drained.get_or_init(|| drained_savepoint(flink).map_err(|error| format!("{error:#}")));
        drained.as_deref().map_err(|error| anyhow!("{error}"))
    }
}

fn main() {
    // One after the other: they share one Flink, and some look at every job in it.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let world = Arc::new(World::default());
    let mut trials = Vec::new();
    for list in [proxy::trials(), client::trials(), page::trials(), gateways::trials(), spellings::trials()] {
        for (name, test) in list {
            let world = Arc::clone(&world);
            trials.push(Trial::test(name, move || test(&world).map_err(|error| Failed::from(format!("{error:#}")))));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Exiting runs no destructors: what was started ends here.
    drop(world);
    conclusion.exit()
}

fn drained_savepoint(flink: &Flink) -> Result<String> {
    let job = flink.job(json!({}))?;
    let stopped = http::post(&format!("{}/jobs/{job}/stop", flink.url), &json!({"drain": true}))?;
    let savepoint = flink.operation(&job, &stopped)?;
    ensure!(flink::drained(&savepoint)?, "{savepoint} is not drained");
    Ok(savepoint.trim_start_matches("file:").replacen("//", "", 1))
}

/// A test and its name.
pub type Named = (String, Box<dyn Fn(&World) -> Result<()> + Send>);

/// Names a test.
pub fn named(name: &str, test: impl Fn(&World) -> Result<()> + Send + 'static) -> Named {
    (name.to_owned(), Box::new(test))
}
