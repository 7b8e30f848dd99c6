//! Who asks. The connection tells, or a gateway in front that is known: never the request alone.

use std::net::IpAddr;
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::HeaderName;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// The subject of its client certificate, where it showed one that was accepted.
    pub certificate: Option<Arc<str>>,
}

/// Whose word about the caller is believed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The header in which a gateway names the caller it has authenticated.
    pub header: Option<HeaderName>,
    /// The gateways that may.
    pub gateways: Vec<Network>,
}

/// The caller of a request, as far as somebody who can know has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Nobody vouches for anybody.
    Unknown,
    /// Authenticated, under this name.
    Principal(Arc<str>),
}

impl Caller {
    /// The name, where there is one.
    pub fn principal(&self) -> Option<&str> {
        match self {
            Self::Unknown => None,
            Self::Principal(name) => Some(name),
        }
    }
}

/// The longest name that is taken, in bytes.
const LONGEST_NAME: usize = 256;

impl Trust {
    /// Whether this peer is a gateway that speaks for others.
    pub fn believes(&self, peer: &Peer) -> bool {
        self.gateways.iter().any(|network| network.holds(peer.address))
    }

    /// Who asks. A trusted gateway speaks for the caller behind it; the gateway's own certificate names only the gateway.
    ///
    /// # Errors
    /// When a trusted gateway names a caller in a way that cannot be read; the text is for people.
    pub fn caller(&self, peer: &Peer, headers: &HeaderMap) -> Result<Caller, String> {
        if let Some(header) = &self.header
            && self.believes(peer)
        {
            let mut values = headers.get_all(header).iter();
            return match (values.next(), values.next()) {
                (None, _) => Ok(Caller::Unknown),
                (Some(value), None) => name(value.as_bytes())
                    .map(|name| Caller::Principal(name.into()))
                    .ok_or_else(|| format!("the header `{header}` does not hold a name of printable characters")),
                (Some(_), Some(_)) => Err(format!("the header `{header}` stands there more than once")),
            };
        }
        Ok(peer.certificate.clone().map_or(Caller::Unknown, Caller::Principal))
    }
}

fn name(value: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(value).ok()?.trim();
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
    fits.then_some(name)
}

/// An address, or all that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        let prefix = |address: u128, width: u8| address.checked_shr(u32::from(width - self.bits)).unwrap_or(0);
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                prefix(u32::from(own).into(), 32) == prefix(u32::from(other).into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => prefix(own.into(), 128) == prefix(other.into(), 128),
            _ => false,
        }
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address or network; write `10.0.0.7` or `10.0.0.0/8`");
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
        };
        let address = address.parse::<IpAddr>().map_err(|_| wrong())?.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        match bits.unwrap_or(width) {
            bits if bits <= width => Ok(Self { address, bits }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyper::HeaderMap;

    use super::{Caller, Network, Peer, Trust};

    fn trust() -> Trust {
        let gateways = vec!["10.1.0.0/16".parse().unwrap(), "::1".parse().unwrap()];
        Trust { header: Some("x-user".parse().unwrap()), gateways }
    }

    fn caller(address: &str, certificate: Option<&str>, users: &[&str]) -> Result<Caller, String> {
        let mut headers = HeaderMap::new();
        for user in users {
            headers.append("x-user", user.parse().unwrap());
        }
        let peer = Peer { address: address.parse().unwrap(), certificate: certificate.map(Arc::from) };
        trust().caller(&peer, &headers)
    }

    fn principal(name: &str) -> Result<Caller, String> {
        Ok(Caller::Principal(name.into()))
    }

    #[test]
    fn only_a_known_gateway_speaks_for_others() {
        assert_eq!(caller("10.1.2.3", None, &["ada"]), principal("ada"));
        assert_eq!(caller("::ffff:10.1.2.3", None, &["ada"]), principal("ada"));
        assert_eq!(caller("::1", None, &["ada"]), principal("ada"));
        assert_eq!(caller("10.2.2.3", None, &["ada"]), Ok(Caller::Unknown));
        assert_eq!(caller("10.2.2.3", Some("bob"), &["ada"]), principal("bob"));
        // The gateway's own name is not the caller's.
        assert_eq!(caller("10.1.2.3", Some("gateway"), &[]), Ok(Caller::Unknown));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(caller("10.1.2.3", None, &["ada", "eve"]).unwrap_err().contains("more than once"));
        assert!(caller("10.1.2.3", None, &[" "]).is_err());
    }

    #[test]
    fn networks_are_addresses_or_prefixes() {
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.holds("203.0.113.9".parse().unwrap()) && !all.holds("2001:db8::1".parse().unwrap()));
        let six: Network = "2001:db8::/32".parse().unwrap();
        assert!(six.holds("2001:db8:5::1".parse().unwrap()) && !six.holds("2001:db9::1".parse().unwrap()));
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/x", "host"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
