//! Reads of Alibaba's Realtime Compute, API 2022-07-18 (DOMAIN 2.1, 2.4, 2.5): signed, and lists page by page.

use reqwest::header::{ACCEPT, AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::address::query_of;
use super::credentials::{AccessKey, secret};
use super::signature::{Call, nonce};
use super::{ControlPlane, Part, elsewhere, segment};
use crate::facts::Answered;
use crate::facts::live::Read;
use crate::{Lookup, Scoped, clock};

const VERSION: &str = "2022-07-18";
/// Entries of a page; the API allows 100.
const PAGE: usize = 100;
/// Pages of the longest list.
const MOST_PAGES: usize = 20;

impl ControlPlane {
    pub(super) async fn alibaba(&self, lookup: &Lookup) -> Result<Read, Read> {
        let Some(credentials) = &self.credentials else { return Err(elsewhere()) };
        let key = credentials.key().await.map_err(Read::unavailable)?;
        match lookup {
            Lookup::AlibabaDeployment(it) => self.one(&key, "GetDeployment", "deployments", it).await,
            Lookup::AlibabaJob(it) => self.one(&key, "GetJob", "jobs", it).await,
            Lookup::AlibabaJobs(it) => self.pages(&key, "ListJobs", "jobs", it).await,
            Lookup::AlibabaSavepoints(it) => self.pages(&key, "ListSavepoints", "savepoints", it).await,
            _ => Err(elsewhere()),
        }
    }

    /// One thing. The status is 200 even where there is none (DOMAIN 2.1): the policy reads the envelope.
    async fn one(&self, key: &AccessKey, action: &str, what: &str, it: &Scoped) -> Result<Read, Read> {
        let (namespace, id) = (segment(&it.namespace)?, segment(&it.id)?);
        let path = [
            Part::Fixed("api"),
            Part::Fixed("v2"),
            Part::Fixed("namespaces"),
            Part::Named(&namespace),
            Part::Fixed(what),
            Part::Named(&id),
        ];
        let body = self.signed(key, action, &path, &[]).await?;
        Ok(Read::done(Answered::Found(body)))
    }

    /// All that belongs to a deployment, as one answer: the envelope of the first page with the entries of all.
    async fn pages(&self, key: &AccessKey, action: &str, what: &str, it: &Scoped) -> Result<Read, Read> {
        let (namespace, _) = (segment(&it.namespace)?, segment(&it.id)?);
        let path = [
            Part::Fixed("api"),
            Part::Fixed("v2"),
            Part::Fixed("namespaces"),
            Part::Named(&namespace),
            Part::Fixed(what),
        ];
        let (mut whole, mut entries, mut bytes): (Option<Value>, Vec<Value>, usize) = (None, Vec::new(), 0);
        for page in 1..=MOST_PAGES {
            let query =
                [("deploymentId", it.id.clone()), ("pageIndex", page.to_string()), ("pageSize", PAGE.to_string())];
            let body = self.signed(key, action, &path, &query).await?;
            bytes = bytes.saturating_add(body.len());
            if bytes > self.most {
                return Err(Read::unavailable(format!("its answer has more than {} bytes", self.most)));
            }
            let mut answer: Value =
                serde_json::from_slice(&body).map_err(|_| Read::unavailable("its answer cannot be read"))?;
            let Some(Value::Array(shown)) = answer.get_mut("data").map(Value::take) else {
                return match whole {
                    // No list at all: the envelope says why.
                    None => Ok(Read::done(Answered::Found(body))),
                    Some(_) => Err(Read::unavailable(format!("page {page} of its answer holds no list"))),
                };
            };
            if answer.get("success").and_then(Value::as_bool) != Some(true) {
                return match whole {
                    None => Ok(Read::done(Answered::Found(body))),
                    Some(_) => Err(Read::unavailable(format!("page {page} of its answer is an error"))),
                };
            }
            let (count, total) = (shown.len(), answer.get("totalSize").and_then(Value::as_u64));
            entries.extend(shown);
            let first = whole.get_or_insert(answer);
            // Without a total only an empty page is the end: a platform may show fewer entries a page than were asked for.
            let complete = total.map_or(count == 0, |total| entries.len() as u64 >= total);
            if complete {
                if let Some(envelope) = first.as_object_mut() {
                    envelope.insert("totalSize".to_owned(), entries.len().into());
                    envelope.insert("data".to_owned(), Value::Array(entries));
                }
                return Ok(Read::done(Answered::Found(first.to_string().into_bytes())));
            }
            if count == 0 {
                return Err(Read::unavailable("the list changed while it was read"));
            }
        }
        Err(Read::unavailable(format!("the list has more than {} entries", PAGE * MOST_PAGES)))
    }

    async fn signed(
        &self,
        key: &AccessKey,
        action: &str,
        path: &[Part<'_>],
        query: &[(&str, String)],
    ) -> Result<Vec<u8>, Read> {
        let url = self.base.at(path, query).map_err(Read::unavailable)?;
        let call = Call {
            method: "GET",
            host: self.base.host(),
            path: url.path(),
            // The names above are in order of the alphabet already.
            query: &query_of(query),
            action,
            version: VERSION,
            date: &clock::now(),
            nonce: &nonce(),
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in call.headers(key).map_err(Read::unavailable)? {
            let name = HeaderName::from_static(name);
            // The client writes it itself, the same.
            if name != HOST {
                headers.insert(name, secret(&value).map_err(Read::unavailable)?);
            }
        }
        if let Some(workspace) = &key.workspace {
            headers.insert(HeaderName::from_static("workspace"), secret(workspace).map_err(Read::unavailable)?);
        }
        debug_assert!(headers.contains_key(AUTHORIZATION), "every call is signed");
        self.transport.get(url, headers).await?.found()
    }
}
