//! Where answers come from when the policy asks for a read. A source is asked only for what could change the verdict,
//! and what it answers is handed over as it came: reading it is the policy's business.

#[cfg(feature = "serve")]
mod control_plane;
mod inquiry;
#[cfg(feature = "serve")]
pub mod kubernetes;
#[cfg(feature = "serve")]
mod live;
#[cfg(feature = "serve")]
mod location;
#[cfg(all(test, feature = "serve"))]
mod loopback;
pub(crate) mod recorded;
#[cfg(feature = "serve")]
mod remembered;

#[cfg(feature = "serve")]
pub use control_plane::{ControlPlaneOptions, Credentials};

pub use inquiry::{Inquiry, ROUNDS, Step, TOO_MANY_ROUNDS};
#[cfg(feature = "serve")]
pub(crate) use live::arrived;
#[cfg(feature = "serve")]
pub use live::{How, Live, LiveError, LiveOptions, Objects, Tally};
#[cfg(feature = "serve")]
pub use location::{LocationOptions, S3Options};
pub use recorded::Recorded;
#[cfg(feature = "serve")]
pub use remembered::Memory;

use crate::policy::CheckError;
use crate::{Fact, Lookup, Policy, Request, Settings, Verdict};

/// Looks things up.
///
/// Names and ids in a lookup come from the request: encode them, follow no redirect, and bound the size of the answer.
pub trait FactSource {
    /// The outcome of this read. Errors are told as [`Answered::Unavailable`]: they never stop a judgement.
    fn answer(&self, lookup: &Lookup) -> Answered;
}

/// The outcome of looking something up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The bytes, as the platform returned them.
    Found(Vec<u8>),
    /// It is known not to exist.
    Absent,
    /// It could not be learnt; the text says why, for people.
    Unavailable(String),
}

/// No source at all: everything that is asked for is unavailable.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSource;

impl FactSource for NoSource {
    fn answer(&self, _: &Lookup) -> Answered {
        Answered::Unavailable("no source of facts is set up".to_owned())
    }
}

impl Policy {
    /// Judges one request, and looks up what the policy asks for: at most three rounds; what it still wants to know
    /// then counts as unavailable.
    ///
    /// # Errors
    /// Like [`Policy::check`], and when the policy never stops asking.
    pub fn decide(
        &self,
        request: &Request<'_>,
        facts: &[Fact<'_>],
        settings: &Settings,
        source: &dyn FactSource,
    ) -> Result<Verdict, CheckError> {
        let mut inquiry = Inquiry::default();
        loop {
            match inquiry.step(self, request, facts, settings)? {
                Step::Decided(verdict) => return Ok(verdict),
                Step::Ask(needs) => {
                    for need in needs {
                        let answer = source.answer(&need.lookup);
                        inquiry.answered(need.lookup, answer);
                    }
                }
            }
        }
    }
}
