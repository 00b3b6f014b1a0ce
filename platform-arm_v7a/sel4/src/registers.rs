//! A thread's registers.
//!
//! Registers are saved where a thread enters the kernel, so what they say of a thread in a system call needs reading. A is
//! the address of its `swi`:
//!
//! | the thread | pc | when it, or another with these registers, is resumed |
//! |---|---|---|
//! | was in user code | exact | it goes on |
//! | is in a call, not yet received | A, registers as before | it sends, once |
//! | is in a call, received, not answered | the same | it sends again; suspending it takes the answer away from the server |
//! | receives or waits | A | it receives or waits again |
//! | is in `reply_recv`, receiving | A | the answer goes nowhere, it receives again |
//! | was stopped by a memory fault | the faulting instruction | it faults again |
//! | was answered, or got a message or signal, and has not run since | A + 4, results in r0 to r5 | it goes on |
//! | sent or signalled, and gave way to the receiver | A + 4 | it goes on |
//!
//! The last two hold with this project's patch 0001; without it the pc is A although the results are there, and the call is
//! made twice. The registers do not tell the second row from the third. An answer can be written: pc = A + 4, r0 = 0, r1 =
//! message info, r2 to r5 = words.

use core::mem::{offset_of, size_of};

use sel4_raw as raw;

/// What user code has in registers, in the kernel's order. Stands for `seL4_UserContext` (manual, section 6.1.5).
///
/// TPIDRURW is not among them: the kernel sets it to the address of the message buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserContext {
    /// Program counter (r15). Of a thread in a system call: see this module's table.
    pub pc: u32,
    /// Stack pointer (r13).
    pub sp: u32,
    /// Status: flags; on writing the kernel forces user mode and ARM state.
    pub cpsr: u32,
    /// Capability of a call, badge after it.
    pub r0: u32,
    /// Message info.
    pub r1: u32,
    /// r8.
    pub r8: u32,
    /// r9.
    pub r9: u32,
    /// r10.
    pub r10: u32,
    /// Frame pointer.
    pub r11: u32,
    /// r12.
    pub r12: u32,
    /// Word 0 of a message.
    pub r2: u32,
    /// Word 1 of a message.
    pub r3: u32,
    /// Word 2 of a message.
    pub r4: u32,
    /// Word 3 of a message.
    pub r5: u32,
    /// r6.
    pub r6: u32,
    /// Number of a system call.
    pub r7: u32,
    /// Return address (r14).
    pub lr: u32,
}

const _: () = {
    assert!(size_of::<UserContext>() == size_of::<raw::seL4_UserContext>());
    assert!(UserContext::WORDS * 4 == size_of::<UserContext>());
    macro_rules! same {
        ($($name:ident)*) => {
            $(assert!(offset_of!(UserContext, $name) == offset_of!(raw::seL4_UserContext, $name));)*
        };
    }
    same!(pc sp cpsr r0 r1 r8 r9 r10 r11 r12 r2 r3 r4 r5 r6 r7);
    assert!(offset_of!(UserContext, lr) == offset_of!(raw::seL4_UserContext, r14));
};

impl UserContext {
    /// How many registers there are.
    pub const WORDS: usize = 17;

    /// The registers in the kernel's order.
    pub const fn to_words(self) -> [u32; Self::WORDS] {
        let Self { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr } = self;
        [pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr]
    }

    /// The registers from the kernel's order.
    pub const fn from_words(words: [u32; Self::WORDS]) -> Self {
        let [pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr] = words;
        Self { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr }
    }

    /// Whether a thread with these registers enters the kernel by this instruction at its pc, whatever the flags are: `svc`
    /// (ARM ARM A8.8.228), whose immediate the kernel does not look at. In another state than ARM the same word is
    /// something else.
    pub const fn enters_kernel(&self, instruction: u32) -> bool {
        self.cpsr & STATE == 0 && self.pc.is_multiple_of(4) && instruction >> 24 == 0xef
    }
}

/// The bits of the status that tell the instruction set: J and T (ARM ARM A2.5.1). Both are 0 in ARM state.
const STATE: u32 = 1 << 24 | 1 << 5;

/// What a thread asks of the kernel: r7 at the instruction that enters it (manual, section 2.2; `syscall.xml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemCall {
    /// `seL4_Call`.
    Call,
    /// `seL4_Recv`.
    Recv,
}

impl SystemCall {
    /// What r7 holds.
    pub const fn number(self) -> u32 {
        match self {
            Self::Call => raw::seL4_SysCall as u32,
            Self::Recv => raw::seL4_SysRecv as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER_MODE: u32 = 0x10;
    const SVC: u32 = 0xef00_0000;

    fn enters(pc: u32, cpsr: u32, instruction: u32) -> bool {
        UserContext { pc, cpsr, ..UserContext::default() }.enters_kernel(instruction)
    }

    #[test]
    fn svc_enters_the_kernel() {
        assert!(enters(0x8000, USER_MODE, SVC) && enters(0x8000, 0xf000_0000 | USER_MODE, SVC | 0x12_3456));
        // If the flags are so; an undefined instruction; `b .`.
        assert!(![0x0f00_0000, 0xff00_0000, 0xeaff_fffe].iter().any(|&other| enters(0x8000, USER_MODE, other)));
    }

    #[test]
    fn what_is_no_svc_in_another_state_does_not() {
        // In Thumb state the lower half is `b .`.
        const TRAP: u32 = 0xef00_e7fe;
        assert!(enters(0x8000, USER_MODE, TRAP));
        for state in [1 << 5, 1 << 24, STATE] {
            assert!(!enters(0x8000, USER_MODE | state, TRAP));
        }
        assert!((1..4).all(|beside| !enters(0x8000 + beside, USER_MODE, TRAP)));
    }
}
