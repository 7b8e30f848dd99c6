//! A savepoint's location or directory, parsed as Flink's `Path` reads it: what is wrong with it, which file system it
//! needs, and whether two spellings mean the same place (DOMAIN section 8).

pub mod named;

/// A location that Flink could read: absolute, with or without a scheme.
#[derive(Clone, Debug)]
pub struct SavepointLocation<'t> {
    scheme: Option<&'t str>,
    /// `None`: no slashes lead to one.
    authority: Option<&'t str>,
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
            // Two slashes begin an authority, which the default file system does not look at.
            let path = match text.strip_prefix("//") {
                Some(rest) => rest.find('/').and_then(|at| rest.get(at..)).ok_or(Problem::Unparseable)?,
                None => text,
            };
            return match path.starts_with('/') {
                true => Ok(Self { scheme: None, authority: None, path }),
                false => Err(Problem::Relative),
            };
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        // `s3:bucket/x` is a relative path in an absolute URI, `s3://` names nothing.
        let names_something = authority.is_some_and(|it| !it.is_empty()) || path.starts_with('/');
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
        let file = |location: &SavepointLocation<'_>| location.is_local() && location.authority().is_empty();
        let system = match (self.scheme, other.scheme) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs) && self.authority() == other.authority(),
            _ => file(self) && file(other),
        };
        system && self.segments() == other.segments()
    }

    /// Another spelling of the same, as Flink's `Path` has it before it looks there: no `.`, no `..` but above the root of
    /// a store, no empty names.
    pub fn normal(&self) -> String {
        let scheme = self.scheme.map_or_else(String::new, |scheme| format!("{scheme}:"));
        let authority = self.authority.map_or_else(String::new, |authority| format!("//{authority}"));
        let slash = if self.path.is_empty() { "" } else { "/" };
        format!("{scheme}{authority}{slash}{}", segments(self.path, self.is_local()).join("/"))
    }

    fn authority(&self) -> &'t str {
        self.authority.unwrap_or_default()
    }

    fn is_local(&self) -> bool {
        self.scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("file"))
    }

    /// The path, if this is one of the local file system: of scheme `file`, or without any.
    pub fn local_path(&self) -> Option<&'t str> {
        self.is_local().then_some(self.path)
    }

    /// Whether this is a directory, or lies in it, by whole names. `s3`, `s3a` and `s3p` are drivers of one store.
    pub fn is_inside(&self, directory: &SavepointLocation<'_>) -> bool {
        let s3 = |scheme: &str| ["s3", "s3a", "s3p", "s3n"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let (ours, theirs) = (self.scheme.unwrap_or("file"), directory.scheme.unwrap_or("file"));
        (ours.eq_ignore_ascii_case(theirs) || s3(ours) && s3(theirs))
            && self.authority() == directory.authority()
            && segments(self.path, self.is_local()).starts_with(&segments(directory.path, directory.is_local()))
    }

    fn segments(&self) -> Vec<&'t str> {
        let mut segments = segments(self.path, self.is_local());
        if segments.last() == Some(&"_metadata") {
            segments.pop();
        }
        segments
    }
}

/// Whether a path of a local file system is a directory, or lies in it.
pub fn is_below(path: &str, directory: &str) -> bool {
    segments(path, true).starts_with(&segments(directory, true))
}

/// The names of a path. Above the root a disk has the root again, and a store whatever is called `..`: there
/// `java.net.URI`, and Flink with it, leaves it as it is.
fn segments(path: &str, local: bool) -> Vec<&str> {
    let mut segments = Vec::new();
    // Flink's `Path` turns backslashes round before anything else.
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." if local || segments.last().is_some_and(|last| *last != "..") => {
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

/// The spelling under which a location is looked at; what is no location stays as it is.
pub fn normal(text: &str) -> String {
    SavepointLocation::parse(text).map_or_else(|_| text.to_owned(), |location| location.normal())
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
            ("//sp-1", Problem::Unparseable),
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
        for text in [
            "s3://b/ab/sp",
            "s3://b/a/../c/sp",
            "s3://b/a\\..\\c/sp",
            "s3://c/a/sp",
            "gs://b/a/sp",
            "s3://x@b/a/sp",
            "s3://b/../a/sp",
            "s3://b/a/../../a/sp",
        ] {
            assert!(!inside(text, "s3://b/a/"), "{text}");
        }
        assert!(inside("/mnt/a/sp", "file:///mnt/a") && inside("file:/mnt/a/sp", "/mnt/a"));
        assert!(inside("s3://b/any", "s3://b"));
    }

    #[test]
    fn a_place_is_looked_at_under_one_name() {
        for (text, normal) in [
            ("s3://b/sp", "s3://b/sp"),
            ("s3://b//x/.././sp/_metadata/", "s3://b/sp/_metadata"),
            ("s3://b/../sp", "s3://b/../sp"),
            ("s3://b", "s3://b"),
            ("s3://b/", "s3://b/"),
            ("/a/sp", "/a/sp"),
            ("s3p://u:p@b/a\\b", "s3p://u:p@b/a/b"),
            ("file:/a/sp/x/..", "file:/a/sp"),
            ("file://///a/sp//", "file:///a/sp"),
            ("file:///../a", "file:///a"),
            ("//x/a/sp", "/a/sp"),
            ("a/../sp", "a/../sp"),
        ] {
            assert_eq!(super::normal(text), normal, "{text}");
            assert_eq!(super::normal(normal), normal, "{text}");
        }
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
        for spelling in [
            "/a/sp",
            "file:/a/sp",
            "file:///a/sp/",
            "file:///a/sp//",
            "file://///a/sp",
            "/a/sp/_metadata",
            "file:///a/x/../sp",
            "file:/a/sp/x/..",
            "/../a/sp",
            "//x/a//./sp",
            "FILE:/a/sp",
        ] {
            assert!(same("file:///a/sp", spelling), "{spelling}");
            assert!(same(spelling, "file:///a/sp"), "{spelling}");
        }
        assert!(same("s3://b/sp", "s3://b/sp/_metadata"));
        assert!(same("s3://b/sp", "s3://b//x/.././sp//") && !same("s3://b/sp", "s3://b/../sp"));
        assert!(same("s3://b/../sp", "s3://b/x/../../sp") && !same("s3://b/../../sp", "s3://b/../sp"));
        for other in ["/a/sp2", "s3://a/sp", "file://host/a/sp", "/a/_metadata/sp", "/A/sp", "//a/sp", "/a/sp/.."] {
            assert!(!same("file:///a/sp", other), "{other}");
        }
        assert!(!same("s3://b/sp", "s3://c/sp") && !same("s3://b/sp", "gs://b/sp") && !same("sp", "/sp"));
        assert!(same("sp", "sp"), "what cannot be read is compared as it stands");
    }
}
