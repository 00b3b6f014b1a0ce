//! Entering the kernel: `libsel4/sel4_arch_include/aarch32/sel4/sel4_arch/syscalls.h`.
//!
//! The number goes into r7, the capability into r0 (from where the badge comes back), the message info into r1, the first
//! four words into r2 to r5; `swi 0` enters, and the kernel leaves all other registers and the flags alone. The caller
//! must be in ARM state, which the target's code is: the kernel computes restart addresses for it only.
//!
//! r7 can be an operand since the frame pointer is r11 in ARM state; r6, which compilers may reserve, is not touched.
//! Where a function does not send words, their registers are outputs only, so that nothing is loaded for nothing.

use core::arch::asm;

use crate::*;

/// Sends and waits for the answer. `seL4_CallWithMRs` of C, with the words by value.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_CallWithMRs(
    dest: seL4_CPtr,
    info: seL4_MessageInfo_t,
    mut words: [seL4_Word; 4],
) -> (seL4_MessageInfo_t, [seL4_Word; 4]) {
    let mut info = info.words[0];
    // SAFETY: the registers are those of the convention above; the caller vouches for the rest.
    unsafe {
        asm!(
            "swi 0",
            inlateout("r0") dest => _,
            inlateout("r1") info,
            inlateout("r2") words[0],
            inlateout("r3") words[1],
            inlateout("r4") words[2],
            inlateout("r5") words[3],
            in("r7") seL4_SysCall,
            options(nostack, preserves_flags)
        );
    }
    (seL4_MessageInfo_t { words: [info] }, words)
}

/// Answers the last caller, then receives: message info, words, badge.
///
/// Where a signal of the bound notification arrives instead of a message, the kernel sets the badge only, and info and
/// words are those that went in.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_ReplyRecvWithMRs(
    src: seL4_CPtr,
    info: seL4_MessageInfo_t,
    mut words: [seL4_Word; 4],
) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
    let mut info = info.words[0];
    let badge;
    // SAFETY: the registers are those of the convention above; the caller vouches for the rest.
    unsafe {
        asm!(
            "swi 0",
            inlateout("r0") src => badge,
            inlateout("r1") info,
            inlateout("r2") words[0],
            inlateout("r3") words[1],
            inlateout("r4") words[2],
            inlateout("r5") words[3],
            in("r7") seL4_SysReplyRecv,
            options(nostack, preserves_flags)
        );
    }
    (seL4_MessageInfo_t { words: [info] }, words, badge)
}

macro_rules! receive {
    ($(#[$doc:meta])* $name:ident, $number:ident) => {
        $(#[$doc])*
        ///
        /// `before` is what the message info register holds when the kernel is entered; it comes back where the kernel
        /// sets the badge only.
        ///
        /// # Safety
        /// See the section on safety in this crate's documentation.
        #[inline(always)]
        pub unsafe fn $name(
            src: seL4_CPtr,
            before: seL4_MessageInfo_t,
        ) -> (seL4_MessageInfo_t, [seL4_Word; 4], seL4_Word) {
            let mut info = before.words[0];
            let (badge, word0, word1, word2, word3);
            // SAFETY: the registers are those of the convention above; the caller vouches for the rest.
            unsafe {
                asm!(
                    "swi 0",
                    inlateout("r0") src => badge,
                    inlateout("r1") info,
                    lateout("r2") word0,
                    lateout("r3") word1,
                    lateout("r4") word2,
                    lateout("r5") word3,
                    in("r7") $number,
                    options(nostack, preserves_flags)
                );
            }
            (seL4_MessageInfo_t { words: [info] }, [word0, word1, word2, word3], badge)
        }
    };
}

receive! {
    /// Receives: message info, words, badge. Also `seL4_Wait`.
    seL4_RecvWithMRs, seL4_SysRecv
}
receive! {
    /// Receives if there is something to receive, else the badge is 0. Also `seL4_Poll`.
    seL4_NBRecvWithMRs, seL4_SysNBRecv
}

macro_rules! send {
    ($(#[$doc:meta])* $name:ident, $number:ident) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// See the section on safety in this crate's documentation.
        #[inline(always)]
        pub unsafe fn $name(dest: seL4_CPtr, info: seL4_MessageInfo_t, words: [seL4_Word; 4]) {
            // SAFETY: the registers are those of the convention above; the caller vouches for the rest.
            unsafe {
                asm!(
                    "swi 0",
                    inlateout("r0") dest => _,
                    inlateout("r1") info.words[0] => _,
                    inlateout("r2") words[0] => _,
                    inlateout("r3") words[1] => _,
                    inlateout("r4") words[2] => _,
                    inlateout("r5") words[3] => _,
                    in("r7") $number,
                    options(nostack, preserves_flags)
                );
            }
        }
    };
}

send! {
    /// Sends, and waits until the message is received.
    seL4_SendWithMRs, seL4_SysSend
}
send! {
    /// Sends if somebody waits for it; says nothing about whether anybody did.
    seL4_NBSendWithMRs, seL4_SysNBSend
}

/// Answers the last caller. Without one nothing happens.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_ReplyWithMRs(info: seL4_MessageInfo_t, words: [seL4_Word; 4]) {
    // SAFETY: the registers are those of the convention above; the caller vouches for the rest. r0 is no argument.
    unsafe {
        asm!(
            "swi 0",
            lateout("r0") _,
            inlateout("r1") info.words[0] => _,
            inlateout("r2") words[0] => _,
            inlateout("r3") words[1] => _,
            inlateout("r4") words[2] => _,
            inlateout("r5") words[3] => _,
            in("r7") seL4_SysReply,
            options(nostack, preserves_flags)
        );
    }
}

/// Signals a notification: a send without a message.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_Signal(dest: seL4_CPtr) {
    // SAFETY: the registers are those of the convention above; the caller vouches for the rest.
    unsafe {
        asm!(
            "swi 0",
            inlateout("r0") dest => _,
            inlateout("r1") 0 => _,
            in("r7") seL4_SysSend,
            options(nostack, preserves_flags)
        );
    }
}

/// Gives the rest of the time slice to threads of the same priority.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn seL4_Yield() {
    // SAFETY: the registers are those of the convention above.
    unsafe { asm!("swi 0", in("r7") seL4_SysYield, options(nostack, preserves_flags)) }
}
