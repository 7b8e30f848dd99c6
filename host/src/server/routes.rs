//! The main door: which path leads where.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode, Version};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;

use super::admission::{self, Watched};
use super::authorizer::{self, Shown};
use super::body::{self, BodyError, Room};
use super::caller::{Caller, Peer, Trust};
use super::check::{self, Asked};
use super::connection::{self, Pulse};
use super::door::{self, Door};
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
    /// Room for bodies.
    pub room: Room,
    /// Whether callers can show who they are: then only those who do have things looked up.
    pub guarded: bool,
}

impl Routes {
    /// Answers one request.
    pub async fn answer(
        self: Arc<Self>,
        peer: Arc<Peer>,
        pulse: Pulse,
        request: Request<Incoming>,
    ) -> Result<Reply, Infallible> {
        let _busy = pulse.busy();
        let first_version = request.version() < Version::HTTP_2;
        let head_only = request.method() == Method::HEAD;
        let span = tracing::info_span!("request", method = %request.method());
        telemetry::continue_trace(&span, request.headers());
        let mut reply = self.route(&peer, request).instrument(span).await;
        if first_version {
            connection::say_farewell(&self.health.phases, reply.headers_mut());
        } else if head_only {
            // hyper leaves the body out itself, but in HTTP/1.1 only.
            *reply.body_mut() = Full::default();
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
            "/v1/rules" | "/openapi.json" | "/livez" | "/readyz"
                if ![Method::GET, Method::HEAD].contains(request.method()) =>
            {
                reply::only("GET, HEAD")
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
            (&Method::GET | &Method::HEAD, "/metrics") => {
                reply::of(StatusCode::OK, KIND, self.gate.metrics().render().into())
            }
            (&Method::GET | &Method::HEAD, "/livez") => Health::alive(),
            (&Method::GET | &Method::HEAD, "/readyz") => self.health.ready(),
            (_, "/metrics" | "/livez" | "/readyz") => reply::only("GET, HEAD"),
            _ => reply::text(StatusCode::NOT_FOUND, "there is nothing here; see /metrics, /livez, /readyz"),
        }
    }

    async fn validate(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let caller = match self.trust.caller(peer, &head.headers) {
            Ok(caller) => caller,
            Err(wrong) => return self.unauthentic(Door::Validate, wrong),
        };
        let (body, _room) = match self.body(Door::Validate, incoming, self.bounds.body).await {
            Ok(held) => held,
            Err(error) => return reply::text(error.status(), format!("not judged by sluicegate: {error}")),
        };
        let watched = Watched { live: self.watched.as_deref(), kubernetes: self.kubernetes.as_deref() };
        admission::validate(&self.gate, watched, caller, head.uri.query(), &self.bounds, body).await
    }

    async fn check(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let caller = match self.trust.caller(peer, &head.headers) {
            Ok(caller) => caller,
            Err(wrong) => return self.unauthentic(Door::Check, wrong),
        };
        // Looking things up costs a control plane, and tells about it: not for everybody. Nor is much read of them.
        let (live, kubernetes, most) = match caller {
            Caller::Principal(_) => (self.live.as_deref(), self.kubernetes.as_deref(), self.bounds.body),
            Caller::Unknown => (None, None, self.bounds.body / 8),
        };
        let (body, _room) = match self.body(Door::Check, incoming, most).await {
            Ok(held) => held,
            Err(error) => return reply::json(error.status(), &serde_json::json!({"error": error.to_string()})),
        };
        let asked = Asked { live, kubernetes, caller, id: door::number(), body };
        check::check(&self.gate, &self.bounds, asked).await
    }

    async fn authorize(&self, peer: &Peer, request: Request<Incoming>) -> Reply {
        let (head, incoming) = request.into_parts();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        let asked = match authorizer::asked(target, &self.prefixes) {
            Ok(asked) => asked,
            Err(wrong) => return reply::text(StatusCode::NOT_FOUND, wrong),
        };
        let mut shown = Shown {
            asked,
            method: head.method.as_str(),
            headers: &head.headers,
            body: Bytes::new(),
            caller: Caller::Unknown,
            id: door::number(),
        };
        shown.caller = match self.trust.caller(peer, &head.headers) {
            Ok(caller) => caller,
            Err(wrong) => {
                let status = StatusCode::BAD_REQUEST;
                return authorizer::without_judgement(&self.gate, &shown, status, "caller", &wrong);
            }
        };
        let (body, _room) = match self.hold(incoming, self.bounds.body).await {
            Ok(held) => held,
            Err(error) => {
                let why = error.to_string();
                return authorizer::without_judgement(&self.gate, &shown, error.status(), "body", &why);
            }
        };
        shown.body = body;
        // Where gateways can show who they are, nobody else makes the gate look things up.
        let known = !self.guarded || self.trust.believes(peer) || peer.certificate.is_some();
        let live = self.live.as_deref().filter(|_| known);
        authorizer::authorize(&self.gate, live, &self.bounds, shown).await
    }

    /// A body of at most `most` bytes, and the room that it takes; a refusal is counted.
    async fn body(
        &self,
        door: Door,
        incoming: Incoming,
        most: usize,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), BodyError> {
        self.hold(incoming, most).await.inspect_err(|_| self.gate.turn_away(door, "body"))
    }

    async fn hold(&self, incoming: Incoming, most: usize) -> Result<(Bytes, Option<OwnedSemaphorePermit>), BodyError> {
        let bounds = Bounds { body: most, ..self.bounds.clone() };
        let held = body::hold(incoming, &bounds, &self.room).await;
        held.map_err(|not_held| BodyError::of(&not_held, &bounds))
    }

    fn unauthentic(&self, door: Door, wrong: String) -> Reply {
        self.gate.turn_away(door, "caller");
        reply::text(StatusCode::BAD_REQUEST, wrong)
    }
}
