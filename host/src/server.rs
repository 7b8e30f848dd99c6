//! The gate in service: admission webhook, check API and authorizer behind one door, reverse proxies behind doors of
//! their own, and the same judgement behind each.

mod admission;
mod authorizer;
mod body;
pub mod caller;
mod check;
mod connection;
pub mod decision_log;
mod denial;
pub mod door;
mod gate;
mod health;
mod judge;
pub mod metrics;
mod options;
mod proxy;
pub mod redact;
mod reload;
mod reply;
mod routes;
mod seldom;
mod shadow;
mod sources;
pub mod telemetry;
mod tls;
mod turnstile;
mod watch;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch as channel};
use tokio::task::JoinSet;

use crate::Limits;
use crate::facts::kubernetes::Kubernetes;
use body::Room;
use caller::Peer;
use connection::{Door as Entrance, Patient, Phase, Phases, Pulse};
use decision_log::DecisionLog;
use gate::{Gate, Parts};
use health::Health;
use judge::Judge;
pub use judge::JudgeError;
use metrics::Metrics;
pub use options::{
    Bounds, ControlPlane, JudgeOptions, KubernetesOptions, Listen, Options, ProxyDoor, ShadowOptions, TlsFiles,
};
use proxy::Proxy;
use reload::{Reload, Watches};
use reply::Reply;
use routes::Routes;
use shadow::Shadow;
use sources::{Counted, Sources};
use tls::Tls;
pub use tls::TlsError;
use turnstile::Turnstiles;

/// Why a server cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is nothing to serve.
    #[error("no door is named: give `--listen` or `--proxy`")]
    NoDoor,
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// Nothing can judge.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A source of facts, or a proxy, cannot be set up. The text says which, and why.
    #[error("{0}")]
    Option(String),
    /// A door broke while it served.
    #[error("a door broke, so the server ended: {0}; start it again, and report this with its log")]
    Door(String),
    /// The decision log cannot be written.
    #[error("cannot write the decision log `{}`: {error}", file.display())]
    DecisionLog {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
}

/// A server with its doors open: connections wait until it runs.
#[derive(Debug)]
pub struct Server {
    main: Option<(TcpListener, Option<Arc<Tls>>)>,
    proxies: Vec<(TcpListener, Arc<Proxy>)>,
    metrics: Option<TcpListener>,
    routes: Arc<Routes>,
    reload: Reload,
    phase: channel::Sender<Phase>,
    phases: Phases,
    bounds: Bounds,
    kubernetes: Option<Arc<Kubernetes>>,
}

