//! `sluicegate serve`: the command line of the server. It says what the options mean; the server does the rest.

mod parse;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use sluicegate::server::caller::{Network, Trust};
use sluicegate::server::{Bounds, JudgeOptions, Listen, Options, ProxyDoor, Server, ShadowOptions, TlsFiles};
use sluicegate::server::{decision_log, door, telemetry};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, print};
use parse::{OfApi, Origin};

/// Serve the admission webhook, the check API, the authorizer and reverse proxies
///
/// The first three share one door (`--listen`): POST /validate, POST /v1/check, GET /v1/rules, /authz/<api>/…, and
/// GET /livez, /readyz, /openapi.json. Each proxy has a door of its own. SIGHUP reads settings, facts, policies and
/// certificates again (so does a change of the files); SIGTERM finishes what is in flight, and a second one does not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sluicegate serve --listen 0.0.0.0:8443 --tls-cert tls.crt --tls-key tls.key --kubernetes
  sluicegate serve --proxy flink-rest=http://127.0.0.1:8081@127.0.0.1:8082
  sluicegate serve --listen 127.0.0.1:8080 --insecure-http --control-plane flink-rest=http://jobmanager:8081")]
pub struct Serve {
    /// Where the webhook, the check API and the authorizer listen
    #[arg(long, value_name = "IP:PORT", value_parser = parse::address, help_heading = "Doors")]
    listen: Option<SocketAddr>,
    /// The certificate chain (PEM); changes are taken up without dropping a connection
    #[arg(long, value_name = "FILE", requires = "tls_key", help_heading = "Doors")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Doors")]
    tls_key: Option<PathBuf>,
    /// Listen without TLS
    #[arg(long, conflicts_with = "tls_cert", help_heading = "Doors")]
    insecure_http: bool,
    /// A reverse proxy: API (flink-rest or ververica), where it is (http or https), and where to listen (may be repeated)
    ///
    /// The door itself speaks plain HTTP: put TLS before it, or keep it on one machine. Everything there is the platform's,
    /// `/readyz` too: load balancers ask at `--metrics-listen`.
    #[arg(long, value_name = "API=URL@IP:PORT", help_heading = "Doors")]
    proxy: Vec<OfApi<Origin>>,
    /// What a gateway puts before an API's paths, taken off by the authorizer (may be repeated)
    #[arg(long, value_name = "API=/PREFIX", help_heading = "Doors")]
    strip_prefix: Vec<OfApi<String>>,
    /// Where /metrics, /livez and /readyz are served without TLS
    #[arg(long, value_name = "IP:PORT", value_parser = parse::address, help_heading = "Doors")]
    metrics_listen: Option<SocketAddr>,

    /// Whether refusals count
    #[arg(long, default_value = "enforce", help_heading = "Judging")]
    mode: Mode,
    /// Levels of rules and what to assume: a `Settings` document [env: SLUICEGATE_SETTINGS]
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    settings: Option<PathBuf>,
    /// What is known besides the requests: `Facts` documents (may be repeated)
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    facts: Vec<PathBuf>,
    /// Judge with this policy component instead of the one inside
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    policy: Option<PathBuf>,
    /// A second policy, judged alongside: only differences are logged and counted
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    shadow_policy: Option<PathBuf>,
    /// Second settings, judged alongside
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    shadow_settings: Option<PathBuf>,

    /// Whose client certificates name the caller (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", help_heading = "Callers")]
    client_ca: Option<PathBuf>,
    /// The header in which a trusted gateway names the caller
    #[arg(long, value_name = "NAME", requires = "trusted_proxy", help_heading = "Callers")]
    principal_header: Option<String>,
    /// The address or network of such a gateway (may be repeated)
    #[arg(long, value_name = "IP[/BITS]", requires = "principal_header", help_heading = "Callers")]
    trusted_proxy: Vec<Network>,

