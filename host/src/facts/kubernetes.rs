//! The Flink resources of a Kubernetes cluster, kept in memory by watches: what the policy wants to know of them is
//! answered at once, without asking the API server. What is not known for certain is unavailable, never absent.

mod budget;
mod feed;
mod json;
mod reads;
mod resource;
mod shelf;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderValue, USER_AGENT};
use kube::config::Kubeconfig;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::budget::Budget;
use self::feed::Pace;
use self::reads::Reads;
use self::resource::{FLINK, NAMESPACES};
use self::target::{Phase, Target};
use super::Answered;
use crate::ObjectRef;

/// What is watched, and how much of it is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespaces that are watched. None: all of the cluster.
    pub namespaces: Vec<String>,
    /// Bytes of all objects together. What does not fit is unavailable. 64 MiB.
    pub cache_bytes: usize,
    /// Bytes of the longest list that is answered; the policy takes 8 MiB of facts. 4 MiB.
    pub list_bytes: usize,
    /// How long answers still count after the API server was last heard of. At least ten seconds. 60 s.
    pub stale_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            cache_bytes: 64 << 20,
            list_bytes: 4 << 20,
            stale_after: Duration::from_secs(60),
        }
    }
}

/// Why no watch can be started.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// It is not known where the API server is, or who we are.
    #[error("no Kubernetes cluster is configured (set `KUBECONFIG`, or run in a pod with a service account): {0}")]
    NoCluster(String),
    /// The configuration cannot be used.
    #[error("the Kubernetes API cannot be used as it is configured: {0}")]
    Client(String),
    /// No namespace can have this name.
    #[error("`{0}` cannot be the name of a namespace, check --watch-namespace")]
    Namespace(String),
    /// Answers would be stale before the next sign of life.
    #[error("answers must count for at least 10 s, not {0:?}")]
    StaleAfter(Duration),
}

/// The watches of a cluster, and what they told. They end when it is dropped.
pub struct Kubernetes {
    targets: Vec<Arc<Target>>,
    budget: Arc<Budget>,
    options: Options,
    /// Aborts them when dropped.
    _tasks: JoinSet<()>,
}

/// How the cache is doing, for metrics.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Bytes that objects may take, with what it costs to keep them.
    pub limit: usize,
    /// Bytes that they take.
    pub used: usize,
    /// Each watch.
    pub watches: Vec<Watch>,
}

/// How one watch is doing.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The kind of the objects.
    pub kind: &'static str,
    /// The namespace; `None`: all.
    pub namespace: Option<String>,
    /// How far it is.
    pub state: WatchState,
    /// Objects that are known, with those that are not held.
    pub objects: usize,
    /// Bytes of the objects that are held.
    pub bytes: usize,
    /// Objects that did not fit.
    pub not_held: usize,
    /// Since when the API server was not heard of. `None`: never was.
    pub silent_for: Option<Duration>,
    /// How often everything was listed. The first time is no trouble.
    pub lists: u64,
    /// How often a watch was opened; each ends after a while.
    pub opened: u64,
    /// How often something failed.
    pub failures: u64,
    /// What is wrong, while something is.
    pub trouble: Option<String>,
}

/// How far a watch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchState {
    /// The first list is not complete.
    Starting,
    /// Objects are known.
    Synced,
    /// They are, but for too long nothing was heard of the API server: nothing is answered.
    Stale,
    /// The cluster does not know the kind.
    NotInstalled,
}

impl Kubernetes {
    /// Starts the watches of the cluster that `KUBECONFIG` names, or else of the one that this pod runs in. Call it
    /// inside a tokio runtime; it does not wait for the first answer.
    ///
    /// # Errors
    /// When there is no such configuration, or it cannot be used.
    pub async fn connect(options: Options) -> Result<Self, KubernetesError> {
        let config = kube::Config::infer().await.map_err(|error| KubernetesError::NoCluster(error.to_string()))?;
        Self::with_config(config, options)
    }

