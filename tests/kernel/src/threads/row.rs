//! A row of the table, and the three ways in which every row is tried.

use ground::{Failure, Ground, Outcome, Thread};
use sel4::{Cap, Endpoint, UserContext};

use super::step::same;

/// How the thread was stopped and let go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Suspended and resumed.
    Resumed,
    /// Read while it was frozen, ended, and another thread started with its registers.
    Fresh,
    /// Frozen and thawed.
    Thawed,
}

/// A thread in a state that the table has a row for.
pub trait Row: Sized {
    /// Brings a thread there.
    fn enter(ground: &mut Ground) -> Result<Self, Failure>;

    /// The thread.
    fn thread(&self) -> Thread;

    /// The endpoint that its faults go to.
    fn faults(&self) -> Option<Cap<Endpoint>> {
        None
    }

    /// The registers are those that the table says.
    fn check(&self, seen: UserContext) -> Outcome;

    /// Lets it get past its system call, and shows that this was made once. `thread` may be another one.
    fn complete(self, ground: &mut Ground, thread: Thread, how: How) -> Outcome;
}

/// Suspended, read, resumed.
pub fn suspended<R: Row>(ground: &mut Ground) -> Outcome {
    let row = R::enter(ground)?;
    let thread = row.thread();
    thread.tcb.suspend()?;
    let seen = thread.tcb.read_registers(false)?;
    row.check(seen)?;
    ground.settle();
    same(thread.tcb.read_registers(false)?, seen)?;
    thread.tcb.resume()?;
    row.complete(ground, thread, How::Resumed)
}

/// Frozen, read, ended; a new thread with what was read.
pub fn fresh<R: Row>(ground: &mut Ground) -> Outcome {
    let row = R::enter(ground)?;
    let old = row.thread();
    old.freeze()?;
    let saved = old.tcb.read_registers(false)?;
    row.check(saved)?;
    old.tcb.suspend()?;
    let new = ground.make_thread(ground::ground::PRIORITY, row.faults())?;
    // SAFETY: the old thread never runs again, so the stack is the new one's.
    unsafe { new.tcb.write_registers(true, &saved) }?;
    row.complete(ground, new, How::Fresh)
}

/// Frozen, read, thawed.
pub fn frozen<R: Row>(ground: &mut Ground) -> Outcome {
    let row = R::enter(ground)?;
    let thread = row.thread();
    thread.freeze()?;
    let seen = thread.tcb.read_registers(false)?;
    row.check(seen)?;
    ground.settle();
    same(thread.tcb.read_registers(false)?, seen)?;
    thread.thaw()?;
    row.complete(ground, thread, How::Thawed)
}

/// Makes three tests of each row.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident: $row:ty;)*) => {
        /// Suspended, registers read, resumed.
        pub mod suspended {
            use super::*;
            $($(#[$doc])* pub fn $name(ground: &mut Ground) -> Outcome { row::suspended::<$row>(ground) })*
        }
        /// Frozen, registers read, the thread ended, another one started with the registers.
        pub mod fresh {
            use super::*;
            $($(#[$doc])* pub fn $name(ground: &mut Ground) -> Outcome { row::fresh::<$row>(ground) })*
        }
        /// Frozen, registers read, thawed.
        pub mod frozen {
            use super::*;
            $($(#[$doc])* pub fn $name(ground: &mut Ground) -> Outcome { row::frozen::<$row>(ground) })*
        }
        const ROWS: &[Test] = &[
            $((concat!("threads::suspended::", stringify!($name)), suspended::$name),)*
            $((concat!("threads::fresh::", stringify!($name)), fresh::$name),)*
            $((concat!("threads::frozen::", stringify!($name)), frozen::$name),)*
        ];
    };
}
pub(super) use rows;
