//! The whole program: start, load the compiled policy, judge, report, end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 20;

/// A built program with a cache of its own.
pub struct Program {
    binary: PathBuf,
    scratch: &'static Path,
}

impl Program {
    /// Builds it, so that the newest is measured.
    pub fn build() -> Self {
        let status = Command::new(env!("CARGO")).args(["build", "--release", "--quiet", "-p", "sluicegate"]).status();
        assert!(status.unwrap().success(), "the program does not build");
        let here = std::env::current_exe().unwrap();
        let binary = here.parent().unwrap().parent().unwrap().join("sluicegate");
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let _ = std::fs::remove_dir_all(scratch.join("bench-cache"));
        Self { binary, scratch }
    }

    /// How long the first run takes, which compiles the policy, and the median of the later ones.
    pub fn check(&self, name: &str, content: &str) -> (Duration, Duration) {
        let file = self.scratch.join(name);
        std::fs::write(&file, content).unwrap();
        let first = self.run(&file);
        let mut later: Vec<_> = (0..RUNS).map(|_| self.run(&file)).collect();
        (first, super::median(&mut later))
    }

    fn run(&self, file: &Path) -> Duration {
        let mut command = Command::new(&self.binary);
        command.arg("check").arg(file).env("XDG_CACHE_HOME", self.scratch.join("bench-cache"));
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        let time = start.elapsed();
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
        time
    }
}
