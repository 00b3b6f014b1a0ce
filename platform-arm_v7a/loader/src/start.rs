//! The first instructions.

use core::arch::global_asm;

// Interrupts stay off until the kernel takes them. All processors but the first wait for ever: the kernel of this
// version runs on one. Components cannot use ThumbEE's base register, which the kernel keeps for no thread, so that nobody
// leaves something there for others (TEECR.XED, ARM ARM B4.1.147). The stack grows down from STACK_TOP, in the loader's own .bss.
global_asm!(
    r#"
    .section .text.start, "ax"
    .arm
    .global _start
_start:
    cpsid   if
    mrc     p15, 0, r0, c0, c0, 5
    ands    r0, r0, #0xff
1:  wfene
    bne     1b
    mov     r0, #1
    mcr     p14, 6, r0, c0, c0, 0
    ldr     sp, ={stack}
    add     sp, sp, #{size}
    mov     r11, #0
    bl      {main}
2:  b       2b
    "#,
    stack = sym STACK,
    size = const STACK_SIZE,
    main = sym entry,
);

const STACK_SIZE: usize = 64 * 1024;

#[repr(C, align(16))]
struct Stack(core::cell::UnsafeCell<[u8; STACK_SIZE]>);

// SAFETY: touched by the one running processor only, as its stack.
unsafe impl Sync for Stack {}

static STACK: Stack = Stack(core::cell::UnsafeCell::new([0; STACK_SIZE]));

extern "C" fn entry() -> ! {
    crate::main()
}
