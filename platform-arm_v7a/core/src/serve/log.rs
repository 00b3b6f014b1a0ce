//! LOG: a session prints under its label.

use base::session::log::Log;

use super::Call;
use crate::judge::Judge;

/// A LOG session: whose call, and under which name it prints.
pub(super) struct Printer<'a> {
    pub(super) judge: &'a mut Judge,
    pub(super) number: u32,
    /// The time in nanoseconds.
    pub(super) now: u64,
}

impl Log for Printer<'_> {
    fn write(&mut self, text: &[u8]) {
        self.judge.print(self.number, text, self.now);
    }
}

impl<'a> Call<'a> {
    /// The LOG session with that number of the judge's.
    pub(super) fn printer(self, number: u32) -> Printer<'a> {
        Printer { judge: &mut self.outside.judge, number, now: self.system.timeouts.now() }
    }
}
