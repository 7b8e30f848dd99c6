//! The part of a Kubernetes API server that a watch needs, over a socket, with the faults that a test asks for: lists in
//! pages, watches that replay what happened since a version, bookmarks, compaction, discovery.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Where a resource is: plural, namespace, name.
type Place = (String, String, String);

#[derive(Default)]
pub(super) struct State {
    objects: BTreeMap<Place, Value>,
    /// Version, plural, the event's line.
    log: Vec<(u64, String, String)>,
    version: u64,
    compacted: u64,
    pub(super) installed: BTreeSet<String>,
    /// The server is something else: nothing is found, not even discovery.
    pub(super) no_api: bool,
    /// Answers for requests of a plural.
    pub(super) refused: BTreeMap<String, (u16, String)>,
    /// Nothing is answered until it is set back.
    pub(super) held: bool,
    /// Watches end at once.
    pub(super) short: bool,
    /// The next event is written up to its half, and the connection closed.
    pub(super) cut: bool,
    /// Written as it is to the next watch of this plural.
    pub(super) raw: Option<(String, String)>,
    /// Method, target and headers of what was asked.
    pub(super) asked: Vec<String>,
}

pub(super) struct Server {
    pub(super) state: Arc<Mutex<State>>,
    news: watch::Sender<()>,
    pub(super) address: SocketAddr,
    running: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let mut state = State { version: 100, ..State::default() };
        for plural in ["flinkdeployments", "flinksessionjobs", "flinkstatesnapshots", "flinkbluegreendeployments"] {
            state.installed.insert(plural.to_owned());
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server =
            Self { state: Arc::new(Mutex::new(state)), news: watch::Sender::new(()), address, running: None };
        server.open().await;
        server
    }

