//! CENSUS: how much of everything core has, to notice what was not given back.

use core::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, interface};

/// CENSUS: how much of everything core has, to notice what was not given back.
///
/// What is counted changes with what any component does, so two countings are to be compared only where nobody else has
/// begun or ended something between them.
#[interface(id = 13)]
pub trait Census {
    /// How many there are of each kind, all at one instant. About 10 us.
    #[operation(1, idempotent, encoded)]
    fn count(&mut self) -> Counts;

    /// The sums of all accounts, at one instant. Walks over all protection domains.
    #[operation(2, idempotent, encoded)]
    fn accounts(&mut self) -> Sums;

    /// Has core lose the next thing of a kind that is given back, so that it can be seen that losses are noticed. Only a
    /// core that was built for that does so.
    #[operation(3)]
    fn lose(&mut self, kind: u32) -> Result<(), LoseError>;

    /// Has the kernel refuse one of the calls that core makes of it for requests of the caller's from now on, the one with this
    /// number, counted from 1; 0 for none. Tells how many there were since this was asked last. Only a core that was built for
    /// losses does so.
    #[operation(4)]
    fn refuse(&mut self, number: u32) -> Result<u32, LoseError>;
}

/// Something that core counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What one is called.
    pub name: &'static str,
    /// Bytes that one takes, where that is always the same and comes out of what accounts can have.
    pub bytes: u32,
}

const fn kind(name: &'static str, bytes: u32) -> Kind {
    Kind { name, bytes }
}

/// What is counted, in the order of [`Counts::kinds`].
pub const KINDS: [Kind; 26] = [
    kind("capability slot", 0),
    kind("4 KiB frame", 4 << 10),
    kind("64 KiB frame", 64 << 10),
    kind("1 MiB frame", 1 << 20),
    kind("16 MiB frame", 16 << 20),
    kind("thread", 1 << 10),
    kind("endpoint", 16),
    kind("notification", 16),
    kind("page directory", 16 << 10),
    kind("page table", 1 << 10),
    kind("CNode of 2^6 slots", 16 << 6),
    kind("CNode of 2^7 slots", 16 << 7),
    kind("CNode of 2^8 slots", 16 << 8),
    kind("CNode of 2^9 slots", 16 << 9),
    kind("CNode of 2^10 slots", 16 << 10),
    kind("CNode of 2^11 slots", 16 << 11),
    kind("CNode of 2^12 slots", 16 << 12),
    kind("CNode of 2^13 slots", 16 << 13),
    kind("CNode of 2^14 slots", 16 << 14),
    kind("protection domain", 0),
    kind("dataspace", 0),
    kind("region map", 0),
    kind("signal context", 0),
    kind("interrupt", 0),
    kind("timeout", 0),
    kind("byte of core's heap for components", 1),
];

/// Stands for no kind, but for [`Census::lose`]: frames that had other content are not cleared from now on.
pub const UNCLEARED: u32 = 26;
/// Likewise: threads start with what was last written into another one's registers.
pub const STALE: u32 = 27;

/// Where the CNodes are in [`KINDS`], and from which power of two on.
pub const CNODES: (Range<usize>, usize) = (10..19, 6);

/// How many there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// In use.
    pub used: u32,
    /// Made so far, in use or kept for the next use.
    pub made: u32,
}

/// How much of everything there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Bytes that accounts could still have: of which nothing was made, and frames that nobody uses.
    pub free: u64,
    /// One for each of [`KINDS`].
    pub kinds: heapless::Vec<Count, 26>,
}

impl Counts {
    /// The kinds of which more or fewer are in use than before, with how many more.
    pub fn since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Kind, i64)> + 'a {
        let pairs = self.kinds.iter().zip(&before.kinds).zip(KINDS);
        pairs.filter_map(|((now, before), kind)| {
            let more = i64::from(now.used) - i64::from(before.used);
            (more != 0).then_some((kind, more))
        })
    }
}

/// The accounts of all protection domains together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Bytes that core had to give when it began.
    pub ram: u64,
    /// Capabilities that core had to give when it began.
    pub caps: u32,
    /// Bytes that all accounts may use together; the same unless something was lost.
    pub all_ram: u64,
    /// Capabilities that all accounts may have together; likewise.
    pub all_caps: u32,
    /// Bytes that they use together.
    pub used_ram: u64,
    /// Capabilities that they have together.
    pub used_caps: u32,
}

/// Why nothing will be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum LoseError {
    /// There is no such kind, or none of it is given back one by one.
    Kind = 2,
    /// This core loses nothing.
    Never = 26,
}
