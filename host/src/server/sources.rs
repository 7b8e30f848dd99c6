//! Which sources of facts a door may ask: the webhook only what is watched, a door of an API also its control plane and
//! the savepoint locations.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as channel;

use super::ServerError;
use super::connection::{Phase, Phases};
use super::metrics::Metrics;
use super::options::{ControlPlane, KubernetesOptions};
use super::redact;
use super::seldom::Seldom;
use crate::facts::kubernetes::{self, Kubernetes};
use crate::facts::{Answered, ControlPlaneOptions, How, Live, LiveOptions, LocationOptions, Objects, Tally};
use crate::{Api, ObjectRef};

/// How often what is watched is counted.
const COUNTED: Duration = Duration::from_secs(5);

/// Everything that can be asked.
#[derive(Debug)]
pub struct Sources {
    /// The control planes, one for an API.
    pub control_planes: Vec<ControlPlane>,
    /// The watched resources.
    pub kubernetes: Option<Arc<Kubernetes>>,
    /// Below what savepoints are looked at.
    pub savepoint_prefixes: Vec<String>,
    /// What is counted.
    pub counted: Arc<Counted>,
}

impl Sources {
    /// What reviews may ask: nothing that has to be waited for.
    pub fn watched(&self) -> Result<Option<Arc<Live>>, ServerError> {
        match self.kubernetes {
            None => Ok(None),
            Some(_) => self.live(Vec::new(), Vec::new()).map(Some),
        }
    }

    /// What calls of an API may ask. `upstream` is where a proxy passes them on to: its control plane, before any other.
    pub fn of_api(&self, upstream: Option<(Api, &str)>) -> Result<Option<Arc<Live>>, ServerError> {
        let mut planes = Vec::new();
        for api in Api::ALL {
            let known = self.control_planes.iter().find(|plane| plane.api == api);
            let own = upstream.and_then(|(of, address)| (of == api).then_some(address));
            let address = own.or_else(|| known.and_then(|plane| plane.address.as_deref()));
            if let Some(address) = address {
                let known = self.meant_for(api, address);
                let credentials = known.and_then(|plane| plane.credentials.clone());
                let authority = known.and_then(|plane| plane.authority.clone());
                planes.push(ControlPlaneOptions { credentials, authority, ..ControlPlaneOptions::new(api, address) });
            }
        }
        match planes.is_empty() && self.kubernetes.is_none() && self.savepoint_prefixes.is_empty() {
            true => Ok(None),
            false => self.live(planes, self.savepoint_prefixes.clone()).map(Some),
        }
    }

    /// A PEM file of the certificate authorities to believe at this address, instead of the system's.
    pub fn authority(&self, api: Api, address: &str) -> Option<&Path> {
        self.meant_for(api, address)?.authority.as_deref()
    }

    /// What was said of the control plane at this address: what is for one that was named is for nobody else.
    fn meant_for(&self, api: Api, address: &str) -> Option<&ControlPlane> {
        let known = self.control_planes.iter().find(|plane| plane.api == api);
        let plain = |address: &str| address.trim_end_matches('/').to_owned();
        known.filter(|plane| plane.address.as_deref().is_none_or(|of| plain(of) == plain(address)))
    }

    fn live(&self, planes: Vec<ControlPlaneOptions>, prefixes: Vec<String>) -> Result<Arc<Live>, ServerError> {
        let options = LiveOptions {
            control_planes: planes,
            kubernetes: self.kubernetes.clone().map(|kubernetes| kubernetes as Arc<dyn Objects>),
            locations: (!prefixes.is_empty()).then(|| LocationOptions::new(prefixes)),
            tally: Some(Arc::clone(&self.counted) as Arc<dyn Tally>),
            ..LiveOptions::default()
        };
        Live::new(options).map(Arc::new).map_err(|error| ServerError::Option(error.to_string()))
    }
}

impl Objects for Kubernetes {
    fn answer(&self, object: &ObjectRef) -> Answered {
        Self::answer(self, object)
    }

    fn coming(&self, object: &ObjectRef) -> Option<channel::Receiver<bool>> {
        Self::coming(self, object)
    }
}

/// Counts look-ups, and says why they fail: of each source once in a while.
#[derive(Debug)]
pub struct Counted {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    told: Seldom<&'static str>,
}

impl Counted {
    /// Nothing counted yet.
    pub fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { metrics, told: Seldom::default() })
    }
}

impl Tally for Counted {
    fn looked_up(&self, source: &'static str, how: How, took: Duration) {
        let outcome = match how {
            How::Hit => "hit",
            How::Miss => "miss",
            How::Failure => "failure",
        };
        self.metrics.looked_up(source, outcome, took);
    }

    fn failed(&self, source: &'static str, why: &str) {
        if self.told.is_due(source) {
            let why = redact::text(why);
            tracing::warn!(source, %why, "a look-up failed: what it would have told is unjudged");
        }
    }
}

/// Begins to watch the Flink resources of the cluster.
pub async fn watch(options: KubernetesOptions) -> Result<Arc<Kubernetes>, ServerError> {
    let KubernetesOptions { namespaces, bytes } = options;
    let options = kubernetes::Options { namespaces, cache_bytes: bytes, ..kubernetes::Options::default() };
    Kubernetes::connect(options).await.map(Arc::new).map_err(|error| ServerError::Option(error.to_string()))
}

/// Counts what is watched, until the server closes.
pub async fn show(kubernetes: Option<Arc<Kubernetes>>, metrics: Arc<Metrics>, mut phases: Phases) {
    let Some(kubernetes) = kubernetes else { return };
    loop {
        for watch in kubernetes.snapshot().watches {
            metrics.kubernetes(watch.kind, watch.objects as u64, watch.bytes as u64);
        }
        tokio::select! {
            () = tokio::time::sleep(COUNTED) => {}
            () = phases.reached(Phase::Closing) => return,
        }
    }
}
