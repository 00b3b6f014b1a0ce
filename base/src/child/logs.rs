//! The LOG sessions of a child, where its parent stands between.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::rpc::Slot;

/// Most LOG sessions of a child.
const MAX_LOGS: usize = 16;

/// The parent's sessions that print for a child, each with a label of its own. Number 0 is the one that it started with;
/// others are for what is below it.
#[derive(Debug)]
pub struct Logs([AtomicU32; MAX_LOGS]);

impl Logs {
    /// One.
    pub fn new(first: Slot) -> Self {
        let logs = Self([const { AtomicU32::new(0) }; MAX_LOGS]);
        logs.0[0].store(first.0, Relaxed);
        logs
    }

    /// Another one; tells its number. None if there are too many.
    pub fn add(&self, log: Slot) -> Option<u8> {
        let free = self.0.iter().position(|entry| entry.compare_exchange(0, log.0, Relaxed, Relaxed).is_ok())?;
        u8::try_from(free).ok()
    }

    /// Where the child's session of that number prints.
    pub fn get(&self, number: u8) -> Option<Slot> {
        let slot = self.0.get(usize::from(number))?.load(Relaxed);
        (slot != 0).then_some(Slot(slot))
    }

    /// It is closed.
    pub fn give(&self, number: u8) {
        if let Some(entry) = self.0.get(usize::from(number)) {
            entry.store(0, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_told_by_number() {
        let logs = Logs::new(Slot(2));
        for number in 1..MAX_LOGS as u8 {
            assert_eq!(logs.add(Slot(100 + u32::from(number))), Some(number));
        }
        assert_eq!(logs.add(Slot(99)), None);
        assert_eq!((logs.get(0), logs.get(3), logs.get(200)), (Some(Slot(2)), Some(Slot(103)), None));
        logs.give(3);
        assert_eq!((logs.get(3), logs.add(Slot(99))), (None, Some(3)));
    }
}
