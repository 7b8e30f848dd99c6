//! Reads of the Ververica Platform, API v1 (DOMAIN 1.1-1.5).

use serde_json::Value;

use super::{ControlPlane, Part, Segment, elsewhere, segment};
use crate::facts::Answered;
use crate::facts::live::Read;
use crate::{Lookup, Scoped};

/// Where lists of other versions of the platform say that they go on.
const MORE: &[&str] = &["/metadata/continue", "/metadata/nextPageToken", "/continue", "/nextPageToken"];

impl ControlPlane {
    pub(super) async fn ververica(&self, lookup: &Lookup) -> Result<Read, Read> {
        match lookup {
            Lookup::VervericaDeployment(it) => self.deployment(it).await,
            Lookup::VervericaJob(it) => {
                let (namespace, id) = (segment(&it.namespace)?, segment(&it.id)?);
                let path = [&below(&namespace)[..], &[Part::Fixed("jobs"), Part::Named(&id)]].concat();
                let body = self.get(&path, &[]).await?.found()?;
                Ok(Read::done(Answered::Found(body)))
            }
            Lookup::VervericaSavepoints(it) => {
                let (namespace, _) = (segment(&it.namespace)?, segment(&it.id)?);
                let query = [("deploymentId", it.id.clone())];
                let (body, _) = self.list(&namespace, "savepoints", "SavepointList", &query).await?;
                Ok(Read::done(Answered::Found(body)))
            }
            _ => Err(elsewhere()),
        }
    }

    async fn deployment(&self, it: &Scoped) -> Result<Read, Read> {
        let (namespace, id) = (segment(&it.namespace)?, segment(&it.id)?);
        let path = [&below(&namespace)[..], &[Part::Fixed("deployments"), Part::Named(&id)]].concat();
        let reply = self.get(&path, &[]).await?;
        if reply.status.as_u16() != 404 {
            return reply.found().map(|body| Read::done(Answered::Found(body)));
        }
        // The description of the API gives errors no form (DOMAIN 1.1), so a 404 may as well come from a gateway that
        // does not know the path. The list of deployments comes from the platform alone.
        let refused = reply.refused();
        let Ok((_, list)) = self.list(&namespace, "deployments", "DeploymentList", &[]).await else {
            return Err(refused);
        };
        let named = |item: &Value| {
            ["id", "name"]
                .iter()
                .any(|name| item.pointer(&format!("/metadata/{name}")).is_some_and(|text| text == &it.id))
        };
        match list.get("items").and_then(Value::as_array) {
            Some(items) if !items.iter().any(named) => Ok(Read::done(Answered::Absent)),
            _ => Err(refused),
        }
    }

    /// A list, as it came and parsed. The platform sends all of it at once; should it ever send a part, that is no list.
    async fn list(
        &self,
        namespace: &Segment,
        what: &str,
        kind: &str,
        query: &[(&str, String)],
    ) -> Result<(Vec<u8>, Value), Read> {
        let path = [&below(namespace)[..], &[Part::Fixed(what)]].concat();
        let body = self.get(&path, query).await?.found()?;
        let list: Value = serde_json::from_slice(&body).map_err(|_| Read::unavailable("its answer cannot be read"))?;
        if list.get("kind").and_then(Value::as_str) != Some(kind) {
            return Err(Read::unavailable(format!("its answer is no {kind}; is this its address?")));
        }
        let more = |at: &&str| list.pointer(at).and_then(Value::as_str).is_some_and(|token| !token.is_empty());
        match MORE.iter().any(more) {
            true => Err(Read::unavailable("its answer is only a part of the list")),
            false => Ok((body, list)),
        }
    }
}

fn below<'a>(namespace: &'a Segment) -> [Part<'a>; 4] {
    [Part::Fixed("api"), Part::Fixed("v1"), Part::Fixed("namespaces"), Part::Named(namespace)]
}
