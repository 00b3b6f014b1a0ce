//! seL4's own interface, as C has it: same names, same numbers, nothing added. Generated at build time.
//!
//! Everything that the kernel's interface files define is generated from them by `sel4-generate`: system call numbers,
//! labels, a function per method, bit fields, error numbers, fault layouts. By hand are only the system calls themselves
//! (a few instructions that no interface file contains) and the structures that C declares as such; sizes and offsets of
//! the latter are checked when this crate is compiled.
//!
//! Use the crate `sel4` instead; it gives this interface types. What is here is for that crate, and for the day when
//! something is missing there.
//!
//! # Safety
//! Every function that enters the kernel or touches the message buffer is `unsafe`, for three reasons:
//!
//! 1. **The thread's message buffer.** Words beyond the fourth, capabilities and what the kernel writes back travel
//!    through memory whose address is in TPIDRURW. The calling thread must have been started with a message buffer that is
//!    mapped readable and writable at that address, and no Rust reference to it may exist during the call.
//! 2. **Memory.** Methods that map, unmap or delete frames, change a thread's registers or its address space can take
//!    memory away from under references, or make two threads use one stack. Whoever calls them vouches that no reference,
//!    in whatever address space, is broken by it.
//! 3. **What other threads do** with what they are sent is theirs to answer for; the kernel keeps them from memory that
//!    they have no capability to.
//!
//! A wrong capability, label or length is not unsafe: the kernel checks all of them, and answers with an error or a fault.
//!
//! On other processors the system calls lead to the module `scripted`, a kernel that records what it is asked and answers what a test
//! tells it to, so that the crate `sel4` is tested on the host.
#![cfg_attr(target_arch = "arm", no_std)]
#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]

mod buffer;
#[cfg(feature = "faults")]
pub mod faults;
mod layout;
#[cfg(not(target_arch = "arm"))]
pub mod scripted;
#[cfg(target_arch = "arm")]
mod system_call;

pub use buffer::*;
pub use layout::*;
#[cfg(not(target_arch = "arm"))]
pub use scripted::system_call::*;
#[cfg(target_arch = "arm")]
pub use system_call::*;

/// A word of the machine.
pub type seL4_Word = u32;
/// An address in the caller's capability space.
pub type seL4_CPtr = seL4_Word;
/// Why a method was refused; `seL4_NoError` if it was not.
pub type seL4_Error = seL4_Word;

/// Calls a method of an object: as [`seL4_CallWithMRs`], but that it may be refused on purpose, with the feature `faults`.
///
/// # Safety
/// See the section on safety in this crate's documentation.
#[inline(always)]
pub unsafe fn invoke(
    service: seL4_CPtr,
    tag: seL4_MessageInfo_t,
    words: [seL4_Word; 4],
) -> (seL4_MessageInfo_t, [seL4_Word; 4]) {
    #[cfg(feature = "faults")]
    if let Some(refused) = faults::next() {
        return refused;
    }
    // SAFETY: the caller vouches.
    unsafe { seL4_CallWithMRs(service, tag, words) }
}

/// Names of what a capability is expected to refer to; the kernel finds out whether it does.
mod capabilities {
    use super::seL4_CPtr;

    macro_rules! capabilities {
        ($($name:ident)*) => { $(
            #[doc = concat!("A capability to what C calls a `", stringify!($name), "`.")]
            pub type $name = seL4_CPtr;
        )* };
    }

    capabilities! {
        seL4_CNode seL4_IRQHandler seL4_IRQControl seL4_TCB seL4_Untyped seL4_DomainSet
        seL4_ARM_Page seL4_ARM_PageTable seL4_ARM_PageDirectory seL4_ARM_ASIDControl seL4_ARM_ASIDPool
        seL4_ARM_VCPU seL4_ARM_IOSpace seL4_ARM_IOPageTable
    }
}
pub use capabilities::*;

/// What `sel4-generate` wrote.
#[allow(
    clippy::too_many_arguments,
    clippy::precedence,
    clippy::identity_op,
    clippy::unnecessary_cast,
    clippy::erasing_op,
    clippy::let_and_return,
    clippy::missing_safety_doc
)]
mod generated {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}
pub use generated::*;
