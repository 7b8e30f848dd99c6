//! One watch: a kind in all namespaces or in one, what is known of its objects, and how fresh that is.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::budget::Budget;
use super::reads::Trouble;
use super::resource::Kind;
use super::shelf::{All, Known, Shelf};
use crate::facts::Answered;

pub(super) struct Target {
    pub(super) kind: &'static Kind,
    pub(super) namespace: Option<String>,
    state: RwLock<State>,
    /// Whether anything was heard of the API server yet, good or bad.
    heard: watch::Sender<bool>,
}

pub(super) struct State {
    pub(super) shelf: Shelf,
    pub(super) phase: Phase,
    /// When the server last showed that the shelf is up to date.
    pub(super) proof: Option<Instant>,
    /// What is wrong, while something is.
    pub(super) trouble: Option<String>,
    pub(super) denied: bool,
    pub(super) lists: u64,
    pub(super) watches: u64,
    pub(super) failures: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The first list is not complete.
    Starting,
    Synced,
    /// The API server does not know the kind, so there can be no such objects.
    NotInstalled,
}

impl Target {
    pub(super) fn new(kind: &'static Kind, namespace: Option<String>, budget: Arc<Budget>) -> Self {
        let state = State {
            shelf: Shelf::new(budget),
            phase: Phase::Starting,
            proof: None,
            trouble: None,
            denied: false,
            lists: 0,
            watches: 0,
            failures: 0,
        };
        Self { kind, namespace, state: RwLock::new(state), heard: watch::Sender::new(false) }
    }

    /// Tells when the first list is here or has failed, while it is neither.
    pub(super) fn coming(&self) -> Option<watch::Receiver<bool>> {
        let heard = *self.heard.borrow();
        (!heard).then(|| self.heard.subscribe())
    }

    /// A panic elsewhere leaves nothing half done that the next list would not repair.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server answered as it should.
    pub(super) fn proven(&self) {
        let mut state = self.write();
        state.proof = Some(Instant::now());
        let again = state.trouble.take().is_some();
        if again {
            state.denied = false;
        }
        drop(state);
        if again {
            tracing::info!(kind = self.kind.name, namespace = self.namespace, "the Kubernetes watch works again");
        }
        self.heard.send_replace(true);
    }

    /// The server did not. Tells the log once for each reason.
    pub(super) fn failed(&self, trouble: &Trouble) {
        let reason = trouble.to_string();
        let mut state = self.write();
        state.failures += 1;
        state.denied = matches!(trouble, Trouble::Denied(_));
        let known = state.trouble.as_ref() == Some(&reason);
        state.trouble = Some(reason.clone());
        drop(state);
        if !known {
            tracing::warn!(kind = self.kind.name, namespace = self.namespace, reason, "the Kubernetes watch is broken");
        }
        self.heard.send_replace(true);
    }

    /// The cluster does not know the kind: there can be no objects.
    pub(super) fn not_installed(&self) {
        let mut state = self.write();
        state.shelf.clear();
        if state.phase != Phase::NotInstalled {
            state.phase = Phase::NotInstalled;
            drop(state);
            tracing::info!(kind = self.kind.name, "the kind is not installed in this Kubernetes cluster");
        }
    }

    /// Why nothing is known, if so.
    fn unknown(&self, state: &State, stale: Duration) -> Option<String> {
        let kind = self.kind.name;
        let trouble = state.trouble.as_deref();
        let Some(proof) = state.proof.filter(|_| state.phase != Phase::Starting) else {
            return Some(match trouble {
                Some(trouble) => format!("`{kind}` cannot be read from Kubernetes: {trouble}"),
                None => format!("`{kind}` is not read from Kubernetes yet"),
            });
        };
        let age = proof.elapsed();
        let why = trouble.unwrap_or("no word from the API server");
        (age > stale).then(|| format!("the watch of `{kind}` is broken for {} s: {why}", age.as_secs()))
    }

    /// Whether the first list is complete, or known to be impossible.
    pub(super) fn synced(&self) -> Result<(), String> {
        let state = self.read();
        match state.phase {
            Phase::Synced | Phase::NotInstalled => Ok(()),
            // Who may not read namespaces does without their labels.
            Phase::Starting if self.kind.is_namespaces() && state.denied => Ok(()),
            Phase::Starting => Err(self.unknown(&state, Duration::MAX).unwrap_or_default()),
        }
    }

    pub(super) fn one(&self, namespace: &str, name: &str, stale: Duration) -> Answered {
        let known = {
            let state = self.read();
            match self.unknown(&state, stale) {
                Some(why) => return Answered::Unavailable(why),
                None => state.shelf.get(namespace, name),
            }
        };
        match known {
            Known::Held(bytes) => Answered::Found(bytes.to_vec()),
            Known::Absent => Answered::Absent,
            Known::NotHeld(size) => Answered::Unavailable(format!(
                "`{}` `{name}` of {size} bytes does not fit into the cache's budget, {RAISE}",
                self.kind.name
            )),
            Known::Unknown => self.overflown(),
        }
    }

    pub(super) fn all(&self, namespace: &str, most: usize, stale: Duration) -> Answered {
        let all = {
            let state = self.read();
            match self.unknown(&state, stale) {
                Some(why) => return Answered::Unavailable(why),
                None => state.shelf.all(namespace, most),
            }
        };
        let kind = self.kind.name;
        match all {
            All::Held { objects, bytes } => {
                let version = self.kind.api_version();
                let head = format!(r#"{{"apiVersion":"{version}","kind":"{kind}List","items":["#);
                let mut list = Vec::with_capacity(head.len() + bytes + objects.len() + 2);
                list.extend_from_slice(head.as_bytes());
                for (at, object) in objects.iter().enumerate() {
                    if at > 0 {
                        list.push(b',');
                    }
                    list.extend_from_slice(object);
                }
                list.extend_from_slice(b"]}");
                Answered::Found(list)
            }
            All::NotHeld(count) => Answered::Unavailable(format!(
                "{count} of `{kind}` in `{namespace}` do not fit into the cache's budget, {RAISE}"
            )),
            All::TooLong(bytes) => Answered::Unavailable(format!(
                "all `{kind}` in `{namespace}` have {bytes} bytes, at most {most} are looked at: delete old ones"
            )),
            All::Unknown => self.overflown(),
        }
    }

    fn overflown(&self) -> Answered {
        Answered::Unavailable(format!("not all `{}` fit into the cache's budget, {RAISE}", self.kind.name))
    }
}

/// What to do when there is no room.
pub(super) const RAISE: &str = "raise --kubernetes-cache-bytes";

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => f.write_str("its version is too old, it is listed again"),
            Self::NotFound => f.write_str("HTTP 404, though the API server says that it serves the kind"),
            Self::Denied(text) => write!(f, "{text}; allow this account `get`, `list` and `watch`"),
            Self::TooLong => f.write_str("an object is longer than any that the API server takes"),
            Self::Unreadable(what) => write!(f, "{what} cannot be read, is this a Kubernetes API?"),
            Self::Failed(text) => f.write_str(text),
        }
    }
}
