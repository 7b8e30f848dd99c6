//! Whether the server lives, and whether requests should be sent to it.

use std::sync::Arc;

use hyper::StatusCode;

use super::connection::{Phase, Phases};
use super::reply::{self, Reply};
use super::tls::Tls;
use crate::facts::kubernetes::Kubernetes;

/// What readiness depends on. A server is not built before the policy has answered its self-test.
#[derive(Clone, Debug)]
pub struct Health {
    /// How far the server is.
    pub phases: Phases,
    /// Its certificate, where it has one.
    pub tls: Option<Arc<Tls>>,
    /// The watched resources, where they are.
    pub kubernetes: Option<Arc<Kubernetes>>,
}

impl Health {
    /// It lives as long as it answers.
    pub fn alive() -> Reply {
        reply::text(StatusCode::OK, "alive")
    }

    /// Ready, or everything that stands against it.
    pub fn ready(&self) -> Reply {
        let troubles = self.troubles();
        match troubles.is_empty() {
            true => reply::text(StatusCode::OK, "ready"),
            false => reply::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}", troubles.join("; "))),
        }
    }

    fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if self.phases.now() > Phase::Serving {
            troubles.push("the server is stopping".to_owned());
        }
        troubles.extend(self.tls.as_ref().and_then(|tls| tls.trouble()));
        if let Some(cache) = &self.kubernetes
            && let Err(waiting) = cache.synced()
        {
            troubles.push(waiting);
        }
        troubles
    }
}