    /// Opens the door, at the same address as before.
    pub(super) async fn open(&mut self) {
        let mut tries = 0;
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) if tries < 100 => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(error) => panic!("{error}"),
            }
            tries += 1;
        };
        self.address = listener.local_addr().unwrap();
        let (state, news) = (Arc::clone(&self.state), self.news.clone());
        self.running = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve(socket, Arc::clone(&state), news.subscribe()));
            }
        }));
    }

    /// Closes the door and every connection.
    pub(super) async fn die(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
            assert!(running.await.unwrap_err().is_cancelled());
        }
    }

    /// Creates or changes an object.
    pub(super) fn put(&self, plural: &str, namespace: &str, name: &str, mut object: Value) {
        let mut state = self.state.lock().unwrap();
        state.version += 1;
        let version = state.version;
        object["metadata"]["name"] = name.into();
        if plural != "namespaces" {
            object["metadata"]["namespace"] = namespace.into();
        }
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let place = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        let kind = if state.objects.insert(place, object.clone()).is_some() { "MODIFIED" } else { "ADDED" };
        let line = json!({"type": kind, "object": object}).to_string();
        state.log.push((version, plural.to_owned(), line));
        drop(state);
        self.news.send_replace(());
    }

    pub(super) fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let mut state = self.state.lock().unwrap();
        state.version += 1;
        let version = state.version;
        let place = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        let mut object = state.objects.remove(&place).unwrap();
        object["metadata"]["resourceVersion"] = version.to_string().into();
        let line = json!({"type": "DELETED", "object": object}).to_string();
        state.log.push((version, plural.to_owned(), line));
        drop(state);
        self.news.send_replace(());
    }

    /// Tells watches of a plural how far it is. Nothing else happened in them.
    pub(super) fn bookmark(&self, plural: &str, kind: &str) {
        let mut state = self.state.lock().unwrap();
        state.version += 1;
        let version = state.version;
        let object = json!({"kind": kind, "apiVersion": "flink.apache.org/v1beta1",
            "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null}, "spec": {}});
        state.log.push((version, plural.to_owned(), json!({"type": "BOOKMARK", "object": object}).to_string()));
        drop(state);
        self.news.send_replace(());
    }

    /// Forgets what happened so far: watches from an earlier version are refused.
    pub(super) fn compact(&self) {
        let mut state = self.state.lock().unwrap();
        state.version += 1;
        state.compacted = state.version;
        state.log.clear();
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.news.send_replace(());
    }

    /// How many requests had all of these in them.
    pub(super) fn asked(&self, parts: &[&str]) -> usize {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|asked| parts.iter().all(|part| asked.contains(part))).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>, news: watch::Receiver<()>) {
    let mut head = Vec::new();
    loop {
        while !head.ends_with(b"\r\n\r\n") {
            match socket.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
        state.lock().unwrap().asked.push(text.clone());
        let target = text.split(' ').nth(1).unwrap().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let query: BTreeMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let mut changes = news.clone();
        while state.lock().unwrap().held {
            changes.changed().await.unwrap();
        }
        let written = match query.get("watch") {
            Some(_) => stream(&mut socket, &state, news.clone(), path, &query).await,
            None => {
                let (code, body) = state.lock().unwrap().answer(path, &query);
                respond(&mut socket, code, &body).await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

async fn respond(socket: &mut TcpStream, code: u16, body: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await
}

async fn chunk(socket: &mut TcpStream, text: &str) -> std::io::Result<()> {
    socket.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await
}

async fn stream(
    socket: &mut TcpStream,
    state: &Mutex<State>,
    mut news: watch::Receiver<()>,
    path: &str,
    query: &BTreeMap<&str, &str>,
) -> std::io::Result<()> {
    let (plural, namespace, _) = parse(path).unwrap();
    let refused = state.lock().unwrap().refusal(&plural);
    if let Some((code, body)) = refused {
        return respond(socket, code, &body).await;
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    let mut from: u64 = query["resourceVersion"].parse().unwrap();
    let lasting = Duration::from_secs(query["timeoutSeconds"].parse().unwrap());
    let end = tokio::time::sleep(lasting);
    tokio::pin!(end);
    loop {
        let (lines, cut, raw, gone, short) = {
            let mut state = state.lock().unwrap();
            let new = |entry: &&(u64, String, String)| entry.0 > from && entry.1 == plural;
            let within = |entry: &&(u64, String, String)| {
                namespace.is_empty()
                    || entry.2.contains(&format!("\"namespace\":\"{namespace}\""))
                    || entry.2.contains("BOOKMARK")
            };
            let lines: Vec<_> = state.log.iter().filter(new).filter(within).map(|entry| entry.2.clone()).collect();
            let cut = !lines.is_empty() && std::mem::take(&mut state.cut);
            let raw = state.raw.take_if(|raw| raw.0 == plural);
            let gone = from < state.compacted;
            from = from.max(state.version);
            (lines, cut, raw, gone, state.short)
        };
        if gone {
            let status = json!({"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {},
                "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}});
            chunk(socket, &format!("{status}\n")).await?;
            break;
        }
        if let Some((_, raw)) = raw {
            chunk(socket, &raw).await?;
        }
        for line in lines {
            if cut {
                chunk(socket, &line[..line.len() / 2]).await?;
                return Err(std::io::ErrorKind::ConnectionAborted.into());
            }
            chunk(socket, &format!("{line}\n")).await?;
        }
        if short {
            break;
        }
        tokio::select! {
            changed = news.changed() => changed.unwrap(),
            () = &mut end => break,
        }
    }
    socket.write_all(b"0\r\n\r\n").await
}

/// Plural, namespace, name; the last two may be empty.
fn parse(path: &str) -> Option<Place> {
    let rest = path.strip_prefix("/apis/flink.apache.org/v1beta1/").or_else(|| path.strip_prefix("/api/v1/"))?;
    let parts: Vec<_> = rest.split('/').collect();
    let (plural, namespace, name) = match parts[..] {
        ["namespaces"] => ("namespaces", "", ""),
        ["namespaces", name] => ("namespaces", "", name),
        ["namespaces", namespace, plural] => (plural, namespace, ""),
        ["namespaces", namespace, plural, name] => (plural, namespace, name),
        [plural] => (plural, "", ""),
        _ => return None,
    };
    Some((plural.to_owned(), namespace.to_owned(), name.to_owned()))
}

fn status(code: u16, reason: &str, message: &str) -> (u16, String) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code});
    (code, status.to_string())
}

impl State {
    fn refusal(&self, plural: &str) -> Option<(u16, String)> {
        let missing = || (404, "404 page not found\n".to_owned());
        if self.no_api || (plural != "namespaces" && !self.installed.contains(plural)) {
            return Some(missing());
        }
        self.refused.get(plural).cloned()
    }

    fn answer(&self, path: &str, query: &BTreeMap<&str, &str>) -> (u16, String) {
        if self.no_api {
            return (404, "<html>nothing here</html>".to_owned());
        }
        match path {
            "/apis" => {
                let version = json!({"groupVersion": "flink.apache.org/v1beta1", "version": "v1beta1"});
                let group = json!({"name": "flink.apache.org", "versions": [version], "preferredVersion": version});
                let groups = if self.installed.is_empty() {
                    vec![]
                } else {
                    vec![json!({"name": "apps", "versions": []}), group]
                };
                return (200, json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}).to_string());
            }
            "/apis/flink.apache.org/v1beta1" => {
                let resources: Vec<_> =
                    self.installed.iter().map(|name| json!({"name": name, "namespaced": true})).collect();
                return (200, json!({"kind": "APIResourceList", "resources": resources}).to_string());
            }
            _ => {}
        }
        let (plural, namespace, name) = parse(path).unwrap();
        if let Some(refusal) = self.refusal(&plural) {
            return refusal;
        }
        if !name.is_empty() {
            return match self.objects.get(&(plural, namespace, name)) {
                Some(object) => (200, object.to_string()),
                None => status(404, "NotFound", "not found"),
            };
        }
        let field = query.get("fieldSelector").and_then(|field| field.strip_prefix("metadata.name%3D"));
        let of = |(place, _): &(&Place, &Value)| {
            place.0 == plural
                && (namespace.is_empty() || place.1 == namespace)
                && field.is_none_or(|name| place.2 == name)
        };
        let limit: usize = query["limit"].parse().unwrap();
        let from: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
        let all: Vec<_> = self.objects.iter().filter(of).map(|(_, object)| object).collect();
        let items: Vec<_> = all.iter().skip(from).take(limit).collect();
        let to = from + items.len();
        let next = if to < all.len() { to.to_string() } else { String::new() };
        let metadata = json!({"resourceVersion": self.version.to_string(), "continue": next});
        (200, json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items}).to_string())
    }
}
