//! Where things are: the installed parts, the binary under test, and a folder for each part's own files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// The root of the repository.
pub fn root() -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    tests.parent().map(PathBuf::from).unwrap_or(tests)
}

/// Where `install.sh` puts the parts.
pub fn parts() -> PathBuf {
    root().join("target/e2e")
}

/// The binary under test.
pub fn sluicegate() -> PathBuf {
    std::env::var_os("SLUICEGATE").map_or_else(|| root().join("target/release/sluicegate"), PathBuf::from)
}

/// The compiled jobs.
pub fn classes() -> PathBuf {
    parts().join("flink/classes")
}

/// The home of Flink: its jars, programs and configuration.
pub fn flink_home() -> Result<PathBuf> {
    let file = parts().join("flink/home");
    let home = fs::read_to_string(&file).with_context(|| format!("{}: run `tests/e2e/install.sh`", file.display()))?;
    Ok(PathBuf::from(home.trim()))
}

/// An empty folder for the files of one part.
pub fn workplace(name: &str) -> Result<PathBuf> {
    let folder = parts().join("work").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}
