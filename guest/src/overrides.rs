//! Whether a request's override counts: it needs a reason and an end that is near, and on some ways a caller that the
//! settings list (DESIGN section 7, DOMAIN 6.0-8).

use crate::instant::Instant;
use crate::operation::{Override, Stage};
use crate::settings::Settings;

/// Why an override does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    NoRule,
    NoReason,
    NoEnd,
    /// Its end is no time.
    BadEnd,
    /// The fact `now` is not known.
    NoClock,
    Ended,
    /// It would hold longer than the settings allow.
    TooFar,
    /// The settings do not list the caller.
    Unlisted,
}

/// Everything that keeps an override from counting.
pub fn faults(asked: &Override<'_>, stage: &Stage<'_>, settings: &Settings<'_>) -> Vec<Fault> {
    let blank = |text: &Option<_>| text.as_deref().is_none_or(|text: &str| text.trim_ascii().is_empty());
    let end = || {
        let until =
            asked.until.as_deref().map(str::trim_ascii).filter(|until| !until.is_empty()).ok_or(Fault::NoEnd)?;
        let until = Instant::parse(until).filter(|_| until.contains('-')).ok_or(Fault::BadEnd)?;
        let now = stage.facts.now.as_deref().and_then(Instant::parse).ok_or(Fault::NoClock)?;
        let longest = i64::try_from(settings.longest_override()).unwrap_or(i64::MAX);
        match until.seconds().saturating_sub(now.seconds()) {
            _ if until <= now => Err(Fault::Ended),
            ahead if ahead > longest => Err(Fault::TooFar),
            _ => Ok(()),
        }
    };
    let from = settings.override_from();
    let unlisted = (asked.only_listed || !from.is_empty()) && !from.admits(stage.facts.principal.as_deref());
    let told = [
        asked.rules().next().is_none().then_some(Fault::NoRule),
        blank(&asked.reason).then_some(Fault::NoReason),
        end().err(),
        unlisted.then_some(Fault::Unlisted),
    ];
    told.into_iter().flatten().collect()
}

/// The reason for which a rule does not refuse this request.
pub fn lifts<'s>(stage: &'s Stage<'_>, rule: &str, settings: &Settings<'_>) -> Option<&'s str> {
    let asks = |asked: &&Override<'_>| asked.rules().any(|name| name == rule);
    if stage.overrides.is_empty() || settings.is_never_overridden(rule) {
        return None;
    }
    let asked = stage.overrides.iter().filter(asks).find(|asked| faults(asked, stage, settings).is_empty())?;
    asked.reason.as_deref()
}
