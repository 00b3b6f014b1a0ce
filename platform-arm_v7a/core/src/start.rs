//! A root task's first instructions, its stack and its heap.

use core::{arch::global_asm, cell::UnsafeCell};

use buddy_system_allocator::LockedHeap;

// The kernel enters with r0 = address of the boot information and no stack (seL4 5.0.0, `create_initial_thread`).
global_asm!(
    r#"
    .section .text.start, "ax"
    .arm
    .global _start
_start:
    ldr     sp, ={stack}
    add     sp, sp, #{size}
    mov     r11, #0
    mov     lr, #0
    b       {entry}
    "#,
    stack = sym STACK,
    size = const STACK_SIZE,
    entry = sym entry,
);

/// What core sets up is moved about by value, a few times 10 KiB each.
const STACK_SIZE: usize = 256 * 1024;
const HEAP_SIZE: usize = 512 * 1024;
const PAGE: usize = wire::layout::PAGE as usize;

/// Memory for one user. Its first page is taken away from stacks by [`guard`], so that running over the end faults.
#[repr(C, align(4096))]
pub(crate) struct Memory<const SIZE: usize>(UnsafeCell<[u8; SIZE]>);

// SAFETY: a stack is touched by its thread as its stack only, the heap by the allocator only.
unsafe impl<const SIZE: usize> Sync for Memory<SIZE> {}

impl<const SIZE: usize> Memory<SIZE> {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new([0; SIZE]))
    }

    /// Where a stack in it begins, growing down.
    pub(crate) fn top(&self) -> usize {
        self.0.get().addr() + SIZE
    }
}

/// Takes the lowest page of a stack out of the address space.
///
/// # Errors
/// The kernel refused; the stack then has no guard.
pub(crate) fn guard<const SIZE: usize>(boot_info: &sel4::BootInfo, stack: &Memory<SIZE>) -> Result<(), sel4::Error> {
    let page = (stack.0.get().addr() - wire::layout::CORE_VIRTUAL as usize) / PAGE;
    let frame = boot_info.image_frames().nth(page).ok_or(sel4::Error::RangeError)?;
    // SAFETY: the page belongs to the stack, whose thread is nowhere near it yet; nobody else uses it.
    unsafe { frame.unmap() }
}

pub(crate) static STACK: Memory<STACK_SIZE> = Memory::new();
static HEAP_MEMORY: Memory<HEAP_SIZE> = Memory::new();

/// What a root task keeps about its components. Core adds memory when it has some. Pieces of up to 2^25 bytes.
#[global_allocator]
static HEAP: LockedHeap<26> = LockedHeap::empty();

/// Adds memory to the heap, for good.
///
/// # Safety
/// It is mapped, readable and writable, as long as the root task runs, and used by nobody else.
pub(crate) unsafe fn extend_heap(start: usize, size: usize) {
    // SAFETY: the caller vouches.
    unsafe { HEAP.lock().add_to_heap(start, start + size) };
}

unsafe extern "Rust" {
    /// The root task itself; named by [`root_task`](crate::root_task).
    fn __root_task(boot_info: sel4::BootInfo) -> !;
}

extern "C" fn entry(boot_info: *const u8) -> ! {
    // SAFETY: once, before anything is allocated; the memory belongs to the heap alone.
    unsafe { HEAP.lock().init(HEAP_MEMORY.0.get() as usize, HEAP_SIZE) };
    // SAFETY: what the kernel passed; nobody unmaps it.
    match unsafe { sel4::BootInfo::new(boot_info) } {
        // SAFETY: defined by `root_task!` with this very signature.
        Some(boot_info) => unsafe { __root_task(boot_info) },
        None => crate::halt(),
    }
}

/// Makes a function `fn(sel4::BootInfo) -> !` the root task of an executable.
#[macro_export]
macro_rules! root_task {
    ($main:path) => {
        // The name is reserved for this macro: two root tasks in one executable do not link.
        #[unsafe(no_mangle)]
        fn __root_task(boot_info: sel4::BootInfo) -> ! {
            $main(boot_info)
        }
    };
}