    /// Where facts about an API are looked up; a proxy's upstream is for its own door (may be repeated)
    #[arg(long, value_name = "API=URL", help_heading = "Facts")]
    control_plane: Vec<OfApi<String>>,
    /// The gate's own credentials for it, in a file or an environment variable (may be repeated)
    #[arg(long, value_name = "API=file:PATH|env:NAME", help_heading = "Facts")]
    credentials: Vec<OfApi<String>>,
    /// Certificate authorities (PEM) of a control plane or a proxy's upstream, instead of the system's (may be repeated)
    #[arg(long, value_name = "API=FILE", help_heading = "Facts")]
    control_plane_ca: Vec<OfApi<String>>,
    /// Watch the Flink resources of the cluster: in it, or as KUBECONFIG says
    #[arg(long, help_heading = "Facts")]
    kubernetes: bool,
    /// Watch this namespace only (may be repeated)
    #[arg(long, value_name = "NAMESPACE", requires = "kubernetes", help_heading = "Facts")]
    watch_namespace: Vec<String>,
    /// The most bytes that watched resources may take
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20, value_parser = parse::bytes::<usize>, help_heading = "Facts")]
    kubernetes_cache_bytes: usize,
    /// Savepoints below this are looked at, such as `s3://bucket/savepoints` (may be repeated)
    #[arg(long, value_name = "URI", help_heading = "Facts")]
    savepoint_prefix: Vec<String>,

    /// Bytes of the largest body that is judged
    #[arg(long, value_name = "BYTES", default_value_t = Bounds::default().body, value_parser = parse::bytes::<usize>, help_heading = "Bounds")]
    max_body: usize,
    /// Open connections of a door
    #[arg(long, value_name = "COUNT", default_value_t = Bounds::default().connections, help_heading = "Bounds")]
    max_connections: usize,
    /// Requests judged at once [default: the number of processors]
    #[arg(long, value_name = "COUNT", help_heading = "Bounds")]
    concurrency: Option<usize>,
    /// Requests that wait for it; more get 503 at once
    #[arg(long, value_name = "COUNT", default_value_t = Bounds::default().queue, help_heading = "Bounds")]
    queue: usize,
    /// Milliseconds for an answer; the API server's own timeout counts where it is shorter
    #[arg(long, value_name = "MS", default_value_t = 10_000, help_heading = "Bounds")]
    deadline: u64,
    /// Milliseconds of it for looking facts up; what is not there then is unjudged [default: 1000, and at most half of it]
    #[arg(long, value_name = "MS", help_heading = "Bounds")]
    facts_deadline: Option<u64>,
    /// Seconds that a client has for a head, and again for a body
    #[arg(long, value_name = "SECONDS", default_value_t = 10, help_heading = "Bounds")]
    patience: u64,
    /// Seconds that a connection may lie idle
    #[arg(long, value_name = "SECONDS", default_value_t = 100, help_heading = "Bounds")]
    idle: u64,
    /// Seconds that a stopped server waits for what is in flight, such as uploads
    #[arg(long, value_name = "SECONDS", default_value_t = 20, help_heading = "Bounds")]
    grace: u64,
    /// Seconds that a stopping server still takes requests, so that whoever routes to it learns of it
    #[arg(long, value_name = "SECONDS", default_value_t = 5, help_heading = "Bounds")]
    drain_time: u64,

    /// Write every decision there, one JSON document a line; `sluicegate replay` judges them again
    ///
    /// What is no plain file (a pipe, a link, /dev/stdout) is written to, and never begun anew.
    #[arg(long, value_name = "FILE", help_heading = "To be seen")]
    decision_log: Option<PathBuf>,
    /// Bytes after which a new file is begun
    #[arg(long, value_name = "BYTES", default_value_t = 100 << 20, value_parser = parse::bytes::<u64>, help_heading = "To be seen")]
    decision_log_bytes: u64,
    /// Files that are kept
    #[arg(long, value_name = "COUNT", default_value_t = 5, help_heading = "To be seen")]
    decision_log_keep: usize,
    /// Send traces there, as OTLP over HTTP, such as `http://collector:4318/v1/traces`
    #[arg(long, value_name = "URL", help_heading = "To be seen")]
    otlp_endpoint: Option<String>,
    /// How the log on standard error is written
    #[arg(long, default_value = "human", help_heading = "To be seen")]
    log_format: super::Format,
    /// What is logged: error, warn, info, debug, trace, or directives such as `info,sluicegate=debug`
    #[arg(long, value_name = "LEVEL", default_value = "info", help_heading = "To be seen")]
    log_level: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// What is denied is refused
    Enforce,
    /// Nothing is refused; what would be is a warning
    Warn,
}

/// Hears when somebody wants the server to stop.
struct Told {
    terminated: Signal,
    interrupted: Signal,
}

impl Told {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminated: signal(SignalKind::terminate())?, interrupted: signal(SignalKind::interrupt())? })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}

