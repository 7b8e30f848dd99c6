//! What the tests share: where the corpus is, the policy run natively, and golden files.

mod golden;
mod native;

use std::path::{Path, PathBuf};

pub use golden::{compare, compare_at};
pub use native::{Ending, component, native};

/// The folder of the tests.
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The root of the repository.
pub fn root() -> PathBuf {
    home().join("..")
}
