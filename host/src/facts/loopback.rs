//! What tests of the sources need: a server on loopback that answers as it is told to, well or badly, and folders.
#![expect(clippy::unwrap_used, reason = "a test whose surroundings cannot be set up fails")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a request is answered.
pub(super) enum Reply {
    /// Status, further header lines, body.
    Whole(u16, &'static str, Vec<u8>),
    /// Never.
    Nothing,
    /// A head that does not end.
    EndlessHead,
    /// A body that does not end, with this status.
    EndlessBody(u16),
}

impl Reply {
    pub(super) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, "content-type: application/json\r\n", body.into())
    }

    pub(super) fn error(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(status, "", body.into())
    }
}

/// A server that runs as long as this lives.
pub(super) struct Loopback {
    pub(super) address: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Loopback {
    /// `answer` gets the target of a request, and its whole head.
    pub(super) async fn start(answer: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&heads), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    // The client hangs up where it has had enough.
                    let _ = serve(stream, &seen, |target, head| answer(target, head)).await;
                });
            }
        });
        Self { address, heads, task }
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// The targets of all requests so far.
    pub(super) fn targets(&self) -> Vec<String> {
        self.heads().iter().map(|head| target(head).to_owned()).collect()
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    answer: impl Fn(&str, &str) -> Reply,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    seen.lock().unwrap().push(head.clone());
    match answer(target(&head), &head) {
        Reply::Whole(status, headers, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Status\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            stream.shutdown().await
        }
        Reply::Nothing => std::future::pending().await,
        Reply::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"x-more: more\r\n").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Reply::EndlessBody(status) => {
            let head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n\r\n[");
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
    }
}

/// An address where nobody listens.
pub(super) async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A recorded answer.
pub(super) fn recorded(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/recorded");
    std::fs::read(Path::new(folder).join(name)).unwrap()
}

/// A folder that goes with this.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left lies in the system's own folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A new folder.
pub(super) fn folder() -> Folder {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("sluicegate-facts-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    Folder(path.canonicalize().unwrap())
}
