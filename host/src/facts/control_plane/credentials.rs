//! Credentials of the gate itself: read from a file or the environment each time they are needed, so that a file that
//! changed counts at once, and shown to nobody.

use std::path::PathBuf;
use std::str::FromStr;

use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use crate::Api;

/// Bytes of the largest credentials.
const LARGEST: u64 = 64 << 10;

/// Where the credentials of a control plane stand.
///
/// Flink REST and Ververica: a bearer token, or a whole `Authorization` value that begins with `Bearer ` or `Basic `.
/// Alibaba: a JSON object with `accessKeyId`, `accessKeySecret`, and where they are needed `securityToken` and
/// `workspace` (the workspace's id, which every call names).
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// In this file.
    File(PathBuf),
    /// In this environment variable.
    Environment(String),
}

impl FromStr for Credentials {
    type Err = String;

    /// Reads `file:PATH` or `env:NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => {
                Ok(Self::Environment(name.to_owned()))
            }
            // What was given instead may be the secret: it is not repeated.
            _ => Err("credentials are named as `file:PATH` or `env:NAME`".to_owned()),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "Credentials::File(…)",
            Self::Environment(_) => "Credentials::Environment(…)",
        })
    }
}

impl Credentials {
    async fn text(&self) -> Result<String, String> {
        let text = match self {
            Self::File(path) => {
                let wrong =
                    |error: std::io::Error| format!("the file of the credentials cannot be read: {}", error.kind());
                // A pipe would wait for a writer.
                if !tokio::fs::metadata(path).await.map_err(wrong)?.is_file() {
                    return Err("the credentials do not stand in a file".to_owned());
                }
                let mut text = Vec::new();
                let file = tokio::fs::File::open(path).await.map_err(wrong)?;
                file.take(LARGEST + 1).read_to_end(&mut text).await.map_err(wrong)?;
                if text.len() as u64 > LARGEST {
                    return Err(format!("the file of the credentials has more than {LARGEST} bytes"));
                }
                String::from_utf8(text).map_err(|_| "the file of the credentials is no UTF-8".to_owned())?
            }
            Self::Environment(name) => {
                std::env::var(name).map_err(|_| "the environment variable of the credentials is not set".to_owned())?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        match text.trim().is_empty() {
            true => Err("the credentials are empty".to_owned()),
            false => Ok(text.to_owned()),
        }
    }

    /// Whether they can be read now, and are such as this API takes.
    ///
    /// # Errors
    /// With where they stand, and never with what they are.
    pub async fn check(&self, api: Api) -> Result<(), String> {
        let read = match api {
            Api::Alibaba => self.key().await.map(drop),
            Api::FlinkRest | Api::Ververica => self.authorization().await.map(drop),
        };
        read.map_err(|why| match self {
            Self::File(path) => format!("`file:{}`: {why}", path.display()),
            Self::Environment(name) => format!("`env:{name}`: {why}"),
        })
    }

    /// The `Authorization` header.
    pub(super) async fn authorization(&self) -> Result<HeaderValue, String> {
        let text = self.text().await?;
        let whole = ["bearer ", "basic "]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let text = if whole { text } else { format!("Bearer {text}") };
        secret(&text)
    }

    /// The key of an Alibaba account.
    pub(super) async fn key(&self) -> Result<AccessKey, String> {
        let text = self.text().await?;
        // The error of the parser may repeat what it read.
        serde_json::from_str(&text).map_err(|_| {
            "the credentials of alibaba are a JSON object with `accessKeyId`, `accessKeySecret`, and perhaps \
             `securityToken` and `workspace`"
                .to_owned()
        })
    }
}

/// A header value that is never shown.
pub(super) fn secret(text: &str) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the credentials hold characters that no HTTP header may hold".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// The key of an Alibaba account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AccessKey {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: String,
    pub(super) security_token: Option<String>,
    pub(super) workspace: Option<String>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Credentials;
    use crate::Api;

    #[test]
    fn credentials_are_named_not_given() {
        assert_eq!("file:/run/token".parse(), Ok(Credentials::File("/run/token".into())));
        assert_eq!("env:TOKEN".parse(), Ok(Credentials::Environment("TOKEN".to_owned())));
        for text in ["s3cr3t", "file:", "env:", "env:A=b", "https://u:s3cr3t@host"] {
            let error = text.parse::<Credentials>().unwrap_err();
            assert!(!error.contains("s3cr3t"), "{error}");
        }
        assert!(!format!("{:?}", Credentials::File("/run/token".into())).contains("run"));
    }

    #[tokio::test]
    async fn a_file_is_read_each_time_it_is_needed() {
        let folder = crate::facts::loopback::folder();
        let file = folder.path().join("token");
        let credentials = Credentials::File(file.clone());
        assert!(credentials.authorization().await.unwrap_err().contains("cannot be read"));
        let told = credentials.check(Api::FlinkRest).await.unwrap_err();
        assert!(told.contains(file.to_str().unwrap()) && told.contains("cannot be read"), "{told}");
        for (content, header) in [
            ("abc\n", "Bearer abc"),
            ("abd\r\n", "Bearer abd"),
            ("Basic dTpw", "Basic dTpw"),
            ("bearer x\n\n", "bearer x"),
        ] {
            std::fs::write(&file, content).unwrap();
            let value = credentials.authorization().await.unwrap();
            assert_eq!(value.to_str().unwrap(), header);
            assert!(value.is_sensitive() && !format!("{value:?}").contains("ab"));
        }
        for content in ["", "\n", "a\nb", &"a".repeat(70_000)] {
            std::fs::write(&file, content).unwrap();
            assert!(credentials.authorization().await.is_err());
        }
        assert!(Credentials::File(folder.path().into()).authorization().await.is_err());
    }

    #[tokio::test]
    async fn a_broken_key_is_not_repeated() {
        let folder = crate::facts::loopback::folder();
        let file = folder.path().join("key");
        std::fs::write(&file, "{\"accessKeyId\": \"AK\", \"accessKeySecret\": 77, \"s3cr3t\": 1}").unwrap();
        let error = Credentials::File(file.clone()).key().await.unwrap_err();
        assert!(!error.contains("s3cr3t") && !error.contains("77"), "{error}");
        std::fs::write(&file, "{\"accessKeyId\": \"AK\", \"accessKeySecret\": \"s3cr3t\", \"workspace\": \"w\"}")
            .unwrap();
        let key = Credentials::File(file).key().await.unwrap();
        assert!(!format!("{key:?}").contains("s3cr3t"));
        assert_eq!((key.access_key_id.as_str(), key.workspace.as_deref()), ("AK", Some("w")));
    }
}
