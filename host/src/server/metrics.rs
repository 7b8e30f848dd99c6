//! What is counted and measured, in the OpenMetrics text that Prometheus reads. Every label has few values: what comes
//! from a request is never one.

mod rules;

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::door::{Door, Mode, Stage};
use crate::{PolicyError, Verdict};
use rules::Rules;

/// Seconds: from a fresh sandbox (tens of microseconds) to the longest that anybody waits.
const BUCKETS: [f64; 16] =
    [10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3, 250e-3, 1.0, 2.5, 10.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    door: &'static str,
    mode: &'static str,
    decision: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AtDoor {
    door: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InStage {
    door: &'static str,
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rejected {
    door: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breach {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Looked {
    source: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    source: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reloaded {
    what: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfWhat {
    what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFile {
    file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: String,
    policy: String,
}

/// Everything that is counted. It may be used from any number of threads at once.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    version: String,
    decisions: Family<Decided, Counter>,
    rules: Rules,
    breaches: Family<Breach, Counter>,
    stages: Histograms<InStage>,
    requests: Histograms<AtDoor>,
    rejected: Family<Rejected, Counter>,
    let_through: Family<Rejected, Counter>,
    lookups: Family<Looked, Counter>,
    lookup_times: Histograms<Asked>,
    certificates: Family<OfFile, Gauge<f64, AtomicU64>>,
    reloads: Family<Reloaded, Counter>,
    outdated: Family<OfWhat, Gauge>,
    objects: Family<OfKind, Gauge<u64, AtomicU64>>,
    bytes: Family<OfKind, Gauge<u64, AtomicU64>>,
    connections: Family<AtDoor, Gauge>,
    build: Family<Build, Gauge>,
    log_failures: Counter,
}

/// A connection that is open for as long as this lives.
#[derive(Debug)]
pub struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn histograms<L: Clone + std::hash::Hash + Eq>() -> Histograms<L> {
    Family::new_with_constructor(histogram)
}

impl Metrics {
    /// Nothing counted yet. `version` is the program's, `policy_digest` is that of the policy that judges.
    pub fn new(version: &str, policy_digest: &str) -> Self {
        let mut registry = Registry::with_prefix("sluicegate");
        let metrics = Self {
            version: version.to_owned(),
            decisions: Family::default(),
            rules: Rules::register(&mut registry),
            breaches: Family::default(),
            stages: histograms(),
            requests: histograms(),
            rejected: Family::default(),
            let_through: Family::default(),
            lookups: Family::default(),
            lookup_times: histograms(),
            certificates: Family::default(),
            reloads: Family::default(),
            outdated: Family::default(),
            objects: Family::default(),
            bytes: Family::default(),
            connections: Family::default(),
            build: Family::default(),
            log_failures: Counter::default(),
            registry: Registry::default(),
        };
        let it = &metrics;
        let seconds = || Unit::Seconds;
        registry.register("decisions", "Requests judged", it.decisions.clone());
        registry.register(
            "sandbox_breaches",
            "Calls that the policy did not survive, by what it broke",
            it.breaches.clone(),
        );
        registry.register_with_unit("stage", "Where the time of a request goes", seconds(), it.stages.clone());
        registry.register_with_unit("request", "From the whole request to its answer", seconds(), it.requests.clone());
        registry.register("rejected", "Requests turned away without being judged", it.rejected.clone());
        registry.register(
            "let_through",
            "Requests let through without being judged, since nothing is refused in this mode",
            it.let_through.clone(),
        );
        registry.register("lookups", "Reads that the policy asked for", it.lookups.clone());
        registry.register_with_unit("lookup", "How long such a read takes", seconds(), it.lookup_times.clone());
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When the certificate ends, in seconds since 1970",
            seconds(),
            it.certificates.clone(),
        );
        registry.register("reloads", "Files read again after a change", it.reloads.clone());
        registry.register(
            "outdated",
            "Whether what is in use is older than its files, which are wrong (1) or not (0)",
            it.outdated.clone(),
        );
        registry.register("kubernetes_objects", "Objects kept from the watch", it.objects.clone());
        registry.register_with_unit("kubernetes", "Bytes kept from the watch", Unit::Bytes, it.bytes.clone());
        registry.register("connections", "Open connections", it.connections.clone());
        registry.register("build_info", "The program and the policy that judges", it.build.clone());
        registry.register(
            "decision_log_failures",
            "Entries that are missing in the decision log",
            it.log_failures.clone(),
        );
        let metrics = Self { registry, ..metrics };
        metrics.policy(policy_digest);
        metrics
    }

    /// A request was judged.
    pub fn decided(&self, door: Door, mode: Mode, verdict: &Verdict) {
        let labels = Decided { door: door.name(), mode: mode.name(), decision: verdict.decision.name() };
        self.decisions.get_or_create(&labels).inc();
        self.rules.judged(verdict);
    }

    /// A part of a request took this long.
    pub fn stage(&self, door: Door, stage: Stage, took: Duration) {
        let labels = InStage { door: door.name(), stage: stage.name() };
        self.stages.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request took this long in all.
    pub fn request(&self, door: Door, took: Duration) {
        self.requests.get_or_create(&AtDoor { door: door.name() }).observe(took.as_secs_f64());
    }

    /// A request was turned away without being judged. The reason is one of a few words.
    pub fn rejected(&self, door: Door, reason: &'static str) {
        self.rejected.get_or_create(&Rejected { door: door.name(), reason }).inc();
    }

    /// A request passed without being judged. The reason is one of the same words.
    pub fn let_through(&self, door: Door, reason: &'static str) {
        self.let_through.get_or_create(&Rejected { door: door.name(), reason }).inc();
    }

    /// The policy failed, or was not reached.
    pub fn breach(&self, error: &PolicyError) {
        self.breaches.get_or_create(&Breach { kind: kind(error) }).inc();
    }

    /// A file was read again: it is in use now, or it is wrong and the old one stays.
    pub fn reloaded(&self, what: &'static str, good: bool) {
        let outcome = if good { "good" } else { "bad" };
        self.reloads.get_or_create(&Reloaded { what, outcome }).inc();
        self.outdated.get_or_create(&OfWhat { what }).set(i64::from(!good));
    }

    /// The certificate in this file ends then.
    pub fn certificate(&self, file: &str, expires: SystemTime) {
        let seconds = expires.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        self.certificates.get_or_create(&OfFile { file: file.to_owned() }).set(seconds);
    }

    /// A connection was opened; it counts until the guard is dropped.
    pub fn connections(&self, door: &'static str) -> Connection {
        let gauge = self.connections.get_or_create_owned(&AtDoor { door });
        gauge.inc();
        Connection(gauge)
    }

    /// A connection was closed at once, since there are too many.
    pub fn connection_refused(&self, door: &'static str) {
        self.rejected.get_or_create(&Rejected { door, reason: "connections" }).inc();
    }

    /// The policy or settings that are only tried out differ in what they say under this rule.
    pub fn shadow_differs(&self, rule: &str) {
        self.rules.shadow_differs(rule);
    }

    /// An entry is missing in the decision log.
    pub fn decision_log_failed(&self) {
        self.log_failures.inc();
    }

    /// Another policy judges from now on.
    pub fn policy(&self, digest: &str) {
        let labels = Build { version: self.version.clone(), policy: digest.to_owned() };
        self.build.clear();
        self.build.get_or_create(&labels).set(1);
    }

    /// Something was looked up. `outcome` is `hit` (it was known already), `miss` (it was asked for), or `failure`.
    pub fn looked_up(&self, source: &'static str, outcome: &'static str, took: Duration) {
        self.lookups.get_or_create(&Looked { source, outcome }).inc();
        self.lookup_times.get_or_create(&Asked { source }).observe(took.as_secs_f64());
    }

    /// How much of a kind the watch has brought in.
    pub fn kubernetes(&self, kind: &str, objects: u64, bytes: u64) {
        let labels = OfKind { kind: kind.to_owned() };
        self.objects.get_or_create(&labels).set(objects);
        self.bytes.get_or_create(&labels).set(bytes);
    }

    /// All of it, as `application/openmetrics-text; version=1.0.0; charset=utf-8`.
    pub fn render(&self) -> String {
        let mut page = String::with_capacity(32 << 10);
        // Writing to a string fails only where a metric cannot be written at all; what stands there is then still true.
        match text::encode(&mut page, &self.registry) {
            Ok(()) => page,
            Err(_) => "# EOF\n".to_owned(),
        }
    }
}

fn kind(error: &PolicyError) -> &'static str {
    match error {
        PolicyError::TimeExceeded { .. } => "time",
        PolicyError::MemoryExceeded { .. } => "memory",
        PolicyError::Trapped(_) => "trap",
        PolicyError::InvalidOutput(_) => "output",
        PolicyError::Busy { .. } => "busy",
        PolicyError::NoSandbox(_) => "sandbox",
        PolicyError::InputTooLarge { .. } => "input",
        PolicyError::Unusable(_) | PolicyError::Imports(_) | PolicyError::WrongContract(_) => "component",
    }
}

#[cfg(test)]
mod tests;
