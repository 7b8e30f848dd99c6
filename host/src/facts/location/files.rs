//! Files below a configured folder. Links are followed, but not out of the folder.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::facts::Answered;
use crate::facts::live::Read;

/// Reads a file that lies below one of these folders, links resolved.
pub(super) fn read(file: &Path, folders: &[PathBuf], most: usize) -> Read {
    // A folder that is not there (a volume that is not mounted) says nothing about what would be in it.
    let Some(folders) = folders.iter().map(|folder| folder.canonicalize().ok()).collect::<Option<Vec<_>>>() else {
        return Read::unavailable("the folder that `--savepoint-prefix` names cannot be read");
    };
    let inside = |real: &Path| folders.iter().any(|folder| real.starts_with(folder));
    let real = match file.canonicalize() {
        Ok(real) => real,
        Err(error) => return missing(file, inside, error.kind()),
    };
    if !inside(&real) {
        return outside();
    }
    match content(file, &real, most) {
        Ok(read) => read,
        Err(error) => Read::unavailable(format!("the file cannot be read: {}", error.kind())),
    }
}

/// What it means that there is no such path. It is absent only if the nearest folder that exists lies inside: a link that
/// leads nowhere tells nothing, and of what lies outside nothing is told.
fn missing(file: &Path, inside: impl Fn(&Path) -> bool, kind: ErrorKind) -> Read {
    if file.symlink_metadata().is_ok() {
        return Read::unavailable("the file is a link that leads nowhere");
    }
    for folder in file.ancestors().skip(1) {
        match folder.canonicalize() {
            Ok(real) if !inside(&real) => return outside(),
            Ok(_) if kind == ErrorKind::NotFound => return Read::done(Answered::Absent),
            Ok(_) => return Read::unavailable(format!("the file cannot be read: {kind}")),
            Err(_) if folder.symlink_metadata().is_ok() => break,
            Err(_) => {}
        }
    }
    Read::unavailable("the folder of the file cannot be read")
}

fn outside() -> Read {
    Read::unavailable("not looked up: a link leads out of the folder that `--savepoint-prefix` names")
}

fn content(file: &Path, real: &Path, most: usize) -> std::io::Result<Read> {
    // A pipe would wait for a writer.
    if !real.symlink_metadata()?.is_file() {
        return Ok(Read::unavailable("it is no file"));
    }
    let opened = File::open(real)?;
    // Were a part of the path replaced in between, another file would have been opened.
    if file.canonicalize()? != *real || !same(&opened.metadata()?, &real.symlink_metadata()?) {
        return Ok(Read::unavailable("the file was replaced while it was read"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    opened.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(match bytes.len() > most {
        true => Read::unavailable(format!("the file has more than {most} bytes")),
        false => Read::done(Answered::Found(bytes)),
    })
}

#[cfg(unix)]
fn same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.is_file() && other.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    one.is_file() && other.is_file() && one.len() == other.len()
}
