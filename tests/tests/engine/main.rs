//! The engine around a policy: what it lets in, what it stops, what it keeps.

mod cache;
mod hostile;
mod random;
mod reuse;
mod sandboxes;
mod shape;
mod written;
