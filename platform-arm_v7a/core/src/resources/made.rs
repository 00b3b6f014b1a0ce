//! Kernel objects, pooled by kind.
//!
//! Threads, endpoints and notifications are made anew each time, of an untyped object of exactly their size, and given
//! back alone. Page directories, page tables and CNodes are kept as they are, since deleting and making them costs more
//! than emptying them.

use alloc::vec::Vec;

use sel4::{
    AsidPool, CNode, Cap, Endpoint, Error, Notification, ObjectKind, PageDirectory, PageTable, Tcb, Untyped, boot,
};

use super::{
    Count,
    blocks::{Blocks, SMALL},
    slots::{Slots, place},
};
use crate::{
    insist::insist,
    objects::{Exhausted, Made},
};

/// Objects that are prepared at once.
const BATCH: u32 = 32;
/// Largest CNode, as a power of two: a block of memory.
const MOST_CNODE_BITS: u8 = 16;

/// Kinds that can be given back one by one.
pub trait Pooled: Made {
    /// Which pool holds them.
    const POOL: Kind;
}

/// Names a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Threads.
    Tcb,
    /// Endpoints.
    Endpoint,
    /// Notifications.
    Notification,
}

impl Pooled for Tcb {
    const POOL: Kind = Kind::Tcb;
}

impl Pooled for Endpoint {
    const POOL: Kind = Kind::Endpoint;
}

impl Pooled for Notification {
    const POOL: Kind = Kind::Notification;
}

/// Slots of objects that nobody uses, and how many there are of the kind. The list grows when objects are prepared,
/// never when one is given back.
#[derive(Default)]
pub(super) struct Pool {
    free: Vec<u32>,
    made: u32,
}

impl Pool {
    fn add(&mut self, slots: impl ExactSizeIterator<Item = u32>) {
        self.made += slots.len() as u32;
        self.free.reserve(self.made as usize - self.free.len());
        self.free.extend(slots);
    }

    /// One more that is in use at once.
    fn add_used(&mut self) {
        self.made += 1;
        self.free.reserve(self.made as usize - self.free.len());
    }

    pub(super) fn count(&self) -> Count {
        Count { made: self.made, used: self.made - self.free.len() as u32 }
    }
}

/// A block of memory of which objects are made, side by side.
struct Supply {
    block: Cap<Untyped>,
    used: u64,
}

impl Supply {
    /// Fills slots side by side.
    fn make(
        &mut self,
        kind: ObjectKind,
        first: u32,
        count: u32,
        slots: &mut Slots,
        blocks: &mut Blocks,
    ) -> Result<(), Exhausted> {
        let size = 1 << kind.memory_bits();
        let total = size * u64::from(count);
        if total > SMALL {
            return Err(Exhausted::Memory(total));
        }
        if self.used.next_multiple_of(size) + total > SMALL {
            *self = Self { block: blocks.small(slots)?, used: 0 };
        }
        let (node, index) = place(first);
        // Its memory is free and the slots are empty: both are for good, so they would be lost if this was given up.
        insist(|| self.block.retype(kind, node, index, count))?;
        self.used = self.used.next_multiple_of(size) + total;
        Ok(())
    }
}

/// All of them.
pub(super) struct Kernel {
    /// Up to 4 KiB each.
    little: Supply,
    /// Larger ones, apart, so that aligning them wastes little.
    big: Supply,
    pub(super) pooled: [Pool; 3],
    pub(super) tables: Pool,
    pub(super) directories: Pool,
    pub(super) cnodes: [Pool; MOST_CNODE_BITS as usize + 1],
    asid_pool: Cap<AsidPool>,
}

impl Kernel {
    pub(super) fn new() -> Self {
        let none = || Supply { block: Cap::NULL, used: SMALL };
        Self {
            little: none(),
            big: none(),
            pooled: Default::default(),
            tables: Pool::default(),
            directories: Pool::default(),
            cnodes: Default::default(),
            asid_pool: boot::ASID_POOL,
        }
    }

