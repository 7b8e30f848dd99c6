//! Cuts clients that are slow on purpose or gone: a head must come in one go, and a connection may not lie idle for ever.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Tells a [`Patient`] connection that a request is being answered: then the client waits, not the server.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Beats>);

#[derive(Debug, Default)]
struct Beats {
    /// Requests that are being answered.
    busy: AtomicUsize,
    /// Requests that have come in.
    asked: AtomicUsize,
}

/// Holds the pulse for as long as a request is being answered.
#[derive(Debug)]
pub struct Busy(Pulse);

impl Pulse {
    /// A request is being answered until the result is dropped.
    pub fn busy(&self) -> Busy {
        self.0.busy.fetch_add(1, Ordering::Relaxed);
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        Busy(self.clone())
    }

    /// Whether a request is being answered.
    pub fn is_busy(&self) -> bool {
        self.0.busy.load(Ordering::Relaxed) > 0
    }

    /// Returns when the first request has come in, at the latest after this time.
    pub async fn first(&self, at_most: Duration) {
        const LOOK: Duration = Duration::from_millis(10);
        let until = Instant::now() + at_most;
        while self.asked() == 0 && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How many requests have come in.
    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that is given up when its client takes too long.
#[derive(Debug)]
pub struct Patient<I> {
    io: I,
    pulse: Pulse,
    /// Time for a head, from its first byte.
    patience: Duration,
    /// Time without any byte.
    idle: Duration,
    /// When the head that is coming in must be there.
    head_until: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl<I> Patient<I> {
    /// `patience` for a head to come in, `idle` between requests. The first head is due at once.
    pub fn new(io: I, patience: Duration, idle: Duration) -> (Self, Pulse) {
        let pulse = Pulse::default();
        let until = Instant::now() + patience;
        let timer = Box::pin(tokio::time::sleep_until(until));
        (Self { io, pulse: pulse.clone(), patience, idle, head_until: Some(until), timer }, pulse)
    }

    /// A byte went through.
    fn moved(&mut self, arrived: bool) {
        let now = Instant::now();
        if self.pulse.is_busy() {
            self.head_until = None;
        } else if arrived {
            self.head_until.get_or_insert(now + self.patience);
        }
        self.timer.as_mut().reset(self.head_until.unwrap_or(now + self.idle));
    }

    /// What came of writing.
    fn wrote(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Pending => self.given_up(context).map(Err),
            Poll::Ready(Ok(_)) => {
                // The head of this request is long in.
                self.head_until = None;
                self.moved(false);
                written
            }
            Poll::Ready(Err(_)) => written,
        }
    }

    fn given_up(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let busy = self.pulse.is_busy();
        if busy && self.head_until.take().is_some() {
            self.timer.as_mut().reset(Instant::now() + self.idle);
        }
        match self.timer.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            // Whoever is answered waits for us, or for an upstream that takes its time.
            Poll::Ready(()) if busy => {
                self.timer.as_mut().reset(Instant::now() + self.idle);
                self.timer.as_mut().poll(context).map(|()| io::ErrorKind::TimedOut.into())
            }
            Poll::Ready(()) => Poll::Ready(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.io).poll_read(context, buffer) {
            Poll::Pending => self.given_up(context).map(Err),
            Poll::Ready(Ok(())) => {
                let arrived = buffer.filled().len() > before;
                self.moved(arrived);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, data);
        self.wrote(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, data);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::Patient;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_head_that_drips_in_is_cut() {
        let (mut client, server) = tokio::io::duplex(64);
        let (mut server, _pulse) = Patient::new(server, Duration::from_millis(60), LONG);
        let dripping = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let mut all = Vec::new();
        let ended = server.read_to_end(&mut all).await;
        assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        assert!(!all.is_empty());
        drop(server);
        dripping.await.unwrap();
    }

    #[tokio::test]
    async fn an_idle_connection_is_cut_but_not_while_it_is_answered() {
        let (mut client, server) = tokio::io::duplex(64);
        let (mut server, pulse) = Patient::new(server, LONG, SHORT);
        client.write_all(b"head").await.unwrap();
        let mut head = [0; 4];
        server.read_exact(&mut head).await.unwrap();
        let busy = pulse.busy();
        let waited = tokio::time::timeout(5 * SHORT, server.read(&mut head)).await;
        assert!(waited.is_err(), "it was given up while it was answered");
        drop(busy);
        server.write_all(b"done").await.unwrap();
        let idle = server.read(&mut head).await;
        assert_eq!(idle.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}
