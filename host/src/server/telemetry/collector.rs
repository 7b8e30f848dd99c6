//! Sends traces to the collector, on a runtime of its own: neither a dead collector nor a stopping server gets into the
//! other's way.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::{Builder, Runtime};

use crate::server::seldom::Seldom;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const LARGEST_ANSWER: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    runtime: Option<Runtime>,
    told: Seldom<()>,
}

impl Collector {
    /// Fails where the machine refuses a thread or a socket; the text is for people.
    pub(super) fn new() -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Connections are looked after only while something is sent.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { client, runtime: Some(runtime), told: Seldom::default() })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let mut answer = self.client.execute(request).await.map_err(reqwest::Error::without_url)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            if body.len() + part.len() > LARGEST_ANSWER {
                return Err("the answer is too long".into());
            }
            body.extend_from_slice(&part);
        }
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    fn complain(&self, why: &str) {
        if self.told.is_due(()) {
            tracing::warn!("traces do not reach the collector: {why}; look at `--otlp-endpoint`");
        }
    }
}

impl HttpClient for Collector {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        // The exporter calls from a thread of its own, which may block.
        Box::pin(std::future::poll_fn(move |_| {
            let Some(runtime) = &self.runtime else {
                return std::task::Poll::Ready(Err("the exporter has ended".into()));
            };
            let answer = runtime.block_on(self.send(request.clone()));
            match &answer {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => self.complain(&format!("it answers {}", response.status())),
                Err(error) => self.complain(&causes(&**error)),
            }
            std::task::Poll::Ready(answer)
        }))
    }
}

/// The error with what is behind it: the first one alone only says that something was not sent.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping it may wait, which a thread of another runtime must not.
            runtime.shutdown_background();
        }
    }
}
