//! A file of lines that is rotated by size, survives a full disk, and is opened anew when somebody moved it away.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use super::Options;

/// How much is gathered before it is written.
const BUFFER: usize = 64 << 10;
/// Requests are nobody else's business.
const MODE: u32 = 0o600;

/// What could not be written.
#[derive(Debug)]
pub(super) struct Lost {
    /// How many lines are missing now.
    pub(super) lines: u64,
    /// Why.
    pub(super) error: io::Error,
}

#[derive(Debug)]
pub(super) struct Rotated {
    options: Options,
    file: Option<Open>,
    buffer: Vec<u8>,
    lines: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// What tells it from another of the same name.
    identity: (u64, u64),
    /// Bytes of whole lines.
    size: u64,
    /// What is no plain file (a pipe, a terminal, a link to whatever) is neither rotated nor cut: it is not ours alone.
    plain: bool,
    /// The last line has no end: a write was cut short.
    torn: bool,
}

impl Rotated {
    pub(super) fn open(options: Options) -> io::Result<Self> {
        let file = Some(Open::at(&options.path)?);
        Ok(Self { options, file, buffer: Vec::new(), lines: 0 })
    }

    /// Adds a line, which has no line break yet.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), Lost> {
        let length = line.len() as u64 + 1;
        let most = self.options.bytes;
        let full = |file: &Open, more: u64| file.plain && file.size + more > 0 && file.size + more + length > most;
        let waiting = self.buffer.len() as u64;
        let mut outcome = Ok(());
        if self.file.as_ref().is_some_and(|file| full(file, waiting)) {
            outcome = self.flush();
            let room = self.file.as_ref().is_none_or(|file| !full(file, 0));
            if !room && let Err(error) = self.rotate() {
                // The old file simply grows.
                outcome = outcome.and(Err(Lost { lines: 0, error }));
            }
        }
        self.buffer.extend_from_slice(line);
        self.buffer.push(b'\n');
        self.lines += 1;
        if self.buffer.len() >= BUFFER {
            let flushed = self.flush();
            outcome = match (outcome, flushed) {
                (Err(first), Err(second)) => Err(Lost { lines: first.lines + second.lines, ..second }),
                (first, second) => first.and(second),
            };
        }
        outcome
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Lost> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.write();
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER);
        let lines = std::mem::take(&mut self.lines);
        written.map_err(|error| Lost { lines, error })
    }

    fn write(&mut self) -> io::Result<()> {
        let same =
            |file: &Open| std::fs::metadata(&self.options.path).is_ok_and(|there| identity(&there) == file.identity);
        if !self.file.as_ref().is_some_and(same) {
            self.file = None;
            self.file = Some(Open::at(&self.options.path)?);
        }
        match &mut self.file {
            Some(file) => file.write(&self.buffer),
            None => Ok(()),
        }
    }

    /// `FILE` becomes `FILE.1`, which becomes `FILE.2`, and so on.
    fn rotate(&mut self) -> io::Result<()> {
        let Options { path, keep, .. } = &self.options;
        let numbered = |number: usize| {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..*keep).rev() {
            match std::fs::rename(numbered(number), numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let moved = match keep {
            0 => std::fs::remove_file(path),
            _ => std::fs::rename(path, numbered(1)),
        };
        match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.file = None;
        self.file = Some(Open::at(path)?);
        Ok(())
    }
}

impl Open {
    fn at(path: &PathBuf) -> io::Result<Self> {
        // Reading is for the last byte; a pipe cannot be opened for both.
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(MODE);
        let mut file = options.open(path)?;
        let metadata = file.metadata()?;
        let plain = std::fs::symlink_metadata(path)?.is_file();
        let mut torn = false;
        if plain {
            if metadata.permissions().mode() & 0o777 != MODE {
                file.set_permissions(Permissions::from_mode(MODE))?;
            }
            file = options.read(true).open(path)?;
            if metadata.len() > 0 {
                let mut last = [0];
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
                torn = last != *b"\n";
            }
        }
        Ok(Self { file, identity: identity(&metadata), size: metadata.len(), plain, torn })
    }

    /// Writes whole lines, or none of them where that is possible.
    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.size += 1;
            self.torn = false;
        }
        let written = self.file.write_all(lines);
        match written {
            Ok(()) => self.size += lines.len() as u64,
            // Half a line must not spoil the next one.
            Err(_) if self.plain => self.torn = self.file.set_len(self.size).is_err(),
            Err(_) => self.torn = true,
        }
        written
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
