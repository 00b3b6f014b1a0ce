//! RM: region maps, which say what lies where.

use crate::{
    ErrorCode, interface,
    rpc::{Reader, Registers, Slot, Words},
    session::pd::{MAX_PAGES, PAGE},
};

/// RM: region maps, which say what lies where.
///
/// A region map is an address space, or a managed dataspace: it can be attached like any dataspace, and what is attached in
/// it then shows wherever it is attached. Numbers are those of the caller's space; addresses count from the region map's
/// beginning, in an address space from 0.
///
/// Attaching maps a bounded number of pages at once; `map` goes on. A page that is not mapped yet is mapped when it is
/// touched, so nobody needs to wait.
#[interface(id = 3)]
pub trait Rm {
    /// A managed region map of `size` bytes, a multiple of the page size.
    #[operation(1)]
    fn create(&mut self, at: Slot, account: Slot, size: u32) -> Result<Slot, CreateError>;

    /// An address space for threads of `pd`, paid by it.
    #[operation(2)]
    fn create_space(&mut self, at: Slot, pd: Slot) -> Result<Slot, CreateError>;

    /// Attaches a dataspace, or a managed region map; tells where. Threads that faulted there go on.
    #[operation(3)]
    fn attach(&mut self, map: Slot, dataspace: Slot, placement: Placement) -> Result<u32, AttachError>;

    /// Maps further pages of what is attached at `address`; tells how many are left.
    #[operation(4)]
    fn map(&mut self, map: Slot, address: u32) -> Result<u32, AttachError>;

    /// Detaches what begins at `address`; tells how many pages are still mapped. At 0 the addresses are free again.
    #[operation(5)]
    fn detach(&mut self, map: Slot, address: u32) -> Result<u32, DetachError>;

    /// Faults at addresses of this map at which nothing is attached raise this signal from now on; 0 for none.
    #[operation(6)]
    fn handle_faults(&mut self, map: Slot, context: Slot) -> Result<(), DetachError>;

    /// The oldest fault that waits, if one does. It stays until something is attached there.
    #[operation(7, idempotent)]
    fn fault(&mut self, map: Slot) -> Result<Option<PageFault>, DetachError>;

    /// Several requests of `attach` in one, see [`several`](super::several); tells how many are done, from the first on. The
    /// next one asked for alone tells why not, or is done.
    #[operation(8, encoded)]
    fn several(&mut self, requests: &[u8]) -> u32;
}

/// Where and how something is attached. Addresses, offsets and sizes are multiples of the page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Where; none lets whoever serves choose the lowest address that is free and suits the dataspace's frames.
    pub address: Option<u32>,
    /// First byte of the dataspace that shows.
    pub offset: u32,
    /// How many bytes show; 0 for all from the offset on.
    pub size: u32,
    /// May be written.
    pub writable: bool,
    /// May be executed.
    pub executable: bool,
}

impl Placement {
    /// All of it, anywhere, to be read and written.
    pub const ANYWHERE: Self = Self { address: None, offset: 0, size: 0, writable: true, executable: false };

    /// All of it, at that address, to be read and written.
    pub const fn at(address: u32) -> Self {
        Self { address: Some(address), ..Self::ANYWHERE }
    }
}

const AT: u32 = 1;
const WRITABLE: u32 = 2;
const EXECUTABLE: u32 = 4;
const FLAGS: u32 = 0xfff;

/// A flag that no receiver takes.
const BROKEN: u32 = 8;

impl Placement {
    /// Whether the two words can carry it: all of it multiples of the page size, offset and size in 16 bits of pages.
    ///
    /// # Errors
    /// Why not. Sent nevertheless, it is refused as malformed.
    pub const fn check(&self) -> Result<(), AttachError> {
        let address = match self.address {
            Some(address) => address,
            None => 0,
        };
        if !(address | self.offset | self.size).is_multiple_of(PAGE) {
            Err(AttachError::Misaligned)
        } else if self.offset / PAGE > MAX_PAGES || self.size / PAGE > MAX_PAGES {
            Err(AttachError::Range)
        } else {
            Ok(())
        }
    }
}

/// Two words: the address, with bit 0 if it is given, bit 1 writable, bit 2 executable; the offset in pages in the upper
/// half, the size in pages in the lower.
impl Words for Placement {
    const WORDS: usize = 2;

    #[inline]
    fn put(self, to: &mut Registers) {
        let flag = |set, flag| if set { flag } else { 0 };
        let flags = flag(self.address.is_some(), AT)
            | flag(self.writable, WRITABLE)
            | flag(self.executable, EXECUTABLE)
            | flag(self.check().is_err(), BROKEN);
        to.push(self.address.unwrap_or(0) & !FLAGS | flags);
        to.push((self.offset >> 12) << 16 | (self.size >> 12) & 0xffff);
    }

    #[inline]
    fn take(from: &mut Reader) -> Option<Self> {
        let (place, extent) = (from.word()?, from.word()?);
        let at = place & AT != 0;
        if place & FLAGS & !(AT | WRITABLE | EXECUTABLE) != 0 || !at && place & !FLAGS != 0 {
            return None;
        }
        Some(Self {
            address: at.then_some(place & !FLAGS),
            offset: (extent >> 16) << 12,
            size: (extent & 0xffff) << 12,
            writable: place & WRITABLE != 0,
            executable: place & EXECUTABLE != 0,
        })
    }
}

/// A fault that waits for something to be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, crate::Words)]
pub struct PageFault {
    /// Where.
    pub address: u32,
    /// What the thread wanted.
    pub access: FaultAccess,
}

/// What an access was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, crate::Words)]
pub enum FaultAccess {
    /// Read data.
    Read = 0,
    /// Write data.
    Write = 1,
    /// Fetch an instruction.
    Execute = 2,
}

/// Why no region map was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum CreateError {
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
    /// No bytes, or more than a region map can have.
    Size = 7,
    /// There is no more room.
    Exhausted = 8,
}

/// Why nothing was attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum AttachError {
    /// There is nothing under this number, or nothing at this address.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// The protection domain whose address space it is would exceed its memory, by page tables.
    Ram = 3,
    /// The addresses are not all free, or there is no such gap.
    Occupied = 5,
    /// Addresses beyond the region map, or pages beyond the dataspace.
    Range = 6,
    /// There is no more room.
    Exhausted = 8,
    /// It may not be written.
    ReadOnly = 10,
    /// The address does not suit the dataspace's frames.
    Misaligned = 15,
    /// A region map inside itself, or nested too deep.
    Nesting = 16,
    /// Memory that is to be written and executed.
    WritableCode = 17,
}

/// Why nothing was detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
pub enum DetachError {
    /// There is nothing under this number, or nothing begins at this address.
    Nothing = 1,
    /// There is something else under this number.
    Kind = 2,
    /// A thread has its message buffer in it.
    Busy = 9,
}
