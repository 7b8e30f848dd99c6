//! A reverse proxy in front of one API. Everything streams through; only what has to be judged is held back until it is,
//! and then goes on with exactly the target and the bytes that were judged.

mod answer;
mod body;
mod framing;
mod head;
mod netty;
mod rewrite;
mod secure;
mod upstream;
mod witness;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::authorizer::{deciding, is_form};
use super::body::{BodyError, NotHeld, Room, hold};
use super::caller::{Peer, Trust};
use super::connection::{self, Patient, Phases};
use super::denial::{self, DECISION};
use super::door::{self, Door, Mode};
use super::gate::{Gate, Judgement, Question, Unread};
use super::options::Bounds;
use super::reply::Reply;
use super::telemetry;
use crate::Api;
use crate::facts::Live;
use crate::input::{Envelope, HttpHead};
use answer::Answer;
use body::Outgoing;
use head::{Head, Length};
use rewrite::Way;
use upstream::{Upstream, UpstreamError};
use witness::{Seen, Witness};

/// How long an upstream may take to begin an answer, from when it has the whole request. Submitting a job runs its `main`.
const UPSTREAM_PATIENCE: Duration = Duration::from_secs(600);

/// What is refused before it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

/// A reverse proxy in front of one API.
#[derive(Debug)]
pub struct Proxy {
    api: Api,
    upstream: Upstream,
    gate: Arc<Gate>,
    live: Option<Arc<Live>>,
    trust: Trust,
    bounds: Bounds,
    /// KiB of bodies that may be held, at all connections together.
    room: Room,
}

/// A request that may go on.
struct Passed {
    body: Outgoing,
    decision: HeaderValue,
    /// Nothing will be different after it.
    idle: bool,
}

/// The head of a request as it goes on.
struct Onward {
    method: Method,
    target: Uri,
    headers: HeaderMap,
}

