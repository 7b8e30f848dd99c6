//! Flink's web page through the proxy door, in a browser: it works, a harmless cancel passes, a refused one says why.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::browser::Browser;
use crate::flink::{BOUND, text};
use crate::http;
use crate::place::parts;
use crate::process::until;
use crate::{Named, World, named};

/// The link that cancels.
const CANCEL: &str = "//a[normalize-space(.)='Cancel Job']";
/// What takes a message off the page again.
const CLOSE: &str = "//*[contains(@class,'ant-notification-notice-close')]";
/// The answer to the question that it asks.
const YES: &str = "//div[contains(@class,'ant-popover')]//button[contains(@class,'ant-btn-primary')]";

/// The tests of this file.
pub fn trials() -> Vec<Named> {
    vec![named("page: jobs are listed, a refused cancel shows the reason, a failing job can be cancelled", page)]
}

fn page(world: &World) -> Result<()> {
    let (flink, door) = (world.flink()?, world.gate()?.url());
    let lost =
        flink.job(json!({"execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION"}))?;
    let failing = failing(world)?;
    let browser = Browser::open()?;

    browser.go(&format!("{door}/#/job/running"))?;
    browser.shows("orders-enrichment")?;
    browser.shows("file-sink")?;

    browser.go(&format!("{door}/#/job/running/{lost}/overview"))?;
    browser.shows(&lost)?;
    browser.click(CANCEL)?;
    browser.click(YES)?;
    let shown =
        browser.shows("cancel-deletes-checkpoints").and_then(|()| browser.shows("to do: POST `/jobs/:jobid/stop`"));
    browser.picture(&parts().join("refused-cancel.png"))?;
    shown?;
    ensure!(flink.state(&lost)? == "RUNNING", "cancelled although refused");
    browser.click(CLOSE)?;

    browser.go(&format!("{door}/#/job/running/{failing}/overview"))?;
    browser.shows(&failing)?;
    browser.click(CANCEL)?;
    browser.click(YES)?;
    flink.wait(&failing, "CANCELED")?;
    flink.give_up(&lost)
}

/// A job that fails as soon as it writes, and waits long before it tries again.
fn failing(world: &World) -> Result<String> {
    let flink = world.flink()?;
    let jar = crate::flink::jar_id(
        &crate::flink::upload(&flink.url, &crate::place::classes().join("FileSinkJob.jar"))?.well()?,
    )?;
    let request = json!({
        "entryClass": "FileSinkJob", "parallelism": 1, "programArgsList": ["file:///proc/nowhere"],
        "flinkConfiguration": {
            "restart-strategy.type": "fixed-delay",
            "restart-strategy.fixed-delay.attempts": "1000",
            "restart-strategy.fixed-delay.delay": "10 min",
            "execution.checkpointing.externalized-checkpoint-retention": "DELETE_ON_CANCELLATION",
        },
    });
    let answer = http::post(&format!("{}/jars/{jar}/run", flink.url), &request)?.well()?.json()?;
    let job = text(&answer, "/jobid")?;
    until("failure of the job", BOUND, || Ok((flink.state(&job)? == "RESTARTING").then_some(())))?;
    Ok(job)
}
