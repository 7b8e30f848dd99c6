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
/// - Azure: `AZURE_STORAGE_ACCOUNT_KEY` or `AZURE_STORAGE_SAS_TOKEN`, `AZURE_CLIENT_ID` with `AZURE_CLIENT_SECRET` or
///   `AZURE_FEDERATED_TOKEN_FILE` and `AZURE_TENANT_ID`, the machine's identity.
#[derive(Debug)]
pub(super) struct Store {
    operator: Operator,
}

impl Store {
    pub(super) fn new(root: &Root, s3: &S3Options, most: usize) -> Result<Self, String> {
        let wrong = |error: Error| clean(error.message());
        let operator = match root {
            Root::S3(bucket) => {
                let region =
                    s3.region.clone().or_else(|| var("AWS_REGION").or_else(|_| var("AWS_DEFAULT_REGION")).ok());
                let region = region.unwrap_or_else(|| "us-east-1".to_owned());
                let mut builder = services::S3::default().bucket(bucket).region(&region);
                if let Some(endpoint) = s3.endpoint.clone().or_else(|| var("AWS_ENDPOINT_URL_S3").ok()) {
                    builder = builder.endpoint(&endpoint);
                }
                if let Some((id, secret)) = &s3.access_key {
                    builder = builder.access_key_id(id).secret_access_key(secret);
                }
                Operator::new(builder).map_err(wrong)?
            }
            Root::Gcs(bucket) => Operator::new(services::Gcs::default().bucket(bucket)).map_err(wrong)?,
            Root::Oss(bucket) => {
                let endpoint =
                    var("OSS_ENDPOINT").map_err(|_| "`OSS_ENDPOINT` is not set in the environment".to_owned())?;
                Operator::new(services::Oss::default().bucket(bucket).endpoint(&endpoint)).map_err(wrong)?
            }
            Root::Azure { container, account, domain } => {
                let endpoint = format!("https://{account}.{domain}");
                let builder =
                    services::Azblob::default().container(container).endpoint(&endpoint).account_name(account);
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
        match error.kind() {
            ErrorKind::NotFound if no_object(error.message()) => Read::done(Answered::Absent),
            ErrorKind::PermissionDenied => {
                Read::unavailable("the store refuses access; look at the credentials of the gate")
            }
            _ => Read::unavailable(format!("the store gives an error: {}", told(error.message()))),
        }
    }
}

fn no_object(message: &str) -> bool {
    match field(message, "code") {
        Some(code) => NO_OBJECT.contains(&code),
        None => message.contains(NO_OBJECT_OF_GCS),
    }
}

/// What a store says, for people: opendal hands on the fields of its error in Rust's own form.
fn told(message: &str) -> String {
    let text = match (field(message, "code"), field(message, "message")) {
        (Some(code), said) => clean(format!("{code} {}", said.unwrap_or_default()).trim()),
        (None, _) => clean(message),
    };
    match text.is_empty() {
        true => "what it answers is not in its own form; is this its address?".to_owned(),
        false => text,
    }
}

fn field<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(&format!("{name}: \""))?;
    rest.split('"').next()
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
