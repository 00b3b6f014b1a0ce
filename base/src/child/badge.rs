//! Which child a request is from, and of which session.

use crate::session::pd::Grant;

/// What the badge of a session that a parent serves itself stands for.
///
/// | bits | hold |
/// |---|---|
/// | 27 to 18 | number of the child, from 1 |
/// | 17 to 10 | which of the child's sessions of that interface, 0 for the one that it started with |
/// | 9 to 0 | number of the interface |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Badge {
    /// Which child, from 0.
    pub child: u16,
    /// Which of its sessions of that interface.
    pub session: u8,
    /// Which interface.
    pub interface: u16,
}

const SESSION: u32 = 10;
const CHILD: u32 = 18;
/// Most children; the largest number is no child's, so that the largest badge is free for something else.
const MAX_CHILDREN: u16 = (1 << (28 - CHILD)) - 2;

impl Badge {
    /// Of the session that a child started with.
    pub const fn first(child: u16, interface: u16) -> Self {
        Self { child, session: 0, interface }
    }

    /// As it is installed; none for what does not fit.
    pub const fn number(self) -> Option<u32> {
        if self.child >= MAX_CHILDREN || self.interface >> SESSION != 0 {
            return None;
        }
        Some((self.child as u32 + 1) << CHILD | (self.session as u32) << SESSION | self.interface as u32)
    }

    /// What a badge that arrived stands for.
    pub const fn of(badge: u32) -> Option<Self> {
        let (child, interface) = (badge >> CHILD, (badge & ((1 << SESSION) - 1)) as u16);
        if child == 0 || badge > Grant::MAX_BADGE || child > MAX_CHILDREN as u32 {
            return None;
        }
        Some(Self { child: (child - 1) as u16, session: (badge >> SESSION) as u8, interface })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_badge_is_what_it_was_made_from() {
        for (child, session, interface) in [(0, 0, 0), (0, 0, 8), (63, 1, 12), (MAX_CHILDREN - 1, 255, 1023)] {
            let badge = Badge { child, session, interface };
            let number = badge.number().unwrap();
            assert!(number != 0 && number < Grant::MAX_BADGE);
            assert_eq!(Badge::of(number), Some(badge));
        }
        assert_eq!(Badge::first(MAX_CHILDREN, 1).number(), None);
        assert_eq!(Badge::first(0, 1024).number(), None);
        assert_eq!(
            (Badge::of(0), Badge::of(8), Badge::of(1 << 28), Badge::of(Grant::MAX_BADGE)),
            (None, None, None, None)
        );
    }
}
