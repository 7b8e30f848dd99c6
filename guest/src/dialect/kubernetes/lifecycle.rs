//! Creates and updates of the kinds that run jobs: what the operator's reconciler will do with the job (DOMAIN 4.2).

use super::current;
use super::difference::Difference;
use super::request::Ask;
use crate::configuration::{
    CLAIM_MODE, Configuration, DRAIN_ON_SAVEPOINT, IGNORE_UNCLAIMED_STATE, IN_PLACE_SCALING, LAST_STATE_FALLBACK,
    SAVEPOINT_DIRECTORY, SAVEPOINT_FORMAT,
};
use crate::document::Node;
use crate::operation::{
    Action, Change, Claim, ClaimMode, JobState, Operation, Place, Reach, Restore, Stage, Start, StartCause, Stop,
    StopCause, StopMode, Trigger,
};
use crate::operation::{Desired, Kind, Resource, Spec, UpgradeMode};

/// Everything that decides about one create or update.
pub(super) struct Transition<'a, 'd> {
    pub(super) ask: &'a Ask<'d>,
    pub(super) resource: Resource<'d>,
    pub(super) new: Spec<'d>,
    /// What the operator last ran.
    pub(super) last: Option<Spec<'d>>,
    /// The job was deployed at some time.
    pub(super) deployed: bool,
}

