//! STUB
use super::{Call, Context};
use crate::gate::Failure;
use crate::operation::Decoded;

pub(super) fn decode<R>(
    _call: &Call<'_>,
    _context: &Context<'_>,
    _then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    Err(Failure::unsupported("stub"))
}
