//! The `_metadata` file of a snapshot (DOMAIN section 9): its format version, the checkpoint's id, and whether a drain
//! wrote it.

use super::Wrong;

const MAGIC: &[u8] = &[0x49, 0x60, 0x67, 0x2d];
/// Java's serialized form names classes and constants in full. The properties stand at the very end of the file.
const PROPERTIES: &[u8] = b"org.apache.flink.runtime.checkpoint.CheckpointProperties";
const CHECKPOINT: &[u8] = b"org.apache.flink.runtime.checkpoint.CheckpointType";
const ACTION: &[u8] = b"org.apache.flink.runtime.checkpoint.SavepointType$PostCheckpointAction";
/// What stands between the name of an enum's class and its constant: serial version, flags, superclass.
const BETWEEN: usize = 64;

/// What a `_metadata` file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The version of its format.
    pub version: u32,
    /// The number of the checkpoint or savepoint within its job.
    pub checkpoint: i64,
    /// A drain wrote it; `None`: its format does not say, or not in a way that is known here.
    pub drained: Option<bool>,
}

impl Metadata {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Wrong> {
        let short = || Wrong::Unreadable("it is too short for a `_metadata` file".to_owned());
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or_else(short)?;
        if magic != MAGIC {
            return Err(Wrong::Unreadable("it does not start like a `_metadata` file of Flink".to_owned()));
        }
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (checkpoint, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let (version, checkpoint) = (u32::from_be_bytes(*version), i64::from_be_bytes(*checkpoint));
        Ok(Self { version, checkpoint, drained: after_last(rest, PROPERTIES).and_then(drained) })
    }
}

/// Reads the serialized properties.
fn drained(properties: &[u8]) -> Option<bool> {
    // The same name also stands in the signature of a field, as `L…;`.
    let constant = |tail: &[u8]| {
        let tail = tail.get(..BETWEEN).unwrap_or(tail);
        [("TERMINATE", true), ("SUSPEND", false), ("NONE", false)]
            .into_iter()
            .find(|(name, _)| after_last(tail, &text(name)).is_some())
            .map(|(_, drained)| drained)
    };
    match after_last(properties, ACTION) {
        Some(tail) => constant(tail),
        // A checkpoint is never taken by a drain.
        None => after_last(properties, CHECKPOINT).map(|_| false),
    }
}

/// A Java string as it is serialized: tag, length, characters.
fn text(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or_default();
    [&[b't', 0, length], name.as_bytes()].concat()
}

/// What follows the last occurrence.
fn after_last<'b>(bytes: &'b [u8], wanted: &[u8]) -> Option<&'b [u8]> {
    let at = bytes.windows(wanted.len()).rposition(|window| window == wanted)?;
    bytes.get(at + wanted.len()..)
}

#[cfg(test)]
mod tests {
    use super::Metadata;

    fn read(name: &str) -> (u32, i64, Option<bool>) {
        let path = format!("{}/../tests/recorded/savepoint-metadata/{name}._metadata", env!("CARGO_MANIFEST_DIR"));
        let metadata = Metadata::read(&std::fs::read(path).unwrap()).unwrap();
        (metadata.version, metadata.checkpoint, metadata.drained)
    }

    #[test]
    fn recorded_files_tell_a_drain() {
        assert_eq!(read("v1.20-drain-canonical"), (4, 12, Some(true)));
        assert_eq!(read("v1.20-plain-canonical"), (4, 6, Some(false)));
        assert_eq!(read("v2.3-drain-canonical"), (6, 12, Some(true)));
        assert_eq!(read("v2.3-drain-native"), (6, 21, Some(true)));
        assert_eq!(read("v2.3-stop-canonical"), (6, 10, Some(false)));
        assert_eq!(read("v2.3-plain-canonical"), (6, 6, Some(false)));
        assert_eq!(read("v2.3-cancel-with-savepoint-canonical"), (6, 12, Some(false)));
        assert_eq!(read("v2.3-retained-checkpoint"), (6, 1, Some(false)));
    }

    #[test]
    fn what_is_cut_or_foreign_is_no_answer() {
        for bytes in [&b""[..], b"I`g", b"I`g-\0\0\0\x06\0\0", b"PK\x03\x04 not a savepoint at all"] {
            assert!(Metadata::read(bytes).is_err(), "{bytes:?}");
        }
        let unknown = Metadata::read(b"I`g-\0\0\0\x09\0\0\0\0\0\0\0\x07 something new").unwrap();
        assert_eq!(unknown, Metadata { version: 9, checkpoint: 7, drained: None });
    }
}
