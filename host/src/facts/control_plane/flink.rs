//! Reads of Flink's own REST API (DOMAIN 3.1, 3.6).

use super::{ControlPlane, Part, Reply, elsewhere, segment};
use crate::Lookup;
use crate::facts::Answered;
use crate::facts::live::Read;

impl ControlPlane {
    pub(super) async fn flink(&self, lookup: &Lookup) -> Result<Read, Read> {
        let (id, rest): (_, &[&str]) = match lookup {
            Lookup::FlinkJob(id) => (id, &[]),
            Lookup::FlinkCheckpoints(id) => (id, &["checkpoints"]),
            Lookup::FlinkCheckpointConfig(id) => (id, &["checkpoints", "config"]),
            Lookup::FlinkJobs => return self.whole(&["jobs", "overview"]).await,
            Lookup::FlinkConfig => return self.whole(&["jobmanager", "config"]).await,
            _ => return Err(elsewhere()),
        };
        let job = segment(id)?;
        let mut path = vec![Part::Fixed("jobs"), Part::Named(&job)];
        path.extend(rest.iter().map(|text| Part::Fixed(text)));
        let reply = self.get(&path, &[]).await?;
        match unknown(&reply, id) {
            true => Ok(Read::done(Answered::Absent)),
            false => reply.found().map(|body| Read::done(Answered::Found(body))),
        }
    }

    async fn whole(&self, path: &[&str]) -> Result<Read, Read> {
        let path: Vec<_> = path.iter().map(|text| Part::Fixed(text)).collect();
        let body = self.get(&path, &[]).await?.found()?;
        Ok(Read::done(Answered::Found(body)))
    }
}

/// Whether Flink says that it has no such job, in its own words (recorded on 1.20 and 2.3): a 404 for a path that is not
/// Flink's names a page, not a job.
fn unknown(reply: &Reply, id: &str) -> bool {
    if reply.status.as_u16() != 404 {
        return false;
    }
    let body: Option<serde_json::Value> = serde_json::from_slice(&reply.body).ok();
    let first = body.as_ref().and_then(|body| body.get("errors")?.get(0)?.as_str()?.lines().next());
    first.is_some_and(|line| {
        let said = line.strip_prefix("org.apache.flink.runtime.rest.NotFoundException: Job ");
        said.and_then(|said| said.strip_suffix(" not found")).is_some_and(|job| job.eq_ignore_ascii_case(id))
    })
}
