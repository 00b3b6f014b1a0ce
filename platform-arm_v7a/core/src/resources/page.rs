//! Clearing and copying pages, eight words at a time, and eight times that in each round of the loop.
//!
//! The functions that the compiler calls (`blocks`) do the same, but first look at alignment and length.

use core::arch::naked_asm;

/// Clears a page; 175 ns.
///
/// # Safety
/// `dst` is a page of 4 KiB, mapped for writing, and nobody has a reference into it.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn clear(dst: *mut u8) {
    naked_asm!(
        "push {{r4-r9, lr}}",
        "mov r1, #16",
        "mov r2, #0",
        "mov r3, #0",
        "mov r4, #0",
        "mov r5, #0",
        "mov r6, #0",
        "mov r7, #0",
        "mov r8, #0",
        "mov r9, #0",
        "1:",
        ".rept 8",
        "stmia r0!, {{r2-r9}}",
        ".endr",
        "subs r1, r1, #1",
        "bne 1b",
        "pop {{r4-r9, pc}}",
    )
}

/// Copies a page; 303 ns.
///
/// # Safety
/// Both are pages of 4 KiB, mapped, `dst` for writing, and nobody has a reference into `dst`.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn copy(dst: *mut u8, src: *const u8) {
    naked_asm!(
        "push {{r4-r10, lr}}",
        "mov r2, #16",
        "1:",
        ".rept 8",
        "ldmia r1!, {{r3-r10}}",
        "stmia r0!, {{r3-r10}}",
        ".endr",
        "subs r2, r2, #1",
        "bne 1b",
        "pop {{r4-r10, pc}}",
    )
}
