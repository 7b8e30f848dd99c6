//! Object stores, through opendal, with an HTTP client of our own: no redirects, no system proxy, every answer capped.

use std::env::var;
use std::error::Error as _;
use std::time::Duration;

use hyper::{Request, Response};
use opendal::{
    Buffer, Error, ErrorKind, HttpBody, HttpTransport, HttpTransporter, OperationContext, Operator, services,
};

use super::{Root, S3Options};
use crate::facts::Answered;
use crate::facts::control_plane::transport::{clean, root_cause};
use crate::facts::live::Read;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long one HTTP exchange may take.
const EXCHANGE: Duration = Duration::from_secs(4);
/// Bytes of an answer that is no object.
const MOST_OF_AN_ERROR: usize = 64 << 10;
/// The codes with which S3, OSS and Azure say that there is no such object. Anything else that is answered with 404 (no
/// such bucket, a page of some proxy) says nothing about the object.
const NO_OBJECT: &[&str] = &["NoSuchKey", "BlobNotFound"];
/// The words of GCS, which has one code for whatever is not found.
const NO_OBJECT_OF_GCS: &str = "No such object";

/// A bucket or container.
///
/// Credentials come from where each cloud's own tools look for them:
/// - S3: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_PROFILE` with the files in `~/.aws`,
///   `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`, the container's and the machine's metadata
///   (`AWS_EC2_METADATA_DISABLED`); the region from `AWS_REGION` or `AWS_DEFAULT_REGION` (`us-east-1` without); another
///   store than Amazon's from `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_ENDPOINT` or `AWS_S3_ENDPOINT`.
/// - GCS: `GOOGLE_APPLICATION_CREDENTIALS`, the well-known file of `gcloud`, the machine's metadata.
/// - OSS: `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN` or
///   `ALIBABA_CLOUD_ROLE_ARN` with `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and `ALIBABA_CLOUD_OIDC_TOKEN_FILE`; the endpoint
///   from `OSS_ENDPOINT` (`https://oss-cn-hangzhou.aliyuncs.com`).
/// - Azure: `AZURE_STORAGE_ACCOUNT_KEY` (of the account in the prefix) or `AZURE_STORAGE_SAS_TOKEN`, `AZURE_CLIENT_ID` with
///   `AZURE_CLIENT_SECRET` or `AZURE_FEDERATED_TOKEN_FILE` and `AZURE_TENANT_ID`, the machine's identity.
#[derive(Debug)]
pub(super) struct Store {
    operator: Operator,
}

impl Store {
    pub(super) fn new(root: &Root, s3: &S3Options, most: usize) -> Result<Self, String> {
        let wrong = |error: Error| clean(error.message());
        let operator = match root {
            Root::S3(bucket) => {
                let region = s3.region.clone().or_else(|| first(&["AWS_REGION", "AWS_DEFAULT_REGION"]));
                let region = region.unwrap_or_else(|| "us-east-1".to_owned());
                let mut builder = services::S3::default().bucket(bucket).region(&region);
                if let Some(endpoint) = s3.endpoint.clone().or_else(|| first(&ENDPOINTS_OF_S3)) {
                    builder = builder.endpoint(&url(&endpoint)?);
                }
                if let Some((id, secret)) = &s3.access_key {
                    builder = builder.access_key_id(id).secret_access_key(secret);
                }
                Operator::new(builder).map_err(wrong)?
            }
            Root::Gcs(bucket) => Operator::new(services::Gcs::default().bucket(bucket)).map_err(wrong)?,
            Root::Oss(bucket) => {
                let endpoint = set("OSS_ENDPOINT").ok_or(
                    "`OSS_ENDPOINT` is not set in the environment; set it to such as `https://oss-cn-hangzhou.aliyuncs.com`",
                )?;
                Operator::new(services::Oss::default().bucket(bucket).endpoint(&url(&endpoint)?)).map_err(wrong)?
            }
            Root::Azure { container, account, domain } => {
                let endpoint = format!("https://{account}.{domain}");
                let mut builder =
                    services::Azblob::default().container(container).endpoint(&endpoint).account_name(account);
                match azure(account, set)? {
                    Some(Azure::Key(key)) => builder = builder.account_key(&key),
                    Some(Azure::Signature(token)) => builder = builder.sas_token(&token),
                    None => {}
                }
                Operator::new(builder).map_err(wrong)?
            }
            Root::File => return Err("files are in no store".to_owned()),
        };
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(EXCHANGE)
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(4)
            .build()
            .map_err(|error| clean(&error.to_string()))?;
        let transport = HttpTransporter::new(Capped { client, most });
        Ok(Self { operator: operator.with_context(OperationContext::new().with_http_transport(transport)) })
    }

