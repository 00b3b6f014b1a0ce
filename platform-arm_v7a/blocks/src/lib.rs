//! Copying and filling memory, as the compiler calls it (Run-time ABI for the ARM architecture, section 4.3.4).
//!
//! Eight words at a time where both ends are aligned alike; words put together from two otherwise. Nothing is read or
//! written beyond what is asked for, except that an aligned word of which some byte is asked for may be read whole.
//! Accesses of words are aligned, so that any kind of memory will do.
#![no_std]

// r0 destination, r1 source, r2 bytes; r12 goes through the destination, since memcpy returns it.
#[cfg(target_arch = "arm")]
core::arch::global_asm!(
    r#"
    .section .text.blocks_copy, "ax"
    .arm
    .balign 16
    .global memcpy
    .global __aeabi_memcpy
    .global __aeabi_memcpy4
    .global __aeabi_memcpy8
    .type memcpy, %function
    .type __aeabi_memcpy, %function
    .type __aeabi_memcpy4, %function
    .type __aeabi_memcpy8, %function
memcpy:
__aeabi_memcpy:
    mov     r12, r0
    cmp     r2, #8
    blo     .Lcopy_bytes
    // The destination to a word boundary.
.Lcopy_align:
    tst     r12, #3
    ldrbne  r3, [r1], #1
    strbne  r3, [r12], #1
    subne   r2, r2, #1
    bne     .Lcopy_align
    ands    r3, r1, #3
    bne     .Lcopy_shifted
    b       .Lcopy_aligned

__aeabi_memcpy4:
__aeabi_memcpy8:
    mov     r12, r0
.Lcopy_aligned:
    subs    r2, r2, #32
    blo     2f
    push    {{r4-r10, lr}}
1:
    ldmia   r1!, {{r3-r10}}
    subs    r2, r2, #32
    stmia   r12!, {{r3-r10}}
    bhs     1b
    pop     {{r4-r10, lr}}
2:
    add     r2, r2, #32
.Lcopy_words:
    subs    r2, r2, #4
    ldrhs   r3, [r1], #4
    strhs   r3, [r12], #4
    bhi     .Lcopy_words
    bxeq    lr
    add     r2, r2, #4
.Lcopy_bytes:
    subs    r2, r2, #1
    ldrbhs  r3, [r1], #1
    strbhs  r3, [r12], #1
    bhi     .Lcopy_bytes
    bx      lr

    // The source is one, two or three bytes behind a word boundary: words from two halves.
    .macro  shifted behind
    lsr     r4, r4, #(8 * \behind)
    ldmia   r1!, {{r5-r8}}
    orr     r4, r4, r5, lsl #(32 - 8 * \behind)
    lsr     r5, r5, #(8 * \behind)
    orr     r5, r5, r6, lsl #(32 - 8 * \behind)
    lsr     r6, r6, #(8 * \behind)
    orr     r6, r6, r7, lsl #(32 - 8 * \behind)
    lsr     r7, r7, #(8 * \behind)
    orr     r7, r7, r8, lsl #(32 - 8 * \behind)
    subs    r2, r2, #16
    stmia   r12!, {{r4-r7}}
    mov     r4, r8
    .endm

.Lcopy_shifted:
    subs    r2, r2, #16
    blo     6f
    push    {{r4-r8, lr}}
    sub     r1, r1, r3
    ldr     r4, [r1], #4
    cmp     r3, #2
    beq     4f
    bhi     5f
3:
    shifted 1
    bhs     3b
    sub     r1, r1, #3
    pop     {{r4-r8, lr}}
    b       6f
4:
    shifted 2
    bhs     4b
    sub     r1, r1, #2
    pop     {{r4-r8, lr}}
    b       6f
5:
    shifted 3
    bhs     5b
    sub     r1, r1, #1
    pop     {{r4-r8, lr}}
6:
    add     r2, r2, #16
    b       .Lcopy_bytes
    .size memcpy, . - memcpy
    .size __aeabi_memcpy, . - __aeabi_memcpy
    .size __aeabi_memcpy4, . - __aeabi_memcpy4
    .size __aeabi_memcpy8, . - __aeabi_memcpy8
    "#
);

// memset takes destination, byte, length; the ABI's own take destination, length, byte.
#[cfg(target_arch = "arm")]
core::arch::global_asm!(
    r#"
    .section .text.blocks_fill, "ax"
    .arm
    .balign 16
    .global memset
    .global __aeabi_memset
    .global __aeabi_memset4
    .global __aeabi_memset8
    .global __aeabi_memclr
    .global __aeabi_memclr4
    .global __aeabi_memclr8
    .type memset, %function
    .type __aeabi_memset, %function
    .type __aeabi_memset4, %function
    .type __aeabi_memset8, %function
    .type __aeabi_memclr, %function
    .type __aeabi_memclr4, %function
    .type __aeabi_memclr8, %function
__aeabi_memclr:
__aeabi_memclr4:
__aeabi_memclr8:
    mov     r2, #0
__aeabi_memset:
__aeabi_memset4:
__aeabi_memset8:
    mov     r3, r1
    mov     r1, r2
    mov     r2, r3
memset:
    mov     r12, r0
    cmp     r2, #8
    blo     .Lfill_bytes
.Lfill_align:
    tst     r12, #3
    strbne  r1, [r12], #1
    subne   r2, r2, #1
    bne     .Lfill_align
    and     r1, r1, #255
    orr     r1, r1, r1, lsl #8
    orr     r1, r1, r1, lsl #16
    subs    r2, r2, #32
    blo     2f
    push    {{r4-r9, lr}}
    mov     r3, r1
    mov     r4, r1
    mov     r5, r1
    mov     r6, r1
    mov     r7, r1
    mov     r8, r1
    mov     r9, r1
1:
    subs    r2, r2, #32
    stmia   r12!, {{r1, r3-r9}}
    bhs     1b
    pop     {{r4-r9, lr}}
2:
    add     r2, r2, #32
3:
    subs    r2, r2, #4
    strhs   r1, [r12], #4
    bhi     3b
    bxeq    lr
    add     r2, r2, #4
.Lfill_bytes:
    subs    r2, r2, #1
    strbhs  r1, [r12], #1
    bhi     .Lfill_bytes
    bx      lr
    .size memset, . - memset
    .size __aeabi_memset, . - __aeabi_memset
    .size __aeabi_memset4, . - __aeabi_memset4
    .size __aeabi_memset8, . - __aeabi_memset8
    .size __aeabi_memclr, . - __aeabi_memclr
    .size __aeabi_memclr4, . - __aeabi_memclr4
    .size __aeabi_memclr8, . - __aeabi_memclr8
    "#
);
