//! Logs on standard error, and traces for a collector where one is named. Neither shows bodies, headers or secrets.

mod collector;

use std::time::Duration;

use hyper::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, filter};

use collector::Collector;

/// Libraries that say much about little. Below `info` some of them show heads of requests, and so credentials.
const NOISY: [&str; 13] = [
    "h2",
    "hyper",
    "hyper_util",
    "kube",
    "kube_client",
    "kube_runtime",
    "opendal",
    "reqsign",
    "reqwest",
    "rustls",
    "tokio_rustls",
    "tower",
    "wasmtime",
];
/// How long the end of the program waits for the collector.
const LAST_FLUSH: Duration = Duration::from_secs(3);

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
}

/// What is said, how, and to whom.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// How the log is written.
    pub format: Format,
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`, or directives like those of `RUST_LOG`.
    pub level: String,
    /// The collector's address, such as `http://127.0.0.1:4318`; without it there are no traces.
    pub otlp_endpoint: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { format: Format::Human, level: "info".to_owned(), otlp_endpoint: None }
    }
}

/// Why nothing can be logged or traced this way.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is none.
    #[error("the log level `{0}` cannot be read; give one of error, warn, info, debug, trace, off")]
    Level(String),
    /// The collector's address is none.
    #[error("the address of the collector cannot be used: {0}; give one like `http://127.0.0.1:4318`")]
    Endpoint(String),
    /// Something else receives the logs already.
    #[error("the log is set up already")]
    Twice,
}

/// Keeps traces going. Dropping it sends what is left, and waits a few seconds for that at the most.
#[derive(Debug)]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take()
            && let Err(error) = provider.shutdown_with_timeout(LAST_FLUSH)
        {
            tracing::warn!("the last traces did not reach the collector: {error}");
        }
    }
}

/// Sets up logs and traces for the whole program.
///
/// # Errors
/// When the level or the collector's address cannot be read, or logs are set up already.
pub fn init(options: &Telemetry) -> Result<Guard, TelemetryError> {
    let (subscriber, guard) = subscriber(options, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)?;
    Ok(guard)
}

/// Makes this span part of the trace that the caller names in `traceparent`, if any.
pub fn continue_trace(span: &Span, headers: &HeaderMap) {
    if !headers.contains_key("traceparent") {
        return;
    }
    let context = TraceContextPropagator::new().extract(&Carrier(headers));
    // Without a collector there is no trace to be part of.
    let _ = span.set_parent(context);
}

/// What a trace context is read from.
struct Carrier<'h>(&'h HeaderMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(hyper::header::HeaderName::as_str).collect()
    }
}

fn subscriber<W>(options: &Telemetry, writer: W) -> Result<(impl Subscriber + Send + Sync, Guard), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(false);
    let log: Box<dyn Layer<Registry> + Send + Sync> = match options.format {
        Format::Human => Box::new(log),
        Format::Json => Box::new(log.json().flatten_event(true).with_span_list(false)),
    };
    // Spans are for a collector: without one they cost nothing.
    let events = filter::filter_fn(|metadata| metadata.is_event() && discreet(metadata));
    let log = log.with_filter(filter(&options.level)?).with_filter(events);
    let provider = options.otlp_endpoint.as_deref().map(provider).transpose()?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("sluicegate"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter::filter_fn(own))
    });
    // The boxed layer is written for the registry itself: it stands lowest.
    let subscriber = tracing_subscriber::registry().with(log).with(traces);
    Ok((subscriber, Guard { provider }))
}

/// The level, with the noisy libraries at `warn` unless they are named.
fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let wrong = || TelemetryError::Level(level.to_owned());
    // A word that is no level would be taken for the name of a library, and everything else be silent.
    let directives = level.split(',').map(str::trim);
    if directives.clone().any(|word| !word.contains(['=', '[', ':']) && word.parse::<LevelFilter>().is_err()) {
        return Err(wrong());
    }
    let quiet = level.parse::<LevelFilter>().is_ok_and(|level| level <= LevelFilter::WARN);
    let mut filter: EnvFilter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).parse(level).map_err(|_| wrong())?;
    for library in NOISY.into_iter().filter(|library| !quiet && !named(level, library)) {
        filter = filter.add_directive(format!("{library}=warn").parse().map_err(|_| wrong())?);
    }
    Ok(filter)
}

/// Whether a directive is about this library.
fn named(directives: &str, library: &str) -> bool {
    directives.split(',').any(|directive| directive.trim().split(['=', '[', ':']).next() == Some(library))
}

fn of(target: &str, library: &str) -> bool {
    target.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What no level may bring to light.
fn discreet(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::INFO || !NOISY.iter().any(|library| of(metadata.target(), library))
}

/// Only what the gate itself does is traced.
fn own(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::INFO && of(metadata.target(), "sluicegate")
}

fn provider(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let wrong = |why: String| TelemetryError::Endpoint(why);
    let mut url = reqwest::Url::parse(endpoint).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("`{}` is neither http nor https", url.scheme())));
    }
    // The address of the specification is the collector's; each signal has a path below it.
    if !url.path().ends_with("/v1/traces") {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    let collector = Collector::new().map_err(wrong)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(collector)
        .with_endpoint(url.as_str())
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name("sluicegate")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

#[cfg(test)]
mod tests;
