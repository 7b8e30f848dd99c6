//! Options of the autoscaler that the operator refuses (DOMAIN 4.5, A1 to A12 and V49).

use crate::configuration::{Configuration, Entry, Key};
use crate::duration;
use crate::finding::Report;
use crate::operation::{Dialect, Kind, Place, Stage};
use crate::period;
use crate::quantity::number;
use crate::rules::operator::{self, ALWAYS, Referred, Since, Subject};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "autoscaler-option-out-of-range",
    title: "autoscaler option out of its range",
    family: "configuration",
    why: "The operator refuses the resource; an older one runs an autoscaler that fails, or never scales.",
    source: "FKO A1-A12, V49; FLINK-36836, FLINK-30571, FLINK-39826",
    looks_at: &[(Dialect::Kubernetes, "`job.autoscaler.*` in the effective configuration, if the autoscaler is on")],
    facts: &["platform.flinkConfiguration", "platform.operatorVersion", "related", "absent"],
    parameters: &[],
    level: Level::Deny,
    check,
};

/// Under both prefixes, in the order in which the operator looks them up.
macro_rules! keys {
    ($($name:literal),+) => {
        &[$(concat!("job.autoscaler.", $name), concat!("kubernetes.operator.job.autoscaler.", $name)),+]
    };
}

const ENABLED: Key = keys!("enabled");
const TARGET: Key = keys!("utilization.target", "target.utilization");
const EXCLUDED_PERIODS: Key = keys!("excluded.periods");
const WINDOW: Key = keys!("metrics.window");
const INTERVAL: Key = &["kubernetes.operator.reconcile.interval"];

/// FLINK-33795.
const PERIODS: Since = (1, 8);
/// FLINK-36836.
const UTILIZATION: Since = (1, 11);
/// FLINK-30571.
const SCALABILITY: Since = (1, 12);
/// FLINK-39826, merged after 1.15.
const STRENGTHENED: Since = (1, 16);

/// What the operator takes where nothing is set: seconds, and a share.
const DEFAULT_WINDOW: f64 = 900.0;
const DEFAULT_INTERVAL: f64 = 60.0;
const DEFAULT_TARGET: f64 = 0.7;

/// An option that is a number.
struct Numeric {
    key: Key,
    least: Bound,
    most: Bound,
    since: Since,
    /// Only if this is on.
    switch: Option<Key>,
}

