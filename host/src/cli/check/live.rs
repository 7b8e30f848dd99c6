//! The live objects that manifests would change, found by kind, namespace and name.

use std::path::Path;

use sluicegate::input::{self, Object, ObjectName, Position};

use super::trouble::Trouble;
use crate::cli::complain;

/// What `--live` gave.
pub(super) struct Live {
    file: String,
    /// None: there is no word on what is live.
    objects: Option<Vec<Object>>,
}

impl Live {
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self { file: String::new(), objects: None }) };
        let bytes = super::read(file)?;
        let objects = input::objects(&bytes).map_err(|error| {
            let position = error.offset.map(|offset| Position::of(&bytes, offset));
            Trouble::new(file.display(), position, error.message)
        })?;
        Ok(Self { file: file.display().to_string(), objects: Some(objects) })
    }

    /// The live object of this name; the error is a text for people.
    pub(super) fn of(&self, name: &ObjectName) -> Result<Option<&[u8]>, String> {
        let Some(objects) = &self.objects else { return Ok(None) };
        let mut fit: Vec<_> = objects.iter().filter(|object| object.name.fits(name)).collect();
        if fit.iter().any(|object| object.name == *name) {
            fit.retain(|object| object.name == *name);
        }
        match fit.as_slice() {
            [] => {
                complain(&format!("`{}` does not hold `{name}`: it is judged as a new object", self.file));
                Ok(None)
            }
            [object] => Ok(Some(&object.bytes)),
            [first, second, ..] if first.name == second.name => {
                Err(format!("`{}` holds `{}` twice; leave the one that is live", self.file, first.name))
            }
            _ => Err(format!("`{}` has several objects that may be `{name}`; name the namespace", self.file)),
        }
    }
}
