//! The signature of Alibaba's API, `ACS3-HMAC-SHA256` ("Request syntax and signature method V3",
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>): what a GET without a
//! body needs of it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::credentials::AccessKey;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What is signed.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    /// The value of the `Host` header.
    pub(super) host: &'a str,
    /// The path as it is sent.
    pub(super) path: &'a str,
    /// The query as it is sent, sorted by name.
    pub(super) query: &'a str,
    pub(super) action: &'a str,
    pub(super) version: &'a str,
    /// RFC 3339, to the second, UTC.
    pub(super) date: &'a str,
    /// Never used twice.
    pub(super) nonce: &'a str,
}

impl Call<'_> {
    /// The headers of the call; the last one is `authorization`.
    pub(super) fn headers(&self, key: &AccessKey) -> Result<Vec<(&'static str, String)>, String> {
        let mut headers = vec![
            ("host", self.host.to_owned()),
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", hex(&Sha256::digest(b""))),
            ("x-acs-date", self.date.to_owned()),
        ];
        if let Some(token) = &key.security_token {
            headers.push(("x-acs-security-token", token.clone()));
        }
        headers.push(("x-acs-signature-nonce", self.nonce.to_owned()));
        headers.push(("x-acs-version", self.version.to_owned()));

        // The names are in order of the alphabet.
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let body = hex(&Sha256::digest(b""));
        let canonical = [self.method, self.path, self.query, &lines, &names, &body].join("\n");
        let signed = format!("{ALGORITHM}\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(key.access_key_secret.as_bytes())
            .map_err(|_| "the access key cannot sign".to_owned())?;
        mac.update(signed.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let credential = &key.access_key_id;
        headers.push((
            "authorization",
            format!("{ALGORITHM} Credential={credential},SignedHeaders={names},Signature={signature}"),
        ));
        Ok(headers)
    }
}

/// A text that no other call has used: the counter sets calls of a process apart, the hasher's random keys and the clock
/// set processes apart. It need not be hard to guess: the signature covers it.
pub(super) fn nonce() -> String {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let keys = KEYS.get_or_init(RandomState::new);
    let (call, now) = (CALLS.fetch_add(1, Ordering::Relaxed), SystemTime::now());
    let digest = Sha256::digest(format!("{:?} {call} {}", now, keys.hash_one((call, now))));
    hex(&digest).chars().take(32).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{AccessKey, Call, nonce};

    /// The worked example of the published description, with its own inputs.
    #[test]
    fn the_published_example_gets_the_published_signature() {
        let call = Call {
            method: "POST",
            host: "ecs.cn-shanghai.aliyuncs.com",
            path: "/",
            query: "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
            action: "RunInstances",
            version: "2014-05-26",
            date: "2023-10-26T10:22:32Z",
            nonce: "3156853299f313e23d1673dc12e1703d",
        };
        let key = AccessKey {
            access_key_id: "YourAccessKeyId".to_owned(),
            access_key_secret: "YourAccessKeySecret".to_owned(),
            security_token: None,
            workspace: None,
        };
        let headers = call.headers(&key).unwrap();
        let (name, value) = headers.last().unwrap();
        assert_eq!(*name, "authorization");
        assert_eq!(
            value,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
             x-acs-signature-nonce;x-acs-version,\
             Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
        let token = AccessKey { security_token: Some("sts".to_owned()), ..key };
        let headers = call.headers(&token).unwrap();
        assert!(headers.iter().any(|(name, value)| *name == "x-acs-security-token" && value == "sts"));
        assert!(headers.last().unwrap().1.contains(";x-acs-date;x-acs-security-token;x-acs-signature-nonce;"));
    }

    #[test]
    fn nonces_differ() {
        let nonces: std::collections::BTreeSet<_> = (0..1000).map(|_| nonce()).collect();
        assert_eq!(nonces.len(), 1000);
    }
}
