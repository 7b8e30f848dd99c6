//! What is asked of the API server: pages of a list, a watch line by line, one object, whether a kind is installed.
//! Every answer is bounded in bytes and time, and no body is ever logged: specs may hold secrets.

use std::error::Error as _;
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HeaderValue};
use hyper::{Response, StatusCode};
use kube::Client;
use kube::api::{GetParams, ListParams, WatchParams};
use kube::client::Body;
use kube::core::request::Request;

use super::json::{self, Malformed};
use super::resource::{GROUP, Kind, Object, VERSION};

/// How long one answer that is not a watch may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects of a page at first. Too long a page is asked for again with fewer.
pub(super) const PAGE: u32 = 128;
/// Bytes of a page.
const LONGEST_PAGE: usize = 16 << 20;
/// Bytes of an event, or of an answer with one object. The API server takes objects of at most 3 MiB.
const LONGEST_EVENT: usize = 8 << 20;
/// Bytes of an error body that are looked at, and characters of it that are shown.
const LONGEST_ERROR: usize = 64 << 10;
const SHOWN: usize = 300;
/// Bytes of what discovery answers.
const LONGEST_DISCOVERY: usize = 4 << 20;

/// Why a read brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The version or page that was asked for is too old: list again.
    Gone,
    /// There is no such path, or no such object.
    NotFound,
    /// Not allowed; the text says who must be allowed what.
    Denied(String),
    /// The answer is longer than what is read.
    TooLong,
    /// It is not what the API server answers.
    Unreadable(&'static str),
    /// Everything else. It may work the next time.
    Failed(String),
}

/// The reads of one kind, in all namespaces or one.
#[derive(Clone)]
pub(super) struct Reads {
    client: Client,
    kind: &'static Kind,
    namespace: Option<String>,
}

/// A part of a list.
pub(super) struct Page {
    pub(super) objects: Vec<Object>,
    /// Where the watch goes on, when no page follows.
    pub(super) version: String,
    pub(super) next: Option<String>,
}

/// A watch that is open.
pub(super) struct Lines {
    body: Body,
    buffer: Vec<u8>,
    searched: usize,
}

impl Reads {
    pub(super) fn new(client: Client, kind: &'static Kind, namespace: Option<String>) -> Self {
        Self { client, kind, namespace }
    }

    /// Of all namespaces, the one that is watched: by a field, since namespaces are in none.
    fn fields(&self) -> Option<String> {
        let namespace = self.namespace.as_ref().filter(|_| self.kind.is_namespaces());
        namespace.map(|name| format!("metadata.name={name}"))
    }

    fn collection(&self) -> Request {
        Request::new(self.kind.path(self.namespace.as_deref()))
    }

    pub(super) async fn page(&self, limit: u32, next: Option<String>) -> Result<Page, Trouble> {
        let asked = ListParams {
            limit: Some(limit),
            continue_token: next,
            field_selector: self.fields(),
            ..ListParams::default()
        };
        let text = self.whole(self.collection().list(&asked), "PartialObjectMetadataList", LONGEST_PAGE).await?;
        self.read_page(&text).map_err(|Malformed| Trouble::Unreadable("a list"))
    }

    fn read_page(&self, text: &[u8]) -> Result<Page, Malformed> {
        let members = json::members(text)?;
        let named = |name: &str| members.iter().find_map(|(key, value)| (key == name).then_some(*value));
        let metadata = named("metadata").ok_or(Malformed)?;
        let version = json::text_member(metadata, "resourceVersion")?.unwrap_or_default();
        let next = json::text_member(metadata, "continue")?.filter(|token| !token.is_empty());
        if version.is_empty() && next.is_none() {
            return Err(Malformed);
        }
        let items = match named("items").ok_or(Malformed)? {
            b"null" => Vec::new(),
            items => json::elements(items)?,
        };
        let objects = items.into_iter().map(|item| self.kind.read(item));
        Ok(Page { objects: objects.collect::<Result<_, _>>()?, version, next })
    }

    /// Opens a watch that the server ends after `lasting`.
    pub(super) async fn watch(&self, version: &str, lasting: Duration) -> Result<Lines, Trouble> {
        let seconds = u32::try_from(lasting.as_secs()).unwrap_or(u32::MAX).max(1);
        let asked = WatchParams { timeout: Some(seconds), field_selector: self.fields(), ..WatchParams::default() };
        let request = self.collection().watch(&asked, version);
        let response = within(PATIENCE, self.send(request, "PartialObjectMetadata")).await?;
        Ok(Lines { body: response.into_body(), buffer: Vec::new(), searched: 0 })
    }

    pub(super) async fn one(&self, namespace: &str, name: &str) -> Result<Object, Trouble> {
        let namespace = (!self.kind.is_namespaces()).then_some(namespace);
        let request = Request::new(self.kind.path(namespace)).get(name, &GetParams::default());
        let text = self.whole(request, "PartialObjectMetadata", LONGEST_EVENT).await?;
        self.kind.read(&text).map_err(|Malformed| Trouble::Unreadable("an object"))
    }

