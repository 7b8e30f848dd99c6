//! Options of the server that hold more than one thing.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::bail;
use sluicegate::Api;
use sluicegate::facts::Credentials;
use sluicegate::server::ControlPlane;

/// An address to listen on. Names are not resolved: which of their addresses would it be?
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "this is no IP:PORT, such as `127.0.0.1:8443`; write `0.0.0.0:PORT` or `[::]:PORT` for every address";
    text.parse().map_err(|_| wrong.to_owned())
}

/// A number of bytes.
pub(super) fn bytes<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "write bytes as a plain number, such as 8388608 for 8 MiB".to_owned())
}

/// `API=VALUE`.
#[derive(Clone, Debug)]
pub(super) struct OfApi<T> {
    pub(super) api: Api,
    pub(super) value: T,
}

impl<T: FromStr> FromStr for OfApi<T>
where
    T::Err: std::fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("expected `API=…`, such as `flink-rest=…`")?;
        let api =
            Api::named(name).ok_or_else(|| format!("`{name}` is none of {}", Api::ALL.map(Api::name).join(", ")))?;
        Ok(Self { api, value: value.parse().map_err(|error: T::Err| error.to_string())? })
    }
}

/// `URL@ADDRESS`: what is proxied, and where.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) upstream: String,
    pub(super) address: SocketAddr,
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (upstream, address) = text
            .rsplit_once('@')
            .ok_or("expected `API=URL@IP:PORT`, such as `flink-rest=http://host:8081@127.0.0.1:8082`")?;
        let address = self::address(address).map_err(|wrong| format!("`{address}`: {wrong}"))?;
        Ok(Self { upstream: upstream.to_owned(), address })
    }
}

/// What gateways put before paths: one for each API.
pub(super) fn prefixes(given: Vec<OfApi<String>>) -> anyhow::Result<Vec<(Api, String)>> {
    let mut prefixes: Vec<(Api, String)> = Vec::new();
    for OfApi { api, value } in given {
        if !value.starts_with('/') {
            bail!("`--strip-prefix {}={value}` must begin with `/`", api.name());
        }
        if prefixes.iter().any(|(known, _)| *known == api) {
            bail!("`--strip-prefix {}=…` is given twice", api.name());
        }
        prefixes.push((api, value));
    }
    Ok(prefixes)
}

/// Control planes with their credentials and authorities: one of each for an API. What comes alone is for the upstream of a
/// proxy.
pub(super) fn control_planes(
    addresses: Vec<OfApi<String>>,
    credentials: Vec<OfApi<String>>,
    authorities: Vec<OfApi<String>>,
    proxied: &[Api],
) -> anyhow::Result<Vec<ControlPlane>> {
    let mut planes: Vec<ControlPlane> = Vec::new();
    for OfApi { api, value } in addresses {
        if planes.iter().any(|plane| plane.api == api) {
            bail!("`--control-plane {}=…` is given twice", api.name());
        }
        planes.push(ControlPlane { api, address: Some(value), credentials: None, authority: None });
    }
    for OfApi { api, value } in credentials {
        let credentials: Credentials =
            value.parse().map_err(|error| anyhow::anyhow!("`--credentials {}=…`: {error}", api.name()))?;
        match planes.iter_mut().find(|plane| plane.api == api) {
            Some(plane) if plane.credentials.is_some() => bail!("`--credentials {}=…` is given twice", api.name()),
            Some(plane) => plane.credentials = Some(credentials),
            None => planes.push(ControlPlane { api, address: None, credentials: Some(credentials), authority: None }),
        }
    }
    for OfApi { api, value } in authorities {
        match planes.iter_mut().find(|plane| plane.api == api) {
            Some(plane) if plane.authority.is_some() => bail!("`--control-plane-ca {}=…` is given twice", api.name()),
            Some(plane) => plane.authority = Some(value.into()),
            None => {
                planes.push(ControlPlane { api, address: None, credentials: None, authority: Some(value.into()) });
            }
        }
    }
    for plane in planes.iter().filter(|plane| plane.address.is_none()) {
        // Credentials are for one upstream; whom to believe may be the same for several.
        let name = plane.api.name();
        let what = if plane.credentials.is_some() { "credentials" } else { "control-plane-ca" };
        match proxied.iter().filter(|api| **api == plane.api).count() {
            0 => bail!("`--{what} {name}=…` is for nobody: give `--control-plane {name}=URL` or `--proxy {name}=…`"),
            1 => {}
            _ if plane.credentials.is_none() => {}
            _ => bail!(
                "`--{what} {name}=…` would be for several upstreams: say for which with `--control-plane {name}=URL`"
            ),
        }
    }
    Ok(planes)
}
