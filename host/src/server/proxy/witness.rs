//! Stands between a connection and hyper, which drops a second framing without a word: only heads that can be read in one
//! way pass. In place of any other head hyper gets one that says nothing, and the refusal waits for whoever answers it.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Refusal;
use super::framing::{Framing, Step};
use super::head::Head;

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;

/// What hyper gets in place of a head that is refused.
const SUBSTITUTE: &[u8] = b"GET /refused HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// How long what still comes is thrown away after a refusal. Closing at once would reset the connection, and the client
/// would not see why.
const LINGER: Duration = Duration::from_secs(3);

/// A connection whose requests are seen before hyper sees them.
#[derive(Debug)]
pub(super) struct Witness<I> {
    io: I,
    framing: Framing,
    buffer: BytesMut,
    /// Bytes at the front of the buffer that may go on.
    cleared: usize,
    fate: Fate,
    seen: Seen,
    /// How long the client may take nothing of what it is sent.
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Understood,
    /// A head was refused: nothing after it is read.
    Refused,
    /// A body broke its own framing: the connection ends.
    Broken,
    /// Nothing more is sent; what still comes is thrown away.
    Lingering,
}

/// What was seen of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    heads: VecDeque<Result<Head, Refusal>>,
    broken: Option<Refusal>,
    linger: bool,
}

impl Seen {
    /// The next request. `None`: hyper has seen one that was not seen here.
    pub(super) fn next(&self) -> Option<Result<Head, Refusal>> {
        self.notes().heads.pop_front()
    }

    /// What is wrong with the body that comes in, where its framing is.
    pub(super) fn broken(&self) -> Option<Refusal> {
        self.notes().broken.clone()
    }

    /// Something may be left unread when the connection closes.
    pub(super) fn linger(&self) {
        self.notes().linger = true;
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> Witness<I> {
    /// A connection from its first byte on.
    pub(super) fn new(io: I, idle: Duration) -> Self {
        let (framing, buffer) = (Framing::default(), BytesMut::new());
        Self { io, framing, buffer, cleared: 0, fate: Fate::Understood, seen: Seen::default(), idle, timer: None }
    }

    /// What was seen.
    pub(super) fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// Looks at what waits until something may go on. Whether more has to be read for that.
    fn look(&mut self) -> bool {
        while self.cleared == 0 && self.fate == Fate::Understood {
            let inside = self.framing.inside();
            match self.framing.step(&self.buffer) {
                Step::More => return true,
                Step::Skip(length) => self.buffer.advance(length),
                Step::Pass(length) => self.cleared = length,
                Step::Head(length, head) => {
                    self.seen.notes().heads.push_back(Ok(head));
                    self.cleared = length;
                }
                Step::Refuse(refusal) if inside => {
                    self.seen.notes().broken = Some(refusal);
                    self.fate = Fate::Broken;
                }
                Step::Refuse(refusal) => {
                    self.seen.notes().heads.push_back(Err(refusal));
                    self.buffer = BytesMut::from(SUBSTITUTE);
                    self.cleared = SUBSTITUTE.len();
                    self.fate = Fate::Refused;
                }
            }
        }
        false
    }

    /// Gives the client up when it takes nothing for too long.
    fn stalled(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let until = Instant::now() + self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> Witness<I> {
    /// Reads more. Zero: there is no more.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < PIECE / 8 {
            self.buffer.reserve(PIECE);
        }
        let read = pin!(self.io.read_buf(&mut self.buffer)).poll(cx);
        if read.is_pending() && self.buffer.is_empty() {
            // A connection that lies idle holds no memory.
            self.buffer = BytesMut::new();
        }
        read
    }

    /// Throws away what still comes, for a while.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let until = Instant::now() + LINGER;
            let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
            if timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            self.buffer.clear();
            match ready!(self.poll_more(cx)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Witness<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.look() {
            if ready!(this.poll_more(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        if this.cleared == 0 {
            return match this.fate {
                // The refusal is being written; then the connection closes.
                Fate::Refused => Poll::Pending,
                _ => Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the client sends what is not HTTP"))),
            };
        }
        let length = this.cleared.min(out.remaining());
        out.put_slice(this.buffer.get(..length).unwrap_or_default());
        this.buffer.advance(length);
        this.cleared -= length;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Witness<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.stalled(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.io).poll_write_vectored(cx, bytes);
        this.stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.fate != Fate::Lingering {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            if !this.seen.notes().linger {
                return Poll::Ready(Ok(()));
            }
            this.fate = Fate::Lingering;
            this.timer = None;
        }
        this.poll_linger(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests;
