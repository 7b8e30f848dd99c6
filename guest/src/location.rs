//! A savepoint's location or directory, parsed as Flink's `Path` reads it: what is wrong with it, which file system it
//! needs, and whether two spellings mean the same place (DOMAIN section 8).

pub mod named;

/// A location that Flink could read: absolute, with or without a scheme.
#[derive(Clone, Debug)]
pub struct SavepointLocation<'t> {
    scheme: Option<&'t str>,
    authority: &'t str,
    path: &'t str,
}

/// Why a text is no location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    Blank,
    /// Control or invisible characters.
    Control,
    Whitespace,
    Relative,
    /// A scheme that is none, or nothing behind it.
    Unparseable,
}

impl Problem {
    /// What is wrong, to follow `the location …`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Blank => "is blank",
            Self::Control => "contains control or invisible characters",
            Self::Whitespace => "contains whitespace",
            Self::Relative => "is relative",
            Self::Unparseable => "cannot be read as a URI",
        }
    }
}

impl<'t> SavepointLocation<'t> {
    /// Reads a location.
    ///
    /// # Errors
    /// When Flink could not find anything there.
    pub fn parse(text: &'t str) -> Result<Self, Problem> {
        if text.trim().is_empty() {
            return Err(Problem::Blank);
        }
        if text.chars().any(is_invisible) {
            return Err(Problem::Control);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(Problem::Whitespace);
        }
        // As in Flink's `Path`: a colon before the first slash ends a scheme.
        let scheme = text.split_once(':').filter(|(before, _)| !before.contains('/'));
        let Some((scheme, rest)) = scheme else {
            return match text.starts_with('/') {
                true => Ok(Self { scheme: None, authority: "", path: text }),
                false => Err(Problem::Relative),
            };
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        // `s3:bucket/x` is a relative path in an absolute URI, `s3://` names nothing.
        let names_something = !authority.is_empty() || path.starts_with('/');
        match is_scheme(scheme) && names_something {
            true => Ok(Self { scheme: Some(scheme), authority, path }),
            false => Err(Problem::Unparseable),
        }
    }

    /// The scheme as written; `None`: the cluster's default file system, `file` unless configured.
    pub fn scheme(&self) -> Option<&'t str> {
        self.scheme
    }

    /// Whether both mean the same place: `/_metadata`, slashes at the end, `.` and `..` make no difference, and a path
    /// without a scheme is a `file:` path.
    pub fn same(&self, other: &SavepointLocation<'_>) -> bool {
        let file = |location: &SavepointLocation<'_>| {
            location.scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("file")) && location.authority.is_empty()
        };
        let system = match (self.scheme, other.scheme) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs) && self.authority == other.authority,
            _ => file(self) && file(other),
        };
        system && self.segments() == other.segments()
    }

    /// The path, if this is one of the local file system: of scheme `file`, or without any.
    pub fn local_path(&self) -> Option<&'t str> {
        self.scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("file")).then_some(self.path)
    }

    /// Whether this is a directory, or lies in it, by whole names. `s3`, `s3a` and `s3p` are drivers of one store.
    pub fn is_inside(&self, directory: &SavepointLocation<'_>) -> bool {
        let s3 = |scheme: &str| ["s3", "s3a", "s3p", "s3n"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let (ours, theirs) = (self.scheme.unwrap_or("file"), directory.scheme.unwrap_or("file"));
        (ours.eq_ignore_ascii_case(theirs) || s3(ours) && s3(theirs))
            && self.authority == directory.authority
            && is_below(self.path, directory.path)
    }

    fn segments(&self) -> Vec<&'t str> {
        let mut segments = segments(self.path);
        if segments.last() == Some(&"_metadata") {
            segments.pop();
        }
        segments
    }
}

/// Whether a path is a directory, or lies in it.
pub fn is_below(path: &str, directory: &str) -> bool {
    segments(path).starts_with(&segments(directory))
}

fn segments(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    // Flink's `Path` turns backslashes round before anything else.
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    segments
}

