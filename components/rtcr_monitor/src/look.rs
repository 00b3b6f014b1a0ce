//! A look at a child: could it be checkpointed now? Nothing is stopped for it.

use core::fmt::{self, Write};

use base::{rpc::Shared, session::parent::Event as Fate};
use rtcr::child::Child;

use crate::keeper::Keeper;

/// Texts in a row, as many characters as fit.
#[derive(Default)]
struct List(heapless::String<160>);

impl List {
    fn add(&mut self, what: &dyn fmt::Display) {
        let separator = if self.0.is_empty() { "" } else { "; " };
        // What does not fit is left out: the first are those that matter.
        let _ = write!(self, "{separator}{what}");
    }
}

impl Write for List {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.0.push(c)).map_err(|_| fmt::Error)
    }
}

impl Keeper {
    /// Looks at the child, tells what stands in the way of a checkpoint and what it was refused, and plans the next look.
    pub(crate) fn look(&mut self, child: &Child<Shared>) {
        self.tried += 1;
        let mut obstacles = List::default();
        child.obstacles(&mut self.home, |obstacle| obstacles.add(&obstacle));
        self.tell_findings(child, obstacles);
        self.wake_again();
    }

    /// The child has ended: tells what it was refused until then, which may be why.
    pub(crate) fn look_back(&mut self, child: &Child<Shared>) {
        if self.plan.checks > 0 && !child.refusals().is_empty() {
            let mut obstacles = List::default();
            obstacles.add(&"it has ended");
            self.tell_findings(child, obstacles);
        }
    }

    fn tell_findings(&mut self, child: &Child<Shared>, obstacles: List) {
        let mut refused = List::default();
        child.refusals().iter().for_each(|refusal| refused.add(refusal));
        self.home.report(Fate::Checked { obstacles: obstacles.0, refused: refused.0 });
    }
}
