//! What goes back to a client: an answer of ours, or the upstream's as it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::Response;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::server::connection::Busy;
use crate::server::reply::Reply;

/// An answer.
pub(super) type Answer = Response<Answering>;

/// The body of an answer. Until it is sent, its client waits for us.
#[derive(Debug)]
pub(super) struct Answering {
    body: Either<Full<Bytes>, Incoming>,
    busy: Option<Busy>,
}

/// An answer of ours.
pub(super) fn whole(reply: Reply) -> Answer {
    reply.map(|body| Answering { body: Either::Left(body), busy: None })
}

/// The upstream's.
pub(super) fn stream(response: Response<Incoming>) -> Answer {
    response.map(|body| Answering { body: Either::Right(body), busy: None })
}

/// The same, and its connection is busy until it is sent.
pub(super) fn while_busy(mut answer: Answer, busy: Busy) -> Answer {
    answer.body_mut().busy = Some(busy);
    answer
}

impl Body for Answering {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