    /// Reads an object; what failed for a moment is tried once more.
    pub(super) async fn read(&self, key: &str) -> Read {
        let mut read = self.operator.read(key).await;
        if read.as_ref().is_err_and(Error::is_temporary) {
            read = self.operator.read(key).await;
        }
        let error = match read {
            Ok(buffer) => return Read::done(Answered::Found(buffer.to_vec())),
            Err(error) => error,
        };
        if let Some(TooLarge(most)) = cause(&error) {
            return Read::unavailable(format!("the file has more than {most} bytes"));
        }
        if let Some(NoAnswer(why)) = cause(&error) {
            return Read::unreachable(format!("the store gives no answer: {why}"));
        }
        if SIGNING.contains(&error.message()) {
            let why = root_cause(&error);
            return Read::unavailable(format!(
                "the gate has no credentials for this store that can be used: {why}; see \"Savepoint stores\" in its \
                 deployment's README"
            ));
        }
        match error.kind() {
            ErrorKind::NotFound if no_object(error.message()) => Read::done(Answered::Absent),
            _ if is_refusal(&error) => {
                Read::unavailable("the store refuses access; look at the credentials of the gate")
            }
            _ => Read::unavailable(format!("the store gives an error: {}", told(error.message()))),
        }
    }
}

/// Where the environment names another store than Amazon's.
const ENDPOINTS_OF_S3: [&str; 4] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_S3_ENDPOINT"];

/// A variable of the environment; an empty one is none.
fn set(name: &str) -> Option<String> {
    var(name).ok().filter(|value| !value.trim().is_empty())
}

fn first(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| set(name))
}

/// An endpoint, if it can be one; without a scheme it is reached over TLS.
fn url(endpoint: &str) -> Result<String, String> {
    let whole = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
    let known = reqwest::Url::parse(&whole).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    // It may hold a password: it is not repeated.
    known.then_some(whole).ok_or_else(|| "the endpoint of the store is no URL; write `https://host:port`".to_owned())
}

/// Credentials of Azure that are not asked for anywhere.
#[derive(Debug, PartialEq, Eq)]
enum Azure {
    Key(String),
    Signature(String),
}

/// What the environment has for this account. A key is one account's: that of the prefix, or that which is named.
fn azure(account: &str, set: impl Fn(&str) -> Option<String>) -> Result<Option<Azure>, String> {
    if let Some(key) = set("AZURE_STORAGE_ACCOUNT_KEY") {
        return match set("AZURE_STORAGE_ACCOUNT_NAME") {
            Some(other) if other != account => Err(format!(
                "`AZURE_STORAGE_ACCOUNT_KEY` is the key of `{other}`, not of `{account}`; for several accounts use an \
                 identity (`AZURE_CLIENT_ID`) or a shared access signature"
            )),
            _ => Ok(Some(Azure::Key(key))),
        };
    }
    // The portal shows it as it stands behind an address.
    let signature = set("AZURE_STORAGE_SAS_TOKEN").map(|token| token.trim_start_matches('?').to_owned());
    Ok(signature.map(Azure::Signature))
}

/// How opendal says that it did not get as far as asking.
const SIGNING: [&str; 2] = ["signing http request", "loading credential to sign http request"];

fn is_refusal(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied || matches!(code(error.message()), Some("401" | "403"))
}

fn no_object(message: &str) -> bool {
    match text(message, "code") {
        Some(code) => NO_OBJECT.contains(&code),
        None => message.contains(NO_OBJECT_OF_GCS),
    }
}

/// What a store says, for people: opendal hands on the fields of its error in Rust's own form.
fn told(message: &str) -> String {
    let text = match (code(message), text(message, "message")) {
        (Some(code), said) => clean(format!("{code} {}", said.unwrap_or_default()).trim()),
        (None, _) => clean(message),
    };
    match text.is_empty() {
        true => "what it answers is not in its own form; is this its address?".to_owned(),
        false => text,
    }
}

