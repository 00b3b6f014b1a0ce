//! Why the kernel refused a call.

use core::fmt;

use sel4_raw as raw;

/// Why the kernel refused a call. Stands for `seL4_Error` (manual, section 10.1); the numbers are
/// checked against the kernel's when this crate is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Error {
    /// A value is not allowed here (not: out of range).
    InvalidArgument = 1,
    /// A capability that was passed along is not of the kind asked for, or lacks a right.
    InvalidCapability = 2,
    /// The object does not do this, or not in its present state.
    IllegalOperation = 3,
    /// A number is outside its range.
    RangeError = 4,
    /// An address is not aligned as it must be.
    AlignmentError = 5,
    /// A path leads nowhere: through a slot that holds no CNode, to a page table that is not there.
    FailedLookup = 6,
    /// The message holds too few words or capabilities.
    TruncatedMessage = 7,
    /// What would be overwritten must be deleted first.
    DeleteFirst = 8,
    /// What was derived must be revoked first.
    RevokeFirst = 9,
    /// The untyped object has too little left.
    NotEnoughMemory = 10,
    /// The answer is none that the kernel gives: the slot holds an endpoint, and a program answered.
    Foreign = 11,
}

const _: () = {
    assert!(raw::seL4_NoError == 0);
    assert!(Error::InvalidArgument as u32 == raw::seL4_InvalidArgument);
    assert!(Error::InvalidCapability as u32 == raw::seL4_InvalidCapability);
    assert!(Error::IllegalOperation as u32 == raw::seL4_IllegalOperation);
    assert!(Error::RangeError as u32 == raw::seL4_RangeError);
    assert!(Error::AlignmentError as u32 == raw::seL4_AlignmentError);
    assert!(Error::FailedLookup as u32 == raw::seL4_FailedLookup);
    assert!(Error::TruncatedMessage as u32 == raw::seL4_TruncatedMessage);
    assert!(Error::DeleteFirst as u32 == raw::seL4_DeleteFirst);
    assert!(Error::RevokeFirst as u32 == raw::seL4_RevokeFirst);
    assert!(Error::NotEnoughMemory as u32 == raw::seL4_NotEnoughMemory);
    assert!(Error::Foreign as u32 == raw::seL4_NumErrors);
};

impl Error {
    /// The result that a label stands for.
    #[inline]
    pub(crate) const fn check(label: raw::seL4_Error) -> Result<(), Self> {
        Err(match label {
            raw::seL4_NoError => return Ok(()),
            raw::seL4_InvalidArgument => Self::InvalidArgument,
            raw::seL4_InvalidCapability => Self::InvalidCapability,
            raw::seL4_IllegalOperation => Self::IllegalOperation,
            raw::seL4_RangeError => Self::RangeError,
            raw::seL4_AlignmentError => Self::AlignmentError,
            raw::seL4_FailedLookup => Self::FailedLookup,
            raw::seL4_TruncatedMessage => Self::TruncatedMessage,
            raw::seL4_DeleteFirst => Self::DeleteFirst,
            raw::seL4_RevokeFirst => Self::RevokeFirst,
            raw::seL4_NotEnoughMemory => Self::NotEnoughMemory,
            _ => Self::Foreign,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidArgument => "the kernel does not allow this value",
            Self::InvalidCapability => "a capability is of the wrong kind or lacks a right",
            Self::IllegalOperation => "the object does not do this, or not now",
            Self::RangeError => "a number is out of range",
            Self::AlignmentError => "an address is not aligned",
            Self::FailedLookup => "a path leads nowhere",
            Self::TruncatedMessage => "the message is too short",
            Self::DeleteFirst => "the place is taken",
            Self::RevokeFirst => "something was derived that must be revoked first",
            Self::NotEnoughMemory => "the untyped object has too little left",
            Self::Foreign => "the answer is not the kernel's; the slot holds an endpoint",
        })
    }
}

impl core::error::Error for Error {}
