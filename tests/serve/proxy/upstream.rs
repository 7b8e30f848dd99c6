//! A server behind the proxy that writes down what arrives, byte for byte, and answers as the test says.

use std::io::ErrorKind::ConnectionReset;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::server::{SOON, until};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Request line and headers, as they stood there.
    pub head: String,
    /// The first bytes of the body, without chunk lines.
    pub body: Vec<u8>,
    /// The length of the whole body.
    pub length: usize,
}

impl Arrived {
    pub fn request_line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found =
            self.head.lines().find(|line| line.split(':').next().is_some_and(|it| it.eq_ignore_ascii_case(name)));
        found.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }
}

/// What a test makes of a request: bytes to be written, or `None` to close without a word.
type Respond = dyn Fn(&Arrived) -> Option<Vec<u8>> + Send + Sync;

/// A running upstream.
pub struct Upstream {
    address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    connections: Arc<AtomicUsize>,
    /// Connections that the other side has closed.
    closed: Arc<AtomicUsize>,
    /// While it is set, nothing is read after a head.
    held: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    stopped: Arc<AtomicBool>,
}

impl Upstream {
    /// Answers every request with `ok`.
    pub fn start() -> Self {
        Self::with(|_| Some(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok".to_vec()))
    }

    pub fn with(respond: impl Fn(&Arrived) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let upstream = Self {
            address: listener.local_addr().unwrap(),
            arrived: Arc::default(),
            connections: Arc::default(),
            closed: Arc::default(),
            held: Arc::default(),
            open: Arc::default(),
            stopped: Arc::default(),
        };
        let respond: Arc<Respond> = Arc::new(respond);
        let (arrived, held, closed) =
            (Arc::clone(&upstream.arrived), Arc::clone(&upstream.held), Arc::clone(&upstream.closed));
        let (connections, open) = (Arc::clone(&upstream.connections), Arc::clone(&upstream.open));
        let stopped = Arc::clone(&upstream.stopped);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let (arrived, held, respond) = (Arc::clone(&arrived), Arc::clone(&held), Arc::clone(&respond));
                let (connections, closed) = (Arc::clone(&connections), Arc::clone(&closed));
                std::thread::spawn(move || {
                    let mut counted = false;
                    serve(stream, &arrived, &held, &*respond, &mut || {
                        if !std::mem::replace(&mut counted, true) {
                            connections.fetch_add(1, Ordering::SeqCst);
                        }
                    });
                    if counted {
                        closed.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        upstream
    }

    /// The option of a server that stands in front of it.
    pub fn door(&self, api: &str) -> String {
        format!("{api}=http://{}@127.0.0.1:0", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    /// The one request that arrived since the last call.
    pub fn only(&self) -> Arrived {
        let mut arrived = std::mem::take(&mut *self.arrived.lock().unwrap());
        assert_eq!(arrived.len(), 1, "{arrived:?}");
        arrived.remove(0)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    /// How many connections the gate has closed, whether that was noticed or not.
    pub fn left(&self) -> usize {
        let ended = |stream: &&TcpStream| {
            stream.set_read_timeout(Some(SOON / 2000)).unwrap();
            match stream.peek(&mut [0]) {
                Ok(length) => length == 0,
                Err(error) => error.kind() == ConnectionReset,
            }
        };
        self.open.lock().unwrap().iter().filter(ended).count()
    }

    /// Closes every connection from this side, and waits until that is done.
    pub fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.all_closed();
    }

    /// Waits until every connection has ended.
    pub fn all_closed(&self) {
        until("every connection to the upstream is closed", || {
            self.closed.load(Ordering::SeqCst) == self.connections()
        });
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// Serves a connection. What the gate itself looks up is answered, and not counted: it is nothing that was passed on.
fn serve(
    stream: TcpStream,
    arrived: &Mutex<Vec<Arrived>>,
    held: &AtomicBool,
    respond: &Respond,
    passed_on: &mut dyn FnMut(),
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match reader.read_until(b'\n', &mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        let mut request = Arrived { head: String::from_utf8(head).unwrap(), body: Vec::new(), length: 0 };
        if request.header("user-agent").is_some_and(|agent| agent.starts_with("sluicegate/")) {
            let _ =
                writer.write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            return;
        }
        passed_on();
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(SOON / 2000);
        }
        if body(&mut reader, &mut request).is_none() {
            return;
        }
        let answer = respond(&request);
        arrived.lock().unwrap().push(request);
        match answer {
            Some(answer) if writer.write_all(&answer).is_ok() => {}
            _ => {
                let _ = writer.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

fn body(reader: &mut BufReader<TcpStream>, request: &mut Arrived) -> Option<()> {
    let length = request.header("content-length").map(|length| length.parse::<usize>().unwrap());
    match (length, request.header("transfer-encoding")) {
        (Some(_), Some(_)) => panic!("two framings arrived: {}", request.head),
        (Some(length), None) => take(reader, request, length),
        (None, None) => Some(()),
        (None, Some(coding)) => {
            assert_eq!(coding, "chunked");
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
                let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
                take(reader, request, size)?;
                line.clear();
                reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
                assert_eq!(line, "\r\n");
                if size == 0 {
                    return Some(());
                }
            }
        }
    }
}

fn take(reader: &mut BufReader<TcpStream>, request: &mut Arrived, length: usize) -> Option<()> {
    let mut left = length;
    let mut piece = vec![0; 64 << 10];
    while left > 0 {
        let most = left.min(piece.len());
        let read = reader.read(&mut piece[..most]).ok().filter(|read| *read > 0)?;
        let room = (1_usize << 20).saturating_sub(request.body.len()).min(read);
        request.body.extend_from_slice(&piece[..room]);
        request.length += read;
        left -= read;
    }
    Some(())
}