fn text<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(&format!("{name}: \""))?;
    rest.split('"').next()
}

/// A code is a word (S3, OSS, Azure) or a number (GCS).
fn code(message: &str) -> Option<&str> {
    let number = || message.split_once("code: ")?.1.split(|c: char| !c.is_ascii_digit()).next();
    text(message, "code").or_else(|| number().filter(|digits| !digits.is_empty()))
}

/// What our own client found wrong.
fn cause<E: std::error::Error + 'static>(error: &Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

#[derive(Debug, thiserror::Error)]
#[error("more than {0} bytes")]
struct TooLarge(usize);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoAnswer(String);

/// Reads every answer whole, up to its cap.
struct Capped {
    client: reqwest::Client,
    most: usize,
}

impl HttpTransport for Capped {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let (parts, body) = request.into_parts();
        let url = reqwest::Url::parse(&parts.uri.to_string())
            .map_err(|_| Error::new(ErrorKind::Unexpected, "the address cannot be used"))?;
        let failed = |error: reqwest::Error| {
            let why = match error.is_timeout() {
                true => "it did not answer in time".to_owned(),
                false => root_cause(&error),
            };
            Error::new(ErrorKind::Unexpected, "no answer").set_source(NoAnswer(why)).set_temporary()
        };
        let sent = self.client.request(parts.method, url).headers(parts.headers).body(body.to_vec());
        let mut response = sent.send().await.map_err(failed)?;
        let ok = response.status().is_success();
        let most = if ok { self.most } else { MOST_OF_AN_ERROR };
        let too_large = || Error::new(ErrorKind::Unexpected, "too large").set_source(TooLarge(most));
        if ok && response.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut whole: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let room = most - whole.len();
            whole.extend(chunk.iter().take(room));
            match (chunk.len() > room, ok) {
                (true, true) => return Err(too_large()),
                (true, false) => break,
                (false, _) => {}
            }
        }
        let mut answer = Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = std::mem::take(response.headers_mut());
        }
        let size = whole.len() as u64;
        let body = futures_util::stream::iter([Ok(Buffer::from(whole))]);
        answer
            .extension(parts.uri)
            .body(HttpBody::new(body, Some(size)))
            .map_err(|_| Error::new(ErrorKind::Unexpected, "the answer cannot be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Azure, azure, code, told, url};

    #[test]
    fn a_key_of_azure_is_for_its_account() {
        let environment = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let key = || Ok(Some(Azure::Key("a2V5".to_owned())));
        assert_eq!(azure("acct", environment(&[("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")])), key());
        let named = [("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"), ("AZURE_STORAGE_ACCOUNT_NAME", "acct")];
        assert_eq!(azure("acct", environment(Box::leak(Box::new(named)))), key());
        let wrong = azure("other", environment(Box::leak(Box::new(named)))).unwrap_err();
        assert!(wrong.contains("`acct`") && wrong.contains("`other`") && !wrong.contains("a2V5"), "{wrong}");
        let signed = azure("acct", environment(&[("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=x")]));
        assert_eq!(signed, Ok(Some(Azure::Signature("sv=1&sig=x".to_owned()))));
        assert_eq!(azure("acct", |_| None), Ok(None));
    }

    #[test]
    fn an_endpoint_is_a_url() {
        assert_eq!(url("http://minio:9000").as_deref(), Ok("http://minio:9000"));
        assert_eq!(url("minio:9000").as_deref(), Ok("https://minio:9000"));
        for wrong in ["ftp://minio", "http://", "mi nio"] {
            assert!(url(wrong).unwrap_err().contains("https://host:port"), "{wrong}");
        }
    }

    #[test]
    fn errors_of_every_store_are_told_in_its_words() {
        for (message, code_, words) in [
            (r#"S3Error { code: "SlowDown", message: "wait", resource: "" }"#, Some("SlowDown"), "SlowDown wait"),
            (
                r#"GcsErrorResponse { error: GcsError { code: 401, message: "Invalid Credentials", errors: [] } }"#,
                Some("401"),
                "401 Invalid Credentials",
            ),
            ("broken", None, "broken"),
        ] {
            assert_eq!((code(message), told(message).as_str()), (code_, words), "{message}");
        }
    }
}
