//! How a request ended.

use core::{fmt, num::NonZeroU8};

/// How a request ended, as told in the reply's label.
///
/// The kernel's own labels (faults 1 to 5, errors 0 to 10) are none of these, and are read as [`Status::Foreign`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Done,
    /// The server does not know the operation.
    UnknownOperation,
    /// The words are not what the operation takes.
    Malformed,
    /// Whoever serves the session does not allow or does not support the operation.
    Refused,
    /// Whoever would have answered is gone for good; nobody knows whether it did what it was asked for.
    PeerGone,
    /// Accepted, not done: whoever serves the session rings when there is more to say.
    Pending,
    /// The request was on its way at the time of the checkpoint from which the caller has been restored, and is not
    /// idempotent, so it was not sent again. Nobody knows whether it was done.
    Interrupted,
    /// Arguments or result do not fit a message.
    TooLong,
    /// An error of the operation's own, by its code.
    Error(NonZeroU8),
    /// A label that no server of this framework sends.
    Foreign(u32),
}

impl Status {
    const BASE: u32 = 0x8000;
    /// Label of an error whose code would be 0.
    const ERROR: u32 = 0x8100;

    /// The label that tells it.
    #[inline]
    pub const fn label(self) -> u32 {
        match self {
            Self::Done => Self::BASE,
            Self::UnknownOperation => Self::BASE + 1,
            Self::Malformed => Self::BASE + 2,
            Self::Refused => Self::BASE + 3,
            Self::PeerGone => Self::BASE + 4,
            Self::Pending => Self::BASE + 5,
            Self::Interrupted => Self::BASE + 6,
            Self::TooLong => Self::BASE + 7,
            Self::Error(code) => Self::ERROR + code.get() as u32,
            Self::Foreign(label) => label,
        }
    }

    /// What a label tells.
    #[inline]
    pub const fn from_label(label: u32) -> Self {
        match label {
            0x8000 => Self::Done,
            0x8001 => Self::UnknownOperation,
            0x8002 => Self::Malformed,
            0x8003 => Self::Refused,
            0x8004 => Self::PeerGone,
            0x8005 => Self::Pending,
            0x8006 => Self::Interrupted,
            0x8007 => Self::TooLong,
            0x8101..=0x81ff => match NonZeroU8::new(label as u8) {
                Some(code) => Self::Error(code),
                None => Self::Foreign(label),
            },
            _ => Self::Foreign(label),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => write!(f, "done"),
            Self::UnknownOperation => write!(f, "the server does not know this operation"),
            Self::Malformed => write!(f, "the server could not read the request"),
            Self::Refused => write!(f, "refused"),
            Self::PeerGone => write!(f, "whoever would have answered is gone"),
            Self::Pending => write!(f, "not done yet; wait to be told"),
            Self::Interrupted => write!(f, "a restore lies between; it may have been done or not"),
            Self::TooLong => write!(f, "arguments or result do not fit a message"),
            Self::Error(code) => write!(f, "error {code} of the operation"),
            Self::Foreign(label) => write!(f, "the answer has the label {label:#x}, which says nothing here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_kept_unchanged_whatever_it_is() {
        for label in 0..1 << 20 {
            assert_eq!(Status::from_label(label).label(), label);
        }
    }

    #[test]
    fn labels_of_the_kernel_are_foreign() {
        // Faults 1 to 5, errors 0 to 10: seL4 5.0.0, libsel4/include/sel4/errors.h and the manual, section 6.2.
        for label in 0..=10 {
            assert_eq!(Status::from_label(label), Status::Foreign(label));
        }
    }

    #[test]
    fn an_error_has_a_code() {
        assert_eq!(Status::from_label(0x8101), Status::Error(NonZeroU8::MIN));
        assert_eq!(Status::from_label(0x81ff), Status::Error(NonZeroU8::MAX));
        assert_eq!(Status::from_label(0x8100), Status::Foreign(0x8100));
    }
}
