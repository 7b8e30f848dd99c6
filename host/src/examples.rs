//! Cases of the project's own corpus that show what a rule is about. They are built in where the corpus is at hand.

/// A case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its file, below the root of the repository.
    pub path: &'static str,
    /// Its request with what is known besides, as YAML.
    pub text: &'static str,
}

/// A case that fires a rule, and one that does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examples {
    /// The rule has something to say here.
    pub fires: Option<Example>,
    /// And here it has not.
    pub quiet: Option<Example>,
}

type Row = (&'static str, Option<Example>, Option<Example>);

static TABLE: &[Row] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

impl Examples {
    /// The examples of the rule with this id.
    pub fn of(rule: &str) -> Self {
        let row = TABLE.iter().find(|(id, ..)| *id == rule);
        row.map(|(_, fires, quiet)| Self { fires: *fires, quiet: *quiet }).unwrap_or_default()
    }

    /// Whether this was built with a corpus.
    pub fn are_there() -> bool {
        !TABLE.is_empty()
    }
}
