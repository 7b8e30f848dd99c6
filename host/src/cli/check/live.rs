//! The live objects that manifests would change, found by kind, namespace and name.

use std::path::Path;

use anyhow::bail;
use sluicegate::input::{self, Object, ObjectName};

use crate::cli::complain;

/// What `--live` gave.
pub(super) struct Live {
    file: String,
    objects: Vec<Object>,
    used: bool,
}

impl Live {
    pub(super) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self { file: String::new(), objects: Vec::new(), used: false }) };
        let bytes = super::read(file, "the live object")?;
        let file = file.display().to_string();
        match input::objects(&bytes) {
            Ok(objects) if objects.is_empty() => bail!("the live object `{file}`: there is no object in it"),
            Ok(objects) => Ok(Self { file, objects, used: false }),
            Err(error) => bail!("the live object `{file}`: {error}"),
        }
    }

    /// The live object of this name; the error is a text for people.
    pub(super) fn of(&mut self, name: &ObjectName) -> Result<Option<&[u8]>, String> {
        if self.objects.is_empty() {
            return Ok(None);
        }
        let fit = |object: &&Object| object.name.fits(name);
        let found = match self.objects.iter().find(|object| object.name == *name) {
            Some(exact) => Some(exact),
            None if self.objects.iter().filter(fit).count() > 1 => {
                return Err(format!("`{}` has several objects that may be `{name}`; name the namespace", self.file));
            }
            None => self.objects.iter().find(fit),
        };
        self.used |= found.is_some();
        if found.is_none() {
            complain(&format!("`{}` does not hold `{name}`: it is judged as a new object", self.file));
        }
        Ok(found.map(|object| object.bytes.as_slice()))
    }

    /// Live objects that no manifest is about were given by mistake.
    pub(super) fn was_of_use(&self) -> anyhow::Result<()> {
        if self.objects.is_empty() || self.used {
            return Ok(());
        }
        let names: Vec<_> = self.objects.iter().take(5).map(|object| format!("`{}`", object.name)).collect();
        bail!(
            "the live object `{}`: no manifest is about {}; check kind, namespace and name",
            self.file,
            names.join(", ")
        )
    }
}
