//! Bodies: read whole, within bounds of size and time, before they are judged.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};

/// Why a body is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is too large.
    #[error("the body is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It did not come in time.
    #[error("the body did not arrive within {} s", patience.as_secs())]
    Slow {
        /// The time there was.
        patience: Duration,
    },
    /// The connection broke, or the framing is wrong.
    #[error("the body broke off, or its framing is wrong")]
    Broken,
}

impl BodyError {
    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, slower than `patience`, or breaks off.
pub async fn read(body: Incoming, limit: usize, patience: Duration) -> Result<Bytes, BodyError> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).map_or(true, |size| size > limit) {
        return Err(BodyError::TooLarge { limit });
    }
    match tokio::time::timeout(patience, Limited::new(body, limit).collect()).await {
        Err(_) => Err(BodyError::Slow { patience }),
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge { limit }),
        Ok(Err(_)) => Err(BodyError::Broken),
    }
}
