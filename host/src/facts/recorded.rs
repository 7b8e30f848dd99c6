//! Answers that were written down before: for trying out what a gate would say, and for cases.
//!
//! ```yaml
//! - lookup: {flinkJob: a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3}
//!   found: {jid: a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3, state: RUNNING}   # a value, or a text that is taken as it is
//! - lookup: {kubernetes: {kind: FlinkDeployment, namespace: prod, name: cluster}}
//!   absent: true
//! - lookup: {location: "s3://bucket/savepoint-1"}
//!   foundBase64: SWBnLQ==          # exact bytes
//! - lookup: flinkJobs
//!   unavailable: connection refused
//! ```

mod written;

use base64::Engine as _;
use serde::Deserialize;
use serde_json::Value;

use super::{Answered, FactSource, NoSource};
use crate::{Lookup, ObjectRef, Scoped};

pub(crate) use written::lookup;

/// A list of answers. What is not in it is unavailable.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Vec<Entry>")]
pub struct Recorded {
    answers: Vec<(Lookup, Answered)>,
}

impl Recorded {
    /// Reads a list, as a document holds it.
    ///
    /// # Errors
    /// When it is no list of answers; the text says why.
    pub fn read(list: Value) -> Result<Self, String> {
        serde_json::from_value(list).map_err(|error| error.to_string())
    }

    /// Adds the answers of another list; of two to one read the first counts.
    pub fn extend(&mut self, other: Self) {
        self.answers.extend(other.answers);
    }
}

impl FactSource for Recorded {
    fn answer(&self, lookup: &Lookup) -> Answered {
        let alike = || self.answers.iter().find(|(known, _)| is_same_place(known, lookup));
        match self.answers.iter().find(|(known, _)| known == lookup).or_else(alike) {
            Some((_, answer)) => answer.clone(),
            None if self.answers.is_empty() => NoSource.answer(lookup),
            None => Answered::Unavailable("nothing is recorded about it".to_owned()),
        }
    }
}

