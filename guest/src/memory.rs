//! The component's allocator: talc, fed first with the memory that a fresh instance has anyway. Growing costs a sandbox
//! two system calls and a TLB flush on every processor, which is as much as judging a small request: with it, 3 KB
//! take 3.4 times as long as natively, without it 2.5 times. There is no allocator that does this with a safe interface.
#![allow(unsafe_code, reason = "memory can only be handed to an allocator by `unsafe`; each place says why it holds")]

use std::alloc::Layout;
use std::arch::wasm32::{memory_grow, memory_size};
use std::ptr::NonNull;

use talc::base::{Talc, binning::Binning};
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

const PAGE: usize = 1 << 16;
/// Handed out at once. Talc marks the end of what it has, and so touches a page there: one in the midst of those that
/// are used anyway costs least.
const STEP: usize = PAGE;
/// Pages grown at once: a large body causes few growths, and little is wasted against the sandbox's 4 MiB.
const GROWN: usize = 8;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<InitialThenGrown, WasmBinning> = TalcSyncCell::new_wasm(InitialThenGrown { end: None });

unsafe extern "C" {
    /// Where the linker's own data and the stack end. Only its address means something.
    safe static __heap_base: u8;
}

/// Where memory comes from, and up to where talc has it.
#[derive(Debug)]
struct InitialThenGrown {
    end: Option<NonNull<u8>>,
}

// SAFETY: nothing here allocates, so the allocator is not entered again.
unsafe impl Source for InitialThenGrown {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let base = &raw const __heap_base;
        let start = talc.source.end.map_or(base.addr(), |end| end.addr().get());
        // Room for the allocation, its alignment, and talc's own tags and tables.
        let wanted = start + layout.size() + layout.align() + STEP;
        let have = memory_size(0) * PAGE;
        if wanted > have && memory_grow(0, (wanted - have).div_ceil(PAGE).max(GROWN)) == usize::MAX {
            return Err(());
        }
        let new_end = base.with_addr(wanted).cast_mut();
        talc.source.end = match talc.source.end {
            // SAFETY: the linker places nothing behind `__heap_base`, nobody else grows the memory, and this happens
            // only once.
            None => unsafe { talc.claim(base.cast_mut(), wanted - base.addr()) },
            // SAFETY: what lies behind the last end was never handed out, and is inside the memory.
            Some(end) => Some(unsafe { talc.extend(end, new_end) }),
        };
        talc.source.end.map(|_| ()).ok_or(())
    }
}
