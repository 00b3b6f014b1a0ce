//! The messages that the kernel sends in the name of a thread that faults (manual, section 6.2).
//!
//! They go to the endpoint that the thread has as fault endpoint; an answer with label 0 lets the thread go on.

use sel4_raw as raw;

use crate::Message;

/// Why a thread cannot go on. Stands for `seL4_Fault_t`; labels and the order of words are the kernel's, from its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It used a capability that is not there (label 1; manual, section 6.2.1).
    Capability {
        /// Where it will go on: at the system call.
        pc: u32,
        /// The number of the slot.
        number: u32,
        /// Whether it was about to receive, else to send.
        receiving: bool,
        /// What is wrong with the path.
        failure: LookupFailure,
    },
    /// It made a system call that the kernel does not know (label 2; manual, section 6.2.2).
    SystemCall {
        /// Where it is: at the call.
        pc: u32,
        /// Its stack pointer.
        sp: u32,
        /// Its return address.
        lr: u32,
        /// Its status register.
        cpsr: u32,
        /// Its registers r0 to r7.
        registers: [u32; 8],
        /// The number.
        number: u32,
    },
    /// It ran an instruction that does not exist or is not allowed (label 3; manual, section 6.2.3). The floating-point
    /// unit is never allowed.
    Exception {
        /// The instruction.
        pc: u32,
        /// Its stack pointer.
        sp: u32,
        /// Its status register.
        cpsr: u32,
        /// The kernel's number for the exception.
        number: u32,
        /// A code for it.
        code: u32,
    },
    /// It accessed memory that is not mapped, or not so (label 5; manual, section 6.2.6).
    Memory {
        /// The instruction.
        pc: u32,
        /// The address that it accessed.
        address: u32,
        /// Whether it was to fetch an instruction.
        fetch: bool,
        /// The fault status register (ARM ARM B4.1.52): bit 11 for a write, 5 and 7 for not mapped, 13 and 15 for not
        /// allowed.
        status: u32,
    },
}

/// What is wrong with a path to a slot. Stands for `seL4_LookupFailureType` (manual, section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupFailure {
    /// The thread has no capability space.
    InvalidRoot,
    /// The slot is empty.
    MissingCapability {
        /// How many bits of the number were not resolved yet.
        bits_left: u32,
    },
    /// The path ends too early or too late.
    DepthMismatch {
        /// How many bits of the number were not resolved yet.
        bits_left: u32,
        /// How many the CNode there resolves.
        bits_found: u32,
    },
    /// The number does not have the bits that a CNode's guard asks for.
    GuardMismatch {
        /// How many bits of the number were not resolved yet.
        bits_left: u32,
        /// The guard.
        guard: u32,
        /// How many bits the guard has.
        guard_bits: u32,
    },
}

impl Fault {
    /// The fault that a message just received tells of; none if its label is none of the kernel's, or its words are
    /// fewer than such a fault has.
    ///
    /// Anybody with a capability to the endpoint can send such a message: whether it is the kernel's is told by the badge,
    /// which must be one that only fault endpoint capabilities have.
    pub fn decode(message: &Message) -> Option<Self> {
        let word = |index: u32| message.word(index as usize);
        match message.label() {
            raw::seL4_Fault_CapFault => Some(Self::Capability {
                pc: word(raw::seL4_CapFault_IP)?,
                number: word(raw::seL4_CapFault_Addr)?,
                receiving: word(raw::seL4_CapFault_InRecvPhase)? != 0,
                failure: LookupFailure::decode(word(raw::seL4_CapFault_LookupFailureType)?, word)?,
            }),
            raw::seL4_Fault_UnknownSyscall => {
                let mut registers = [0; 8];
                for (index, register) in (raw::seL4_UnknownSyscall_R0..).zip(&mut registers) {
                    *register = word(index)?;
                }
                Some(Self::SystemCall {
                    pc: word(raw::seL4_UnknownSyscall_FaultIP)?,
                    sp: word(raw::seL4_UnknownSyscall_SP)?,
                    lr: word(raw::seL4_UnknownSyscall_LR)?,
                    cpsr: word(raw::seL4_UnknownSyscall_CPSR)?,
                    registers,
                    number: word(raw::seL4_UnknownSyscall_Syscall)?,
                })
            }
            raw::seL4_Fault_UserException => Some(Self::Exception {
                pc: word(raw::seL4_UserException_FaultIP)?,
                sp: word(raw::seL4_UserException_SP)?,
                cpsr: word(raw::seL4_UserException_CPSR)?,
                number: word(raw::seL4_UserException_Number)?,
                code: word(raw::seL4_UserException_Code)?,
            }),
            raw::seL4_Fault_VMFault => Some(Self::Memory {
                pc: word(raw::seL4_VMFault_IP)?,
                address: word(raw::seL4_VMFault_Addr)?,
                fetch: word(raw::seL4_VMFault_PrefetchFault)? != 0,
                status: word(raw::seL4_VMFault_FSR)?,
            }),
            _ => None,
        }
    }

    /// Where the thread was.
    pub const fn pc(&self) -> u32 {
        match *self {
            Self::Capability { pc, .. }
            | Self::SystemCall { pc, .. }
            | Self::Exception { pc, .. }
            | Self::Memory { pc, .. } => pc,
        }
    }
}

impl LookupFailure {
    fn decode(kind: u32, word: impl Fn(u32) -> Option<u32>) -> Option<Self> {
        match kind {
            raw::seL4_InvalidRoot => Some(Self::InvalidRoot),
            raw::seL4_MissingCapability => {
                Some(Self::MissingCapability { bits_left: word(raw::seL4_CapFault_BitsLeft)? })
            }
            raw::seL4_DepthMismatch => Some(Self::DepthMismatch {
                bits_left: word(raw::seL4_CapFault_BitsLeft)?,
                bits_found: word(raw::seL4_CapFault_DepthMismatch_BitsFound)?,
            }),
            raw::seL4_GuardMismatch => Some(Self::GuardMismatch {
                bits_left: word(raw::seL4_CapFault_BitsLeft)?,
                guard: word(raw::seL4_CapFault_GuardMismatch_GuardFound)?,
                guard_bits: word(raw::seL4_CapFault_GuardMismatch_BitsFound)?,
            }),
            _ => None,
        }
    }
}
