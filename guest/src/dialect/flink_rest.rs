//! Flink's own REST API, 1.20 and 2.x, read as Flink reads it (DOMAIN sections 3 and 8): any Unicode encoding, text
//! after the document ignored, the last duplicate wins, `/v1` or none, extra slashes at the ends.

mod body;
mod run;
#[cfg(test)]
mod tests;

use super::managed::{header_intent, header_override};
use super::{Call, Context, reads};
use crate::configuration::Configuration;
use crate::document::{Document, Node, Reading};
use crate::gate::Failure;
use crate::operation::{
    Action, Decoded, Dialect, Disposal, JobState, Oddity, OddityKind, Operation, Place, Retention, Stage, Stop,
    StopCause, StopMode, Target, Trigger,
};
use body::Body;

/// Decodes a call and hands it to `then`.
#[inline(never)]
pub(super) fn decode<R>(
    call: &Call<'_>,
    context: &Context<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    let path: Vec<&str> = call.segments.iter().map(AsRef::as_ref).collect();
    let path = path.strip_prefix(&["v1"]).unwrap_or(&path);
    // Flink parses job ids without regard to case.
    let name = path.get(1).map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    let mut stage = context.stage(Dialect::FlinkRest, "", &name)?;
    // The application of a job that was run from a jar has the id of its job (Flink 2.3).
    let application = path.first() == Some(&"applications");
    let job = path.first().filter(|first| application || **first == "jobs").and(Some(name.as_str()));
    context.observe(&mut stage, &|_| reads::flink(job));
    // Others have not: that there is no such job says nothing then.
    stage.facts.seen.no_such_job &= !application;
    fill_current(&mut stage);
    let refusal = refusal(call, path);
    let document = match call.body {
        [] => None,
        _ if refusal.is_some() || !reads_body(call.method, path) => None,
        bytes => {
            Some(Document::parse(bytes, Reading::FlinkJson).map_err(|error| Failure::document("the body", error))?)
        }
    };
    let root = document.as_ref().map(Document::root);
    if let Some(root) = root.filter(|root| !root.is_object()) {
        return Err(Failure::malformed(format!("the body must be a JSON object, not {}", root.type_words())));
    }
    header_intent(call, &mut stage);
    header_override(call, &mut stage);
    let mut route = Route { call, body: Body::new(root), stage: &mut stage };
    let (action, place) = match refusal {
        Some(oddity) => route.refuse(oddity),
        None => route.action(path),
    };
    let target = Target { namespace: "".into(), name: name.as_str().into() };
    stage.operations.push(Operation { action, target, place });
    stage.allow_recovery();
    Ok(then(&Decoded { dialect: Dialect::FlinkRest, stages: vec![stage] }))
}

/// What facts say about the job and its cluster.
pub(super) fn fill_current(stage: &mut Stage<'_>) {
    let facts = &stage.facts;
    let state = facts.job_status.as_deref().or(facts.deployment.status_state.as_deref());
    stage.current.state = state.map(JobState::read);
    let layers = facts.platform.configuration.into_iter().chain(facts.deployment.configuration);
    let mut configuration = Configuration::default();
    layers.clone().for_each(|map| configuration.overlay(map));
    // A job that is not known may set its own.
    let told = |kept: &bool| *kept || facts.deployment.configuration.is_some();
    let said = configuration.retains().filter(told).map(Retention::of);
    let by_default = layers.last().map(|_| Retention::DeletedByDefault);
    // What the running job says of itself counts, whatever was configured.
    stage.current.retention = facts.seen.retention.or(said).or(by_default);
    // Only the cluster's configuration counts for savepoints over REST: a job's own is not used (DOMAIN 7, R22).
    if let Some(cluster) = facts.platform.configuration {
        stage.current.configuration.overlay(cluster);
        stage.current.configuration_complete = true;
    }
}

/// The routes whose body decides. On all others it is passed over: the client's own reads carry one.
fn reads_body(method: &str, path: &[&str]) -> bool {
    matches!(
        (method, path),
        (
            "POST",
            ["jobs", _, "stop" | "savepoints" | "checkpoints"]
                | ["jars", _, "run" | "run-application"]
                | ["savepoint-disposal"]
        )
    )
}