#[derive(Clone, Copy)]
enum Bound {
    /// A number, and how it is written.
    At(f64, &'static str),
    Target,
    None,
}

const fn numeric(key: Key, least: Bound, most: Bound, since: Since) -> Numeric {
    Numeric { key, least, most, since, switch: None }
}

impl Numeric {
    const fn only_if(self, switch: Key) -> Self {
        Self { switch: Some(switch), ..self }
    }
}

const ZERO: Bound = Bound::At(0.0, "0");
const ONE: Bound = Bound::At(1.0, "1");

static NUMBERS: [Numeric; 12] = [
    numeric(keys!("scale-down.max-factor"), ZERO, Bound::None, ALWAYS),
    numeric(keys!("scale-up.max-factor"), ZERO, Bound::None, ALWAYS),
    numeric(TARGET, ZERO, Bound::None, ALWAYS),
    numeric(TARGET, Bound::None, ONE, UTILIZATION),
    numeric(keys!("target.utilization.boundary"), ZERO, Bound::None, ALWAYS),
    numeric(keys!("utilization.max"), Bound::Target, ONE, UTILIZATION),
    numeric(keys!("utilization.min"), ZERO, Bound::Target, UTILIZATION),
    numeric(keys!("memory.gc-pressure.threshold"), ZERO, ONE, STRENGTHENED),
    numeric(keys!("memory.heap-usage.threshold"), ZERO, ONE, STRENGTHENED),
    numeric(keys!("observed-scalability.coefficient-min"), Bound::At(0.01, "0.01"), ONE, SCALABILITY)
        .only_if(keys!("observed-scalability.enabled")),
    numeric(keys!("scaling.effectiveness.threshold"), ZERO, ONE, STRENGTHENED)
        .only_if(keys!("scaling.effectiveness.detection.enabled")),
    numeric(keys!("memory.tuning.overhead"), ZERO, ONE, STRENGTHENED).only_if(keys!("memory.tuning.enabled")),
];

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    let configuration = &stage.current.configuration;
    if !configuration.entries().iter().any(|entry| entry.key.contains("job.autoscaler.")) {
        return;
    }
    let Some(subject) = operator::subject(stage, &[Kind::Deployment, Kind::SessionJob, Kind::BlueGreen]) else {
        return;
    };
    let cluster = subject.cluster();
    // Until its cluster is there, the operator does not look at a session job's settings.
    if matches!(cluster, Some(Referred::Absent)) {
        return;
    }
    let is = |word: &str| configuration.get(ENABLED).map(|value| value.eq_ignore_ascii_case(word));
    let on = match configuration.entry(ENABLED) {
        None if stage.current.configuration_complete => return,
        None => false,
        Some(_) if is("false") == Some(true) => return,
        Some(_) if is("true") == Some(true) => true,
        Some(entry) => {
            let was = subject.before(|before| before.get(ENABLED) == Some(entry.value.as_ref()));
            let message = format!("`{}` is neither true nor false: the operator cannot read it", entry.key);
            if let Some(draft) = subject.refuse(report, ALWAYS, was, &place(&subject, entry), &message) {
                draft.observed(entry.value.as_ref()).expected("true, false").remedy("write `true` or `false`");
            }
            return;
        }
    };
    let problems = problems(configuration, &|key| subject.settles(key));
    if problems.is_empty() {
        return;
    }
    let sure = on && subject.settles(ENABLED) && !matches!(cluster, Some(Referred::Unknown));
    let mut lacks = None;
    for problem in &problems {
        let was = subject.before(|before| {
            let old = || self::problems(before, &|_| true);
            before.get(ENABLED) == configuration.get(ENABLED) && old().iter().any(|old| old.same(problem))
        });
        if sure && problem.sure {
            problem.report(&subject, was, report);
        } else if !was && !subject.is_newer(problem.since) {
            lacks = Some(problem.since);
        }
    }
    if let Some(since) = lacks {
        subject.lacks_configuration(report, since, false);
    }
}

fn place<'d>(subject: &Subject<'_, 'd>, entry: &Entry<'d>) -> Place<'d> {
    subject.object.place_of(entry.node).unwrap_or_else(|| subject.field("flinkConfiguration"))
}

/// A value that the operator refuses if the autoscaler is on.
struct Problem<'c, 'd> {
    entry: &'c Entry<'d>,
    what: What,
    since: Since,
    /// Whatever is not known.
    sure: bool,
}

#[derive(Clone, Copy)]
enum What {
    Range(&'static Numeric),
    NoNumber,
    NoPeriod,
    NoDuration,
    Window,
}

impl Problem<'_, '_> {
    fn same(&self, other: &Problem<'_, '_>) -> bool {
        self.entry.key == other.entry.key && self.since == other.since
    }

