//! Bodies: held whole, within bounds of size, time and room, until they are judged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::options::Bounds;

/// Bytes that one permit of the room for held bodies stands for.
const UNIT: usize = 1 << 10;

/// How many bodies of the largest size may be held at once.
const MOST_HELD: usize = 16;

/// Room for the bodies of all connections of a door together.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

impl Room {
    /// Room for bodies of up to `largest` bytes.
    pub fn new(largest: usize) -> Self {
        let permits = largest.div_ceil(UNIT).saturating_mul(MOST_HELD).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(permits)))
    }
}

/// Why a body is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is too large.
    #[error("the body is larger than the limit of {limit} bytes; whoever runs the gate can raise it (`--max-body`)")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It did not come in time.
    #[error("the body did not arrive within {} s; send it again", patience.as_secs())]
    Slow {
        /// The time there was.
        patience: Duration,
    },
    /// The connection broke, or the framing is wrong.
    #[error("the body broke off, or its framing is wrong; send it again")]
    Broken,
    /// Too many are held already.
    #[error("too many bodies are held until they are judged; try again in a second")]
    Full,
}

impl BodyError {
    /// Why a body is not held, with the bound that it met.
    pub fn of(not_held: &NotHeld, bounds: &Bounds) -> Self {
        match not_held {
            NotHeld::TooLarge(..) => Self::TooLarge { limit: bounds.body },
            NotHeld::Slow => Self::Slow { patience: bounds.patience },
            NotHeld::Broken => Self::Broken,
            NotHeld::Full => Self::Full,
        }
    }

    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Full => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Why a body is not held.
#[derive(Debug)]
pub enum NotHeld {
    /// It is larger than what is judged: what was read of it, and the rest.
    TooLarge(Bytes, Box<Incoming>),
    /// It did not come in time.
    Slow,
    /// The client broke off.
    Broken,
    /// Too many are held already.
    Full,
}

/// Reads a body whole. Room is taken as it comes in, so that announcing much costs nobody else anything.
pub async fn hold(
    body: Incoming,
    bounds: &Bounds,
    room: &Room,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotHeld> {
    if body.size_hint().lower() > bounds.body as u64 {
        return Err(NotHeld::TooLarge(Bytes::new(), Box::new(body)));
    }
    let read = read(body, bounds.body, room);
    tokio::time::timeout(bounds.patience, read).await.unwrap_or(Err(NotHeld::Slow))
}

async fn read(mut body: Incoming, limit: usize, room: &Room) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotHeld> {
    let mut pieces = Vec::new();
    let (mut length, mut taken) = (0_usize, None::<OwnedSemaphorePermit>);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| NotHeld::Broken)?.into_data() else { continue };
        length += piece.len();
        pieces.push(piece);
        if length > limit {
            return Err(NotHeld::TooLarge(joined(pieces, length), Box::new(body)));
        }
        let missing = length.div_ceil(UNIT) - taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if missing > 0 {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            let more = Arc::clone(&room.0).try_acquire_many_owned(missing).map_err(|_| NotHeld::Full)?;
            match &mut taken {
                None => taken = Some(more),
                Some(taken) => taken.merge(more),
            }
        }
    }
    Ok((joined(pieces, length), taken))
}

fn joined(mut pieces: Vec<Bytes>, length: usize) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.pop().unwrap_or_default();
    }
    let mut whole = Vec::with_capacity(length);
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    whole.into()
}
