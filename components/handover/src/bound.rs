//! What a takeover costs at worst, from the scenario's figures.

use crate::{Time, Timing};

/// What a scenario says, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Times of the lease.
    pub timing: Timing,
    /// From one checkpoint to the next.
    pub period: Time,
    /// What a checkpoint takes from the stop until it is whole at the peer.
    pub transfer: Time,
    /// From one node to another, at worst, for a message of a lease.
    pub delay: Time,
    /// What making an instance of a checkpoint takes.
    pub restore: Time,
    /// By how many millionths clocks differ from true time at most.
    pub drift: u32,
}

/// The worst that a death can do, if nothing else fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorstCase {
    /// How long before the death the state was taken from which the component goes on.
    pub age: Time,
    /// From the death to the first instruction.
    pub outage: Time,
}

/// The worst case of a takeover.
///
/// *Age*: the death comes just before a checkpoint is whole at the peer, so the one before counts, which was taken a period
/// earlier than that one. *Outage*: a claim that the dead node has sent last arrives after `delay`; its lease ends at both
/// others, by clocks that may be slow; the peer notices at its next tick, `renew` later at most, its claim goes to the witness
/// and back, which may have to be said once more; then the restore.
pub const fn worst_case(figures: &Figures) -> WorstCase {
    let Figures { timing, period, transfer, delay, restore, drift } = *figures;
    let lease = timing.lease + timing.lease.div_ceil(1_000_000).saturating_mul(2 * drift as Time);
    WorstCase { age: period + transfer, outage: delay + lease + 2 * timing.renew + 2 * delay + restore }
}
