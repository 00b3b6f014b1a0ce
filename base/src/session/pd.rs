//! PD: protection domains, their memory, their accounts, and what lies in their slots.

use serde::{Deserialize, Serialize};

use crate::{
    ErrorCode, Words, interface,
    rpc::{Reader, Registers, Slot, ThreadNumber, Words},
};

/// PD: protection domains, their memory, their accounts, and what lies in their slots.
///
/// Numbers are those of the caller's space. Wherever a protection domain is named, `Slot(1)` is the caller's own.
/// Operations that make something take the number under which it is to be known, `at`; [`ANY`] lets whoever serves the
/// session choose the lowest free one. What is made costs one capability and its memory, both on the `account`.
///
/// Operations on many pages do a bounded part at a time and tell how many pages are left; the caller asks on.
#[interface(id = 1)]
pub trait Pd {
    /// The component is about to construct itself: everything before was its framework's doing. Nothing happens here.
    #[operation(1, idempotent)]
    fn restore_thread(&mut self);

    /// A dataspace of `size` bytes, rounded up to whole pages, all zero once it is populated. Its first [`AT_ONCE`] frames
    /// come with it; what has no more is populated.
    #[operation(2)]
    fn allocate(&mut self, at: Slot, account: Slot, size: u32, memory: Memory) -> Result<Slot, AllocateError>;

    /// Gives a dataspace its next pages; tells how many are still missing.
    #[operation(3)]
    fn populate(&mut self, dataspace: Slot) -> Result<u32, AllocateError>;

    /// Gives up a dataspace, a region map, an endpoint, a notification or a protection domain, with every mapping of it; tells how
    /// much is left to do. At 0 it is gone, and so is the number.
    #[operation(4)]
    fn free(&mut self, number: Slot) -> Result<u32, FreeError>;

    /// Size and kind of a dataspace.
    #[operation(5, idempotent)]
    fn describe(&mut self, dataspace: Slot) -> Result<Description, LookupError>;

    /// Copies up to 32 pages between dataspaces; tells how many were.
    #[operation(6, idempotent)]
    fn copy(&mut self, dst: Slot, src: Slot, pages: CopyPages) -> Result<u32, CopyError>;

    /// What a protection domain may use and uses.
    #[operation(7, idempotent)]
    fn account(&mut self, pd: Slot) -> Result<Account, LookupError>;

    /// Moves quota from one protection domain to another.
    #[operation(8)]
    fn transfer(&mut self, from: Slot, to: Slot, ram: u32, caps: u32) -> Result<(), TransferError>;

    /// A protection domain, without quota, address space or threads, with room for at least `slots` numbers.
    /// Its table is paid by the caller.
    #[operation(9, encoded)]
    fn create(&mut self, at: Slot, slots: u32, name: &str) -> Result<Slot, CreateError>;

    /// Makes what the caller knows as `number` known to `pd` as `slot` too. An endpoint or notification goes into its
    /// capability space, as `grant` says; of other things the grant says whether they may be written.
    #[operation(10)]
    fn install(&mut self, number: Slot, pd: Slot, slot: Slot, grant: Grant) -> Result<Slot, InstallError>;

    /// Takes back what `install`, `connect` or `share` put there.
    #[operation(11)]
    fn remove(&mut self, pd: Slot, slot: Slot) -> Result<(), InstallError>;

    /// Makes what `from` knows as `number` known to `to`, at `at` or any number of its space. Read-only unless it is
    /// the `from` that owns it.
    #[operation(12)]
    fn share(&mut self, from: Slot, number: Slot, to: Slot, at: Slot) -> Result<Slot, InstallError>;

    /// Opens one of the sessions of whoever serves PD for `pd`, at its `slot`. The label is what the session is known
    /// by; for devices it says which.
    #[operation(13, encoded)]
    fn connect(&mut self, pd: Slot, slot: Slot, service: u16, label: &str) -> Result<Slot, InstallError>;

    /// An endpoint, which its maker can receive at, call without a badge, and install for others.
    #[operation(14)]
    fn create_endpoint(&mut self, at: Slot, account: Slot) -> Result<Slot, AllocateError>;

    /// A notification, which its maker can install for others.
    #[operation(15)]
    fn create_notification(&mut self, at: Slot, account: Slot) -> Result<Slot, AllocateError>;

    /// Calls on an endpoint that wait to be answered, or to be received, by whoever is in `pd`, end as "peer gone".
    #[operation(16)]
    fn hang_up(&mut self, endpoint: Slot, pd: Slot) -> Result<u32, LookupError>;

    /// The number by which events of that kind are left in the trace; the same name has the same number for everybody.
    #[operation(17, idempotent, encoded)]
    fn trace_kind(&mut self, name: &str) -> Result<u32, TraceError>;

    /// Leaves an event in the trace, as one of a protection domain's.
    #[operation(18)]
    fn note(&mut self, pd: Slot, note: Note) -> Result<(), TraceError>;

