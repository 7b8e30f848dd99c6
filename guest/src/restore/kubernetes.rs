//! The plan of a resource of the Flink Kubernetes Operator: which of its ways the reconciler takes (DOMAIN 4.2), its
//! fallbacks included.

use super::explain::not_completed;
use super::status::{Known, LAST_CHECKPOINT, known};
use super::words::{candidate, claim, looked_at};
use super::{Basis, Fate, MAX_CANDIDATES, RestorePlan, Told, finish};
use crate::configuration::{
    Configuration, DRAIN_ON_SAVEPOINT, LAST_STATE_CANCEL, LAST_STATE_FALLBACK, MAX_CHECKPOINT_AGE, RETENTION,
    SAVEPOINT_DIRECTORY,
};
use crate::instant::Instant;
use crate::location;
use crate::operation::{
    Action, Declaration, Desired, JobState, Kind, LAST_STATE_PATH, Spec, Stage, Start, StartCause, UpgradeMode,
};

/// Why others are passed over for the last checkpoint.
const KEPT: &str = "not newer than the last checkpoint";

const INITIAL: &str = "initialSavepointPath";

/// A start of the operator.
struct Case<'s, 'd> {
    stage: &'s Stage<'d>,
    start: &'s Start<'d>,
    declaration: &'s Declaration<'d>,
    /// The spec after the request.
    spec: Spec<'d>,
}

/// Where a start takes its state from, and why it passes over what is known besides.
struct Way {
    strategy: &'static str,
    told: Told,
    others: &'static str,
}

/// The plan; `None`: no resource of the operator is declared.
pub(super) fn plan(stage: &Stage<'_>, start: &Start<'_>) -> Option<RestorePlan> {
    let declaration = stage.declaration.as_ref()?;
    if matches!(declaration.kind, Kind::Snapshot | Kind::Ververica) {
        return None;
    }
    let case = Case { stage, start, declaration, spec: declaration.new_spec()? };
    let known = known(stage, declaration);
    let mut way = match start.cause {
        StartCause::Redeploy => case.initial("`savepointRedeployNonce` throws the job back to `initialSavepointPath`"),
        StartCause::Upgrade => case.upgrade(),
        StartCause::Resume => case.resume(&known),
        StartCause::Create | StartCause::Request => {
            case.initial("a first deployment starts from `initialSavepointPath`")
        }
    };
    if way.strategy != INITIAL && case.stores_path() {
        way.told.reason.push_str("; the new `initialSavepointPath` is not read without a new `savepointRedeployNonce`");
    }
    let candidates = case.candidates(&known, &way);
    if let Some(used) = candidates.iter().find(|candidate| candidate.fate == Fate::Used) {
        way.told.reason.clone_from(&used.reason);
    } else if let Some(chosen) = &way.told.chosen {
        let more = looked_at(stage, chosen);
        way.told.reason.push_str(more);
    }
    Some(finish(way.strategy, way.told, candidates))
}