    /// Like [`Kubernetes::connect`], with the text of a KUBECONFIG and its current context.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub async fn from_kubeconfig(text: &str, options: Options) -> Result<Self, KubernetesError> {
        let unusable = |error: kube::config::KubeconfigError| KubernetesError::Client(error.to_string());
        let read = Kubeconfig::from_yaml(text).map_err(unusable)?;
        let config = kube::Config::from_custom_kubeconfig(read, &Default::default()).await.map_err(unusable)?;
        Self::with_config(config, options)
    }

    fn with_config(mut config: kube::Config, options: Options) -> Result<Self, KubernetesError> {
        if options.stale_after < Duration::from_secs(10) {
            return Err(KubernetesError::StaleAfter(options.stale_after));
        }
        // Repeats hide for minutes what is wrong; the feeds wait and repeat themselves, and say why.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(10));
        let agent = HeaderValue::from_static(concat!("sluicegate/", env!("CARGO_PKG_VERSION")));
        config.headers.push((USER_AGENT, agent));
        let client = kube::Client::try_from(config).map_err(|error| KubernetesError::Client(error.to_string()))?;
        let pace = Pace::for_stale(options.stale_after);
        Self::start(&client, options, &pace)
    }

    fn start(client: &kube::Client, options: Options, pace: &Pace) -> Result<Self, KubernetesError> {
        let budget = Arc::new(Budget::new(options.cache_bytes));
        let named: BTreeSet<_> = options.namespaces.iter().cloned().collect();
        if let Some(wrong) = named.iter().find(|name| !can_be_namespace(name)) {
            return Err(KubernetesError::Namespace(wrong.clone()));
        }
        let scopes: Vec<_> = if named.is_empty() { vec![None] } else { named.into_iter().map(Some).collect() };
        let mut targets = Vec::new();
        let mut tasks = JoinSet::new();
        for kind in FLINK.iter().chain([NAMESPACES]) {
            for scope in &scopes {
                let target = Arc::new(Target::new(kind, scope.clone(), Arc::clone(&budget)));
                let reads = Reads::new(client.clone(), kind, scope.clone());
                tasks.spawn(feed::refill(Arc::clone(&target), reads.clone(), budget.freed(), pace.clone()));
                tasks.spawn(feed::follow(Arc::clone(&target), reads, pace.clone()));
                targets.push(target);
            }
        }
        Ok(Self { targets, budget, options, _tasks: tasks })
    }

    /// An object, or all of a kind in a namespace as a list object. Never waits.
    #[must_use]
    pub fn answer(&self, about: &ObjectRef) -> Answered {
        if about.kind == NAMESPACES.name {
            return Answered::Unavailable("of namespaces only the labels are kept".to_owned());
        }
        match self.target(&about.kind, &about.namespace) {
            Err(why) => Answered::Unavailable(why),
            Ok(target) => match &about.name {
                Some(name) => target.one(&about.namespace, name, self.options.stale_after),
                None => target.all(&about.namespace, self.options.list_bytes, self.options.stale_after),
            },
        }
    }

    /// While the first list that tells about it is on its way: becomes true when it is here, or cannot be read.
    #[must_use]
    pub fn coming(&self, about: &ObjectRef) -> Option<watch::Receiver<bool>> {
        self.target(&about.kind, &about.namespace).ok()?.coming()
    }

    /// The same for [`Kubernetes::labels`].
    #[must_use]
    pub fn labels_coming(&self, namespace: &str) -> Option<watch::Receiver<bool>> {
        self.target(NAMESPACES.name, namespace).ok()?.coming()
    }

    /// The labels of a namespace, as a JSON object.
    #[must_use]
    pub fn labels(&self, namespace: &str) -> Answered {
        match self.target(NAMESPACES.name, namespace) {
            Err(why) => Answered::Unavailable(why),
            Ok(target) => target.one("", namespace, self.options.stale_after),
        }
    }

    /// Whether everything was read once. Kinds that are not installed do not count, nor does whether namespaces may be
    /// read.
    ///
    /// # Errors
    /// What is not read yet, and why, for people.
    pub fn synced(&self) -> Result<(), String> {
        let waits: Vec<_> = self.targets.iter().filter_map(|target| target.synced().err()).collect();
        if waits.is_empty() { Ok(()) } else { Err(waits.join("; ")) }
    }

    /// How the cache is doing now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let watches = self.targets.iter().map(|target| self.watch(target)).collect();
        Snapshot { limit: self.budget.limit(), used: self.budget.used(), watches }
    }

    fn watch(&self, target: &Target) -> Watch {
        let state = target.read();
        let silent_for = state.proof.map(|proof| proof.elapsed());
        let stale = silent_for.is_some_and(|silent| silent > self.options.stale_after);
        Watch {
            kind: target.kind.name,
            namespace: target.namespace.clone(),
            state: match state.phase {
                Phase::Starting => WatchState::Starting,
                Phase::Synced | Phase::NotInstalled if stale => WatchState::Stale,
                Phase::Synced => WatchState::Synced,
                Phase::NotInstalled => WatchState::NotInstalled,
            },
            objects: state.shelf.totals.objects,
            bytes: state.shelf.totals.bytes,
            not_held: state.shelf.totals.not_held,
            silent_for,
            lists: state.lists,
            opened: state.watches,
            failures: state.failures,
            trouble: state.trouble.clone(),
        }
    }

    fn target(&self, kind: &str, namespace: &str) -> Result<&Target, String> {
        let mut of_kind = self.targets.iter().filter(|target| target.kind.name == kind).peekable();
        if of_kind.peek().is_none() {
            return Err(format!("objects of kind `{kind}` are not watched"));
        }
        let found = of_kind.find(|target| target.namespace.as_deref().is_none_or(|watched| watched == namespace));
        found
            .map(|target| &**target)
            .ok_or_else(|| format!("the namespace `{namespace}` is not watched, add it with --watch-namespace"))
    }
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").field("options", &self.options).finish_non_exhaustive()
    }
}

/// RFC 1123, as the API server checks it: a name goes into paths and selectors.
fn can_be_namespace(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(inner) && !name.starts_with('-') && !name.ends_with('-')
}
