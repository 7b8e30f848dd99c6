//! From a component to machine code: taken from the cache, or compiled and put there.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::cache::Cache;
use super::error::PolicyError;

/// Where a policy's machine code came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was compiled just now.
    Compiled,
    /// It was compiled by an earlier run and found in the [`Cache`].
    Cached,
}

/// The machine code of a component: from the cache, or compiled.
pub(super) fn of(
    engine: &Engine,
    bytes: &[u8],
    digest: &[u8; 32],
    cache: &Cache,
) -> Result<(Component, Origin), PolicyError> {
    let mut key = KeyHasher(Sha256::new_with_prefix(digest));
    // Wasmtime's version, the target with its processor features, and every setting that shapes code.
    engine.precompile_compatibility_hash().hash(&mut key);
    let key: [u8; 32] = key.0.finalize().into();
    if let Some(code) = cache.load(&key) {
        // SAFETY: these bytes were made by `Component::serialize` below. The cache gives back only what this user
        // wrote, in a folder nobody else can write to, and only with the digest it was written with; `deserialize`
        // itself refuses other versions of wasmtime and other processors.
        #[expect(unsafe_code, reason = "there is no safe way to load compiled code")]
        let component = unsafe { Component::deserialize(engine, &code) };
        if let Ok(component) = component {
            return Ok((component, Origin::Cached));
        }
    }
    let component =
        Component::from_binary(engine, bytes).map_err(|error| PolicyError::Unusable(format!("{error:#}")))?;
    if let Ok(code) = component.serialize() {
        cache.store(&key, &code);
    }
    Ok((component, Origin::Compiled))
}

/// Feeds a digest with what would otherwise go into a hash table.
struct KeyHasher(Sha256);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the digest is taken from the inside.
    fn finish(&self) -> u64 {
        0
    }
}
