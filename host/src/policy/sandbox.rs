//! One call, one sandbox: a fresh instance that is bounded in time and memory and thrown away after its answer.

use std::time::Duration;

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Linker, Lower};
use wasmtime::{Engine, Store, StoreContextMut, Trap, UpdateDeadline};

use super::clock::Clock;
use super::contract::{Description, Fact, Failure, Outcome, Problem, Request};
use super::error::PolicyError;
use super::limits::{Limits, Meter};
use super::output;
use super::slots::Slots;

/// The interface that a policy exports.
const GATE: &str = "sluicegate:policy/gate@0.1.0";

/// Sandboxes for one component.
pub(super) struct Sandboxes {
    engine: Engine,
    component: InstancePre<Meter>,
    pub(super) gate: Gate,
    limits: Limits,
    slots: Slots,
    clock: Clock,
}

/// Where a component's functions are. Looked up once, and only the one that is called is bound in a sandbox.
pub(super) struct Gate {
    pub(super) check: ComponentExportIndex,
    pub(super) compile_settings: ComponentExportIndex,
    pub(super) describe: ComponentExportIndex,
}

impl Gate {
    fn find(engine: &Engine, component: &Component) -> Result<Self, PolicyError> {
        let missing = |name: &str| PolicyError::WrongContract(format!("`{name}` is missing"));
        let kind = component.component_type();
        let Some(ComponentItem::ComponentInstance(gate)) = kind.get_export(engine, GATE).map(|export| export.ty) else {
            return Err(missing(GATE));
        };
        let instance = component.get_export_index(None, GATE).ok_or_else(|| missing(GATE))?;
        let index = |name| component.get_export_index(Some(&instance), name).ok_or_else(|| missing(name));
        typecheck::<(Request<'_>, &[Fact<'_>], &[u8]), (Result<Outcome, Failure>,)>(engine, component, &gate, "check")?;
        typecheck::<(&[u8],), (Result<Vec<u8>, Vec<Problem>>,)>(engine, component, &gate, "compile-settings")?;
        typecheck::<(), (Description,)>(engine, component, &gate, "describe")?;
        Ok(Self { check: index("check")?, compile_settings: index("compile-settings")?, describe: index("describe")? })
    }
}

fn typecheck<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift>(
    engine: &Engine,
    component: &Component,
    gate: &ComponentInstance,
    name: &str,
) -> Result<(), PolicyError> {
    let Some(ComponentItem::ComponentFunc(function)) = gate.get_export(engine, name).map(|export| export.ty) else {
        return Err(PolicyError::WrongContract(format!("`{name}` is missing")));
    };
    let kind = component.component_type();
    function
        .typecheck::<P, R>(&kind.instance_type())
        .map_err(|error| PolicyError::WrongContract(format!("`{name}` has other types: {error:#}")))
}

impl Sandboxes {
    /// The component must import nothing.
    pub(super) fn new(engine: Engine, component: &Component, limits: Limits) -> Result<Self, PolicyError> {
        let gate = Gate::find(&engine, component)?;
        let component = Linker::new(&engine)
            .instantiate_pre(component)
            .map_err(|error| PolicyError::WrongContract(format!("{error:#}")))?;
        let (slots, clock) = (Slots::new(limits.sandboxes), Clock::new(engine.clone()));
        Ok(Self { engine, component, gate, limits, slots, clock })
    }

    /// Makes a sandbox, calls one of its functions, and throws it away. `body` and `context` are the sizes of what the
    /// function gets.
    pub(super) fn call<P, R>(
        &self,
        function: &ComponentExportIndex,
        (body, context): (usize, usize),
        parameters: P,
    ) -> Result<R, PolicyError>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let memory = self.limits.admit(body, context)?;
        // The order matters: a sandbox is given back before the slot that stands for it.
        let _slot = self.slots.take(self.limits.wait)?;
        let _running = self.clock.start()?;
        let mut store = Store::new(&self.engine, Meter::new(self.limits.time, memory));
        store.limiter(|meter| meter);
        store.set_hostcall_fuel(output::MOST_BYTES);
        store.set_epoch_deadline(ticks(self.limits.time));
        store.epoch_deadline_callback(at_deadline);
        let answer = self.component.instantiate(&mut store).and_then(|instance| {
            let function = instance.get_typed_func::<P, (R,)>(&mut store, function)?;
            function.call(&mut store, parameters)
        });
        answer.map(|(answer,)| answer).map_err(|error| self.breach(&error, store.data()))
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

/// The epoch says when to look at the clock, the thread's clock says whether its time is up.
fn at_deadline(store: StoreContextMut<'_, Meter>) -> wasmtime::Result<UpdateDeadline> {
    Ok(match store.data().left() {
        Duration::ZERO => UpdateDeadline::Interrupt,
        left => UpdateDeadline::Continue(ticks(left)),
    })
}

/// Epochs until this much time has gone by.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::MAX / 2)
}
