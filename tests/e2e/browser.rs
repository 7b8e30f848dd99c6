//! Chromium without a screen, driven over the W3C WebDriver protocol. Five calls of that protocol are all these tests
//! need, so they are spoken here directly; the client libraries for it are asynchronous and bring a runtime along.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http;
use crate::place::workplace;
use crate::process::{Process, free, until};

/// Longer than the page takes to show anything.
const BOUND: Duration = Duration::from_secs(120);

/// A browser that runs until this goes.
pub struct Browser {
    session: String,
    _driver: Process,
}

impl Browser {
    /// Opens one.
    pub fn open() -> Result<Self> {
        let work = workplace("chromium")?;
        let address = free()?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={}", address.port()));
        let mut driver = Process::start("chromedriver", &mut command, &work.join("output"))?;
        driver.listens(address)?;
        // Root, as containers of CI are, gets no sandbox from Chromium; the page is our own Flink's.
        let profile = format!("--user-data-dir={}", work.join("profile").display());
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,900", &profile];
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let answer = http::post(&format!("http://{address}/session"), &wanted)?.well()?.json()?;
        let id = answer.pointer("/value/sessionId").and_then(Value::as_str).context("no session")?;
        Ok(Self { session: format!("http://{address}/session/{id}"), _driver: driver })
    }

    /// Goes to a page.
    pub fn go(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({ "url": url })).map(drop)
    }

    /// What can be read on the page.
    pub fn text(&self) -> Result<String> {
        let script = json!({"script": "return document.body.innerText", "args": []});
        Ok(self.post("/execute/sync", &script)?.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page shows this.
    pub fn shows(&self, text: &str) -> Result<()> {
        until(&format!("`{text}` on the page"), BOUND, || {
            let page = self.text()?;
            if page.contains(text) { Ok(Some(())) } else { bail!("the page shows: {page}") }
        })
    }

    /// Clicks on what this XPath names, as soon as it is there.
    pub fn click(&self, path: &str) -> Result<()> {
        until(&format!("click on {path}"), BOUND, || {
            let found = self.post("/element", &json!({"using": "xpath", "value": path}))?;
            let element = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
            self.post(&format!("/element/{}/click", element.context("no element")?), &json!({}))?;
            Ok(Some(()))
        })
    }

    /// Keeps what people would see.
    pub fn picture(&self, file: &Path) -> Result<()> {
        let answer = http::get(&format!("{}/screenshot", self.session))?.well()?.json()?;
        let picture = answer.get("value").and_then(Value::as_str).context("no picture")?;
        Ok(fs::write(file, STANDARD.decode(picture)?)?)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = http::post(&format!("{}{path}", self.session), body)?.well()?.json()?;
        answer.get("value").cloned().context("no value")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with its session; its process group takes care of the rest.
        let _ = http::call("DELETE", &self.session, &[], None);
    }
}
