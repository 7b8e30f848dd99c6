//! STUB
use super::Context;
use crate::document::Node;
use crate::gate::Failure;
use crate::operation::Decoded;

pub(super) fn review<R>(
    _review: Node<'_>,
    _context: &Context<'_>,
    _then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    Err(Failure::unsupported("stub"))
}

pub(super) fn manifest<R>(
    _manifest: Node<'_>,
    _live: Option<Node<'_>>,
    _context: &Context<'_>,
    _then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    Err(Failure::unsupported("stub"))
}
