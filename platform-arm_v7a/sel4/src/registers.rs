//! A thread's registers.

use core::mem::{offset_of, size_of};

use sel4_raw as raw;

/// What user code has in registers, in the kernel's order. Stands for `seL4_UserContext` (manual, section 6.1.5).
///
/// TPIDRURW is not among them: the kernel sets it to the address of the message buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserContext {
    /// Program counter (r15). Of a thread in a system call: where it will go on; see the table in the reference on threads.
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
}