impl<'d> Transition<'_, 'd> {
    /// A new resource: its job starts for the first time.
    pub(super) fn create(&self, stage: &mut Stage<'d>) {
        let armed = self.drain(stage);
        self.change(stage, self.place(None), true, Reach::Nothing, armed);
        self.first_start(stage);
    }

    /// A changed spec.
    pub(super) fn update(&self, stage: &mut Stage<'d>, old: Spec<'d>, difference: &Difference<'d>) {
        self.follow(stage, old, difference);
        let stored = self.stored_location(stage);
        for operation in &mut stage.operations {
            if let Action::Change(change) = &mut operation.action {
                change.stores_location = stored;
                change.brings_more = difference.more;
            }
        }
    }

    fn follow(&self, stage: &mut Stage<'d>, old: Spec<'d>, difference: &Difference<'d>) {
        let place = self.place(Some(difference));
        let restarts = difference.upgrade.is_some() || difference.redeploy.is_some();
        let content = restarts || difference.scale.is_some() || difference.cluster_type;
        let newly_on = self.drain(stage).filter(|_| !self.drained_before(stage));
        let (was, will) = (old.desired(), self.new.desired());
        let has_job = old.job().is_some() && self.new.job().is_some();

        // The operator only cleans up: nothing starts again, and a drain at the end is what the switch is for.
        if self.ask.old.is_some_and(|old| old.is_terminating()) {
            let change = Change { content, arms_drain: newly_on, ..Change::default() };
            self.push(stage, Action::Change(change), place);
            return;
        }
        if !self.deployed {
            self.change(stage, place, content, Reach::Nothing, newly_on);
            self.first_start(stage);
            return;
        }
        match (was, will) {
            _ if !has_job => self.change(stage, place, true, Reach::Applied, newly_on),
            (Desired::Running, Desired::Suspended) => {
                let stop = self.stop(stage, StopCause::Suspend, difference);
                let armed = newly_on.filter(|_| stop.mode != StopMode::Drain);
                self.change(stage, place, content, Reach::Nothing, armed);
                self.push(stage, Action::Stop(stop), Place::of(difference.state));
            }
            (Desired::Suspended, Desired::Running) => {
                self.change(stage, place.clone(), content, Reach::Applied, newly_on);
                match &difference.redeploy {
                    Some(_) => self.redeploy(stage, place),
                    None => self.resume(stage, place),
                }
            }
            (Desired::Running, Desired::Running) => self.running(stage, place, difference, content, newly_on),
            // Nothing runs, or it cannot be told what is asked for.
            _ => self.change(stage, place, content, Reach::Nothing, newly_on),
        }
    }

    /// A change of a job that is to go on running.
    fn running(
        &self,
        stage: &mut Stage<'d>,
        place: Place<'d>,
        difference: &Difference<'d>,
        content: bool,
        newly_on: Option<Place<'d>>,
    ) {
        if difference.redeploy.is_some() {
            self.change(stage, place.clone(), content, Reach::Applied, newly_on);
            let stop = Stop { mode: StopMode::Cancel, cause: StopCause::Upgrade, drain: None, directory: None };
            self.push(stage, Action::Stop(stop), place.clone());
            self.redeploy(stage, place);
            return;
        }
        let in_place = difference.upgrade.is_none() && difference.scale.is_some() && self.scales_in_place(stage);
        if in_place {
            self.change(stage, place, content, Reach::Applied, newly_on);
            self.push(stage, Action::Rescale(difference.scale), Place::of(difference.scale));
            return;
        }
        if difference.upgrade.is_some() || difference.scale.is_some() {
            let stop = self.stop(stage, StopCause::Upgrade, difference);
            let armed = newly_on.filter(|_| stop.mode != StopMode::Drain);
            self.change(stage, place.clone(), content, Reach::Applied, armed);
            self.push(stage, Action::Stop(stop), place.clone());
            let restore = match self.new.upgrade_mode() {
                UpgradeMode::Stateless => Restore::Empty,
                UpgradeMode::Unknown => Restore::Unknown,
                UpgradeMode::Savepoint | UpgradeMode::LastState => Restore::Stopped,
            };
            let restore_place = Place::of(self.new.of_job("upgradeMode").or(self.new.job()));
            self.start(stage, StartCause::Upgrade, restore, restore_place, place);
            return;
        }
        if difference.ignored.is_some() {
            self.change(stage, place, content, Reach::Nothing, newly_on);
        }
        self.trigger(stage, difference);
    }

    fn first_start(&self, stage: &mut Stage<'d>) {
        if self.new.job().is_none() || self.new.desired() != Desired::Running {
            return;
        }
        let (restore, place) = self.initial();
        self.start(stage, StartCause::Create, restore, place, Place::of(self.new.job()));
    }

    fn redeploy(&self, stage: &mut Stage<'d>, place: Place<'d>) {
        let (restore, restore_place) = self.initial();
        self.start(stage, StartCause::Redeploy, restore, restore_place, place);
    }

    /// The mode of the suspend is stored and wins, unless the new one is stateless (DOMAIN 4.2-5).
    fn resume(&self, stage: &mut Stage<'d>, place: Place<'d>) {
        let stored = self.last.filter(|last| last.desired() == Desired::Suspended);
        let stateless = stored.is_some_and(|last| last.upgrade_mode() == UpgradeMode::Stateless)
            || self.new.upgrade_mode() == UpgradeMode::Stateless;
        let restore = if stateless { Restore::Empty } else { Restore::Stopped };
        let restore_place = Place::of(self.new.of_job("upgradeMode").or(self.new.job()));
        self.start(stage, StartCause::Resume, restore, restore_place, place);
    }

    /// What a first deployment or a redeploy restores from.
    fn initial(&self) -> (Restore<'d>, Place<'d>) {
        match self.new.initial_savepoint() {
            Some(path) => (Restore::Location(path.scalar().unwrap_or_default()), Place::Body(path)),
            None => (Restore::Empty, Place::of(self.new.job().or(self.new.node))),
        }
    }

    fn start(
        &self,
        stage: &mut Stage<'d>,
        cause: StartCause,
        restore: Restore<'d>,
        restore_place: Place<'d>,
        place: Place<'d>,
    ) {
        let allow_place = self.allows_non_restored(self.new, &stage.current.configuration);
        let allow_non_restored_state = Some(allow_place.is_some());
        let mut start = Start { allow_non_restored_state, allow_place, ..Start::new(cause, restore, restore_place) };
        let claim = stage.current.configuration.entry(CLAIM_MODE).filter(|_| start.location().is_some());
        start.claim = claim.and_then(|entry| {
            let place = current::place_in(self.resource, entry).unwrap_or(Place::Request);
            Some(Claim { mode: ClaimMode::read(&entry.value)?, place })
        });
        self.push(stage, Action::Start(start), place);
    }

    /// Where it is said that a restore may drop state: by the flag, or where that is silent by the configuration.
    fn allows_non_restored(&self, spec: Spec<'d>, configuration: &Configuration<'d>) -> Option<Place<'d>> {
        if let Some(flag) = spec.of_job("allowNonRestoredState") {
            return flag.bool().unwrap_or_default().then_some(Place::Body(flag));
        }
        let entry = current::switch(configuration, IGNORE_UNCLAIMED_STATE)?;
        Some(current::place_in(self.resource, entry).unwrap_or(Place::Request))
    }

    /// The same, if this request brings it in.
    fn newly_allows_non_restored(&self, stage: &Stage<'d>) -> Option<Place<'d>> {
        let place = self.allows_non_restored(self.new, &stage.current.configuration)?;
        let before = self.ask.old.zip(stage.current.before.as_ref());
        let old = before.and_then(|(old, before)| self.allows_non_restored(old.spec(self.ask.kind), before));
        old.is_none().then_some(place)
    }

    /// A savepoint or checkpoint by nonce: the operator waits until the job runs, and drops the wish otherwise.
    fn trigger(&self, stage: &mut Stage<'d>, difference: &Difference<'d>) {
        let runs = stage.current.state.as_ref().is_none_or(|state| *state == JobState::Running);
        for (nonce, checkpoint) in [(difference.savepoint, false), (difference.checkpoint, true)] {
            let Some(nonce) = nonce else { continue };
            let format = stage.current.configuration.get(SAVEPOINT_FORMAT);
            let native = !checkpoint && format.is_some_and(|format| format.eq_ignore_ascii_case("NATIVE"));
            let action = match runs {
                true => Action::Trigger(Trigger { checkpoint, directory: None, native }),
                false => Action::Nothing("ask for a snapshot, once it runs, of"),
            };
            self.push(stage, action, Place::Body(nonce));
        }
    }

    fn stop(&self, stage: &Stage<'d>, cause: StopCause, difference: &Difference<'d>) -> Stop<'d> {
        let mode = self.stop_mode(stage, difference);
        let drain = if mode == StopMode::Drain { self.drain(stage) } else { None };
        Stop { mode, cause, drain, directory: None }
    }

    /// DOMAIN 4.2-2. A blue/green resource takes a savepoint of a job that goes on until the other colour runs.
    fn stop_mode(&self, stage: &Stage<'d>, difference: &Difference<'d>) -> StopMode {
        let configuration = &stage.current.configuration;
        let state = stage.current.state.as_ref();
        let runs = state.is_none_or(|state| *state == JobState::Running);
        let savepoint = match configuration.is_on(DRAIN_ON_SAVEPOINT) {
            Some(true) if self.ask.kind != Kind::BlueGreen => StopMode::Drain,
            _ => StopMode::Savepoint,
        };
        let falls_back = configuration.is_on(LAST_STATE_FALLBACK) != Some(false) || difference.flink_version;
        match self.new.upgrade_mode() {
            UpgradeMode::Stateless => StopMode::Cancel,
            UpgradeMode::LastState | UpgradeMode::Savepoint if self.ask.kind == Kind::BlueGreen => StopMode::Savepoint,
            UpgradeMode::LastState
                if difference.flink_version
                    && state == Some(&JobState::Running)
                    && configuration.present(SAVEPOINT_DIRECTORY).is_some() =>
            {
                savepoint
            }
            UpgradeMode::LastState | UpgradeMode::Unknown => StopMode::LastState,
            UpgradeMode::Savepoint if runs => savepoint,
            UpgradeMode::Savepoint if falls_back => StopMode::LastState,
            UpgradeMode::Savepoint => StopMode::Savepoint,
        }
    }

    /// A new parallelism reaches a running job without a stop: standalone clusters take or give TaskManagers; others
    /// need the adaptive scheduler of Flink 1.18 or newer.
    fn scales_in_place(&self, stage: &Stage<'d>) -> bool {
        if self.new.is_standalone() {
            return true;
        }
        let configuration = &stage.current.configuration;
        let runs = stage.current.state.as_ref().is_none_or(|state| *state == JobState::Running);
        let scheduler = configuration.get(&["jobmanager.scheduler"]).or(stage.facts.platform.scheduler.as_deref());
        runs && configuration.is_on(IN_PLACE_SCALING) != Some(false)
            && scheduler.is_some_and(|scheduler| scheduler.trim().eq_ignore_ascii_case("adaptive"))
            && current::flink_version(self.ask, self.new, &stage.facts).is_some_and(|version| version >= (1, 18))
    }

    /// Where the sticky drain switch is on after this request; `None`: it is off.
    fn drain(&self, stage: &Stage<'d>) -> Option<Place<'d>> {
        let entry = current::switch(&stage.current.configuration, DRAIN_ON_SAVEPOINT)?;
        Some(current::place_in(self.resource, entry).unwrap_or(Place::Request))
    }

    fn drained_before(&self, stage: &Stage<'d>) -> bool {
        stage.current.before.as_ref().is_some_and(|before| before.is_on(DRAIN_ON_SAVEPOINT) == Some(true))
    }

    /// A path that this brings in and that no start of this request reads: it waits for the next redeploy.
    fn stored_location(&self, stage: &Stage<'d>) -> Option<Node<'d>> {
        let old = self.ask.old?;
        let path = self.new.initial_savepoint()?;
        let known = old.spec(self.ask.kind).initial_savepoint();
        let same = known.is_some_and(|known| known.scalar() == path.scalar());
        let read = stage.starts().any(|(_, start)| matches!(start.restore, Restore::Location(_)));
        (!same && !read && !old.is_terminating()).then_some(path)
    }

    fn change(
        &self,
        stage: &mut Stage<'d>,
        place: Place<'d>,
        content: bool,
        reach: Reach,
        arms_drain: Option<Place<'d>>,
    ) {
        let change = Change {
            content,
            reach,
            arms_drain,
            drops_savepoint_on_delete: current::switched_off(stage, self.resource, self.new),
            stateful: self.new.keeps_state(),
            allows_non_restored: self.newly_allows_non_restored(stage),
            ..Change::default()
        };
        self.push(stage, Action::Change(change), place);
    }

    fn push(&self, stage: &mut Stage<'d>, action: Action<'d>, place: Place<'d>) {
        stage.operations.push(Operation { action, target: self.ask.target.clone(), place });
    }

    fn place(&self, difference: Option<&Difference<'d>>) -> Place<'d> {
        let changed = difference.and_then(Difference::place);
        Place::Body(changed.or(self.new.node).unwrap_or(self.resource.node))
    }
}
