//! The answers of platforms to the reads that the policy asked for, as the platforms wrote them. An answer counts for
//! the request that asks for it and the target that it names; one that cannot be read is as good as none.

mod alibaba;
mod flink;
mod kubernetes;
mod location;
mod ververica;

use std::borrow::Cow;

use super::{Absent, Facts, seen};
use crate::document::{Document, Node, Reading};
use crate::gate::Answer;
use crate::operation::Lookup;
pub use location::Metadata;

/// Every answer of a call.
#[derive(Debug, Default)]
pub struct Observed<'b> {
    answers: Vec<(&'b Lookup, Reply<'b>)>,
}

/// An answer, parsed.
#[derive(Debug)]
enum Reply<'b> {
    Document(Document<'b>),
    Metadata(Metadata),
    Absent,
    Unavailable,
    Unreadable(String),
}

/// Why an answer tells nothing.
#[derive(Debug)]
enum Wrong {
    Unreadable(String),
    /// It says that there is no such thing.
    Absent,
}

impl Wrong {
    /// It is about another target.
    fn other(name: &str) -> Self {
        Self::Unreadable(format!("it is about another one: `{name}`"))
    }
}

impl<'b> Observed<'b> {
    /// Takes an answer; of several to one read the first counts.
    pub fn add(&mut self, lookup: &'b Lookup, answer: Answer<'b>) {
        if self.knows(lookup) {
            return;
        }
        let reply = match answer {
            Answer::Absent => Reply::Absent,
            Answer::Unavailable(_) => Reply::Unavailable,
            Answer::Found(bytes) => match lookup {
                Lookup::Location(_) => match Metadata::read(bytes) {
                    Ok(metadata) => Reply::Metadata(metadata),
                    Err(Wrong::Absent) => Reply::Absent,
                    Err(Wrong::Unreadable(why)) => Reply::Unreadable(why),
                },
                _ => match Document::parse(bytes, Reading::Json) {
                    Ok(document) => Reply::Document(document),
                    Err(error) => Reply::Unreadable(format!("{}, at byte {}", error.message, error.offset)),
                },
            },
        };
        self.answers.push((lookup, reply));
    }

    /// Whether nothing was looked up.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Whether this read was answered, if only by saying that it cannot be.
    pub fn knows(&self, lookup: &Lookup) -> bool {
        self.answers.iter().any(|(known, _)| *known == lookup)
    }

    /// Adds what the answer to this read tells; the error says why it tells nothing. `is_job`: it is the job that the
    /// request is about.
    pub fn read<'d>(&'d self, lookup: &Lookup, is_job: bool, facts: &mut Facts<'d>) -> Result<(), String> {
        let Some((lookup, reply)) = self.answers.iter().find(|(known, _)| *known == lookup) else { return Ok(()) };
        let read = match reply {
            Reply::Document(document) => {
                let root = document.root();
                match lookup {
                    _ if !root.is_object() && !root.is_array() => Err(Wrong::Unreadable("it is no object".to_owned())),
                    Lookup::Kubernetes(it) => kubernetes::read(it, is_job, root, facts),
                    Lookup::VervericaDeployment(_) | Lookup::VervericaSavepoints(_) | Lookup::VervericaJob(_) => {
                        ververica::read(lookup, root, facts)
                    }
                    Lookup::AlibabaDeployment(_)
                    | Lookup::AlibabaJobs(_)
                    | Lookup::AlibabaJob(_)
                    | Lookup::AlibabaSavepoints(_) => alibaba::read(lookup, root, facts),
                    _ => flink::read(lookup, root, facts),
                }
            }
            Reply::Absent => Err(Wrong::Absent),
            Reply::Unreadable(why) => Err(Wrong::Unreadable(why.clone())),
            Reply::Unavailable | Reply::Metadata(_) => Ok(()),
        };
        match read {
            Ok(()) => Ok(()),
            Err(Wrong::Absent) => {
                absent(lookup, facts);
                Ok(())
            }
            Err(Wrong::Unreadable(why)) => Err(format!("the answer about {lookup} cannot be read: {why}")),
        }
    }

    /// Adds every location that was looked at. They belong to no target: whoever names one may use what is known of it.
    pub fn locations<'d>(&'d self, facts: &mut Facts<'d>) -> impl Iterator<Item = String> {
        let mut unreadable = Vec::new();
        for (lookup, reply) in &self.answers {
            let Lookup::Location(at) = lookup else { continue };
            let metadata = match reply {
                Reply::Metadata(metadata) => Some(*metadata),
                Reply::Absent => None,
                Reply::Unreadable(why) => {
                    unreadable.push(format!("the answer about {lookup} cannot be read: {why}"));
                    continue;
                }
                _ => continue,
            };
            facts.seen.locations.push(seen::Location { at, metadata });
        }
        unreadable.into_iter()
    }
}

/// What it means that there is no such thing.
fn absent<'d>(lookup: &'d Lookup, facts: &mut Facts<'d>) {
    let gone = |kind: &'d str, namespace: &'d str, name: &'d str| Absent {
        kind: Cow::Borrowed(kind),
        namespace: Cow::Borrowed(namespace),
        name: Cow::Borrowed(name),
    };
    match lookup {
        Lookup::VervericaDeployment(it) | Lookup::AlibabaDeployment(it) => {
            facts.absent.push(gone("Deployment", &it.namespace, &it.id));
        }
        Lookup::Kubernetes(it) => {
            let name = it.name.as_deref().unwrap_or_default();
            facts.absent.push(gone(&it.kind, &it.namespace, name));
        }
        Lookup::FlinkJob(_) | Lookup::AlibabaJob(_) => facts.seen.no_such_job = true,
        _ => {}
    }
}

/// A text that is not blank.
#[inline(never)]
fn text<'d>(root: Node<'d>, path: &[&str]) -> Option<Cow<'d, str>> {
    root.path(path)?.scalar().filter(|text| !text.trim().is_empty())
}

/// The entries of a list that are of this deployment. One that does not say so leaves open what the list shows.
fn own<'d>(list: Node<'d>, path: &[&str], id: &str) -> Result<Vec<Node<'d>>, Wrong> {
    let all = list.elements();
    let entries = all.map(|item| Ok((item, item.path(path).ok_or_else(|| missing("/…/deploymentId"))?.is(id))));
    let own = |entry: Result<(Node<'d>, bool), Wrong>| entry.map(|(item, own)| own.then_some(item)).transpose();
    entries.filter_map(own).collect()
}

#[inline(never)]
fn missing(pointer: &str) -> Wrong {
    Wrong::Unreadable(format!("`{pointer}` is missing, or of another type than expected"))
}
