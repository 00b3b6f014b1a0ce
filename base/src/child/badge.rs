//! Which child a request is from, and of which interface.

use crate::session::pd::Grant;

/// What the badge of a session that a parent serves itself stands for.
///
/// | bits | hold |
/// |---|---|
/// | 27 to 12 | number of the child, from 1 |
/// | 11 to 0 | number of the interface |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Which child, from 0.
    pub child: u16,
    /// Which interface.
    pub interface: u16,
}

const INTERFACE_BITS: u32 = 12;

impl Badge {
    /// As it is installed; none for what does not fit.
    pub const fn number(self) -> Option<u32> {
        if self.child == u16::MAX || self.interface >> INTERFACE_BITS != 0 {
            return None;
        }
        Some((self.child as u32 + 1) << INTERFACE_BITS | self.interface as u32)
    }

    /// What a badge that arrived stands for.
    pub const fn of(badge: u32) -> Option<Self> {
        let (child, interface) = (badge >> INTERFACE_BITS, (badge & ((1 << INTERFACE_BITS) - 1)) as u16);
        if child == 0 || badge > Grant::MAX_BADGE {
            return None;
        }
        Some(Self { child: (child - 1) as u16, interface })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_is_what_it_was_made_from() {
        for (child, interface) in [(0, 0), (0, 8), (63, 12), (u16::MAX - 1, 4095)] {
            let badge = Badge { child, interface };
            let number = badge.number().unwrap();
            assert!(number != 0 && number <= Grant::MAX_BADGE);
            assert_eq!(Badge::of(number), Some(badge));
        }
        assert_eq!(Badge { child: u16::MAX, interface: 1 }.number(), None);
        assert_eq!(Badge { child: 0, interface: 4096 }.number(), None);
        assert_eq!((Badge::of(0), Badge::of(8), Badge::of(1 << 28)), (None, None, None));
    }
}