    /// One of its kind. A batch of untyped objects lies beside the slots of what is made of them, so that each is found
    /// from the other.
    pub(super) fn make<T: Pooled>(&mut self, slots: &mut Slots, blocks: &mut Blocks) -> Result<Cap<T>, Exhausted> {
        let pool = &mut self.pooled[T::POOL as usize];
        if pool.free.is_empty() {
            let range = slots.range(2 * BATCH, blocks)?;
            let kind = ObjectKind::Untyped { bits: T::KIND.memory_bits() };
            self.little.make(kind, range.start, BATCH, slots, blocks)?;
            pool.add((range.start + BATCH..range.end).rev());
        }
        let number = pool.free.pop().ok_or(Exhausted::Slots)?;
        let (node, index) = place(number);
        if let Err(error) = Cap::<Untyped>::new(number - BATCH).retype(T::KIND, node, index, 1) {
            pool.free.push(number);
            return Err(error.into());
        }
        Ok(Cap::new(number))
    }

    /// Deletes an object with all its capabilities.
    pub(super) unsafe fn unmake<T: Pooled>(&mut self, object: Cap<T>) {
        let memory = Cap::<Untyped>::new(object.number() - BATCH);
        // SAFETY: the caller vouches that nobody uses the object. It cannot fail: the untyped object is core's own.
        if insist(|| unsafe { memory.slot(boot::CNODE).revoke() }).is_ok() {
            self.pooled[T::POOL as usize].free.push(object.number());
        }
    }

    pub(super) fn take_table(&mut self, slots: &mut Slots, blocks: &mut Blocks) -> Result<Cap<PageTable>, Exhausted> {
        if self.tables.free.is_empty() {
            let range = slots.range(BATCH, blocks)?;
            self.little.make(PageTable::KIND, range.start, BATCH, slots, blocks)?;
            self.tables.add(range.rev());
        }
        self.tables.free.pop().map(Cap::new).ok_or(Exhausted::Slots)
    }

    pub(super) fn give_table(&mut self, table: Cap<PageTable>) {
        self.tables.free.push(table.number());
    }

    pub(super) fn take_directory(
        &mut self,
        slots: &mut Slots,
        blocks: &mut Blocks,
    ) -> Result<Cap<PageDirectory>, Exhausted> {
        if let Some(number) = self.directories.free.pop() {
            return Ok(Cap::new(number));
        }
        let directory = Cap::new(slots.range(1, blocks)?.start);
        self.big.make(PageDirectory::KIND, directory.number(), 1, slots, blocks)?;
        let assigned = self.asid_pool.assign(directory);
        if assigned == Err(Error::DeleteFirst) {
            // The pool is used up.
            let range = slots.range(2, blocks)?;
            let pool: Cap<AsidPool> = Cap::new(range.start + 1);
            self.little.make(ObjectKind::Untyped { bits: 12 }, range.start, 1, slots, blocks)?;
            insist(|| boot::ASID_CONTROL.make_pool(Cap::new(range.start), pool.slot(boot::CNODE)))?;
            self.asid_pool = pool;
            insist(|| pool.assign(directory))?;
        } else if assigned.is_err() {
            insist(|| self.asid_pool.assign(directory))?;
        }
        self.directories.add_used();
        Ok(directory)
    }

    pub(super) fn give_directory(&mut self, directory: Cap<PageDirectory>) {
        self.directories.free.push(directory.number());
    }

    pub(super) fn take_cnode(
        &mut self,
        bits: u8,
        slots: &mut Slots,
        blocks: &mut Blocks,
    ) -> Result<Cap<CNode>, Exhausted> {
        let kind = ObjectKind::CNode { bits };
        let pool = self.cnodes.get_mut(usize::from(bits)).ok_or(Exhausted::Memory(1 << kind.memory_bits().min(63)))?;
        if let Some(number) = pool.free.pop() {
            return Ok(Cap::new(number));
        }
        let slot = slots.range(1, blocks)?.start;
        let supply = if kind.memory_bits() <= 12 { &mut self.little } else { &mut self.big };
        supply.make(kind, slot, 1, slots, blocks)?;
        pool.add_used();
        Ok(Cap::new(slot))
    }

    pub(super) fn give_cnode(&mut self, cnode: Cap<CNode>, bits: u8) {
        if let Some(pool) = self.cnodes.get_mut(usize::from(bits)) {
            pool.free.push(cnode.number());
        }
    }
}
