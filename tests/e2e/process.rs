//! Programs that a test starts: each in a process group of its own, with its output in a file, and ended when its guard
//! goes, also when the test panics.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(50);

/// A program that runs until this goes.
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts it; what it writes goes to `output`.
    pub fn start(name: &str, command: &mut Command, output: &Path) -> Result<Self> {
        let file = File::create(output).with_context(|| format!("{}", output.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}; does `tests/e2e/install.sh` pass?"))?;
        Ok(Self { name: name.to_owned(), child, output: output.to_owned() })
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        fs::read(&self.output).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Waits until `found` sees in the output what it looks for.
    pub fn wait_for<T>(&mut self, what: &str, bound: Duration, found: impl Fn(&str) -> Option<T>) -> Result<T> {
        let end = Instant::now() + bound;
        loop {
            let output = self.output();
            if let Some(value) = found(&output) {
                return Ok(value);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}) before {what}:\n{}", self.name, tail(&output));
            }
            if Instant::now() > end {
                bail!("{} did not show {what} within {bound:?}:\n{}", self.name, tail(&output));
            }
            sleep(LOOK);
        }
    }

    /// Waits until something listens at `address`.
    pub fn listens(&mut self, address: SocketAddr) -> Result<()> {
        self.wait_for(&format!("a door at {address}"), Duration::from_secs(120), |_| {
            TcpStream::connect_timeout(&address, LOOK).ok().map(drop)
        })
    }

    /// Waits for its own end; true when it says that all went well.
    pub fn ended(&mut self, bound: Duration) -> Result<bool> {
        let end = Instant::now() + bound;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.success());
            }
            if Instant::now() > end {
                bail!("{} still runs after {bound:?}:\n{}", self.name, tail(&self.output()));
            }
            sleep(LOOK);
        }
    }

    /// Ends it and all its children, at once.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        let _ = self.child.wait();
    }

    fn signal(&self, signal: &str) {
        // The group has the id of its first process, which is not reused before `wait` has seen its end.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("-TERM");
            let _ = self.ended(Duration::from_secs(10));
        }
        self.kill();
    }
}

/// Runs a program to its end; its output, and whether all went well.
pub fn run(name: &str, command: &mut Command, output: &Path, bound: Duration) -> Result<(bool, String)> {
    let mut process = Process::start(name, command, output)?;
    let well = process.ended(bound)?;
    Ok((well, process.output()))
}

/// An address on loopback that nobody has. Free when asked for; programs that cannot choose for themselves take it.
pub fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Asks again until there is an answer, or `bound` has passed.
pub fn until<T>(what: &str, bound: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + bound;
    loop {
        let last = match ask() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => "not yet".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        if Instant::now() > end {
            bail!("no {what} within {bound:?}; last: {last}");
        }
        sleep(LOOK);
    }
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n")
}
