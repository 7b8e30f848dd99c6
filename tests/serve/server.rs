//! A server as its own process, on ports of its choice, and clients that talk to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take that should take no time.
pub const SOON: Duration = Duration::from_secs(20);

/// A folder that goes away with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sluicegate-serve-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running server.
pub struct Server {
    child: Child,
    doors: Vec<(String, String)>,
    log: Arc<Mutex<String>>,
}

impl Server {
    /// Starts it with these options, and waits until its doors are open.
    pub fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluicegate"))
            .arg("serve")
            .args(options)
            .args(if options.contains(&"--drain-time") { &[][..] } else { &["--drain-time", "0"] })
            .env_remove("SLUICEGATE_SETTINGS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut server = Self { child, doors: Vec::new(), log };
        let mut lines = BufReader::new(server.child.stdout.take().unwrap()).lines();
        loop {
            match lines.next() {
                Some(line) if line.as_ref().unwrap() == "open" => break,
                Some(line) => {
                    let line = line.unwrap();
                    let (name, address) = line.rsplit_once(' ').unwrap();
                    server.doors.push((name.to_owned(), address.to_owned()));
                }
                None => {
                    let status = server.child.wait().unwrap();
                    std::thread::sleep(Duration::from_millis(50));
                    panic!("the server ended with {status}: {}", server.log());
                }
            }
        }
        server
    }

    /// A server with plain HTTP at its main door, and metrics.
    pub fn plain(options: &[&str]) -> Self {
        let doors = ["--listen", "127.0.0.1:0", "--insecure-http", "--metrics-listen", "127.0.0.1:0"];
        Self::start(&[&doors, options].concat())
    }

    /// `http://127.0.0.1:PORT` of a door: `main`, `metrics`, or `proxy flink-rest`.
    pub fn door(&self, name: &str) -> &str {
        let door = self.doors.iter().find(|(known, _)| known == name);
        &door.unwrap_or_else(|| panic!("no door `{name}` in {:?}", self.doors)).1
    }

    pub fn address(&self, door: &str) -> SocketAddr {
        self.door(door).rsplit_once('/').unwrap().1.parse().unwrap()
    }

    /// What it has said on standard error.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + SOON;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end: {}", self.log());
    }

    /// The metric of this name and labels, as it stands on the page; 0 when it is not there.
    pub fn metric(&self, line: &str) -> f64 {
        let page = raw(self.address("metrics"), b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let found = page.lines().find_map(|known| known.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or(0.0)
    }

    /// A request to the main door, and what came back.
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(self.address("main"), method, target, headers, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of a server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self { status: status.unwrap_or(0), head: head.to_owned(), body: body.to_owned() }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// One request on a connection of its own.
pub fn send(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body);
    Answer::parse(&raw(address, &bytes))
}

/// Exact bytes, and everything that came back until the server closed.
pub fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // A server that refuses early may have closed already.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Waits until something is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !so() {
        assert!(Instant::now() < end, "it never came about that {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A file of the repository's tests.
pub fn recorded(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
