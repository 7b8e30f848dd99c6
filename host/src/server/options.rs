//! What a server is told to do. Plain data: the command line fills it in, and so can a program of yours.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::caller::Trust;
use super::decision_log;
use super::door::Mode;
use crate::Api;
use crate::facts::Credentials;

/// Everything a [`Server`](super::Server) needs to know.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The door of the webhook, the check API and the authorizer.
    pub listen: Option<Listen>,
    /// Reverse proxies, each with a door of its own.
    pub proxies: Vec<ProxyDoor>,
    /// Where metrics and health are served, as plain HTTP.
    pub metrics_listen: Option<SocketAddr>,
    /// What judges.
    pub judge: JudgeOptions,
    /// A second policy or settings, judged alongside.
    pub shadow: Option<ShadowOptions>,
    /// Whether refusals count.
    pub mode: Mode,
    /// Whose word about the caller is believed.
    pub trust: Trust,
    /// What a gateway puts before the paths of an API: taken off before judging.
    pub strip_prefixes: Vec<(Api, String)>,
    /// Where facts are looked up.
    pub control_planes: Vec<ControlPlane>,
    /// Whether the resources of Kubernetes are watched.
    pub kubernetes: Option<KubernetesOptions>,
    /// Below what savepoints are looked at.
    pub savepoint_prefixes: Vec<String>,
    /// Where decisions are written down.
    pub decision_log: Option<decision_log::Options>,
    /// What requests may cost.
    pub bounds: Bounds,
}

/// What judges: all of it is read again when a file changes or on SIGHUP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgeOptions {
    /// A policy component; `None`: the one inside.
    pub policy: Option<PathBuf>,
    /// A `Settings` document; `None`: the shipped settings.
    pub settings: Option<PathBuf>,
    /// `Facts` documents, declared by whoever runs the gate.
    pub facts: Vec<PathBuf>,
}

/// What is judged alongside; what is `None` is as in what judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShadowOptions {
    /// Another policy component.
    pub policy: Option<PathBuf>,
    /// Other settings.
    pub settings: Option<PathBuf>,
}

/// The main door.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where to listen; port 0 takes any.
    pub address: SocketAddr,
    /// TLS; `None`: plain HTTP, which has to be asked for.
    pub tls: Option<TlsFiles>,
}

impl Listen {
    /// Whether callers can show who they are.
    pub fn guarded(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
    }
}

/// PEM files. They are watched: new ones are taken up without dropping a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Whose client certificates are taken; `None`: none is asked for.
    pub client_ca: Option<PathBuf>,
}

/// A reverse proxy: an API, where it is, and the door in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyDoor {
    /// Whose API it is.
    pub api: Api,
    /// `http://host:port` or `https://host:port`, with a path before the API's own where there is one.
    pub upstream: String,
    /// Where to listen; port 0 takes any.
    pub address: SocketAddr,
}

/// What requests may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a body that is judged. 8 MiB.
    pub body: usize,
    /// Open connections of a door. 4096.
    pub connections: usize,
    /// Requests in the sandbox at once. The number of processors.
    pub concurrency: usize,
    /// Requests that wait for a sandbox; more are answered with 503 at once. 512.
    pub queue: usize,
    /// Time for an answer, where the caller names none. Ten seconds.
    pub deadline: Duration,
    /// Time for looking up what the policy asks for, within the deadline. One second.
    pub facts: Duration,
    /// Time for a client to send a head, and again to send a body. Ten seconds.
    pub patience: Duration,
    /// How long a connection may lie idle. 100 seconds: longer than the clients of Kubernetes keep theirs.
    pub idle: Duration,
    /// How long a stopping server still takes requests, so that whoever routes to it learns of it. Five seconds.
    pub drain: Duration,
    /// How long it waits after that for what is in flight. 20 seconds.
    pub grace: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            connections: 4096,
            concurrency: std::thread::available_parallelism().map_or(1, usize::from),
            queue: 512,
            deadline: Duration::from_secs(10),
            facts: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            idle: Duration::from_secs(100),
            drain: Duration::from_secs(5),
            grace: Duration::from_secs(20),
        }
    }
}

impl Options {
    /// What is wrong with these options, as far as they tell by themselves.
    ///
    /// # Errors
    /// With what to give instead, in the words of the command line.
    pub(super) fn check(&self) -> Result<(), String> {
        self.bounds.check()?;
        let zero = |flag: &str| Err(format!("`{flag} 0` leaves no room for anything: give at least 1"));
        if self.kubernetes.as_ref().is_some_and(|kubernetes| kubernetes.bytes == 0) {
            return zero("--kubernetes-cache-bytes");
        }
        if self.decision_log.as_ref().is_some_and(|log| log.bytes == 0) {
            return zero("--decision-log-bytes");
        }
        if let (None, Some((api, prefix))) = (&self.listen, self.strip_prefixes.first()) {
            let api = api.name();
            return Err(format!(
                "`--strip-prefix {api}={prefix}` is for the authorizer: open its door with `--listen`"
            ));
        }
        Ok(())
    }
}

impl Bounds {
    fn check(&self) -> Result<(), String> {
        let counts =
            [("--max-body", self.body), ("--max-connections", self.connections), ("--concurrency", self.concurrency)];
        let times = [
            ("--deadline", self.deadline),
            ("--facts-deadline", self.facts),
            ("--patience", self.patience),
            ("--idle", self.idle),
        ];
        let counts = counts.into_iter().map(|(flag, count)| (flag, count == 0));
        let times = times.into_iter().map(|(flag, time)| (flag, time.is_zero()));
        if let Some((flag, _)) = counts.chain(times).find(|(_, zero)| *zero) {
            return Err(format!("`{flag} 0` would refuse every request: give at least 1, or leave it out"));
        }
        Ok(())
    }
}

/// Where facts about an API are looked up.
#[derive(Clone, Debug)]
pub struct ControlPlane {
    /// Whose API it is.
    pub api: Api,
    /// Its URL; `None`: only the upstreams of proxies are asked.
    pub address: Option<String>,
    /// The gate's own credentials.
    pub credentials: Option<Credentials>,
    /// Certificate authorities (PEM) to believe instead of the system's.
    pub authority: Option<PathBuf>,
}

impl ControlPlane {
    /// Whether its credentials are there: without them every look-up would fail, and what it would have told is missing.
    pub(super) async fn check(&self) -> Result<(), String> {
        let Some(credentials) = &self.credentials else { return Ok(()) };
        credentials.check(self.api).await.map_err(|why| format!("`--credentials {}=…`: {why}", self.api.name()))
    }
}

/// What is watched in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesOptions {
    /// Only these namespaces; none: all.
    pub namespaces: Vec<String>,
    /// The most bytes that the resources may take.
    pub bytes: usize,
}
