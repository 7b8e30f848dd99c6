//! Savepoint locations: whether a snapshot's `_metadata` is there, and what it holds. Only below configured prefixes, with
//! the gate's own credentials.

mod files;
mod place;
mod store;
#[cfg(test)]
mod tests;

pub(super) use place::Place;
use place::Root;
use store::Store;

use super::live::{LiveError, Read};

/// Where savepoints may be looked at.
#[derive(Clone, Debug)]
pub struct LocationOptions {
    /// What may be looked at: each prefix and everything below it, compared by whole segments. `s3://`, `s3a://` and
    /// `s3p://` are the same store; `gs://`, `oss://`, `abfs(s)://`, `wasb(s)://` with the container as Flink writes it;
    /// `file:///` with a folder.
    pub prefixes: Vec<String>,
    /// Bytes of the largest `_metadata`. 4 MiB.
    pub most: usize,
    /// How a bucket of S3 is asked, where the environment does not say.
    pub s3: S3Options,
}

impl LocationOptions {
    /// The shipped limits.
    pub fn new(prefixes: Vec<String>) -> Self {
        Self { prefixes, most: 4 << 20, s3: S3Options::default() }
    }
}

/// How S3 is asked. Whatever is not given here comes from the environment (see [`Store`]).
#[derive(Clone, Default)]
pub struct S3Options {
    /// Scheme, host and port of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// The region that signatures name.
    pub region: Option<String>,
    /// Access key and secret.
    pub access_key: Option<(String, String)>,
}

impl std::fmt::Debug for S3Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Options").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Every store that may be looked at.
#[derive(Debug)]
pub(super) struct Locations {
    prefixes: Vec<Place>,
    stores: Vec<(Root, Store)>,
    most: usize,
}

impl Locations {
    pub(super) fn new(options: LocationOptions) -> Result<Self, LiveError> {
        let mut made = Self { prefixes: Vec::new(), stores: Vec::new(), most: options.most };
        for text in options.prefixes {
            let wrong = |why| LiveError::Prefix { prefix: text.clone(), why };
            let prefix = Place::parse(&text).map_err(wrong)?;
            if prefix.is_all_files() {
                return Err(wrong("name a folder; the whole file system is too much".to_owned()));
            }
            if !prefix.root.is_file() && !made.stores.iter().any(|(root, _)| *root == prefix.root) {
                let store = Store::new(&prefix.root, &options.s3, options.most).map_err(wrong)?;
                made.stores.push((prefix.root.clone(), store));
            }
            made.prefixes.push(prefix);
        }
        Ok(made)
    }

    /// The `_metadata` of this location, where it may be looked at.
    pub(super) fn place(&self, at: &str) -> Result<Place, String> {
        let place = Place::parse(at).map_err(|why| format!("not looked up: {why}"))?;
        match self.prefixes.iter().any(|prefix| prefix.admits(&place)) {
            true => Ok(place.metadata()),
            false => Err("not looked up: it lies below no prefix that `--savepoint-prefix` allows".to_owned()),
        }
    }

    pub(super) async fn read(&self, place: &Place) -> Read {
        if place.root.is_file() {
            let folders: Vec<_> =
                self.prefixes.iter().filter(|prefix| prefix.admits(place)).map(Place::as_path).collect();
            let (file, most) = (place.as_path(), self.most);
            let read = tokio::task::spawn_blocking(move || files::read(&file, &folders, most)).await;
            return read.unwrap_or_else(|_| Read::unavailable("the read broke down"));
        }
        match self.stores.iter().find(|(root, _)| *root == place.root) {
            Some((_, store)) => store.read(&place.key()).await,
            None => Read::unavailable("this store is not set up"),
        }
    }
}
