//! The thread's message buffer: `libsel4/arch_include/arm/sel4/arch/functions.h`.

#[cfg(target_arch = "arm")]
use crate::seL4_IPCBuffer;
use crate::{seL4_CPtr, seL4_Word};

/// The address of the calling thread's message buffer: register TPIDRURW, which the kernel sets whenever it switches to
/// a thread (ARM ARM B4.1.150). One instruction, so it is never kept.
#[inline(always)]
#[cfg(target_arch = "arm")]
pub fn seL4_GetIPCBuffer() -> *mut seL4_IPCBuffer {
    let address: *mut seL4_IPCBuffer;
    // SAFETY: reads a register that user code may read (ARM ARM B4.1.150) and nothing else.
    unsafe {
        core::arch::asm!("mrc p15, 0, {}, c13, c0, 2", out(reg) address, options(nomem, nostack, preserves_flags))
    };
    address
}

#[cfg(not(target_arch = "arm"))]
pub use crate::scripted::seL4_GetIPCBuffer;

/// Word `index` of the message in the buffer. The first four words of a message are there only after `seL4_SetMR`: they
/// travel in registers.
///
/// # Safety
/// See the section on safety in this crate's documentation; `index` is below `seL4_MsgMaxLength`.
#[inline(always)]
pub unsafe fn seL4_GetMR(index: usize) -> seL4_Word {
    // SAFETY: the buffer is mapped and unshared (1), the index is inside its array.
    unsafe { (&raw const (*seL4_GetIPCBuffer()).msg).cast::<seL4_Word>().add(index).read() }
}

/// Sets word `index` of the message in the buffer.
///
/// # Safety
/// See the section on safety in this crate's documentation; `index` is below `seL4_MsgMaxLength`.
#[inline(always)]
pub unsafe fn seL4_SetMR(index: usize, word: seL4_Word) {
    // SAFETY: the buffer is mapped and unshared (1), the index is inside its array.
    unsafe { (&raw mut (*seL4_GetIPCBuffer()).msg).cast::<seL4_Word>().add(index).write(word) }
}

/// Names the capability that the next message takes along at place `index`.
///
/// # Safety
/// See the section on safety in this crate's documentation; `index` is at most 2.
#[inline(always)]
pub unsafe fn seL4_SetCap(index: usize, capability: seL4_CPtr) {
    // SAFETY: the buffer is mapped and unshared (1), the index is inside its array.
    unsafe { (&raw mut (*seL4_GetIPCBuffer()).caps_or_badges).cast::<seL4_Word>().add(index).write(capability) }
}

/// The badge of the capability at place `index` of the message received, if the message info marks it as unwrapped.
///
/// # Safety
/// See the section on safety in this crate's documentation; `index` is at most 2.
#[inline(always)]
pub unsafe fn seL4_GetBadge(index: usize) -> seL4_Word {
    // SAFETY: the buffer is mapped and unshared (1), the index is inside its array.
    unsafe { (&raw const (*seL4_GetIPCBuffer()).caps_or_badges).cast::<seL4_Word>().add(index).read() }
}

/// Says where a capability that arrives with a message is to be put.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_SetCapReceivePath(root: seL4_CPtr, index: seL4_CPtr, depth: seL4_Word) {
    let buffer = seL4_GetIPCBuffer();
    // SAFETY: the buffer is mapped and unshared (1).
    unsafe {
        (&raw mut (*buffer).receiveCNode).write(root);
        (&raw mut (*buffer).receiveIndex).write(index);
        (&raw mut (*buffer).receiveDepth).write(depth);
    }
}

/// A word of the buffer that the kernel never touches.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_GetUserData() -> seL4_Word {
    // SAFETY: the buffer is mapped and unshared (1).
    unsafe { (&raw const (*seL4_GetIPCBuffer()).userData).read() }
}

/// Sets the word of the buffer that the kernel never touches.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_SetUserData(data: seL4_Word) {
    // SAFETY: the buffer is mapped and unshared (1).
    unsafe { (&raw mut (*seL4_GetIPCBuffer()).userData).write(data) }
}

/// Puts the words that came back in registers where C's users look for them after an error.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[cold]
pub(crate) unsafe fn unregister(words: [seL4_Word; 4]) {
    // SAFETY: the caller vouches for the buffer; four words are inside its array.
    unsafe { (&raw mut (*seL4_GetIPCBuffer()).msg).cast::<[seL4_Word; 4]>().write(words) };
}
