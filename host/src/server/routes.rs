//! The main door: which path leads where.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::{Method, Request, StatusCode};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::admission;
use super::authorizer::{self, Shown};
use super::body;
use super::caller::{Caller, Peer, Trust};
use super::check;
use super::connection::{Phase, Pulse};
use super::denial;
use super::door::{Door, Stage};
use super::gate::Gate;
use super::health::Health;
use super::options::Bounds;
use super::reply::{self, Reply};
use super::telemetry;
use crate::Api;
use crate::facts::Live;
use crate::facts::kubernetes::Kubernetes;

/// The description of all this, for programs.
const OPENAPI: &str = include_str!("openapi.json");

/// What answers behind the main door.
#[derive(Debug)]
pub struct Routes {
    /// Judges.
    pub gate: Arc<Gate>,
    /// What is looked up for reviews: the watched resources alone.
    pub watched: Option<Arc<Live>>,
    /// What is looked up for calls of an API, and for what authenticated callers check.
    pub live: Option<Arc<Live>>,
    /// The watched resources.
    pub kubernetes: Option<Arc<Kubernetes>>,
    /// Whose word about the caller is believed.
    pub trust: Trust,
    /// What gateways put before the paths of an API.
    pub prefixes: Vec<(Api, String)>,
    /// What requests may cost.
    pub bounds: Bounds,
    /// Whether the server is ready.
    pub health: Health,
    /// Numbers requests that bring no id.
    pub numbers: AtomicU64,
}

impl Routes {
    /// Answers one request.
    pub async fn answer(
        self: Arc<Self>,
        peer: Arc<Peer>,
        pulse: Option<Pulse>,
        request: Request<Incoming>,
    ) -> Result<Reply, Infallible> {
        let _busy = pulse.as_ref().map(Pulse::busy);
        let span = tracing::info_span!("request", method = %request.method());
        telemetry::continue_trace(&span, request.headers());
        let mut reply = self.route(&peer, request).instrument(span).await;
        // Whoever keeps a connection to a server that is about to stop takes the next request elsewhere: so none is lost
        // on a connection that closes just then. HTTP/2 has a frame for it.
        if pulse.is_some() && self.health.phases.now() > Phase::Serving {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(reply)
    }

    async fn route(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let path = request.uri().path();
        match path {
            "/validate" if request.method() != Method::POST => reply::only("POST"),
            "/validate" => self.validate(peer, request).await,
            "/v1/check" if request.method() != Method::POST => reply::only("POST"),
            "/v1/check" => self.check(peer, request).await,
            "/v1/rules" | "/openapi.json" | "/livez" | "/readyz" if request.method() != Method::GET => {
                reply::only("GET")
            }
            "/v1/rules" => check::rules(&self.gate),
            "/openapi.json" => reply::of(StatusCode::OK, "application/json", OPENAPI.into()),
            "/livez" => Health::alive(),
            "/readyz" => self.health.ready(),
            path if path.starts_with(authorizer::ROOT) => self.authorize(peer, request).await,
            _ => reply::text(
                StatusCode::NOT_FOUND,
                "there is nothing here; see POST /validate, POST /v1/check, GET /v1/rules, /authz/<api>/…, GET /openapi.json",
            ),
        }
    }

    /// Answers one request at the door for metrics and health.
    pub fn observe(&self, request: &Request<Incoming>) -> Reply {
        /// As OpenMetrics names itself; Prometheus asks for it.
        const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") => reply::of(StatusCode::OK, KIND, self.gate.metrics().render().into()),
            (&Method::GET, "/livez") => Health::alive(),
            (&Method::GET, "/readyz") => self.health.ready(),
            (_, "/metrics" | "/livez" | "/readyz") => reply::only("GET"),
            _ => reply::text(StatusCode::NOT_FOUND, "there is nothing here; see /metrics, /livez, /readyz"),
        }
    }

    async fn validate(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let Ok(caller) = self.trust.caller(peer, &head.headers) else {
            return self.unauthentic(Door::Validate);
        };
        let body = match self.body(Door::Validate, incoming).await {
            Ok(body) => body,
            Err(error) => return reply::text(error.status(), error.to_string()),
        };
        let written = Instant::now();
        let live = self.watched.as_deref();
        let reply = admission::validate(
            &self.gate,
            live,
            self.kubernetes.as_deref(),
            caller,
            head.uri.query(),
            &self.bounds,
            body,
        )
        .await;
        self.gate.metrics().stage(Door::Validate, Stage::Reply, written.elapsed());
        reply
    }

    async fn check(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let Ok(caller) = self.trust.caller(peer, &head.headers) else {
            return self.unauthentic(Door::Check);
        };
        let body = match self.body(Door::Check, incoming).await {
            Ok(body) => body,
            Err(error) => {
                return reply::json(error.status(), &serde_json::json!({"error": error.to_string()}));
            }
        };
        // Looking things up costs a control plane, and tells about it: not for everybody.
        let live = match caller {
            Caller::Principal(_) => self.live.as_deref(),
            Caller::Unknown => None,
        };
        check::check(&self.gate, live, self.kubernetes.as_deref(), caller, &self.id(), &self.bounds, body).await
    }

    async fn authorize(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let asked = match authorizer::asked(target, &self.prefixes) {
            Ok(asked) => asked,
            Err(wrong) => return reply::text(StatusCode::NOT_FOUND, wrong),
        };
        let api = asked.api;
        let caller = match self.trust.caller(peer, &head.headers) {
            Ok(caller) => caller,
            Err(wrong) => return denial::error(api, StatusCode::BAD_REQUEST, &wrong),
        };
        let body = match self.body(Door::Authorize(api), incoming).await {
            Ok(body) => body,
            Err(error) => return denial::error(api, error.status(), &error.to_string()),
        };
        let method = head.method.as_str();
        let shown = Shown { asked, method, headers: &head.headers, body, caller, id: self.id() };
        authorizer::authorize(&self.gate, self.live.as_deref(), &self.bounds, shown).await
    }

    async fn body(&self, door: Door, incoming: Incoming) -> Result<bytes::Bytes, body::BodyError> {
        let read = body::read(incoming, self.bounds.body, self.bounds.patience).await;
        if read.is_err() {
            self.gate.metrics().rejected(door, "body");
        }
        read
    }

    fn unauthentic(&self, door: Door) -> Reply {
        self.gate.metrics().rejected(door, "caller");
        reply::text(StatusCode::BAD_REQUEST, "the header that names the caller cannot be read")
    }

    fn id(&self) -> String {
        format!("{:x}-{}", std::process::id(), self.numbers.fetch_add(1, Ordering::Relaxed))
    }
}