impl Server {
    /// Loads what judges, sets up what is looked up, and opens the doors.
    ///
    /// # Errors
    /// With what is wrong and what to do. Nothing is open then.
    pub async fn open(options: Options) -> Result<Self, ServerError> {
        if options.listen.is_none() && options.proxies.is_empty() {
            return Err(ServerError::NoDoor);
        }
        options.check().map_err(ServerError::Option)?;
        // One provider for every connection out; where the program has chosen one already, that one stays.
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
        for ProxyDoor { api, upstream, .. } in &options.proxies {
            Proxy::check(*api, upstream).map_err(ServerError::Option)?;
        }
        for plane in &options.control_planes {
            plane.check().await.map_err(ServerError::Option)?;
        }
        let bounds = options.bounds.clone();
        let turnstiles = Turnstiles::new(bounds.concurrency, bounds.queue);
        let limits = Limits { body: bounds.body, sandboxes: turnstiles.sandboxes(), ..Limits::default() };
        // What changes from here on is noticed, however long opening takes.
        let mut watches = Watches { judge: options.judge.watch(), ..Watches::default() };
        let judge = load(options.judge.clone(), limits.clone()).await?;
        let shadow_options = options.shadow.map(|shadow| JudgeOptions {
            policy: shadow.policy.or_else(|| options.judge.policy.clone()),
            settings: shadow.settings.or_else(|| options.judge.settings.clone()),
            facts: options.judge.facts.clone(),
        });
        let shadow = match shadow_options {
            None => None,
            Some(options) => {
                watches.shadow = Some(options.watch());
                Some((Arc::new(Shadow::new(load(options.clone(), limits.clone()).await?)), options))
            }
        };
        let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION"), judge.policy.digest()));
        let log = match options.decision_log {
            None => None,
            Some(log) => {
                let file = log.path.clone();
                let wrong = |error| ServerError::DecisionLog { file, error };
                Some(DecisionLog::open(log, Arc::clone(&metrics)).map_err(wrong)?)
            }
        };
        let gate = Arc::new(Gate::new(
            judge,
            Parts {
                mode: options.mode,
                shadow: shadow.as_ref().map(|(shadow, _)| Arc::clone(shadow)),
                turnstiles,
                facts: bounds.facts,
                metrics: Arc::clone(&metrics),
                log,
            },
        ));
        let (phase, phases) = Phases::new();
        let kubernetes = match options.kubernetes {
            None => None,
            Some(kubernetes) => Some(sources::watch(kubernetes).await?),
        };
        let sources = Sources {
            control_planes: options.control_planes,
            kubernetes: kubernetes.clone(),
            savepoint_prefixes: options.savepoint_prefixes,
            counted: Counted::new(Arc::clone(&metrics)),
        };
        watches.certificates = options.listen.as_ref().and_then(|listen| listen.tls.as_ref()).map(TlsFiles::watch);
        let tls =
            options.listen.as_ref().and_then(|listen| listen.tls.clone()).map(Tls::load).transpose()?.map(Arc::new);
        if let Some(tls) = &tls {
            metrics.certificate(&tls.certificate().display().to_string(), tls.expires());
        }
        let main = match &options.listen {
            None => None,
            Some(listen) => Some((bind(listen.address).await?, tls.clone())),
        };
        let metrics_listener = match options.metrics_listen {
            None => None,
            Some(address) => Some(bind(address).await?),
        };
        let mut proxies = Vec::new();
        for ProxyDoor { api, upstream, address } in &options.proxies {
            let (gate, trust) = (Arc::clone(&gate), options.trust.clone());
            let live = sources.of_api(Some((*api, upstream)))?;
            let there = (upstream.as_str(), sources.authority(*api, upstream));
            let proxy = Proxy::new(*api, there, gate, live, trust, bounds.clone()).map_err(ServerError::Option)?;
            proxies.push((bind(*address).await?, Arc::new(proxy)));
        }
        let doors = main.iter().map(|(listener, _)| listener).chain(&metrics_listener);
        let doors = doors.chain(proxies.iter().map(|(listener, _)| listener));
        let doors: Vec<_> = doors.filter_map(|listener| listener.local_addr().ok()).collect();
        for (_, proxy) in &proxies {
            proxy.leads_elsewhere(&doors).map_err(ServerError::Option)?;
        }
        let routes_trust = options.trust.header.is_some();
        let routes = Arc::new(Routes {
            gate: Arc::clone(&gate),
            watched: sources.watched()?,
            live: sources.of_api(None)?,
            kubernetes: kubernetes.clone(),
            trust: options.trust,
            prefixes: options.strip_prefixes,
            bounds: bounds.clone(),
            health: Health { phases: phases.clone(), tls: tls.clone(), kubernetes: kubernetes.clone() },
            room: Room::new(bounds.body),
            guarded: options.listen.as_ref().is_some_and(|listen| listen.guarded()) || routes_trust,
        });
        let reload =
            Reload { gate, judge: options.judge, limits, shadow, tls, watches, asked: Arc::new(Notify::new()) };
        Ok(Self { main, proxies, metrics: metrics_listener, routes, reload, phase, phases, bounds, kubernetes })
    }

    /// One line for each open door: its name and where it is.
    pub fn doors(&self) -> String {
        let mut lines = String::new();
        let mut line = |name: &str, scheme: &str, listener: &TcpListener| {
            if let Ok(address) = listener.local_addr() {
                lines.push_str(&format!("{name} {scheme}://{address}\n"));
            }
        };
        if let Some((listener, tls)) = &self.main {
            line("main", if tls.is_some() { "https" } else { "http" }, listener);
        }
        for (listener, proxy) in &self.proxies {
            line(&format!("proxy {}", proxy.api().name()), "http", listener);
        }
        if let Some(listener) = &self.metrics {
            line("metrics", "http", listener);
        }
        lines
    }

    /// Notify it, and everything is read again.
    pub fn reload_handle(&self) -> Arc<Notify> {
        Arc::clone(&self.reload.asked)
    }

    /// Serves until `stop` is done; then says that it is not ready, waits until nobody sends it anything new, and
    /// finishes what is in flight.
    ///
    /// # Errors
    /// When a door ends before that, which only a fault of ours brings about: better no server than half of one.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let Self { main, proxies, metrics, routes, reload, phase, phases, bounds, kubernetes } = self;
        let gate = Arc::clone(&routes.gate);
        let entrance = |listener, name| Entrance {
            listener,
            name,
            bounds: bounds.clone(),
            metrics: Arc::clone(gate.metrics()),
            phases: phases.clone(),
        };
        let mut doors = JoinSet::new();
        if let Some((listener, tls)) = main {
            let (routes, phases) = (Arc::clone(&routes), phases.clone());
            let serve =
                move |stream, address| main_door(Arc::clone(&routes), tls.clone(), stream, address, phases.clone());
            doors.spawn(entrance(listener, "main").run(serve));
        }
        for (listener, proxy) in proxies {
            let phases = phases.clone();
            let serve = move |stream, address| Arc::clone(&proxy).serve(stream, address, phases.clone());
            doors.spawn(entrance(listener, "proxy").run(serve));
        }
        if let Some(listener) = metrics {
            let (routes, phases) = (Arc::clone(&routes), phases.clone());
            let serve = move |stream, _| metrics_door(Arc::clone(&routes), stream, phases.clone());
            doors.spawn(entrance(listener, "metrics").run(serve));
        }
        let reloading = tokio::spawn(reload.run(phases.clone()));
        let watching = tokio::spawn(sources::show(kubernetes, Arc::clone(gate.metrics()), phases.clone()));
        tracing::info!(mode = gate.mode().name(), policy = gate.judge().name.digest, "serving");