impl<'d> Case<'_, 'd> {
    /// From `initialSavepointPath`, or empty (DOMAIN 4.2-1, 4.2-6).
    fn initial(&self, why: &str) -> Way {
        let redeploys = self.start.cause == StartCause::Redeploy;
        let path = self.spec.initial_savepoint().and_then(|path| path.scalar());
        let told = match path.as_deref() {
            Some(path) if !path.trim().is_empty() => {
                let mut reason = why.to_owned();
                if let Some(words) = claim(self.stage, self.start) {
                    reason.push_str("; ");
                    reason.push_str(words);
                }
                Told::new(Basis::Snapshot, reason).chosen(path)
            }
            _ if redeploys => {
                let reason = "`savepointRedeployNonce` without `initialSavepointPath`: the operator refuses it";
                return nothing(INITIAL, reason.to_owned());
            }
            Some(_) => {
                let reason = "`initialSavepointPath` is blank: there is nothing to restore from";
                return nothing(INITIAL, reason.to_owned());
            }
            None => {
                let reason = "a first deployment without `initialSavepointPath`: the job starts empty";
                return Way {
                    strategy: "none",
                    told: Told::new(Basis::Empty, reason),
                    others: "a first deployment reads only `initialSavepointPath`",
                };
            }
        };
        Way { strategy: INITIAL, told, others: "`initialSavepointPath` names another" }
    }

    /// A changed job that is to go on (DOMAIN 4.2-2, 4.2-3).
    fn upgrade(&self) -> Way {
        let (mode, state) = (self.spec.upgrade_mode(), self.stage.current.state.as_ref());
        let blue_green = self.declaration.kind == Kind::BlueGreen;
        let over = state.filter(|state| matches!(state, JobState::Failed | JobState::Finished | JobState::Canceled));
        let runs = state.is_none_or(|state| *state == JobState::Running);
        match mode {
            UpgradeMode::Stateless => {
                let reason = "`upgradeMode: stateless` cancels the job: it starts empty";
                empty("stateless", reason, "a stateless upgrade looks at none")
            }
            UpgradeMode::Unknown => {
                let reason = "it cannot be told: `upgradeMode` has a value that is not known";
                Way {
                    strategy: "unknown",
                    told: Told::new(Basis::Unknown, reason),
                    others: "it cannot be told whether it is used",
                }
            }
            _ if blue_green => {
                taken("savepoint", "the savepoint that is taken of the colour that runs, while it goes on".to_owned())
            }
            _ if let Some(state) = over => self.terminal(state),
            UpgradeMode::Savepoint if runs => {
                taken("savepoint", self.stop("the savepoint with which it stops the job"))
            }
            UpgradeMode::Savepoint => self.fallback(state),
            UpgradeMode::LastState if self.new_version() && state == Some(&JobState::Running) => {
                match self.now().present(SAVEPOINT_DIRECTORY) {
                    Some(_) => {
                        let words = "another Flink version takes a savepoint instead of the last state";
                        taken("savepoint", self.stop(words))
                    }
                    None => self.last_state("another Flink version and no savepoint directory: "),
                }
            }
            UpgradeMode::LastState => self.last_state(""),
        }
    }

    /// `upgradeMode: savepoint` of a job that does not run.
    fn fallback(&self, state: Option<&JobState>) -> Way {
        let state = state.map_or("not RUNNING", JobState::word);
        if self.now().is_on(LAST_STATE_FALLBACK) == Some(false) && !self.new_version() {
            return nothing(
                "savepoint",
                format!("the job is {state} and the fallback to last-state is off: the operator waits until it runs"),
            );
        }
        self.last_state(&format!("the job is {state}, so no savepoint can be taken and last-state is the fallback: "))
    }

    /// The job has ended by itself: the operator goes by the last state it has seen.
    fn terminal(&self, state: &JobState) -> Way {
        let state = state.word();
        let status = self.declaration.before().filter(|before| before.has_status());
        let path = status.and_then(|before| before.status_text(&["jobStatus", "upgradeSavepointPath"]));
        let metadata = self.before().has_high_availability() && self.declaration.kind != Kind::SessionJob;
        match path {
            _ if metadata => kept(
                "last-state",
                format!("the job is {state}: its last checkpoint, by the metadata of high availability"),
            ),
            Some(path) if path != LAST_STATE_PATH => {
                let reason = format!("the job is {state}: the last state that the operator has seen of it");
                Way {
                    strategy: "last-state",
                    told: Told::new(Basis::Snapshot, reason).chosen(&path),
                    others: "not the last state that the operator has seen",
                }
            }
            _ if status.is_none() => unknown("last-state", format!("the job is {state}, and its status is not known")),
            _ => nothing(
                "last-state",
                format!(
                    "the job is {state} and its last checkpoint is not known: the operator asks for a manual restore"
                ),
            ),
        }
    }

    /// By the metadata of high availability, else by a cancel that has to leave its checkpoint.
    fn last_state(&self, why: &str) -> Way {
        let (before, session) = (self.before(), self.declaration.kind == Kind::SessionJob);
        let available = before.has_high_availability();
        let cancels = session || self.new_version() || self.now().is_on(LAST_STATE_CANCEL) == Some(true);
        if available && !cancels {
            return match self.now().has_high_availability() {
                true => self.checkpoint(format!(
                    "{why}the cluster is torn down, and comes back with the last checkpoint, by the metadata of high availability"
                )),
                false => nothing(
                    "last-state",
                    format!(
                        "{why}high availability is taken away: the operator tears the cluster down, then fails its own check"
                    ),
                ),
            };
        }
        let means = match (session, cancels, self.stage.current.configuration_complete) {
            (true, ..) => "a session job is cancelled",
            (_, true, _) => "the job is cancelled",
            (_, _, true) => "without high availability the job is cancelled",
            _ => "no high availability is known, so the job is cancelled",
        };
        match before.present(RETENTION) {
            Some(word) if before.retains() == Some(false) => nothing(
                "last-state",
                format!("{why}{means}, and {} deletes its last checkpoint: nothing is left to start from", word.trim()),
            ),
            _ => self.checkpoint(format!("{why}{means}, and comes back with the last checkpoint or savepoint seen")),
        }
    }

    fn checkpoint(&self, mut reason: String) -> Way {
        if let Some(age) = self.now().present(MAX_CHECKPOINT_AGE) {
            reason.push_str(&format!(", or with a savepoint if that is older than {age}"));
        }
        kept("last-state", reason)
    }

    /// A suspended job comes back: the mode of the suspend wins, unless the new one is stateless (DOMAIN 4.2-5).
    fn resume(&self, known: &[Known<'_, '_>]) -> Way {
        let (mode, current) = (self.spec.upgrade_mode(), &self.stage.current);
        let last = self.declaration.last.filter(|last| last.desired() == Desired::Suspended);
        let stored = last.map(|last| last.upgrade_mode());
        let none = "a stateless start looks at none";
        if mode == UpgradeMode::Stateless {
            return empty("stateless", "`upgradeMode: stateless`: the job starts empty", none);
        }
        if stored == Some(UpgradeMode::Stateless) {
            let reason = "it was suspended as stateless, and the mode of the suspend wins: the job starts empty";
            return empty("stateless", reason, none);
        }
        let strategy = match stored.unwrap_or(mode) {
            UpgradeMode::LastState => "last-state",
            _ => "savepoint",
        };
        let versions = last.map(|last| last.get("flinkVersion")).zip(Some(self.spec.get("flinkVersion")));
        let another = versions.is_some_and(|(last, new)| last.zip(new).is_some_and(|(last, new)| !last.same(&new)));
        if stored == Some(UpgradeMode::LastState) && another {
            let reason = "after a last-state suspend the operator refuses another Flink version: nothing starts";
            return nothing(strategy, reason.to_owned());
        }
        let drained = if current.stopped_by_drain { ", which drained" } else { "" };
        let declared = || known.iter().find(|known| known.savepoint.restore_candidate == Some(true));
        let (reason, chosen) = match (&current.stopped_at, declared()) {
            (Some(path), _) => (format!("the savepoint of the suspend{drained}"), Some(path.as_ref())),
            (None, Some(known)) => {
                ("declared as the one that a restore uses".to_owned(), Some(known.savepoint.label()))
            }
            (None, None) if strategy == "last-state" => {
                ("the last checkpoint of the suspended job, by the metadata of high availability".to_owned(), None)
            }
            (None, None) => (format!("the state of the suspend{drained}, of which the status names no path"), None),
        };
        let told = Told::new(Basis::Kept, reason);
        let told = match chosen {
            Some(chosen) => told.chosen(chosen),
            None => told,
        };
        Way { strategy, told, others: "the suspend left another" }
    }

    fn candidates(&self, known: &[Known<'_, '_>], way: &Way) -> Vec<super::Candidate> {
        let chosen = way.told.chosen.as_deref();
        let is_chosen = |known: &Known<'_, '_>| {
            let savepoint = &known.savepoint;
            chosen.is_some_and(|chosen| match &savepoint.location {
                Some(at) => location::same(at, chosen),
                None => savepoint.restore_candidate == Some(true) || savepoint.label() == chosen,
            })
        };
        let used = known.iter().position(is_chosen);
        let at_chosen = |known: &Known<'_, '_>| known.savepoint.location.is_some() && is_chosen(known);
        let time = |known: &Known<'_, '_>| known.savepoint.created_at.as_deref().and_then(Instant::parse);
        let since = used.and_then(|used| time(known.get(used)?)).filter(|_| self.start.cause == StartCause::Redeploy);
        let tell = |(position, it): (usize, &Known<'_, '_>)| {
            let is_used = used == Some(position);
            let unfinished = it.savepoint.state.as_deref().is_some_and(|state| state != "COMPLETED");
            let words = match &it.elsewhere {
                _ if is_used && unfinished => format!("{}; {}", way.told.reason, not_completed(&it.savepoint)),
                _ if is_used => way.told.reason.clone(),
                Some(job) => format!("of another job, {job}"),
                None if unfinished => not_completed(&it.savepoint),
                None if since.is_some() && time(it) > since => {
                    "newer than the one it goes back to: discarded".to_owned()
                }
                None if at_chosen(it) => "its Flink savepoint is the one that is used".to_owned(),
                None if way.others == KEPT && it.savepoint.id.as_deref() == Some(LAST_CHECKPOINT) => {
                    "used unless a newer one is completed before".to_owned()
                }
                None => way.others.to_owned(),
            };
            let all = known.iter().map(|known| known.savepoint.as_ref());
            candidate(self.stage, &it.savepoint, all, if is_used { Fate::Used } else { Fate::Ignored }, &words)
        };
        let (first, others) = (known.iter().enumerate(), known.iter().enumerate());
        let first = first.filter(|(position, _)| used == Some(*position));
        let others = others.filter(|(position, _)| used != Some(*position));
        first.chain(others).take(MAX_CANDIDATES).map(tell).collect()
    }

    fn stop(&self, words: &str) -> String {
        let drains = self.now().is_on(DRAIN_ON_SAVEPOINT) == Some(true);
        format!("{words}{}", if drains { "; written by a drain" } else { "" })
    }

    fn now(&self) -> &Configuration<'d> {
        &self.stage.current.configuration
    }

    /// What applies to the job that runs now.
    fn before(&self) -> &Configuration<'d> {
        self.stage.current.before.as_ref().unwrap_or(self.now())
    }

    fn new_version(&self) -> bool {
        let old = self.declaration.old_spec().and_then(|old| old.get("flinkVersion"));
        match (old, self.spec.get("flinkVersion")) {
            (Some(old), Some(new)) => !old.same(&new),
            _ => false,
        }
    }

    /// The request brings a path in that its start does not read.
    fn stores_path(&self) -> bool {
        let stores = |action: &Action<'_>| matches!(action, Action::Change(change) if change.stores_location.is_some());
        self.stage.operations.iter().any(|operation| stores(&operation.action))
    }
}

fn empty(strategy: &'static str, reason: &str, others: &'static str) -> Way {
    Way { strategy, told: Told::new(Basis::Empty, reason), others }
}

/// The savepoint of the stop.
fn taken(strategy: &'static str, reason: String) -> Way {
    Way { strategy, told: Told::new(Basis::Kept, reason), others: "older than the savepoint that is taken" }
}

fn kept(strategy: &'static str, reason: String) -> Way {
    Way { strategy, told: Told::new(Basis::Kept, reason), others: KEPT }
}

fn unknown(strategy: &'static str, reason: String) -> Way {
    Way { strategy, told: Told::new(Basis::Unknown, reason), others: "it cannot be told whether it is used" }
}

fn nothing(strategy: &'static str, reason: String) -> Way {
    Way { strategy, told: Told::new(Basis::Nothing, reason), others: "nothing starts" }
}
