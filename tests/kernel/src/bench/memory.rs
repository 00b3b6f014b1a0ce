//! What memory costs to touch: the floor for everything that copies, clears or compares pages.
//!
//! The routines are written in assembly, eight words at a time, so that a figure does not depend on a compiler's choice;
//! `memcpy` stands beside them as the compiler's library has it.

use core::{arch::naked_asm, hint::black_box, ptr};

use ground::Failure;
use sel4::{FrameSize, Rights};
use wire::layout::PAGE;

use crate::meter::Meter;

const ROUNDS: u32 = 256;

/// All of them.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    let address = meter.ground.megabyte()?;
    for page in [address, address + PAGE] {
        meter.ground.frame(FrameSize::Small)?.map(page, Rights::READ_WRITE)?;
    }
    let (dst, src) = (address as *mut u32, (address + PAGE) as *const u32);
    meter.each("memory/clear 4 KiB with stm", ROUNDS, |_| {
        // SAFETY: a page that nothing refers to, here and below.
        unsafe { clear(dst) };
        Ok(())
    })?;
    meter.each("memory/copy 4 KiB with ldm and stm", ROUNDS, |_| {
        // SAFETY: see above.
        unsafe { copy(dst, src) };
        Ok(())
    })?;
    meter.each("memory/copy 4 KiB with memcpy", ROUNDS, |_| {
        // SAFETY: see above.
        unsafe { ptr::copy_nonoverlapping(black_box(src), black_box(dst), PAGE as usize / 4) };
        Ok(())
    })?;
    meter.each("memory/copy 4 KiB word by word", ROUNDS, |_| {
        // SAFETY: see above.
        unsafe { copy_words(dst, src) };
        Ok(())
    })?;
    meter.each("memory/copy 4 KiB with a Fletcher checksum", ROUNDS, |_| {
        // SAFETY: see above.
        black_box(unsafe { copy_and_sum(dst, src) });
        Ok(())
    })?;
    meter.each("memory/test 4 KiB for zero", ROUNDS, |_| {
        // SAFETY: see above.
        black_box(unsafe { any(src) });
        Ok(())
    })
}

/// Clears a page.
#[unsafe(naked)]
unsafe extern "C" fn clear(dst: *mut u32) {
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

/// Copies a page.
#[unsafe(naked)]
unsafe extern "C" fn copy(dst: *mut u32, src: *const u32) {
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

/// Copies a page one word at a time.
#[unsafe(naked)]
unsafe extern "C" fn copy_words(dst: *mut u32, src: *const u32) {
    naked_asm!("mov r2, #1024", "1:", "ldr r3, [r1], #4", "str r3, [r0], #4", "subs r2, r2, #1", "bne 1b", "bx lr",)
}

/// Copies a page and returns the exclusive or of the two sums of a Fletcher checksum of 32-bit words.
#[unsafe(naked)]
unsafe extern "C" fn copy_and_sum(dst: *mut u32, src: *const u32) -> u32 {
    naked_asm!(
        "push {{r4-r11, lr}}",
        "mov r2, #128",
        "mov r12, #0",
        "mov lr, #0",
        "1:",
        "ldmia r1!, {{r3-r10}}",
        "stmia r0!, {{r3-r10}}",
        ".irp word, r3, r4, r5, r6, r7, r8, r9, r10",
        "add r12, r12, \\word",
        "add lr, lr, r12",
        ".endr",
        "subs r2, r2, #1",
        "bne 1b",
        "eor r0, r12, lr",
        "pop {{r4-r11, pc}}",
    )
}

/// The inclusive or of all words of a page.
#[unsafe(naked)]
unsafe extern "C" fn any(src: *const u32) -> u32 {
    naked_asm!(
        "push {{r4-r10, lr}}",
        "mov r1, #128",
        "mov r2, #0",
        "1:",
        "ldmia r0!, {{r3-r10}}",
        ".irp word, r3, r4, r5, r6, r7, r8, r9, r10",
        "orr r2, r2, \\word",
        ".endr",
        "subs r1, r1, #1",
        "bne 1b",
        "mov r0, r2",
        "pop {{r4-r10, pc}}",
    )
}
