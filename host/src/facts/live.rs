//! Everything that is looked up while a request waits: control planes, the Kubernetes cache, savepoint locations. What
//! is not set up, or does not answer in time, is unavailable; nothing here hangs, and a caller may leave at any time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Answered;
use super::control_plane::{ControlPlane, ControlPlaneOptions};
use super::location::{LocationOptions, Locations};
use super::remembered::{Memory, Remembered};
use crate::{Api, Lookup, ObjectRef};

/// What is asked. Everything is optional.
#[derive(Clone, Default)]
pub struct LiveOptions {
    /// At most one for each API.
    pub control_planes: Vec<ControlPlaneOptions>,
    /// Answers for Kubernetes objects.
    pub kubernetes: Option<Arc<dyn Objects>>,
    /// Where savepoints may be looked at.
    pub locations: Option<LocationOptions>,
    /// What is remembered of each control plane, and of locations.
    pub memory: Memory,
    /// Counts look-ups.
    pub tally: Option<Arc<dyn Tally>>,
}

/// Knows Kubernetes objects, without asking anybody while a request waits.
pub trait Objects: Send + Sync {
    /// What is known of this object, or of all of a kind.
    fn answer(&self, object: &ObjectRef) -> Answered;

    /// While the first word about it is still on its way: becomes true when it has come, be it that there is none.
    fn coming(&self, object: &ObjectRef) -> Option<watch::Receiver<bool>>;
}

/// Waits for the first word, at the latest until then.
pub(crate) async fn arrived(mut coming: watch::Receiver<bool>, until: Instant) {
    // An error means that nobody will say any more.
    let _ = tokio::time::timeout_at(until, coming.wait_for(|come| *come)).await;
}

/// Counts look-ups.
pub trait Tally: Send + Sync {
    /// `source` is one of `flink-rest`, `ververica`, `alibaba`, `kubernetes`, `location`.
    fn looked_up(&self, source: &'static str, how: How, took: Duration);

    /// A read of a source that is set up failed, for this reason. It may repeat what the request names.
    fn failed(&self, source: &'static str, why: &str) {
        let _ = (source, why);
    }
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was known.
    Hit,
    /// It was read.
    Miss,
    /// There is none.
    Failure,
}

/// Why live facts cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// The address or another option of a control plane.
    #[error("the control plane `{api}` cannot be asked: {why}")]
    ControlPlane {
        /// `flink-rest`, `ververica` or `alibaba`.
        api: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A prefix of savepoint locations.
    #[error("the savepoint prefix `{prefix}` cannot be used: {why}")]
    Prefix {
        /// As it was given.
        prefix: String,
        /// What is wrong.
        why: String,
    },
}

/// What a read brought.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) answer: Answered,
    /// Somebody answered, if only to refuse.
    pub(super) reached: bool,
}

impl Read {
    pub(super) fn done(answer: Answered) -> Self {
        Self { answer, reached: true }
    }

    pub(super) fn unavailable(why: impl Into<String>) -> Self {
        Self::done(Answered::Unavailable(why.into()))
    }

    /// Nobody is there: others need not try.
    pub(super) fn unreachable(why: impl Into<String>) -> Self {
        Self { answer: Answered::Unavailable(why.into()), reached: false }
    }
}

/// All sources of live facts.
pub struct Live {
    control_planes: Vec<(Arc<ControlPlane>, Arc<Remembered>)>,
    kubernetes: Option<Arc<dyn Objects>>,
    locations: Option<(Arc<Locations>, Arc<Remembered>)>,
    tally: Option<Arc<dyn Tally>>,
}