/// Why a call is not read at all: its path may be read differently on the way, its id is one that only Flink reads, or
/// its body is encoded.
fn refusal<'d>(call: &Call<'_>, path: &[&str]) -> Option<Oddity<'d>> {
    let reads = matches!(call.method, "GET" | "HEAD" | "OPTIONS");
    let carries_file = matches!((call.method, path), ("POST", ["jars", "upload"] | ["jobs"]));
    let body = || if reads || carries_file { None } else { call.body_refused() };
    call.not_canonical(true).or_else(|| long_line(call)).or_else(|| odd_id(call.method, path)).or_else(body)
}

/// Flink reads no longer request line, and answers as if something else had been asked (1.20.5 and 2.3.0, run: Netty's
/// `HttpObjectDecoder`).
fn long_line<'d>(call: &Call<'_>) -> Option<Oddity<'d>> {
    const LONGEST: usize = 4096;
    let line = call.method.len() + call.target.len() + " ".len() + " HTTP/1.1".len();
    let reads = matches!(call.method, "GET" | "HEAD" | "OPTIONS");
    (line > LONGEST && !reads).then(|| {
        Oddity::new(
            OddityKind::UnknownRequest,
            Place::Target,
            "the request target is longer than Flink reads",
            "send parameters in the body",
        )
        .observed(format!("a request line of {line} bytes"))
        .expected("at most 4096 bytes")
    })
}

/// Flink takes `+a…`, a 33rd character and digits of other scripts for the same id (2.3.0, run: `JobID.fromHexString`):
/// what is known of the job would not be found under such a spelling.
fn odd_id<'d>(method: &str, path: &[&str]) -> Option<Oddity<'d>> {
    let (what, id) = match (method, path) {
        ("GET", ["jobs", id, "yarn-cancel" | "yarn-stop"]) => ("job", id),
        ("GET" | "HEAD" | "OPTIONS", _) => return None,
        (_, ["jobs", id, ..]) => ("job", id),
        (_, ["applications", id, ..]) => ("application", id),
        _ => return None,
    };
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(
        Oddity::new(
            OddityKind::UnknownRequest,
            Place::Target,
            format!("the id of the {what} is not 32 hexadecimal digits: Flink may read it as the id of another"),
            format!("send the id as Flink shows it, for example in GET `/{what}s/overview`"),
        )
        .observed(format!("`{id}`"))
        .expected("32 hexadecimal digits"),
    )
}

struct Route<'r, 'd> {
    call: &'r Call<'r>,
    body: Body<'d>,
    stage: &'r mut Stage<'d>,
}