    /// Whether the server knows the kind. A path can be missing for other reasons too, and then nothing must be
    /// concluded from it.
    pub(super) async fn is_installed(&self) -> Result<bool, Trouble> {
        let unreadable = |Malformed| Trouble::Unreadable("the list of kinds");
        let groups = self.discover("/apis").await?;
        let Some(versions) = group_versions(&groups).map_err(unreadable)? else { return Ok(false) };
        if !versions.iter().any(|version| version == VERSION) {
            let versions = versions.join("`, `");
            return Err(Trouble::Failed(format!("{GROUP} is served as `{versions}`, only `{VERSION}` is understood")));
        }
        let resources = self.discover(&format!("/apis/{GROUP}/{VERSION}")).await?;
        let resources = json::member(&resources, "resources").and_then(|found| json::elements(found.ok_or(Malformed)?));
        let names = resources.map_err(unreadable)?.into_iter().map(|resource| json::text_member(resource, "name"));
        let names = names.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        Ok(names.iter().any(|name| name.as_deref() == Some(self.kind.plural)))
    }

    async fn discover(&self, path: &str) -> Result<Bytes, Trouble> {
        let request = hyper::Request::get(path).body(Vec::new()).map_err(kube::core::request::Error::BuildRequest);
        match self.whole(request, "", LONGEST_DISCOVERY).await {
            Err(Trouble::NotFound) => {
                Err(Trouble::Failed(format!("the server knows no `{path}`: is it a Kubernetes API?")))
            }
            answer => answer,
        }
    }

    async fn whole(&self, request: Asked, partial: &str, most: usize) -> Result<Bytes, Trouble> {
        within(PATIENCE, async {
            let response = self.send(request, partial).await?;
            collect(response.into_body(), most).await
        })
        .await
    }

    /// Of namespaces only the metadata is asked for; `partial` is what the answer is then called.
    async fn send(&self, request: Asked, partial: &str) -> Result<Response<Body>, Trouble> {
        let mut request = request.map_err(|error| Trouble::Failed(error.to_string()))?;
        if self.kind.is_namespaces() && !partial.is_empty() {
            let accept = format!("application/json;as={partial};g=meta.k8s.io;v=v1");
            let accept = HeaderValue::try_from(accept).map_err(|error| Trouble::Failed(error.to_string()))?;
            request.headers_mut().insert(ACCEPT, accept);
        }
        let response = self.client.send(request.map(Body::from)).await.map_err(|error| failed(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = collect(response.into_body(), LONGEST_ERROR).await.unwrap_or_default();
        Err(refused(status, &body))
    }
}

type Asked = Result<hyper::Request<Vec<u8>>, kube::core::request::Error>;

impl Lines {
    /// The next line; `None` when the server ended the watch.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') {
                let mut line = self.buffer.drain(..=self.searched + at).collect::<Vec<_>>();
                line.pop();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > LONGEST_EVENT {
                return Err(Trouble::TooLong);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.buffer.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Some(Err(_)) => return Err(Trouble::Failed("the connection was cut".to_owned())),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(Trouble::Failed("the connection was cut in the middle of an event".to_owned())),
            }
        }
    }
}

/// What a Status says, whether it came as an answer or as an event.
pub(super) fn refused_by(status: &[u8]) -> Trouble {
    let code = json::member(status, "code").ok().flatten().and_then(|code| serde_json::from_slice(code).ok());
    let code = code.and_then(|code: u16| StatusCode::from_u16(code).ok());
    refused(code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), status)
}

fn refused(code: StatusCode, body: &[u8]) -> Trouble {
    // What is no Status came from something in between, and may hold anything.
    let is_status = json::text_member(body, "kind").is_ok_and(|kind| kind.as_deref() == Some("Status"));
    let message = json::text_member(body, "message").ok().flatten().filter(|_| is_status).map(|text| shown(&text));
    let text = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("HTTP {}: {message}", code.as_u16()),
        None => format!("HTTP {code}"),
    };
    match code {
        StatusCode::GONE => Trouble::Gone,
        StatusCode::NOT_FOUND => Trouble::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Denied(text),
        _ => Trouble::Failed(text),
    }
}

/// Says what is wrong, and nothing that a credential helper printed.
fn failed(error: &kube::Error) -> Trouble {
    if matches!(error, kube::Error::Auth(_)) {
        return Trouble::Failed(
            "the credentials of the API server cannot be obtained, look at its KUBECONFIG".to_owned(),
        );
    }
    // The last in the chain is the one that people know: `connection refused`.
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match error.source() {
        None => Trouble::Failed(shown(&error.to_string())),
        Some(_) => Trouble::Failed(shown(&format!("the API server does not answer: {deepest}"))),
    }
}

fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect()
}

async fn collect(body: Body, most: usize) -> Result<Bytes, Trouble> {
    match Limited::new(body, most).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Trouble::TooLong),
        Err(_) => Err(Trouble::Failed("the connection was cut in the middle of an answer".to_owned())),
    }
}

async fn within<T>(time: Duration, read: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let late = |_| Trouble::Failed(format!("no answer within {} s", time.as_secs()));
    tokio::time::timeout(time, read).await.map_err(late)?
}

/// The versions of the operator's group, if the server has that group.
fn group_versions(text: &[u8]) -> Result<Option<Vec<String>>, Malformed> {
    for group in json::elements(json::member(text, "groups")?.ok_or(Malformed)?)? {
        if json::text_member(group, "name")?.as_deref() == Some(GROUP) {
            let versions = json::elements(json::member(group, "versions")?.ok_or(Malformed)?)?;
            let names = versions.into_iter().map(|version| json::text_member(version, "version"));
            return Ok(Some(names.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect()));
        }
    }
    Ok(None)
}
