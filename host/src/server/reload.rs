//! Takes up changed files while requests go on: settings, facts and policies together, certificates apart from them. What
//! is wrong changes nothing, and is said.

use std::sync::Arc;

use tokio::sync::Notify;

use super::connection::{Phase, Phases};
use super::gate::Gate;
use super::judge::{Judge, JudgeError};
use super::options::{JudgeOptions, TlsFiles};
use super::shadow::Shadow;
use super::tls::Tls;
use super::watch::{INTERVAL, Watch};
use crate::Limits;

/// What is read again.
#[derive(Debug)]
pub struct Reload {
    /// Gets the new judge.
    pub gate: Arc<Gate>,
    /// What it is made of.
    pub judge: JudgeOptions,
    /// What a judge may cost.
    pub limits: Limits,
    /// The second judge, and what it is made of.
    pub shadow: Option<(Arc<Shadow>, JudgeOptions)>,
    /// The certificates.
    pub tls: Option<Arc<Tls>>,
    /// The files of all of them, as they were before they were read.
    pub watches: Watches,
    /// Everything is to be read again, changed or not.
    pub asked: Arc<Notify>,
}

/// The files that are watched.
#[derive(Debug, Default)]
pub struct Watches {
    /// Those of the judge.
    pub judge: Watch,
    /// Those of the second judge.
    pub shadow: Option<Watch>,
    /// The certificates.
    pub certificates: Option<Watch>,
}

impl JudgeOptions {
    /// Watches its files from now on.
    pub fn watch(&self) -> Watch {
        Watch::new(self.policy.iter().chain(&self.settings).chain(&self.facts).cloned())
    }
}

impl TlsFiles {
    /// Watches them from now on.
    pub fn watch(&self) -> Watch {
        Watch::new([&self.certificate, &self.key].into_iter().chain(&self.client_ca).cloned())
    }
}

impl Reload {
    /// Watches until the server closes.
    pub async fn run(mut self, mut phases: Phases) {
        let Watches { mut judge, mut shadow, mut certificates } = std::mem::take(&mut self.watches);
        loop {
            let asked = tokio::select! {
                () = tokio::time::sleep(INTERVAL) => false,
                () = self.asked.notified() => true,
                () = phases.reached(Phase::Closing) => return,
            };
            if judge.changed() | asked {
                let gate = Arc::clone(&self.gate);
                self.appoint("settings", self.judge.clone(), gate.judge(), move |it| gate.appoint(it)).await;
            }
            if let (Some(watch), Some((shadow, options))) = (&mut shadow, &self.shadow)
                && (watch.changed() | asked)
            {
                let shadow = Arc::clone(shadow);
                self.appoint("shadow", options.clone(), shadow.judge(), move |it| shadow.appoint(it)).await;
            }
            if let (Some(watch), Some(tls)) = (&mut certificates, &self.tls)
                && (watch.changed() | asked)
            {
                self.secure(tls);
            }
        }
    }

    async fn appoint(
        &self,
        what: &'static str,
        options: JudgeOptions,
        before: Arc<Judge>,
        appoint: impl FnOnce(Judge),
    ) {
        let (limits, known) = (self.limits.clone(), Arc::clone(&before));
        let loaded = tokio::task::spawn_blocking(move || Judge::load(&options, &limits, Some(&known))).await;
        let loaded = loaded.unwrap_or_else(|error| Err(JudgeError::Wrong(error.to_string())));
        self.gate.metrics().reloaded(what, loaded.is_ok());
        match loaded {
            Ok(judge) if judge.is_as(&before) => tracing::info!(what, "unchanged: everything stays as it is"),
            Ok(judge) => {
                tracing::info!(
                    what,
                    settings = &*judge.settings_digest,
                    policy = judge.name.digest,
                    "taken up: the next request is judged by it"
                );
                appoint(judge);
            }
            Err(error) => tracing::error!(what, %error, "not taken up: everything stays as it was; mend the file"),
        }
    }

    fn secure(&self, tls: &Tls) {
        let reloaded = tls.reload();
        self.gate.metrics().reloaded("certificates", reloaded.is_ok());
        match reloaded {
            Ok(false) => tracing::info!("certificates unchanged: they stay as they are"),
            Ok(true) => {
                tracing::info!("certificates taken up: the next connection gets them");
                self.gate.metrics().certificate(&tls.certificate().display().to_string(), tls.expires());
            }
            Err(error) => tracing::error!(%error, "certificates not taken up: the old ones stay; mend the file"),
        }
    }
}