impl Live {
    /// Sets the sources up; asks nobody yet.
    ///
    /// # Errors
    /// When an option is wrong; the text says which.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        let mut control_planes: Vec<(Arc<ControlPlane>, _)> = Vec::new();
        for plane in options.control_planes {
            let api = plane.api;
            let wrong = |why| LiveError::ControlPlane { api: api.name(), why };
            if control_planes.iter().any(|(known, _)| known.api == api) {
                return Err(wrong("it is given twice".to_owned()));
            }
            let plane = ControlPlane::new(plane).map_err(wrong)?;
            control_planes.push((Arc::new(plane), Remembered::new(options.memory.clone())));
        }
        let memory = options.memory;
        let locations = options.locations.map(|options| {
            // What is written at a location stays as it is.
            let memory = Memory { found: 5 * memory.found, under_way: memory.under_way / 4, ..memory };
            let memory = Remembered::new(memory);
            Locations::new(options).map(|locations| (Arc::new(locations), memory))
        });
        let (kubernetes, tally) = (options.kubernetes, options.tally);
        Ok(Self { control_planes, kubernetes, locations: locations.transpose()?, tally })
    }

    /// Looks it up, at the latest until then. It must be called on a tokio runtime.
    pub async fn answer(&self, lookup: &Lookup, until: Instant) -> Answered {
        let started = Instant::now();
        let (source, (answer, how)) = match lookup {
            Lookup::Kubernetes(object) => ("kubernetes", self.object(object, until).await),
            Lookup::Location(at) => ("location", self.location(at, until).await),
            _ => {
                let api = api(lookup);
                (api.name(), self.control_plane(api, lookup, until).await)
            }
        };
        if let Some(tally) = &self.tally {
            tally.looked_up(source, how, started.elapsed());
            if let (Answered::Unavailable(why), true) = (&answer, self.asks(lookup)) {
                tally.failed(source, why);
            }
        }
        answer
    }

    /// Whether somebody is asked for this at all. (The watches of Kubernetes tell their own troubles.)
    fn asks(&self, lookup: &Lookup) -> bool {
        match lookup {
            Lookup::Kubernetes(_) => false,
            Lookup::Location(at) => self.locations.as_ref().is_some_and(|(locations, _)| locations.place(at).is_ok()),
            _ => self.control_planes.iter().any(|(plane, _)| plane.api == api(lookup)),
        }
    }

    /// Forgets what was found: to be called when a request that changes something was let through.
    pub fn forget(&self) {
        let memories = self.control_planes.iter().map(|(_, memory)| memory);
        for memory in memories.chain(self.locations.iter().map(|(_, memory)| memory)) {
            memory.forget();
        }
    }

    async fn object(&self, object: &ObjectRef, until: Instant) -> (Answered, How) {
        let Some(objects) = &self.kubernetes else {
            return not_set_up("kubernetes is not watched; start the gate with `--kubernetes`");
        };
        if let Some(coming) = objects.coming(object) {
            arrived(coming, until).await;
        }
        match objects.answer(object) {
            answer @ Answered::Unavailable(_) => (answer, How::Failure),
            answer => (answer, How::Hit),
        }
    }

    async fn control_plane(&self, api: Api, lookup: &Lookup, until: Instant) -> (Answered, How) {
        let Some((plane, memory)) = self.control_planes.iter().find(|(plane, _)| plane.api == api) else {
            return not_set_up(&format!(
                "no control plane is set up for it; name it with `--control-plane {}=URL`",
                api.name()
            ));
        };
        let (plane, wanted) = (Arc::clone(plane), lookup.clone());
        let read = || async move { plane.read(&wanted).await };
        memory.answer(api.name().to_owned(), format!("{lookup:?}"), until, read).await
    }

    async fn location(&self, at: &str, until: Instant) -> (Answered, How) {
        let Some((locations, memory)) = &self.locations else {
            return not_set_up("savepoint locations are not looked at; allow some with `--savepoint-prefix`");
        };
        let place = match locations.place(at) {
            Ok(place) => place,
            Err(why) => return not_set_up(&why),
        };
        let locations = Arc::clone(locations);
        let (part, key) = (place.part(), place.to_string());
        memory.answer(part, key, until, || async move { locations.read(&place).await }).await
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("control_planes", &self.control_planes).finish_non_exhaustive()
    }
}

fn not_set_up(why: &str) -> (Answered, How) {
    (Answered::Unavailable(why.to_owned()), How::Failure)
}

/// Whose API answers this.
fn api(lookup: &Lookup) -> Api {
    match lookup {
        Lookup::VervericaDeployment(_) | Lookup::VervericaSavepoints(_) | Lookup::VervericaJob(_) => Api::Ververica,
        Lookup::AlibabaDeployment(_)
        | Lookup::AlibabaJobs(_)
        | Lookup::AlibabaJob(_)
        | Lookup::AlibabaSavepoints(_) => Api::Alibaba,
        _ => Api::FlinkRest,
    }
}
