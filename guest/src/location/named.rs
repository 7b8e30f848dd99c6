//! The savepoint locations that a request names, and what for. A path that stands only in the cluster's configuration
//! is not named by a request.

use std::borrow::Cow;

use crate::document::Node;
use crate::operation::{Action, Place, Restore, Stage};

/// A location in a request.
#[derive(Debug)]
pub struct NamedLocation<'s, 'd> {
    /// As the request has it.
    pub text: Cow<'s, str>,
    pub place: Place<'d>,
    pub role: Role,
}

/// What a location is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A savepoint will be written below it.
    Directory,
    /// A snapshot that lies there is made known to the platform.
    Registered,
    /// A job starts from it.
    Restored,
    /// It is kept for a later start.
    Stored,
    /// Its data is deleted.
    Disposed,
}

impl Role {
    /// Names it, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Directory => "savepoint directory",
            Self::Registered | Self::Restored | Self::Stored | Self::Disposed => "savepoint location",
        }
    }
}

/// Every location that the stage's operations name.
pub fn named<'s, 'd>(stage: &'s Stage<'d>) -> impl Iterator<Item = NamedLocation<'s, 'd>> {
    stage.operations.iter().filter_map(|operation| match &operation.action {
        Action::Stop(stop) => written(stop.directory, Role::Directory),
        Action::Trigger(trigger) => written(trigger.directory, Role::Directory),
        Action::Register(registration) => written(registration.location, Role::Registered),
        Action::Dispose(disposal) => written(disposal.location, Role::Disposed),
        Action::Change(change) => written(change.stores_location, Role::Stored),
        Action::Start(start) => match &start.restore {
            Restore::Location(text) => Some(NamedLocation {
                text: Cow::Borrowed(text),
                place: start.restore_place.clone(),
                role: Role::Restored,
            }),
            _ => None,
        },
        _ => None,
    })
}

fn written<'d>(node: Option<Node<'d>>, role: Role) -> Option<NamedLocation<'d, 'd>> {
    let node = node?;
    Some(NamedLocation { text: node.scalar()?, place: Place::Body(node), role })
}
