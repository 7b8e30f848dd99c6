//! STUB
use super::Context;
use crate::document::Node;
use crate::gate::Failure;
use crate::operation::Decoded;

pub(super) fn decode<R>(
    _plan: Node<'_>,
    _context: &Context<'_>,
    _then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    Err(Failure::unsupported("stub"))
}