impl Onward {
    /// The request with its body.
    fn with(self, body: Outgoing) -> Request<Outgoing> {
        let Self { method, target, mut headers } = self;
        // Said in so many words: hyper would send no body with a GET otherwise.
        match body.length() {
            Length::Known(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
            Length::Chunked => drop(headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
            Length::None if [Method::POST, Method::PUT, Method::PATCH].contains(&method) => {
                headers.insert(CONTENT_LENGTH, 0.into());
            }
            Length::None => {}
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target;
        *request.headers_mut() = headers;
        request
    }
}

impl Proxy {
    /// Whether this API can be proxied, and its upstream reached in this way.
    ///
    /// # Errors
    /// When it cannot; the text is for people.
    pub fn check(api: Api, upstream: &str) -> Result<(), String> {
        if api == Api::Alibaba {
            let why = "`--proxy alibaba=…` cannot work: the signature of a call covers its host, so the platform refuses \
                       what a proxy sends on; ask `/v1/check` before the call, or let a gateway ask `/authz/alibaba/…`";
            return Err(why.to_owned());
        }
        Upstream::read(upstream, UPSTREAM_PATIENCE)
            .map(drop)
            .map_err(|wrong| format!("`--proxy {}=…`: {wrong}", api.name()))
    }

    /// Whether its upstream is none of our own doors: a request would go round until there is no connection left.
    ///
    /// # Errors
    /// With the door that it is; the text is for people.
    pub fn leads_elsewhere(&self, doors: &[SocketAddr]) -> Result<(), String> {
        match self.upstream.is_one_of(doors) {
            None => Ok(()),
            Some(door) => Err(format!(
                "`--proxy {}={}@…`: that is a door of this server (`{door}`): name where the platform itself listens",
                self.api.name(),
                self.upstream.origin()
            )),
        }
    }

    /// A proxy in front of `upstream` (`http://host:port` or `https://host:port`; `authority` is a PEM file of the
    /// certificate authorities that are believed instead of the system's). What the policy asks for is looked up in `live`.
    ///
    /// # Errors
    /// When the upstream is no such URL, or the authority cannot be used; the text is for people.
    pub fn new(
        api: Api,
        (upstream, authority): (&str, Option<&Path>),
        gate: Arc<Gate>,
        live: Option<Arc<Live>>,
        trust: Trust,
        bounds: Bounds,
    ) -> Result<Self, String> {
        let upstream = Upstream::new(upstream, authority, UPSTREAM_PATIENCE)
            .map_err(|wrong| format!("`--proxy {}=…`: {wrong}", api.name()))?;
        let room = Room::new(bounds.body);
        Ok(Self { api, upstream, gate, live, trust, bounds, room })
    }

    /// Whose API this is.
    pub fn api(&self) -> Api {
        self.api
    }

    /// Serves a connection until it ends or the server closes.
    pub async fn serve(self: Arc<Self>, stream: TcpStream, address: SocketAddr, phases: Phases) {
        let Bounds { patience, idle, .. } = self.bounds;
        let peer = Arc::new(Peer { address: address.ip(), certificate: None });
        let (stream, pulse) = Patient::new(stream, patience, idle);
        let stream = Witness::new(stream, idle);
        let seen = stream.seen();
        let ending = phases.clone();
        let beats = pulse.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (proxy, peer, seen, busy) = (Arc::clone(&self), Arc::clone(&peer), seen.clone(), pulse.busy());
            let span = tracing::info_span!("request", api = proxy.api.name(), method = %request.method());
            telemetry::continue_trace(&span, request.headers());
            let stopping = phases.clone();
            async move {
                let mut answer = proxy.answer(&peer, &seen, request).instrument(span).await;
                connection::say_farewell(&stopping, answer.headers_mut());
                Ok::<_, Infallible>(answer::while_busy(answer, busy))
            }
        });
        connection::http1(stream, service, beats, ending).await;
    }

    async fn answer(&self, peer: &Peer, seen: &Seen, request: Request<Incoming>) -> Answer {
        let head = match seen.next() {
            Some(Ok(head)) if head.describes(&request) => head,
            Some(Err(refusal)) => return self.refuse(&refusal, seen),
            // hyper and the witness do not agree on what was sent.
            Some(Ok(_)) | None => {
                let message = "where this request begins and ends cannot be told";
                return self.refuse(&Refusal::new(StatusCode::BAD_REQUEST, message), seen);
            }
        };
        let (parts, incoming) = request.into_parts();
        let onward = match self.onward(peer, &head, &parts) {
            Ok(onward) => onward,
            Err(refusal) => return self.refuse(&refusal, seen),
        };
        let passed = match self.judge(peer, seen, &head, &parts, incoming).await {
            Ok(passed) => passed,
            Err(answer) => return *answer,
        };
        let exchanged = self.upstream.exchange(onward.with(passed.body)).await;
        if let (Some(live), false) = (&self.live, passed.idle) {
            // What was looked up before is no longer so.
            live.forget();
        }
        match exchanged {
            Ok(response) => self.response(response, passed.decision),
            Err(error) => self.no_answer(&error, passed.decision, seen),
        }
    }

    /// Judges a request by its head, and by its body where that decides.
    async fn judge(
        &self,
        peer: &Peer,
        seen: &Seen,
        head: &Head,
        parts: &Parts,
        incoming: Incoming,
    ) -> Result<Passed, Box<Answer>> {
        let malformed = |wrong: String| Box::new(self.refuse(&Refusal::new(StatusCode::BAD_REQUEST, wrong), seen));
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method);
        let caller = self.trust.caller(peer, &parts.headers).map_err(malformed)?;
        let headers = deciding(&parts.headers).map_err(malformed)?;
        // The policy reads no form: one passes by its head, or not at all.
        let form = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| is_form(kind.as_bytes()));
        let (judged, body) = match head.length {
            Length::None => (Bytes::new(), Outgoing::none()),
            length if form => (Bytes::new(), Outgoing::stream(Bytes::new(), incoming, length, self.bounds.idle)),
            length => match hold(incoming, &self.bounds, &self.room).await {
                Ok((bytes, room)) => (bytes.clone(), Outgoing::whole(bytes, room)),
                Err(NotHeld::TooLarge(first, rest)) if self.gate.mode() == Mode::Warn => {
                    self.gate.pass_over(Unread {
                        door: Door::Proxy(self.api),
                        id: door::number(),
                        head: self.head(head, headers),
                        caller,
                        reason: "body",
                        why: BodyError::TooLarge { limit: self.bounds.body }.to_string(),
                    });
                    let decision = denial::header_without(StatusCode::PAYLOAD_TOO_LARGE);
                    let body = Outgoing::stream(first, *rest, length, self.bounds.idle);
                    return Ok(Passed { body, decision, idle: false });
                }
                Err(not_held) => return Err(Box::new(self.not_held(&not_held, seen))),
            },
        };
        let question = Question {
            door: Door::Proxy(self.api),
            id: door::number(),
            envelope: Envelope::Http(self.head(head, headers)),
            body: judged,
            caller,
            live: None,
            labels: None,
            author: None,
            until: Instant::now() + self.bounds.deadline,
        };
        let reply = match self.gate.ask(question, self.live.as_deref()).await {
            Ok(Judgement { verdict, passes: true, .. }) => {
                // Flink has a GET that cancels: a finding tells.
                let idle = reads && verdict.findings.is_empty();
                return Ok(Passed { body, decision: denial::header(&verdict), idle });
            }
            Ok(Judgement { verdict, passes: false, .. }) => denial::refusal(self.api, &verdict),
            Err(error) if self.gate.mode() == Mode::Warn => {
                return Ok(Passed { body, decision: denial::header_without(denial::status(&error)), idle: reads });
            }
            Err(error) => denial::no_judgement(self.api, &error),
        };
        if body.streams() {
            seen.linger();
        }
        Err(Box::new(answer::whole(reply)))
    }

    /// What of a head is judged.
    fn head(&self, head: &Head, headers: Vec<(String, String)>) -> HttpHead {
        HttpHead { api: Some(self.api), method: head.method.clone(), target: head.target.clone(), headers }
    }

    /// The head as it goes on, if it can.
    fn onward(&self, peer: &Peer, head: &Head, parts: &Parts) -> Result<Onward, Refusal> {
        let Some(target) = self.upstream.target(&head.target) else {
            let message = "the request target cannot be put behind the path of the upstream";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
        };
        let mut headers = parts.headers.clone();
        rewrite::request(
            &mut headers,
            &Way {
                client: peer.address,
                trusted: self.trust.believes(peer),
                principal: self.trust.header.as_ref(),
                upstream: self.upstream.header(),
            },
        );
        if self.api == Api::FlinkRest {
            let target = target.path_and_query().map_or("/", |target| target.as_str());
            netty::fit(&parts.method, target, &mut headers)?;
        }
        Ok(Onward { method: parts.method.clone(), target, headers })
    }

    /// The response as it goes back.
    fn response(&self, mut response: Response<Incoming>, decision: HeaderValue) -> Answer {
        if response.status().is_informational() {
            let text = "the upstream changed the protocol, which nobody had asked for";
            return answer::whole(denial::error(self.api, StatusCode::BAD_GATEWAY, text));
        }
        *response.version_mut() = Version::HTTP_11;
        rewrite::response(response.headers_mut(), &self.upstream.place());
        response.headers_mut().insert(DECISION, decision);
        answer::stream(response)
    }

    /// The request passed, but nothing came back.
    fn no_answer(&self, error: &UpstreamError, decision: HeaderValue, seen: &Seen) -> Answer {
        // A body that breaks its own framing never gets to the upstream as a whole.
        if let Some(refusal) = seen.broken() {
            return self.refuse(&refusal, seen);
        }
        if matches!(error, UpstreamError::Cut) {
            return self.not_held(&NotHeld::Broken, seen);
        }
        tracing::warn!(api = self.api.name(), %error, "the upstream does not answer");
        let status = match error {
            UpstreamError::Silent { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        };
        let mut reply = denial::error(self.api, status, &format!("sluicegate let this pass, but the upstream {error}"));
        reply.headers_mut().insert(DECISION, decision);
        self.last(reply, seen)
    }

    fn not_held(&self, not_held: &NotHeld, seen: &Seen) -> Answer {
        if let (NotHeld::Broken, Some(refusal)) = (not_held, seen.broken()) {
            return self.refuse(&refusal, seen);
        }
        let error = BodyError::of(not_held, &self.bounds);
        self.gate.turn_away(Door::Proxy(self.api), "body");
        self.last(denial::not_judged(self.api, error.status(), &error.to_string()), seen)
    }

    /// What cannot be read in one way only is refused, whatever the mode.
    fn refuse(&self, refusal: &Refusal, seen: &Seen) -> Answer {
        self.gate.turn_away(Door::Proxy(self.api), "malformed");
        self.last(denial::not_judged(self.api, refusal.status, &refusal.message), seen)
    }

    /// The last answer on a connection, of which something may not have been read.
    fn last(&self, mut reply: Reply, seen: &Seen) -> Answer {
        seen.linger();
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer::whole(reply)
    }
}