    /// Several requests of `allocate` and `copy` in one, see [`several`](super::several); tells how many are done, from the
    /// first on. The next one asked for alone tells why not, or is done.
    #[operation(19, encoded)]
    fn several(&mut self, requests: &[u8]) -> u32;
}

/// Lets whoever serves choose a number.
pub const ANY: Slot = Slot(0);
/// The caller's own protection domain.
pub const OWN: Slot = Slot(1);
/// Most frames that one operation makes, maps, unmaps or gives back, of whatever sizes they are. An operation that brings
/// or maps the first ones does so many, if there are so many, or is refused.
pub const AT_ONCE: u32 = 32;
/// Most pages that one `copy` copies.
pub const MAX_COPY: u32 = 32;
/// Size of a page in bytes.
pub const PAGE: u32 = 4096;
/// Most pages of a dataspace.
pub const MAX_PAGES: u32 = 0xffff;

/// What kind of memory a dataspace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Memory {
    /// How the processor keeps it.
    pub cache: Cache,
    /// Largest frame that it may be made of. Large frames cost less to map and cannot be told apart when they are
    /// written to. A dataspace is made of the largest frames that fit its size, up to this.
    pub largest: FrameSize,
}

/// How the processor keeps memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cache {
    /// In its caches.
    #[default]
    Cached,
    /// Not at all, for devices.
    Uncached,
}

/// Sizes of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FrameSize {
    /// 4 KiB.
    #[default]
    Small,
    /// 64 KiB.
    Large,
    /// 1 MiB.
    Section,
    /// 16 MiB.
    SuperSection,
}

impl FrameSize {
    /// All, in ascending order.
    pub const ALL: [Self; 4] = [Self::Small, Self::Large, Self::Section, Self::SuperSection];

    /// In bytes.
    pub const fn bytes(self) -> u32 {
        self.pages() * PAGE
    }

    /// In pages of 4 KiB.
    #[inline]
    pub const fn pages(self) -> u32 {
        1 << self.page_bits()
    }

    /// The same as a power of two: the board's processor cannot divide.
    #[inline]
    pub const fn page_bits(self) -> u32 {
        4 * self as u32
    }
}

/// One word: bit 0 uncached, bits 5 and 4 the frame size.
impl Words for Memory {
    const WORDS: usize = 1;

    #[inline]
    fn put(self, to: &mut Registers) {
        to.push(self.cache as u32 | (self.largest as u32) << 4);
    }

    #[inline]
    fn take(from: &mut Reader) -> Option<Self> {
        let word = from.word()?;
        let cache = if word & 1 == 0 { Cache::Cached } else { Cache::Uncached };
        let memory = Self { cache, largest: *FrameSize::ALL.get((word >> 4) as usize)? };
        (word & 0xe == 0).then_some(memory)
    }
}

/// Size and kind of a dataspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Words)]
pub struct Description {
    /// In bytes, a multiple of the page size.
    pub size: u32,
    /// What it was asked for with.
    pub memory: Memory,
    /// Whether the caller may write to it.
    pub writable: bool,
    /// Pages that it has; others follow by `populate`.
    pub pages: u32,
}

/// Which pages are copied, counted from the beginning of each dataspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyPages {
    /// First page that is written.
    pub dst: u16,
    /// First page that is read.
    pub src: u16,
    /// How many.
    pub count: u32,
}

/// Two words: the pages, `dst` in the upper half; the count.
impl Words for CopyPages {
    const WORDS: usize = 2;

    #[inline]
    fn put(self, to: &mut Registers) {
        to.push(u32::from(self.dst) << 16 | u32::from(self.src));
        to.push(self.count);
    }

    #[inline]
    fn take(from: &mut Reader) -> Option<Self> {
        let pages = from.word()?;
        Some(Self { dst: (pages >> 16) as u16, src: pages as u16, count: from.word()? })
    }
}

/// What a protection domain may use and uses. What it has handed to others by `transfer` counts as neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Words)]
pub struct Account {
    /// Bytes that it may use.
    pub ram: u32,
    /// Bytes that it uses.
    pub ram_used: u32,
    /// Capabilities that it may have.
    pub caps: u32,
    /// Capabilities that it has.
    pub caps_used: u32,
}

/// How something is made known to another protection domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What may be done with it.
    pub access: Access,
    /// What tells whoever receives at an endpoint which capability was called; 28 bits, 0 for none.
    pub badge: u32,
}

/// What may be done with something that was made known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Endpoints: calling. Notifications: ringing. Dataspaces and region maps: reading.
    Use,
    /// Endpoints: receiving, and calling too. Notifications: waiting. Dataspaces and region maps: reading and writing. Threads, protection domains and
    /// signal contexts have only this.
    Own,
}

impl Grant {
    /// Largest badge.
    pub const MAX_BADGE: u32 = (1 << 28) - 1;
    /// Everything.
    pub const OWN: Self = Self { access: Access::Own, badge: 0 };
    /// Calling, ringing, reading.
    pub const USE: Self = Self { access: Access::Use, badge: 0 };
}

/// One word: the badge, and in bit 28 whether it is owned.
impl Words for Grant {
    const WORDS: usize = 1;

