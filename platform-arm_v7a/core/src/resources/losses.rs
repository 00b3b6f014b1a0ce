//! Losses that are planted, so that a test sees that a census notices them. Nothing is ever lost in a core that was not built
//! with the feature `losses`.

use super::Resources;

impl Resources {
    /// The next thing of a kind that is given back is lost.
    #[cfg(feature = "losses")]
    pub fn lose(&mut self, kind: usize) {
        self.losses |= 1 << kind;
    }

    /// Frames that had other content are not cleared any more.
    #[cfg(feature = "losses")]
    pub const fn leave_uncleared(&mut self) {
        self.frames.uncleared = true;
    }

    /// Whether this thing of a kind is to be lost; the next one is not.
    #[inline]
    #[allow(clippy::unused_self, clippy::missing_const_for_fn, reason = "as the other one of the two")]
    #[cfg(not(feature = "losses"))]
    pub(super) fn loses(&mut self, _: usize) -> bool {
        false
    }

    /// Whether this thing of a kind is to be lost; the next one is not.
    #[cfg(feature = "losses")]
    pub(super) fn loses(&mut self, kind: usize) -> bool {
        let lost = self.losses & 1 << kind != 0;
        self.losses &= !(1 << kind);
        lost
    }
}
