//! Where things lie in a component's address space. Whoever makes a component and the component itself agree on it.
//!
//! Each thread has a slot of the stack area. At its end lies the page for messages, right below it the stack, and the rest
//! of the slot, at least a page, is never attached: it is the guard. Stack and message page are one dataspace.

use core::ops::Range;

use crate::{rpc::ThreadNumber, session::pd::PAGE};

/// Where programs are linked to lie. Below is nothing, so that null pointers fault.
pub const PROGRAM: Range<u32> = 0x0100_0000..0x0c00_0000;
/// The stacks of threads.
pub const STACK_AREA: Range<u32> = 0x0c00_0000..0x1000_0000;
/// What is attached anywhere.
pub const ANYWHERE: Range<u32> = 0x1000_0000..0xd000_0000;
/// The component's heap, which it attaches itself.
pub const HEAP: Range<u32> = 0xd000_0000..0xe000_0000;

/// Most threads of a component.
pub const THREADS: u32 = 64;
/// Size of a thread's part of the stack area.
pub const STACK_SLOT: u32 = 0x10_0000;
/// Largest stack: what a slot holds besides the page for messages and one page of guard.
pub const MAX_STACK: u32 = STACK_SLOT - 2 * PAGE;

const _: () = assert!(STACK_AREA.end - STACK_AREA.start == THREADS * STACK_SLOT);

/// Where a thread's stack and its page for messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Lowest address, where the dataspace of stack and page for messages is attached.
    pub base: u32,
    /// First address above the stack, with which the thread starts; and address of the page for messages.
    pub top: u32,
}

impl Stack {
    /// Of a thread whose stack holds at least that many bytes; none if a slot does not have room for it. The first thread
    /// of a component has number 0.
    pub const fn of(thread: ThreadNumber, bytes: u32) -> Option<Self> {
        if bytes > MAX_STACK {
            return None;
        }
        let top = STACK_AREA.start + (thread.number() as u32 + 1) * STACK_SLOT - PAGE;
        Some(Self { base: top - bytes.next_multiple_of(PAGE), top })
    }

    /// The thread whose page for messages is at that address; none if it is no such page's.
    pub const fn owner(buffer: u32) -> Option<ThreadNumber> {
        if !(STACK_AREA.start <= buffer && buffer < STACK_AREA.end) {
            return None;
        }
        let offset = buffer - STACK_AREA.start;
        if offset % STACK_SLOT != STACK_SLOT - PAGE {
            return None;
        }
        ThreadNumber::new((offset / STACK_SLOT) as u8)
    }

    /// Address of the page for messages.
    pub const fn buffer(&self) -> u32 {
        self.top
    }

    /// Size of the dataspace: the stack and the page for messages.
    pub const fn size(&self) -> u32 {
        self.top + PAGE - self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_a_guard_below_its_stack() {
        for number in 0..THREADS {
            let thread = ThreadNumber::new(number as u8).unwrap();
            let stack = Stack::of(thread, MAX_STACK).unwrap();
            let slot = STACK_AREA.start + number * STACK_SLOT;
            assert_eq!((stack.base, stack.base + stack.size()), (slot + PAGE, slot + STACK_SLOT));
            assert_eq!(Stack::of(thread, 1).unwrap().size(), 2 * PAGE);
            assert_eq!(Stack::of(thread, MAX_STACK + 1), None);
            assert_eq!(Stack::owner(stack.buffer()), Some(thread));
            assert_eq!((Stack::owner(stack.buffer() - PAGE), Stack::owner(stack.buffer() + PAGE)), (None, None));
        }
    }
}
