//! What each rule costs on a request: for benchmarks, and only natively, since the policy itself has no clock.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::dialect;
use crate::facts::{Declared, Observed};
use crate::failure::Failure;
use crate::finding::{Effect, Report, Said};
use crate::gate::Request;
use crate::rules;
use crate::settings::Settings;

/// The time that one look of each rule takes, in the order of the catalogue; without facts, with the shipped settings.
/// Rules that do not judge the platform cost nothing and are left out.
///
/// # Errors
/// When the request cannot be read.
pub fn of_each_rule(request: &Request<'_>, looks: u32) -> Result<Vec<(&'static str, Duration)>, Failure> {
    let (declared, observed, settings) = (Declared::new(&[])?, Observed::default(), Settings::default());
    dialect::decode(request, &declared, &observed, &settings, |decoded| {
        let mut costs = Vec::new();
        for rule in rules::ALL {
            let start = Instant::now();
            let mut judges = false;
            for stage in decoded.stages.iter().filter(|stage| rule.judges(stage.platform)) {
                judges = true;
                let main = rule.level.effect().unwrap_or(Effect::Warn);
                for _ in 0..looks {
                    let mut said = Said::default();
                    let mut report = Report::new(rule, main, stage.leniency, &settings, &mut said);
                    (rule.check)(black_box(stage), &mut report);
                    black_box(&said);
                }
            }
            if judges {
                costs.push((rule.id, start.elapsed() / looks.max(1)));
            }
        }
        costs
    })
}
