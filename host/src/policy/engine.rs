//! The sandbox's engine: what code a policy is compiled to, and how its sandboxes are kept ready.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use super::error::PolicyError;
use super::limits::Limits;

/// Elements of one table.
pub(super) const TABLE_ELEMENTS: usize = 20_000;
/// How many core modules, memories and tables a component may be made of. Components from other languages bring
/// adapters; ours is one module.
const CORE_INSTANCES: u32 = 16;
const MEMORIES: u32 = 2;
const TABLES: u32 = 8;
/// How much of a sandbox's memory stays mapped between calls: what a small request touches. All of it is reset after
/// each call, so more would make every small request pay for an earlier large one.
const KEEP_RESIDENT: usize = 192 << 10;
/// The same where the kernel cannot tell which pages hold something (before Linux 6.7): the lowest addresses.
const KEEP_RESIDENT_BLINDLY: usize = 384 << 10;

/// An engine that interrupts and bounds everything it runs.
pub(super) fn new(limits: &Limits) -> Result<Engine, PolicyError> {
    let sandboxes = limits.sandboxes.max(1);
    let keep = match PoolingAllocationConfig::is_pagemap_scan_available() {
        true => KEEP_RESIDENT,
        false => KEEP_RESIDENT_BLINDLY,
    };
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(sandboxes)
        .total_core_instances(sandboxes.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(sandboxes.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .max_memory_size(limits.largest_memory())
        .total_tables(sandboxes.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(keep)
        .table_keep_resident(TABLE_ELEMENTS * size_of::<usize>())
        .pagemap_scan(Enabled::Auto);

    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_component_model(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .relaxed_simd_deterministic(true)
        .cranelift_nan_canonicalization(true);
    Engine::new(&config).map_err(|error| PolicyError::NoSandbox(format!("{error:#}")))
}
