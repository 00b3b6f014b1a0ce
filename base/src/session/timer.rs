//! TIMER: the time, and being told of it.

use crate::{ErrorCode, interface, rpc::Slot};

/// TIMER: the time, and being told of it.
///
/// Times are nanoseconds; the clock's step is 15 ns. A timeout raises a signal. A signal context has one timeout at most;
/// asking for another replaces it.
#[interface(id = 6)]
pub trait Timer {
    /// The session's time: nanoseconds since the system started, plus the session's offset.
    #[operation(1, idempotent)]
    fn now(&mut self) -> u64;

    /// Raises the signal once, after at least that time.
    #[operation(2)]
    fn once(&mut self, context: Slot, after: u64) -> Result<(), TimeoutError>;

    /// Raises the signal again and again, that time apart; at least 10 microseconds.
    #[operation(3)]
    fn periodic(&mut self, context: Slot, period: u64) -> Result<(), TimeoutError>;

    /// Takes a timeout back; tells what remained of it, if there was one.
    #[operation(4)]
    fn cancel(&mut self, context: Slot) -> Result<Option<u64>, TimeoutError>;

    /// What remains of a timeout, if there is one.
    #[operation(5, idempotent)]
    fn remaining(&mut self, context: Slot) -> Result<Option<u64>, TimeoutError>;

    /// Sets the offset, in two's complement, that `now` of this session adds. Only its parent asks for it.
    #[operation(6)]
    fn set_offset(&mut self, offset: u64);
}

/// Shortest period in nanoseconds.
pub const SHORTEST_PERIOD: u64 = 10_000;

/// Why there is no timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum TimeoutError {
    /// There is nothing under this number.
    Nothing = 1,
    /// It is no signal context.
    Kind = 2,
    /// A period that is too short, or a time beyond 2^62 ns.
    Time = 22,
    /// There is no more room.
    Exhausted = 8,
}