/// Whether this is a checkpoint as Flink writes it, and may delete it: `…/chk-42`.
pub fn is_checkpoint(text: &str) -> bool {
    let number = SavepointLocation::parse(text).ok().and_then(|location| {
        let last = location.segments().pop()?;
        last.strip_prefix("chk-")
    });
    number.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether two texts name the same place. Texts that are no locations are compared as they stand.
pub fn same(ours: &str, theirs: &str) -> bool {
    match (SavepointLocation::parse(ours), SavepointLocation::parse(theirs)) {
        (Ok(ours), Ok(theirs)) => ours.same(&theirs),
        _ => ours == theirs,
    }
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::{Problem, SavepointLocation, is_below, is_checkpoint, same};

    #[test]
    fn what_flink_cannot_read_has_a_problem() {
        let problem = |text| SavepointLocation::parse(text).err();
        for (text, expected) in [
            ("", Problem::Blank),
            (" \t ", Problem::Blank),
            ("savepoints/sp-1", Problem::Relative),
            ("bucket/a:b", Problem::Relative),
            ("./sp-1", Problem::Relative),
            ("s3://bucket/my savepoint", Problem::Whitespace),
            ("s3://bucket/sp-1 ", Problem::Whitespace),
            ("s3://bucket/sp-1\n", Problem::Control),
            ("s3://bucket/\u{200b}sp-1", Problem::Control),
            ("s3:", Problem::Unparseable),
            ("s3://", Problem::Unparseable),
            ("s3:bucket/sp-1", Problem::Unparseable),
            ("://bucket/sp-1", Problem::Unparseable),
            ("3s://bucket/sp-1", Problem::Unparseable),
            ("$DIR:/sp-1", Problem::Unparseable),
        ] {
            assert_eq!(problem(text), Some(expected), "{text:?}");
        }
        for text in
            ["s3://bucket/sp-1", "s3://bucket", "hdfs:///sp", "file:/sp", "/sp", "wasbs://c@a.net/ä", "s3p://b/a:b"]
        {
            assert_eq!(problem(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_scheme_is_told() {
        let scheme = |text| SavepointLocation::parse(text).ok().and_then(|location| location.scheme());
        assert_eq!(scheme("s3p://bucket/a:b"), Some("s3p"));
        assert_eq!(scheme("file:/sp"), Some("file"));
        assert_eq!(scheme("/a:b/sp"), None);
    }

    #[test]
    fn a_path_lies_in_a_directory_by_whole_names() {
        for path in ["/data", "/data/", "/data/sp/1", "/x/../data/sp"] {
            assert!(is_below(path, "/data"), "{path}");
        }
        for path in ["/database/sp", "/", "/data/../sp"] {
            assert!(!is_below(path, "/data"), "{path}");
        }
    }

    #[test]
    fn nothing_gets_out_of_a_directory_by_its_spelling() {
        let inside = |text: &str, directory: &str| {
            SavepointLocation::parse(text).unwrap().is_inside(&SavepointLocation::parse(directory).unwrap())
        };
        for text in ["s3://b/a/sp", "S3A://b//a/x/../sp/_metadata", "s3p://b/a", "s3://b/c/../a/sp"] {
            assert!(inside(text, "s3://b/a/"), "{text}");
        }
        for text in
            ["s3://b/ab/sp", "s3://b/a/../c/sp", "s3://b/a\\..\\c/sp", "s3://c/a/sp", "gs://b/a/sp", "s3://x@b/a/sp"]
        {
            assert!(!inside(text, "s3://b/a/"), "{text}");
        }
        assert!(inside("/mnt/a/sp", "file:///mnt/a") && inside("file:/mnt/a/sp", "/mnt/a"));
        assert!(inside("s3://b/any", "s3://b"));
    }

    #[test]
    fn a_checkpoint_is_known_by_its_name() {
        for path in ["s3://b/job/chk-42", "/c/chk-0/", "file:/c/chk-7/_metadata"] {
            assert!(is_checkpoint(path), "{path}");
        }
        for path in ["s3://b/chk-42/savepoint-1", "/c/chk-", "/c/chk-x", "/c/my-chk-1", ""] {
            assert!(!is_checkpoint(path), "{path}");
        }
    }

    #[test]
    fn spellings_that_flink_reads_alike_are_the_same() {
        for spelling in
            ["/a/sp", "file:/a/sp", "file:///a/sp/", "/a/sp/_metadata", "file:///a/x/../sp", "//a//./sp", "FILE:/a/sp"]
        {
            assert!(same("file:///a/sp", spelling), "{spelling}");
            assert!(same(spelling, "file:///a/sp"), "{spelling}");
        }
        assert!(same("s3://b/sp", "s3://b/sp/_metadata"));
        for other in ["/a/sp2", "s3://a/sp", "file://host/a/sp", "/a/_metadata/sp", "/A/sp"] {
            assert!(!same("file:///a/sp", other), "{other}");
        }
        assert!(!same("s3://b/sp", "s3://c/sp") && !same("s3://b/sp", "gs://b/sp") && !same("sp", "/sp"));
        assert!(same("sp", "sp"), "what cannot be read is compared as it stands");
    }
}
