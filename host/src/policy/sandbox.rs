//! One call, one sandbox: a fresh instance that is bounded in time and memory and thrown away after its answer.

use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Store, StoreContextMut, Trap, UpdateDeadline};

use super::clock::Clock;
use super::contract::PolicyPre;
use super::contract::exports::sluicegate::policy::gate::Guest;
use super::error::PolicyError;
use super::limits::{Limits, Meter};
use super::output;
use super::slots::Slots;

/// Sandboxes for one component.
pub(super) struct Sandboxes {
    engine: Engine,
    component: PolicyPre<Meter>,
    limits: Limits,
    slots: Slots,
    clock: Clock,
}

impl Sandboxes {
    /// The component must import nothing.
    pub(super) fn new(engine: Engine, component: &Component, limits: Limits) -> Result<Self, PolicyError> {
        let wrong = |error: wasmtime::Error| PolicyError::WrongContract(format!("{error:#}"));
        let component = Linker::new(&engine).instantiate_pre(component).map_err(wrong)?;
        let component = PolicyPre::new(component).map_err(wrong)?;
        let (slots, clock) = (Slots::new(limits.sandboxes), Clock::new(engine.clone()));
        Ok(Self { engine, component, limits, slots, clock })
    }

    /// Makes a sandbox, calls into it, and throws it away.
    pub(super) fn call<R>(
        &self,
        body: usize,
        context: usize,
        call: impl FnOnce(&Guest, &mut Store<Meter>) -> wasmtime::Result<R>,
    ) -> Result<R, PolicyError> {
        let memory = self.limits.admit(body, context)?;
        // The order matters: a sandbox is given back before the slot that stands for it.
        let _slot = self.slots.take(self.limits.wait)?;
        let _running = self.clock.start()?;
        let mut store = Store::new(&self.engine, Meter::new(self.limits.time, memory));
        store.limiter(|meter| meter);
        store.set_hostcall_fuel(output::MOST_BYTES);
        store.set_epoch_deadline(ticks(self.limits.time));
        store.epoch_deadline_callback(at_deadline);
        let answer = self
            .component
            .instantiate(&mut store)
            .and_then(|instance| call(instance.sluicegate_policy_gate(), &mut store));
        answer.map_err(|error| self.breach(&error, store.data()))
    }

    fn breach(&self, error: &wasmtime::Error, meter: &Meter) -> PolicyError {
        if meter.exceeded {
            return PolicyError::MemoryExceeded { limit: meter.memory };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => PolicyError::TimeExceeded { limit: self.limits.time },
            Some(trap) => PolicyError::Trapped(trap.to_string()),
            None => PolicyError::InvalidOutput(format!("{error:#}")),
        }
    }
}

/// The epoch says when to look at the clock, the clock says whether time is up.
fn at_deadline(store: StoreContextMut<'_, Meter>) -> wasmtime::Result<UpdateDeadline> {
    let meter = store.data();
    Ok(match meter.time.checked_sub(meter.started.elapsed()) {
        Some(left) if !left.is_zero() => UpdateDeadline::Continue(ticks(left)),
        _ => UpdateDeadline::Interrupt,
    })
}

/// Epochs until this much time has gone by.
fn ticks(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::MAX / 2)
}
