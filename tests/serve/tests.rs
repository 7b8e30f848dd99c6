//! The real server, over sockets: each door, who may say what, what is refused, and how it behaves when files change, time
//! runs out or it is told to stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod admission;
mod authorizer;
mod check;
mod manners;
mod observed;
mod proxy;
mod server;
mod tls;
