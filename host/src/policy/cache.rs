//! Compiled code on disk, one folder per user. Native code is trusted with the whole process, so an entry counts only
//! in a folder that nobody else can write to, in a file of the same owner, with the digest it was written with.
//! Trouble is never an error: the policy is compiled again.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The first bytes of an entry; the number changes with its layout.
const MAGIC: &[u8; 20] = b"sluicegate code v1\n\0";
const DIGEST: usize = 32;
const LARGEST: u64 = 256 << 20;
/// Entries that stay when a new one is written: other versions of this program may be in use beside it.
const KEPT: usize = 8;

/// Where compiled code is kept between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache(Option<PathBuf>);

impl Cache {
    /// The user's own folder: `$XDG_CACHE_HOME/sluicegate`, or `~/.cache/sluicegate`. Without a home: none.
    pub fn user() -> Self {
        let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self(base.map(|base| base.join("sluicegate")))
    }

    /// This folder. It is made when it does not exist, and not used unless only its owner, who runs this process, can
    /// write to it.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Some(path.into()))
    }

    /// Nowhere: every start compiles.
    pub fn none() -> Self {
        Self(None)
    }

    /// The code stored under `key`, if it can be trusted.
    pub(super) fn load(&self, key: &[u8; DIGEST]) -> Option<Vec<u8>> {
        let folder = self.0.as_deref()?;
        let file = fs::File::open(folder.join(name(key))).ok()?;
        if !owner::is_private(folder, &file) {
            return None;
        }
        let size = file.metadata().ok()?.len();
        if size > LARGEST {
            return None;
        }
        let mut entry = Vec::with_capacity(size as usize);
        (&file).take(LARGEST).read_to_end(&mut entry).ok()?;
        let rest = entry.strip_prefix(MAGIC)?.strip_prefix(key)?;
        let (digest, code) = rest.split_at_checked(DIGEST)?;
        if Sha256::digest(code).as_slice() != digest {
            return None;
        }
        entry.drain(..MAGIC.len() + 2 * DIGEST);
        Some(entry)
    }

    /// Stores `code`. Whoever reads at the same time sees the old entry or the new one, never a part.
    pub(super) fn store(&self, key: &[u8; DIGEST], code: &[u8]) {
        // Nobody waits for the outcome: without an entry the next start compiles again.
        let _ = self.try_store(key, code);
    }

    fn try_store(&self, key: &[u8; DIGEST], code: &[u8]) -> std::io::Result<()> {
        let Some(folder) = self.0.as_deref() else { return Ok(()) };
        owner::make_folder(folder)?;
        let temporary = folder.join(format!("{}.{}", name(key), unique()));
        let written = owner::new_file(&temporary).and_then(|mut file| {
            if !owner::is_private(folder, &file) {
                return Err(std::io::ErrorKind::PermissionDenied.into());
            }
            for part in [MAGIC.as_slice(), key, Sha256::digest(code).as_slice(), code] {
                file.write_all(part)?;
            }
            fs::rename(&temporary, folder.join(name(key)))
        });
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        prune(folder);
        written
    }
}

fn name(key: &[u8; DIGEST]) -> String {
    format!("{}.code", super::hex(key))
}

/// Tells apart writers of the same entry: processes, and threads in one.
fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed))
}

/// Leaves the newest entries, and nothing that a writer left behind.
fn prune(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains(".code"))
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .collect();
    files.sort();
    for (_, path) in files.iter().rev().skip(KEPT) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(unix)]
mod owner {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
    use std::path::Path;

    /// Whether this process's user owns the folder and the file, and nobody else may write to either.
    pub(super) fn is_private(folder: &Path, file: &File) -> bool {
        let (Some(user), Ok(folder), Ok(file)) = (user(), folder.symlink_metadata(), file.metadata()) else {
            return false;
        };
        folder.is_dir()
            && folder.uid() == user
            && folder.mode() & 0o077 == 0
            && file.is_file()
            && file.uid() == user
            && file.mode() & 0o022 == 0
    }

    pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
        if let Some(parent) = folder.parent() {
            std::fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    pub(super) fn new_file(path: &Path) -> std::io::Result<File> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    /// The user this process acts as: who owns its entry in `/proc`, or, where there is none, a file that it makes.
    fn user() -> Option<u32> {
        if let Ok(process) = std::fs::metadata("/proc/self") {
            return Some(process.uid());
        }
        let probe = std::env::temp_dir().join(format!("sluicegate-{}", super::unique()));
        let uid = new_file(&probe).and_then(|file| file.metadata()).map(|metadata| metadata.uid());
        let _ = std::fs::remove_file(&probe);
        uid.ok()
    }
}

/// Elsewhere owners cannot be told, so nothing is trusted.
#[cfg(not(unix))]
mod owner {
    use std::fs::File;
    use std::path::Path;

    pub(super) fn is_private(_folder: &Path, _file: &File) -> bool {
        false
    }

    pub(super) fn make_folder(_folder: &Path) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    pub(super) fn new_file(_path: &Path) -> std::io::Result<File> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