impl<'d> Route<'_, 'd> {
    /// What the call would do, and where it says so.
    fn action(&mut self, path: &[&str]) -> (Action<'d>, Place<'d>) {
        let method = self.call.method;
        match (method, path) {
            ("GET", ["jobs", _, "yarn-cancel"]) => self.get_that_cancels(),
            ("GET", ["jobs", _, "yarn-stop"]) => self.removed("`yarn-stop` was removed"),
            ("HEAD" | "OPTIONS", _) => (Action::Nothing("read of"), Place::Target),
            ("GET", path) if is_read(path) => (Action::Nothing("read of"), Place::Target),
            ("POST", ["jobs", _, "stop"]) => self.stop(),
            ("POST", ["jobs", _, "savepoints"]) => self.savepoint(),
            ("POST", ["jobs", _, "checkpoints"]) => self.checkpoint(),
            ("PATCH", ["jobs", _]) => self.cancel(),
            ("PATCH", ["jobs", _, "rescaling"]) => self.removed("`/rescaling` answers 503 since FLINK-12312"),
            ("PUT", ["jobs", _, "resource-requirements"]) => (Action::Rescale(None), Place::Target),
            // What the web page of Flink 2.3 sends for `Cancel Application`: it cancels the application's jobs.
            ("POST", ["applications", _, "cancel"]) => (cancel(), Place::Target),
            ("POST", ["jobs"]) => (Action::OpaqueStart, Place::Target),
            ("POST", ["jars", _, "run"]) => self.run(false),
            // The same as an application of its own (2.3, `JarRunApplicationHeaders`).
            ("POST", ["jars", _, "run-application"]) => self.run(true),
            ("POST", ["savepoint-disposal"]) => self.dispose(),
            ("DELETE", ["cluster"]) => (Action::ShutDown, Place::Target),
            ("POST", ["jars", "upload"]) => (Action::Nothing("upload a jar"), Place::Target),
            ("DELETE", ["jars", _]) => (Action::Nothing("delete the jar"), Place::Target),
            ("POST", ["jars", _, "plan"]) => (Action::Nothing("show the plan of"), Place::Target),
            ("PATCH", ["jobs", _, "clientHeartbeat"]) => (Action::Nothing("client heartbeat of"), Place::Target),
            ("POST", ["jobs", _, "coordinators", _]) => (Action::Nothing("call an operator of"), Place::Target),
            ("POST", ["jobmanager", "profiler"] | ["taskmanagers", _, "profiler"]) => {
                (Action::Nothing("profile"), Place::Target)
            }
            ("DELETE", ["datasets", _]) => (Action::Nothing("delete the cached dataset"), Place::Target),
            _ => self.unknown(),
        }
    }

    fn refuse(&mut self, oddity: Oddity<'d>) -> (Action<'d>, Place<'d>) {
        let place = oddity.place.clone();
        self.stage.oddities.push(oddity);
        (Action::Unknown, place)
    }

    fn unknown(&mut self) -> (Action<'d>, Place<'d>) {
        let oddity = Oddity::new(
            OddityKind::UnknownRequest,
            Place::Target,
            "no request of Flink's REST API that is known here",
            format!(
                "{}; if this Flink has it and it is harmless, lower the level of `unknown-request`",
                self.call.check()
            ),
        );
        let line = format!("{} {}", self.call.method, self.call.target);
        self.refuse(oddity.observed(line))
    }

    fn stop(&mut self) -> (Action<'d>, Place<'d>) {
        let fields = &["targetDirectory", "drain", "formatType", "triggerId"];
        self.body.only(fields, &["drain", "targetDirectory", "formatType"], self.call, self.stage);
        self.native();
        let drain = self.body.flag("drain", self.stage);
        let directory = self.body.text("targetDirectory", self.stage);
        let mode = if drain { StopMode::Drain } else { StopMode::Savepoint };
        let place = self.body.get("drain").filter(|_| drain).map_or(Place::Target, Place::Body);
        (Action::Stop(Stop { mode, cause: StopCause::Request, drain: None, directory }), place)
    }

    fn savepoint(&mut self) -> (Action<'d>, Place<'d>) {
        let fields = &["target-directory", "cancel-job", "formatType", "triggerId"];
        self.body.only(fields, &["cancel-job", "target-directory", "formatType"], self.call, self.stage);
        let native = self.native();
        let directory = self.body.text("target-directory", self.stage);
        if self.body.flag("cancel-job", self.stage) {
            let place = Place::of(self.body.get("cancel-job"));
            self.stage.oddities.push(
                Oddity::new(
                    OddityKind::SavepointCancelJob,
                    place.clone(),
                    "`cancel-job` cancels the job some time after the savepoint: sinks may never commit what it counts as \
                     done, or send more after it",
                    "POST `/jobs/:jobid/stop` with `\"drain\": false` instead",
                )
                .observed("cancel-job"),
            );
            let stop = Stop { mode: StopMode::Savepoint, cause: StopCause::Request, drain: None, directory };
            return (Action::Stop(stop), place);
        }
        (Action::Trigger(Trigger { checkpoint: false, directory, native }), Place::Target)
    }

    /// Whether the savepoint is asked for in the state backend's own format.
    fn native(&mut self) -> bool {
        let native = self.body.choice("formatType", &["CANONICAL", "NATIVE"], self.stage) == Some("NATIVE");
        self.stage.content.native_format = self.body.get("formatType").filter(|_| native);
        native
    }

    fn checkpoint(&mut self) -> (Action<'d>, Place<'d>) {
        self.body.only(&["checkpointType", "triggerId"], &[], self.call, self.stage);
        self.body.choice("checkpointType", &["CONFIGURED", "FULL", "INCREMENTAL"], self.stage);
        (Action::Trigger(Trigger { checkpoint: true, directory: None, native: true }), Place::Target)
    }

    fn cancel(&mut self) -> (Action<'d>, Place<'d>) {
        let modes: Vec<&str> =
            self.call.query.iter().filter(|(name, _)| name == "mode").map(|(_, mode)| mode.as_ref()).collect();
        body::only_parameters(&["mode"], &[], self.call, self.stage);
        match modes.as_slice() {
            [] => self.stage.oddities.push(Oddity::new(
                OddityKind::ImplicitCancelMode,
                Place::Target,
                "without `mode` this request cancels the job",
                "say `?mode=cancel` if you mean it; to keep the state, POST `/jobs/:jobid/stop` with `\"drain\": false`",
            )),
            ["cancel" | "CANCEL"] => {}
            ["stop" | "STOP"] => return self.removed("mode `stop` was removed"),
            _ => self.stage.oddities.push(
                Oddity::new(
                    OddityKind::UnknownEnumValue,
                    Place::Target,
                    "`mode` must be given once, as `cancel`",
                    "send `?mode=cancel`",
                )
                .observed(modes.join(", "))
                .expected("cancel"),
            ),
        }
        (cancel(), Place::Target)
    }

    fn get_that_cancels(&mut self) -> (Action<'d>, Place<'d>) {
        self.stage.oddities.push(Oddity::new(
            OddityKind::GetRequestCancelsJob,
            Place::Target,
            "this GET cancels the job: links, crawlers and prefetching can trigger it",
            "cancel with PATCH `/jobs/:jobid?mode=cancel`, or keep the state with POST `/jobs/:jobid/stop`",
        ));
        (cancel(), Place::Target)
    }

    fn removed(&mut self, what: &str) -> (Action<'d>, Place<'d>) {
        let oddity = Oddity::new(
            OddityKind::RemovedEndpoint,
            Place::Target,
            format!("{what}: Flink refuses this request and the job goes on unchanged"),
            "to stop with a savepoint, POST `/jobs/:jobid/stop`; to rescale, PUT `/jobs/:jobid/resource-requirements`",
        );
        let line = format!("{} {}", self.call.method, self.call.target);
        self.stage.oddities.push(oddity.observed(line));
        (Action::Nothing("removed request to"), Place::Target)
    }

    fn dispose(&mut self) -> (Action<'d>, Place<'d>) {
        self.body.only(&["savepoint-path"], &[], self.call, self.stage);
        let location = self.body.text("savepoint-path", self.stage);
        if location.is_none() && self.body.get("savepoint-path").is_none() {
            self.stage.oddities.push(
                Oddity::new(
                    OddityKind::RequiredFieldMissing,
                    Place::of(self.body.root()),
                    "`savepoint-path` is missing: Flink refuses the request",
                    "give the location of the savepoint to dispose in `savepoint-path`",
                )
                .expected("savepoint-path"),
            );
        }
        (Action::Dispose(Disposal { location }), Place::of(location))
    }
}