    #[inline]
    fn put(self, to: &mut Registers) {
        to.push(self.badge & Self::MAX_BADGE | u32::from(self.access == Access::Own) << 28);
    }

    #[inline]
    fn take(from: &mut Reader) -> Option<Self> {
        let word = from.word()?;
        let access = if word >> 28 == 0 { Access::Use } else { Access::Own };
        (word >> 29 == 0).then_some(Self { access, badge: word & Self::MAX_BADGE })
    }
}

/// Why nothing was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum LookupError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
}

/// Why nothing was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum AllocateError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// The account would exceed its memory.
    Ram = 3,
    /// The account would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
    /// No bytes, or too many for one dataspace.
    Size = 7,
    /// Accounts promise more than there is in pieces of this size.
    Exhausted = 8,
}

/// Why nothing was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum FreeError {
    /// There is nothing under this number.
    Nothing = 1,
    /// It is not the caller's to free, or of a kind that is not freed like this.
    Kind = 2,
    /// A thread has its message buffer in it.
    Busy = 9,
}

/// Why nothing was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CopyError {
    /// There is nothing under this number.
    Nothing = 1,
    /// It is no dataspace with memory of its own.
    Kind = 2,
    /// Pages that a dataspace does not have.
    Range = 6,
    /// It may not be written.
    ReadOnly = 10,
}

/// Why nothing was transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum TransferError {
    /// There is nothing under this number.
    Nothing = 1,
    /// It is no protection domain.
    Kind = 2,
    /// The giver has not so much memory left.
    Ram = 3,
    /// The giver has not so many capabilities left.
    Caps = 4,
    /// Neither is the other's parent, nor are both the caller's children.
    Unrelated = 11,
}

/// Why no protection domain was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CreateError {
    /// The caller would exceed its memory.
    Ram = 3,
    /// The caller would exceed its capabilities.
    Caps = 4,
    /// The number is taken.
    Occupied = 5,
    /// The number is beyond the caller's space, or its space is full.
    Range = 6,
    /// No slots, or too many.
    Size = 7,
    /// There is no more room for protection domains.
    Exhausted = 8,
    /// An empty name, or one that is too long or not printable.
    Name = 12,
}

/// Why nothing was installed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum InstallError {
    /// There is nothing under this number.
    Nothing = 1,
    /// There is something else under this number, or it cannot be made known to others.
    Kind = 2,
    /// The receiver would exceed its capabilities.
    Caps = 4,
    /// The slot is taken.
    Occupied = 5,
    /// The slot is beyond the receiver's space, or its space is full.
    Range = 6,
    /// More was granted than the caller has, or a badge to something that has none.
    Grant = 13,
    /// There is no such service, or the label does not fit it.
    Service = 14,
}

/// An event that a component leaves in the trace; see [`trace`](crate::trace).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// What `trace_kind` has told.
    pub kind: u8,
    /// Which thread leaves it.
    pub thread: ThreadNumber,
    /// Whether something begins or ends with it.
    pub shape: Shape,
    /// What the value counts.
    pub unit: Unit,
    /// How much, how many, which.
    pub value: u32,
}

/// Whether something begins or ends with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// It takes no time.
    Instant,
    /// Something begins, which ends with the thread's next `End` of the same kind.
    Begin,
    /// The next step of what has begun; it ends the step before.
    Step,
    /// What has begun ends, with its last step.
    End,
}

/// What an event's value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// There is no value.
    Nothing,
    /// Things, of which the kind's name says what they are.
    Number,
    /// Bytes.
    Bytes,
    /// An operation: its number, its interface's number from bit 8 on, and from bit 16 on how many were before it.
    Operation,
}

impl Shape {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Instant, Self::Begin, Self::Step, Self::End];
}

impl Unit {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Number, Self::Bytes, Self::Operation];
}

/// Two words: kind, thread from bit 8, shape from bit 16, unit from bit 24; the value.
impl Words for Note {
    const WORDS: usize = 2;

    #[inline]
    fn put(self, to: &mut Registers) {
        let Self { kind, thread, shape, unit, value } = self;
        to.push(u32::from_le_bytes([kind, thread.number(), shape as u8, unit as u8]));
        to.push(value);
    }

    #[inline]
    fn take(from: &mut Reader) -> Option<Self> {
        let [kind, thread, shape, unit] = from.word()?.to_le_bytes();
        Some(Self {
            kind,
            thread: ThreadNumber::new(thread)?,
            shape: *Shape::ALL.get(usize::from(shape))?,
            unit: *Unit::ALL.get(usize::from(unit))?,
            value: from.word()?,
        })
    }
}

/// Why nothing was left in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum TraceError {
    /// There is nothing under this number.
    Nothing = 1,
    /// It is no protection domain of the caller's, or there is no such kind of events.
    Kind = 2,
    /// There is no room for another kind.
    Exhausted = 8,
    /// An empty name, or one that is too long or not printable.
    Name = 12,
    /// Nothing is recorded.
    Off = 15,
}
