//! The bodies that go on: what was held back and judged, what streams through, or one after the other.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, Sleep};

use super::head::Length;

/// A body on its way to the upstream.
#[derive(Debug)]
pub(super) struct Outgoing {
    first: Option<Bytes>,
    rest: Option<Rest>,
    length: Length,
    /// Told by being dropped: hyper drops a body when all of it is sent.
    sent: Option<oneshot::Sender<()>>,
    /// Room among the bodies that are held.
    _room: Option<OwnedSemaphorePermit>,
}

/// What still comes from the client.
#[derive(Debug)]
struct Rest {
    body: Incoming,
    /// How long the client may send nothing.
    idle: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// Why a body does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// The client broke off.
    #[error(transparent)]
    Broken(#[from] hyper::Error),
    /// The client stopped sending.
    #[error("the client sent nothing for {0:?}")]
    Idle(Duration),
}

impl Outgoing {
    /// No body.
    pub(super) fn none() -> Self {
        Self { first: None, rest: None, length: Length::None, sent: None, _room: None }
    }

    /// A body of exactly these bytes.
    pub(super) fn whole(bytes: Bytes, room: Option<OwnedSemaphorePermit>) -> Self {
        let length = Length::Known(bytes.len() as u64);
        Self { first: Some(bytes).filter(|bytes| !bytes.is_empty()), length, _room: room, ..Self::none() }
    }

    /// What has been read of a body, and the rest as it comes.
    pub(super) fn stream(first: Bytes, rest: Incoming, length: Length, idle: Duration) -> Self {
        let rest = Some(Rest { body: rest, idle, timer: None });
        Self { first: Some(first).filter(|bytes| !bytes.is_empty()), rest, length, ..Self::none() }
    }

    /// How its end is told.
    pub(super) fn length(&self) -> Length {
        self.length
    }

    /// Whether some of it is still with the client.
    pub(super) fn streams(&self) -> bool {
        self.rest.is_some()
    }

    /// Is resolved when all of it is sent, or none of it will be any more.
    pub(super) fn sent(&mut self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.sent = Some(sender);
        receiver
    }
}

impl Rest {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                // Lines after the last chunk go no further: nobody judged them.
                Poll::Ready(Some(Ok(frame))) if !frame.is_data() => {}
                Poll::Ready(frame) => {
                    self.timer = None;
                    return Poll::Ready(frame.map(|frame| frame.map_err(Stopped::Broken)));
                }
                Poll::Pending => {
                    let until = Instant::now() + self.idle;
                    let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
                    return timer.as_mut().poll(cx).map(|()| Some(Err(Stopped::Idle(self.idle))));
                }
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        self.rest.as_mut().map_or(Poll::Ready(None), |rest| rest.poll(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.as_ref().is_none_or(|rest| rest.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().map_or(0, |bytes| bytes.len() as u64);
        match self.rest.as_ref().map(|rest| rest.body.size_hint().exact()) {
            None => SizeHint::with_exact(first),
            Some(Some(rest)) => SizeHint::with_exact(first.saturating_add(rest)),
            Some(None) => SizeHint::default(),
        }
    }
}