    fn report(&self, subject: &Subject<'_, '_>, was: bool, report: &mut Report<'_>) {
        let (what, expected, remedy) = match self.what {
            What::Range(option) => {
                ("is out of its range", option.range(), "set a value of that range, or leave the default")
            }
            What::NoNumber => ("is no number", "a number".to_owned(), "write a number, such as `0.7`"),
            What::NoPeriod => (
                "has a period that cannot be read",
                "times of day, Quartz cron expressions, or one of each joined by `&&`".to_owned(),
                "write periods such as `9:30-10:50` or `* * * ? * 2-6`, separated by `;`",
            ),
            What::NoDuration => ("is no length of time", "a duration".to_owned(), "write a duration, such as `15 min`"),
            What::Window => (
                "makes the metric window shorter than the interval in which the operator looks, so nothing would ever scale",
                "a window (default 15 min) of at least `kubernetes.operator.reconcile.interval` (default 60 s)"
                    .to_owned(),
                "lengthen `job.autoscaler.metrics.window`",
            ),
        };
        let message = format!("`{}` {what}: the operator refuses it", self.entry.key);
        if let Some(draft) = subject.refuse(report, self.since, was, &place(subject, self.entry), &message) {
            draft.observed(self.entry.value.as_ref()).expected(expected).remedy(remedy);
        }
    }
}

impl Numeric {
    fn range(&self) -> String {
        let words = |bound: Bound| match bound {
            Bound::At(_, words) => Some(words),
            Bound::Target => Some("the target utilization (default 0.7)"),
            Bound::None => None,
        };
        match (words(self.least), words(self.most)) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, most) => format!("at most {}", most.unwrap_or_default()),
        }
    }

    /// Whether a value lies outside, and whether that is so whatever the target is.
    fn excludes(&self, value: f64, target: Option<f64>) -> Option<bool> {
        let at = |bound: Bound| match bound {
            Bound::At(value, _) => Some(value),
            Bound::Target | Bound::None => None,
        };
        let relative = |bound: Bound| target.filter(|_| matches!(bound, Bound::Target));
        let outside = |least: Option<f64>, most: Option<f64>| {
            least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most)
        };
        let absolute = outside(at(self.least), at(self.most));
        (absolute || outside(relative(self.least), relative(self.most))).then_some(absolute)
    }
}

/// What is wrong if the autoscaler is on. `settles`: nothing that is unknown can change this option.
fn problems<'c, 'd>(configuration: &'c Configuration<'d>, settles: &dyn Fn(Key) -> bool) -> Vec<Problem<'c, 'd>> {
    let mut problems = Vec::new();
    let target = configuration.get(TARGET).map_or(Some(DEFAULT_TARGET), number);
    for option in &NUMBERS {
        let Some(entry) = configuration.entry(option.key) else { continue };
        let switched = option.switch.is_none_or(|switch| match configuration.get(switch) {
            Some(value) => value.eq_ignore_ascii_case("true"),
            None => !settles(switch),
        });
        if !switched {
            continue;
        }
        let mut sure = option.switch.is_none_or(settles);
        let what = match number(&entry.value) {
            Some(value) => match option.excludes(value, target) {
                Some(absolute) => {
                    sure &= absolute || settles(TARGET);
                    What::Range(option)
                }
                None => continue,
            },
            // The upper end of the target is an entry of its own.
            None if matches!(option.least, Bound::None) => continue,
            None => What::NoNumber,
        };
        problems.push(Problem { entry, what, since: option.since, sure });
    }
    if let Some(entry) = configuration.entry(EXCLUDED_PERIODS) {
        let parts = entry.value.split(';').map(|part| part.trim().trim_matches(['\'', '"']));
        if parts.filter(|part| !part.is_empty()).any(|part| !period::is_period(part)) {
            problems.push(Problem { entry, what: What::NoPeriod, since: PERIODS, sure: true });
        }
    }
    let mut length = |key: Key, shipped: f64| {
        let entry = configuration.entry(key);
        let read = entry.map_or(Some(shipped), |entry| duration::seconds(&entry.value));
        if let (Some(entry), None) = (entry, read) {
            problems.push(Problem { entry, what: What::NoDuration, since: STRENGTHENED, sure: true });
        }
        read
    };
    let (window, interval) = (length(WINDOW, DEFAULT_WINDOW), length(INTERVAL, DEFAULT_INTERVAL));
    if window.zip(interval).is_some_and(|(window, interval)| window < interval)
        && let Some(entry) = configuration.entry(WINDOW).or_else(|| configuration.entry(INTERVAL))
    {
        let sure = settles(WINDOW) && settles(INTERVAL);
        problems.push(Problem { entry, what: What::Window, since: STRENGTHENED, sure });
    }
    problems
}

#[cfg(test)]
mod tests;
