//! Whether a host, by its name alone, is one that a server must not be sent to: the machine itself, its link, its private
//! networks. Nothing is looked up.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Loopback, link-local, site-local, any-local or multicast (`InetAddress`), in any spelling of an address.
pub fn is_restricted(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse::<Ipv6Addr>() {
        Ok(address) => match address.to_ipv4_mapped() {
            Some(address) => is_restricted_v4(address),
            None => {
                // fe80::/10 and the old site-local fec0::/10. fd00::/8 is none of Java's.
                let [prefix, ..] = address.segments();
                let local = matches!(prefix & 0xffc0, 0xfe80 | 0xfec0);
                local || address.is_loopback() || address.is_unspecified() || address.is_multicast()
            }
        },
        // Java reads decimal parts only; what it leaves to the system may be octal or hexadecimal.
        Err(_) => [false, true].into_iter().filter_map(|radixes| parts(&host, radixes)).any(is_restricted_v4),
    }
}

fn is_restricted_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.is_link_local()
        || address.is_private()
        || address.is_unspecified()
        || address.is_multicast()
}

/// One to four numbers, the last of which fills what is left (`inet_aton`).
fn parts(host: &str, radixes: bool) -> Option<Ipv4Addr> {
    let mut address: u64 = 0;
    let mut left = 32_u32;
    let mut rest = host;
    while left > 0 {
        let (part, after) = rest.split_once('.').map_or((rest, None), |(part, after)| (part, Some(after)));
        let (digits, radix) = match part.strip_prefix('0') {
            Some(octal) if radixes && !octal.is_empty() => octal.strip_prefix('x').map_or((octal, 8), |hex| (hex, 16)),
            _ => (part, 10),
        };
        let width = if after.is_some() { 8 } else { left };
        let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = u64::from_str_radix(digits, radix).ok().filter(|number| plain && number >> width == 0)?;
        address = address << width | number;
        left -= width;
        match after {
            Some(after) => rest = after,
            None => return u32::try_from(address).ok().map(Ipv4Addr::from_bits),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_restricted;

    #[test]
    fn an_address_is_known_in_every_spelling() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "jobs.localhost",
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "017700000001",
            "0177.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "2852039166",
            "0.0.0.0",
            "0",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:a00:1",
        ] {
            assert!(is_restricted(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "notlocalhost",
            "8.8.8.8",
            "203.0.113.5",
            "172.32.0.1",
            "100.64.0.1",
            "134744072",
            "fd00::1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "256.0.0.1",
            "1.2.3.4.5",
            "127.0.0.0.1",
            "",
            "10.",
            "127..1",
            "repo10",
        ] {
            assert!(!is_restricted(host), "{host}");
        }
    }
}
