//! The files that the command line names: read one at a time, folders walked.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sluicegate::input::MAX_FILE;

/// What a file in a folder is called when it may hold requests.
const EXTENSIONS: [&str; 7] = ["yaml", "yml", "json", "jsonl", "ndjson", "http", "rest"];

/// A file, read or not.
pub(super) struct File {
    /// As it was named; `-` is standard input.
    pub(super) name: String,
    /// What it holds, or why it cannot be read.
    pub(super) bytes: Result<Vec<u8>, String>,
}

impl File {
    pub(super) fn open(path: &Path) -> Self {
        let bytes = match path.as_os_str() == "-" {
            true => slurp(std::io::stdin().lock()),
            false => fs::File::open(path).map_err(reason).and_then(slurp),
        };
        Self { name: path.display().to_string(), bytes }
    }
}

/// The files that `path` stands for, and whether it is a folder.
pub(super) fn expand(path: &Path) -> (Box<dyn Iterator<Item = File>>, bool) {
    if !path.is_dir() {
        return (Box::new(std::iter::once(File::open(path))), false);
    }
    let mut found = Vec::new();
    walk(path, &mut found);
    let open = |entry: Result<PathBuf, File>| entry.map_or_else(|unread| unread, |path| File::open(&path));
    (Box::new(found.into_iter().map(open)), true)
}

fn walk(folder: &Path, found: &mut Vec<Result<PathBuf, File>>) {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            return found.push(Err(File { name: folder.display().to_string(), bytes: Err(reason(error)) }));
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries.iter().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')) {
        let path = entry.path();
        // Links to folders are not followed, since they may lead back; broken links are told when they are opened.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
            && path.metadata().map_or(true, |about| about.is_file())
        {
            found.push(Ok(path));
        }
    }
}

/// One byte more than is taken, so that the reader can tell what is too large.
fn slurp(source: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    source.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(reason)?;
    Ok(bytes)
}

fn reason(error: std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "cannot read it: permission denied".to_owned(),
        _ => format!("cannot read it: {error}"),
    }
}