impl Serve {
    /// Serves until it is told to stop.
    pub fn run(self) -> anyhow::Result<Exit> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let exit = runtime.block_on(self.serve());
        // What is still being judged is bounded by itself; whoever stops twice waits for nothing.
        runtime.shutdown_timeout(Duration::from_secs(1));
        exit
    }

    async fn serve(self) -> anyhow::Result<Exit> {
        let _telemetry = telemetry::init(&telemetry::Telemetry {
            format: match self.log_format {
                super::Format::Human => telemetry::Format::Human,
                super::Format::Json => telemetry::Format::Json,
            },
            level: self.log_level.clone(),
            otlp_endpoint: self.otlp_endpoint.clone(),
        })?;
        let server = Server::open(self.options()?).await?;
        // For whoever started it: port 0 is a number now, and connections are taken.
        print(format!("{}open\n", server.doors()).as_bytes())?;
        let (mut first, mut both) = (Told::new()?, Told::new()?);
        let mut hung_up = signal(SignalKind::hangup())?;
        let asked = server.reload_handle();
        tokio::spawn(async move {
            while hung_up.recv().await.is_some() {
                asked.notify_one();
            }
        });
        let again = async {
            both.heard().await;
            both.heard().await;
        };
        tokio::select! {
            served = server.run(first.heard()) => served?,
            () = again => bail!("told to stop a second time: stopped at once, and what was in flight is cut"),
        }
        Ok(Exit::Allowed)
    }

    fn options(self) -> anyhow::Result<Options> {
        let listen = match (self.listen, self.tls_cert, self.tls_key, self.insecure_http) {
            (None, None, _, false) => None,
            (None, None, _, true) => {
                bail!("`--insecure-http` is for a door that there is not: give `--listen IP:PORT`")
            }
            (None, Some(_), ..) => bail!("`--tls-cert` needs a door: give `--listen IP:PORT`"),
            (Some(address), Some(certificate), Some(key), _) => {
                Some(Listen { address, tls: Some(TlsFiles { certificate, key, client_ca: self.client_ca }) })
            }
            (Some(address), _, _, true) => Some(Listen { address, tls: None }),
            (Some(_), ..) => bail!("give `--tls-cert` and `--tls-key`, or ask for plain HTTP with `--insecure-http`"),
        };
        let settings = self.settings.or_else(|| std::env::var_os("SLUICEGATE_SETTINGS").map(PathBuf::from));
        let header = self
            .principal_header
            .map(|name| name.parse().with_context(|| format!("`--principal-header {name}` is no name of a header")));
        let shadowed = self.shadow_policy.is_some() || self.shadow_settings.is_some();
        let proxied: Vec<_> = self.proxy.iter().map(|proxy| proxy.api).collect();
        let default = Bounds::default();
        let deadline = Duration::from_millis(self.deadline);
        Ok(Options {
            listen,
            proxies: self
                .proxy
                .into_iter()
                .map(|OfApi { api, value: Origin { upstream, address } }| ProxyDoor { api, upstream, address })
                .collect(),
            metrics_listen: self.metrics_listen,
            judge: JudgeOptions { policy: self.policy, settings, facts: self.facts },
            shadow: shadowed.then_some(ShadowOptions { policy: self.shadow_policy, settings: self.shadow_settings }),
            mode: match self.mode {
                Mode::Enforce => door::Mode::Enforce,
                Mode::Warn => door::Mode::Warn,
            },
            trust: Trust { header: header.transpose()?, gateways: self.trusted_proxy },
            strip_prefixes: parse::prefixes(self.strip_prefix)?,
            control_planes: parse::control_planes(
                self.control_plane,
                self.credentials,
                self.control_plane_ca,
                &proxied,
            )?,
            kubernetes: self.kubernetes.then_some(sluicegate::server::KubernetesOptions {
                namespaces: self.watch_namespace,
                bytes: self.kubernetes_cache_bytes,
            }),
            savepoint_prefixes: self.savepoint_prefix,
            decision_log: self.decision_log.map(|path| decision_log::Options {
                path,
                bytes: self.decision_log_bytes,
                keep: self.decision_log_keep,
            }),
            bounds: Bounds {
                body: self.max_body,
                connections: self.max_connections,
                concurrency: self.concurrency.unwrap_or(default.concurrency),
                queue: self.queue,
                deadline,
                facts: self.facts_deadline.map_or(default.facts.min(deadline / 2), Duration::from_millis),
                patience: Duration::from_secs(self.patience),
                idle: Duration::from_secs(self.idle),
                grace: Duration::from_secs(self.grace),
                drain: Duration::from_secs(self.drain_time),
            },
        })
    }
}
