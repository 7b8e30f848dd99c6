//! A location, taken apart strictly: what two readers could understand differently is not looked at.

use std::fmt;
use std::path::PathBuf;

/// Bytes of the longest location.
const LONGEST: usize = 2048;

/// A location as Flink writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::facts) struct Place {
    pub(super) root: Root,
    segments: Vec<String>,
}

/// What a path begins at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// `s3`, `s3a`, `s3p`: the bucket.
    S3(String),
    /// `gs`: the bucket.
    Gcs(String),
    /// `oss`: the bucket.
    Oss(String),
    /// `abfs`, `abfss`, `wasb`, `wasbs`: the container, and the account with its domain. Both APIs reach the same data
    /// (Azure: multi-protocol access), so the domain is that of blobs.
    Azure { container: String, account: String, domain: String },
    /// `file`, or a path without a scheme.
    File,
}

impl Root {
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File)
    }
}

impl Place {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let no = |why: &str| Err(why.to_owned());
        if text.len() > LONGEST {
            return no("the location is too long");
        }
        // Flink takes `%` as it stands, other readers decode it; `?` and `#` end the path for some; `\` is `/` for some.
        if let Some(odd) = text.chars().find(|c| c.is_control() || matches!(c, '%' | '?' | '#' | '\\')) {
            return Err(format!("the location holds `{}`, which readers understand differently", odd.escape_default()));
        }
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
            _ => ("", text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) if !scheme.is_empty() => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            _ => ("", rest),
        };
        let root = match scheme {
            "s3" | "s3a" | "s3p" => Root::S3(bucket(authority)?),
            "gs" => Root::Gcs(bucket(authority)?),
            "oss" => Root::Oss(bucket(authority)?),
            "abfs" | "abfss" | "wasb" | "wasbs" => azure(authority)?,
            "" | "file" if authority.is_empty() && path.starts_with('/') => Root::File,
            "" | "file" => return no("a file is named by an absolute path, without a host"),
            _ => return no("locations of this scheme are not looked at"),
        };
        if path.contains("//") {
            return no("the location holds an empty segment");
        }
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments: Vec<_> = path.split('/').map(str::to_owned).collect();
        let segments = if path.is_empty() { Vec::new() } else { segments };
        if segments.iter().any(|segment| matches!(segment.trim(), "" | "." | "..")) {
            return no("the location holds a blank or a dot segment");
        }
        Ok(Self { root, segments })
    }

    /// Whether the other one is this, or below it: by whole segments.
    pub(super) fn admits(&self, other: &Self) -> bool {
        self.root == other.root && other.segments.starts_with(&self.segments)
    }

    /// The file of a snapshot: the location may name it, or its folder.
    pub(super) fn metadata(mut self) -> Self {
        if self.segments.last().is_none_or(|last| last != "_metadata") {
            self.segments.push("_metadata".to_owned());
        }
        self
    }

    /// All of the file system.
    pub(super) fn is_all_files(&self) -> bool {
        self.root.is_file() && self.segments.is_empty()
    }

    /// The path within a store.
    pub(super) fn key(&self) -> String {
        self.segments.join("/")
    }

    /// The path of a file.
    pub(super) fn as_path(&self) -> PathBuf {
        PathBuf::from(format!("/{}", self.key()))
    }

    /// The store it is in, as a text.
    pub(in crate::facts) fn part(&self) -> String {
        self.root.to_string()
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3(bucket) => write!(f, "s3://{bucket}"),
            Self::Gcs(bucket) => write!(f, "gs://{bucket}"),
            Self::Oss(bucket) => write!(f, "oss://{bucket}"),
            Self::Azure { container, account, domain } => write!(f, "wasbs://{container}@{account}.{domain}"),
            Self::File => write!(f, "file://"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.root, self.key())
    }
}

/// The name of a bucket or container: no user, no port, nothing that is not in such a name.
fn bucket(authority: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let dots = authority.starts_with('.') || authority.ends_with('.') || authority.contains("..");
    match !authority.is_empty() && authority.len() <= 255 && !dots && authority.chars().all(fits) {
        true => Ok(authority.to_owned()),
        false => Err("the location names no bucket, or more than a bucket".to_owned()),
    }
}

/// `container@account.dfs.core.windows.net`, also in other clouds.
fn azure(authority: &str) -> Result<Root, String> {
    let wrong = || "the location is not written as `container@account.dfs.core.windows.net`".to_owned();
    let (container, host) = authority.split_once('@').ok_or_else(wrong)?;
    let (account, domain) =
        bucket(host)?.split_once('.').map(|(a, d)| (a.to_owned(), d.to_owned())).ok_or_else(wrong)?;
    let domain = match domain.strip_prefix("dfs.") {
        Some(cloud) => format!("blob.{cloud}"),
        None => domain,
    };
    let plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '$');
    let known =
        domain.strip_prefix("blob.").is_some_and(|cloud| cloud.starts_with("core.") || cloud.starts_with("storage."));
    match plain(container) && plain(&account) && known {
        true => Ok(Root::Azure { container: container.to_owned(), account, domain }),
        false => Err(wrong()),
    }
}