        let served = serving(&mut doors, stop).await;
        if served.is_ok() {
            tracing::info!(seconds = bounds.drain.as_secs(), "stopping: not ready any more, still serving");
            phase.send_replace(Phase::Draining);
            tokio::time::sleep(bounds.drain).await;
        }
        phase.send_replace(Phase::Closing);
        while doors.join_next().await.is_some() {}
        for task in [reloading, watching] {
            task.abort();
        }
        tracing::info!("stopped");
        served
    }
}

/// Until `stop` is done, or a door ends without being told to.
async fn serving(doors: &mut JoinSet<()>, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
    tokio::select! {
        () = stop => Ok(()),
        Some(ended) = doors.join_next() => {
            let why = ended.err().map_or_else(|| "it took no connection any more".to_owned(), |error| error.to_string());
            tracing::error!(why, "a door broke: the server ends");
            Err(ServerError::Door(why))
        }
    }
}

/// Loading compiles machine code when none is cached: not on the threads that serve.
async fn load(options: JudgeOptions, limits: Limits) -> Result<Judge, JudgeError> {
    let loaded = tokio::task::spawn_blocking(move || Judge::load(&options, &limits, None)).await;
    loaded.unwrap_or_else(|error| Err(JudgeError::Wrong(error.to_string())))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|error| ServerError::Listen { address, error })
}

/// What answers the requests of one connection of the main door.
fn answering(
    routes: Arc<Routes>,
    peer: Arc<Peer>,
    pulse: Pulse,
) -> impl Service<Request<Incoming>, Response = Reply, Error = Infallible, Future: Send> {
    service_fn(move |request| Arc::clone(&routes).answer(Arc::clone(&peer), pulse.clone(), request))
}

/// Serves a connection of the main door.
async fn main_door(routes: Arc<Routes>, tls: Option<Arc<Tls>>, stream: TcpStream, address: SocketAddr, phases: Phases) {
    let Bounds { patience, idle, .. } = routes.bounds;
    let address = address.ip();
    let Some(tls) = tls else {
        let peer = Arc::new(Peer { address, certificate: None });
        let (stream, pulse) = Patient::new(stream, patience, idle);
        let service = answering(routes, peer, pulse.clone());
        return connection::http1(stream, service, pulse, phases).await;
    };
    let stream = match tokio::time::timeout(patience, tls.acceptor().accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%error, "no TLS came about"),
        Err(_) => return tracing::debug!("no TLS came about in time"),
    };
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first).and_then(tls::subject).map(Arc::from);
    let peer = Arc::new(Peer { address, certificate });
    if session.alpn_protocol() == Some(b"h2") {
        let (pulse, bounds) = (Pulse::default(), routes.bounds.clone());
        let service = answering(routes, peer, pulse.clone());
        return connection::http2(stream, service, pulse, bounds, phases).await;
    }
    let (stream, pulse) = Patient::new(stream, patience, idle);
    let service = answering(routes, peer, pulse.clone());
    connection::http1(stream, service, pulse, phases).await;
}

/// Serves a connection of the door for metrics and health.
async fn metrics_door(routes: Arc<Routes>, stream: TcpStream, phases: Phases) {
    let Bounds { patience, idle, .. } = routes.bounds;
    let (stream, pulse) = Patient::new(stream, patience, idle);
    let beats = pulse.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let _busy = beats.busy();
        let reply = routes.observe(&request);
        async move { Ok::<_, Infallible>(reply) }
    });
    connection::http1(stream, service, pulse, phases).await;
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::task::JoinSet;

    use super::{ServerError, serving};

    #[tokio::test]
    async fn a_door_that_breaks_ends_the_server() {
        let mut doors = JoinSet::new();
        doors.spawn(pending());
        assert!(serving(&mut doors, ready(())).await.is_ok());
        doors.spawn(async { panic!("a fault of ours") });
        assert!(matches!(serving(&mut doors, pending()).await, Err(ServerError::Door(_))));
    }
}
