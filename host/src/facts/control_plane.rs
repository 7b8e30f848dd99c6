//! Reads from the control plane that a gate stands in front of: Flink's REST API, Ververica Platform, Alibaba's Realtime
//! Compute. The gate asks with credentials of its own; addresses are built here, and nothing but the control plane's
//! host is ever asked.

mod address;
mod alibaba;
mod credentials;
mod flink;
mod signature;
#[cfg(test)]
mod tests;
pub(super) mod transport;
mod ververica;

use std::path::PathBuf;
use std::time::Duration;

use address::{Base, Part, Segment};
pub use credentials::Credentials;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use transport::{Reply, Transport};

use super::live::Read;
use crate::{Api, Lookup};

/// How a control plane is asked.
#[derive(Clone, Debug)]
pub struct ControlPlaneOptions {
    /// Its API.
    pub api: Api,
    /// Scheme, host, port and the path before all others. Flink: what stands before `/jobs`. Ververica: before `/api/v1`.
    /// Alibaba: before `/api/v2`.
    pub address: String,
    /// The gate's own credentials. Alibaba cannot be asked without.
    pub credentials: Option<Credentials>,
    /// A PEM file with the certificate authorities to believe instead of the system's.
    pub authority: Option<PathBuf>,
    /// How long a connection may take. One second.
    pub connect_timeout: Duration,
    /// How long one HTTP exchange may take. Two seconds.
    pub timeout: Duration,
    /// Bytes of the largest answer, all pages together. 4 MiB.
    pub most: usize,
}

impl ControlPlaneOptions {
    /// The shipped limits, without credentials.
    pub fn new(api: Api, address: impl Into<String>) -> Self {
        Self {
            api,
            address: address.into(),
            credentials: None,
            authority: None,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            most: 4 << 20,
        }
    }
}

/// One control plane.
#[derive(Debug)]
pub(super) struct ControlPlane {
    pub(super) api: Api,
    base: Base,
    credentials: Option<Credentials>,
    transport: Transport,
    most: usize,
}

impl ControlPlane {
    pub(super) fn new(options: ControlPlaneOptions) -> Result<Self, String> {
        let ControlPlaneOptions { api, address, credentials, authority, connect_timeout, timeout, most } = options;
        let base = Base::parse(&address)?;
        if api == Api::Alibaba && credentials.is_none() {
            return Err("alibaba answers signed calls only; give the gate's access key with `--credentials`".to_owned());
        }
        let transport = Transport::new(authority.as_deref(), connect_timeout, timeout, most)?;
        Ok(Self { api, base, credentials, transport, most })
    }

    /// Looks it up. Every wait in it is bounded.
    pub(super) async fn read(&self, lookup: &Lookup) -> Read {
        let read = match self.api {
            Api::FlinkRest => self.flink(lookup).await,
            Api::Ververica => self.ververica(lookup).await,
            Api::Alibaba => self.alibaba(lookup).await,
        };
        read.unwrap_or_else(|failed| failed)
    }

    /// Asks with the `Authorization` header, where there is one.
    async fn get(&self, path: &[Part<'_>], query: &[(&str, String)]) -> Result<Reply, Read> {
        let url = self.base.at(path, query).map_err(Read::unavailable)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(credentials) = &self.credentials {
            headers.insert(AUTHORIZATION, credentials.authorization().await.map_err(Read::unavailable)?);
        }
        self.transport.get(url, headers).await
    }
}

fn segment(text: &str) -> Result<Segment, Read> {
    Segment::of(text).map_err(Read::unavailable)
}

/// A lookup that another API answers.
fn elsewhere() -> Read {
    Read::unavailable("this control plane does not know such things")
}