fn cancel<'d>() -> Action<'d> {
    Action::Stop(Stop { mode: StopMode::Cancel, cause: StopCause::Request, drain: None, directory: None })
}

/// The reads of the REST API, and the files of the web page.
fn is_read(path: &[&str]) -> bool {
    const RESOURCES: &[&str] = &[
        "applications",
        "cluster",
        "config",
        "dataset",
        "datasets",
        "jars",
        "jobmanager",
        "jobs",
        "overview",
        "savepoint-disposal",
        "taskmanagers",
    ];
    const FILES: &[&str] =
        &["html", "js", "mjs", "css", "map", "svg", "png", "ico", "json", "xml", "txt", "ttf", "woff", "woff2", "eot"];
    match path {
        [] => true,
        // Once, a GET of such a path had an effect, and a newer version may bring one back.
        ["jobs", _, verb, ..] if ["cancel", "stop", "yarn"].iter().any(|start| verb.starts_with(start)) => false,
        [first, ..] if RESOURCES.contains(first) => true,
        [.., file] => file.rsplit_once('.').is_some_and(|(_, ending)| FILES.contains(&ending)),
    }
}

/// The first characters of a value, for messages.
fn short(node: Node<'_>) -> String {
    let source = node.source();
    match source.char_indices().nth(40) {
        Some((at, _)) => format!("`{}…`", source.get(..at).unwrap_or_default()),
        None => format!("`{source}`"),
    }
}