/// Whether both are locations, and differ in slashes and dots alone: the policy asks for the plain spelling, and people
/// write down that of the request.
fn is_same_place(ours: &Lookup, theirs: &Lookup) -> bool {
    let plain = |location: &str| {
        let names = location.split('/').filter(|name| !matches!(*name, "" | "."));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    match (ours, theirs) {
        (Lookup::Location(ours), Lookup::Location(theirs)) => plain(ours) == plain(theirs),
        _ => false,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    lookup: Form,
    found: Option<Value>,
    found_base64: Option<String>,
    absent: Option<bool>,
    unavailable: Option<String>,
}

/// The names of `wit/policy.wit` in camel case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Form {
    FlinkJob(String),
    FlinkCheckpoints(String),
    FlinkCheckpointConfig(String),
    FlinkJobs,
    FlinkConfig,
    VervericaDeployment(ScopedForm),
    VervericaSavepoints(ScopedForm),
    VervericaJob(ScopedForm),
    AlibabaDeployment(ScopedForm),
    AlibabaJobs(ScopedForm),
    AlibabaJob(ScopedForm),
    AlibabaSavepoints(ScopedForm),
    Kubernetes(ObjectForm),
    Location(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopedForm {
    namespace: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectForm {
    kind: String,
    namespace: String,
    name: Option<String>,
}

impl TryFrom<Vec<Entry>> for Recorded {
    type Error = String;

    fn try_from(entries: Vec<Entry>) -> Result<Self, String> {
        let answers = entries.into_iter().map(Entry::read);
        Ok(Self { answers: answers.collect::<Result<_, String>>()? })
    }
}

impl Entry {
    fn read(self) -> Result<(Lookup, Answered), String> {
        let answer = match (self.found, self.found_base64, self.absent, self.unavailable) {
            (Some(Value::String(text)), None, None, None) => Answered::Found(text.into_bytes()),
            (Some(value), None, None, None) => Answered::Found(value.to_string().into_bytes()),
            (None, Some(text), None, None) => {
                let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                let bytes = base64::engine::general_purpose::STANDARD.decode(compact);
                Answered::Found(bytes.map_err(|error| format!("`foundBase64` cannot be read: {error}"))?)
            }
            (None, None, Some(true), None) => Answered::Absent,
            (None, None, None, Some(why)) => Answered::Unavailable(why),
            _ => {
                let one = "an answer is exactly one of `found`, `foundBase64`, `absent: true`, `unavailable`";
                return Err(one.to_owned());
            }
        };
        Ok((self.lookup.into(), answer))
    }
}

impl From<ScopedForm> for Scoped {
    fn from(form: ScopedForm) -> Self {
        Self { namespace: form.namespace, id: form.id }
    }
}

impl From<Form> for Lookup {
    fn from(form: Form) -> Self {
        match form {
            Form::FlinkJob(id) => Self::FlinkJob(id),
            Form::FlinkCheckpoints(id) => Self::FlinkCheckpoints(id),
            Form::FlinkCheckpointConfig(id) => Self::FlinkCheckpointConfig(id),
            Form::FlinkJobs => Self::FlinkJobs,
            Form::FlinkConfig => Self::FlinkConfig,
            Form::VervericaDeployment(it) => Self::VervericaDeployment(it.into()),
            Form::VervericaSavepoints(it) => Self::VervericaSavepoints(it.into()),
            Form::VervericaJob(it) => Self::VervericaJob(it.into()),
            Form::AlibabaDeployment(it) => Self::AlibabaDeployment(it.into()),
            Form::AlibabaJobs(it) => Self::AlibabaJobs(it.into()),
            Form::AlibabaJob(it) => Self::AlibabaJob(it.into()),
            Form::AlibabaSavepoints(it) => Self::AlibabaSavepoints(it.into()),
            Form::Kubernetes(it) => {
                Self::Kubernetes(ObjectRef { kind: it.kind, namespace: it.namespace, name: it.name })
            }
            Form::Location(at) => Self::Location(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answered, FactSource, Recorded};
    use crate::{Lookup, ObjectRef, Scoped, yaml};

    fn read(text: &str) -> Result<Recorded, String> {
        Recorded::read(yaml::parse(text).unwrap())
    }

    #[test]
    fn answers_are_found_by_their_read() {
        let recorded = read(
            "[{lookup: {flinkJob: a}, found: {state: RUNNING}}, {lookup: flinkJobs, found: 'x'}, \
             {lookup: {kubernetes: {kind: K, namespace: ns}}, absent: true}, \
             {lookup: {alibabaJob: {namespace: ns, id: i}}, unavailable: refused}, {lookup: {location: s3://b}, foundBase64: SWBnLQ==}]",
        );
        let recorded = recorded.unwrap();
        let found = |text: &[u8]| Answered::Found(text.to_vec());
        assert_eq!(recorded.answer(&Lookup::FlinkJob("a".to_owned())), found(b"{\"state\":\"RUNNING\"}"));
        assert_eq!(recorded.answer(&Lookup::FlinkJobs), found(b"x"));
        let all = ObjectRef { kind: "K".to_owned(), namespace: "ns".to_owned(), name: None };
        assert_eq!(recorded.answer(&Lookup::Kubernetes(all)), Answered::Absent);
        let job = Scoped { namespace: "ns".to_owned(), id: "i".to_owned() };
        assert_eq!(recorded.answer(&Lookup::AlibabaJob(job)), Answered::Unavailable("refused".to_owned()));
        for location in ["s3://b", "s3://b/", "s3://b//."] {
            assert_eq!(recorded.answer(&Lookup::Location(location.to_owned())), found(b"I`g-"), "{location}");
        }
        let other = recorded.answer(&Lookup::Location("s3://b/c".to_owned()));
        assert!(matches!(other, Answered::Unavailable(_)), "{other:?}");
        assert!(matches!(recorded.answer(&Lookup::FlinkJob("b".to_owned())), Answered::Unavailable(_)));
    }

    #[test]
    fn an_answer_is_one_thing() {
        assert!(read("[{lookup: flinkJobs}]").unwrap_err().contains("exactly one of"));
        assert!(read("[{lookup: flinkJobs, absent: true, found: 1}]").is_err());
        assert!(read("[{lookup: {flinkjob: a}, absent: true}]").is_err());
        assert!(read("[{lookup: {flinkJob: a}, missing: true}]").is_err());
        assert!(read("{}").is_err());
    }
}
