//! Notices that files have changed. It looks once in a while: that works wherever files come from, and sees the swap of
//! the `..data` link by which Kubernetes updates mounted Secrets and ConfigMaps.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

/// How often files are looked at.
pub const INTERVAL: Duration = Duration::from_secs(1);

/// Some files that belong together.
#[derive(Debug, Default)]
pub struct Watch {
    files: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
}

/// What tells one state of a file from another: links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl From<Metadata> for Stamp {
    fn from(metadata: Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl Watch {
    /// Watches these files from now on.
    pub fn new(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let files: Vec<_> = files.into_iter().collect();
        let seen = stamps(&files);
        Self { files, seen }
    }

    /// Whether any of them has changed since the last call.
    pub fn changed(&mut self) -> bool {
        let now = stamps(&self.files);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    files.iter().map(|file| std::fs::metadata(file).ok().map(Stamp::from)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::Watch;

    #[test]
    fn a_swapped_link_is_a_change() {
        let folder = std::env::temp_dir().join(format!("sluicegate-watch-{}", std::process::id()));
        fs::create_dir_all(folder.join("1")).unwrap();
        fs::create_dir_all(folder.join("2")).unwrap();
        fs::write(folder.join("1/tls.crt"), "a").unwrap();
        fs::write(folder.join("2/tls.crt"), "b").unwrap();
        symlink("1", folder.join("..data")).unwrap();
        symlink("..data/tls.crt", folder.join("tls.crt")).unwrap();

        let mut watch = Watch::new([folder.join("tls.crt")]);
        assert!(!watch.changed());
        symlink("2", folder.join("..new")).unwrap();
        fs::rename(folder.join("..new"), folder.join("..data")).unwrap();
        assert!(watch.changed());
        assert!(!watch.changed());
        fs::remove_file(folder.join("2/tls.crt")).unwrap();
        assert!(watch.changed());
        fs::remove_dir_all(&folder).unwrap();
    }
}
