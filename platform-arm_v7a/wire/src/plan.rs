//! Where things will lie: decided once, for the tool that refuses before anything is booted, and for the loader. Where
//! things lie in a component's address space says [`base::layout`].

use core::fmt;

use base::{
    layout::{MAX_STACK, PROGRAM, Stack},
    rpc::ThreadNumber,
};

use crate::{
    executable::{Executable, Segment},
    layout::{KERNEL_PHYSICAL, KERNEL_VIRTUAL, LOADER, PAGE, page_up},
};

/// What core and the first component need besides what components may use.
const BESIDES: u64 = 24 << 20;

/// Memory that core takes for components that may use so many bytes in all. Of each page it keeps two capabilities and
/// some bytes of book, less than 2 %; and a byte of its heap comes with each 32.
pub const fn memory(components: u64) -> u64 {
    components + components / 16 + BESIDES
}

/// What one page table covers, as a power of two.
const TABLE_BITS: u32 = 20;
/// What the kernel takes for a page directory and for a page table (seL4 5.0.0: 16 KiB, 1 KiB).
const DIRECTORY_BYTES: u64 = 16 << 10;
const TABLE_BYTES: u64 = 1 << 10;

/// What a component needs before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Pages of its program.
    pub program: u32,
    /// Pages of its stack.
    pub stack: u32,
    /// Page tables.
    pub tables: u32,
}

impl Demand {
    /// All its pages, the message buffer included.
    pub fn pages(&self) -> u32 {
        self.program + self.stack + 1
    }

    /// The memory that is counted against its quota, in bytes.
    pub fn bytes(&self) -> u64 {
        u64::from(self.pages()) * u64::from(PAGE) + DIRECTORY_BYTES + u64::from(self.tables) * TABLE_BYTES
    }
}

/// Why an executable cannot lie where it wants to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// A segment outside what programs may occupy, not page-aligned, or sharing a page with another.
    Segment(u32),
    /// A segment that is both writable and executable.
    WritableCode(u32),
    /// A stack of so many bytes, which does not fit between the guard and the message buffer.
    Stack(u32),
    /// A segment of the kernel that is not where the kernel belongs.
    Kernel(u32),
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(address) => write!(
                f,
                "its program has a segment at {address:#010x} that is outside {:#010x} to {:#010x}, not page-aligned, or \
                 shares a page with another",
                PROGRAM.start, PROGRAM.end
            ),
            Self::WritableCode(address) => {
                write!(f, "its program has a segment at {address:#010x} that is both writable and executable")
            }
            Self::Stack(bytes) => {
                let most = MAX_STACK >> 10;
                write!(f, "a stack of {bytes} bytes does not fit; use at most {most}K, in whole pages")
            }
            Self::Kernel(address) => write!(
                f,
                "the kernel has a segment at {address:#010x} that does not lie from {KERNEL_VIRTUAL:#010x} on, at its \
                 physical place below the loader"
            ),
        }
    }
}

impl core::error::Error for Misplaced {}

/// What a component with this program and a stack of so many bytes needs.
///
/// # Errors
/// It cannot lie where components lie.
pub fn component(program: &Executable<'_>, stack: u32) -> Result<Demand, Misplaced> {
    let place = Stack::of(ThreadNumber::FIRST, stack).filter(|_| stack > 0 && stack.is_multiple_of(PAGE));
    let place = place.ok_or(Misplaced::Stack(stack))?;
    let (mut pages, mut end) = (0, PROGRAM.start);
    let mut tables = Tables::default();
    for segment in program.segments() {
        let Segment { address, size, writable, executable, .. } = segment;
        let segment_end = page_up(address + size).filter(|&end| end <= PROGRAM.end);
        end = match segment_end {
            Some(segment_end) if address >= end && address.is_multiple_of(PAGE) => segment_end,
            _ => return Err(Misplaced::Segment(address)),
        };
        if writable && executable {
            return Err(Misplaced::WritableCode(address));
        }
        pages += (end - address) / PAGE;
        tables.cover(address, end);
    }
    tables.cover(place.base, place.base + place.size());
    Ok(Demand { program: pages, stack: stack / PAGE, tables: tables.count })
}

/// Counts page tables; ranges of pages that share one must come one after the other.
#[derive(Default)]
struct Tables {
    count: u32,
    last: Option<u32>,
}

impl Tables {
    fn cover(&mut self, start: u32, end: u32) {
        let (first, last) = (start >> TABLE_BITS, (end - 1) >> TABLE_BITS);
        self.count += last - first + 1 - u32::from(self.last == Some(first));
        self.last = Some(last);
    }
}

/// Physical end of the kernel, where core begins.
///
/// # Errors
/// A segment that is not where the kernel belongs, or that would reach into the loader.
pub fn kernel_end(kernel: &Executable<'_>) -> Result<u32, Misplaced> {
    let mut end = KERNEL_PHYSICAL;
    for Segment { address, physical, size, .. } in kernel.segments() {
        let wanted = address.checked_sub(KERNEL_VIRTUAL).and_then(|offset| KERNEL_PHYSICAL.checked_add(offset));
        let segment_end = page_up(physical + size).filter(|&end| end <= LOADER);
        end = match segment_end {
            Some(segment_end) if wanted == Some(physical) => segment_end,
            _ => return Err(Misplaced::Kernel(address)),
        };
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        elf_file::{elf, elf_at},
        executable,
    };

    const CODE: (u32, u32, u32, &[u8]) = (PROGRAM.start, 5, 0x1001, &[1; 8]);

    fn demand(entry: u32, segments: &[(u32, u32, u32, &[u8])], stack: u32) -> Result<Demand, Misplaced> {
        component(&executable::open(&elf(entry, segments)).unwrap(), stack)
    }

    #[test]
    fn pages_and_tables_are_counted() {
        let data = (0x0101_f000, 6, 0x2000, &[][..]);
        let demand = demand(PROGRAM.start, &[CODE, data], 0x4000).unwrap();
        // The stack and the message buffer lie in one megabyte, the program in one other.
        assert_eq!(demand, Demand { program: 4, stack: 4, tables: 2 });
        assert_eq!(demand.pages(), 9);
        assert_eq!(demand.bytes(), 9 * 4096 + (16 << 10) + (2 << 10));
    }

    #[test]
    fn tables_of_a_long_segment_and_a_long_stack() {
        let data = (0x0180_0000, 6, 0x20_1000, &[][..]);
        assert_eq!(demand(PROGRAM.start, &[CODE, data], MAX_STACK).unwrap().tables, 1 + 3 + 1);
    }

    #[test]
    fn what_cannot_lie_there_is_refused() {
        let data = |address, flags| (address, flags, 0x10, &[][..]);
        let segment = |address| Err(Misplaced::Segment(address));
        assert_eq!(demand(0x1_0000, &[(0x1_0000, 5, 4, &[0; 4])], 0x1000), segment(0x1_0000));
        assert_eq!(demand(PROGRAM.start, &[CODE, data(0x0100_1800, 6)], 0x1000), segment(0x0100_1800));
        assert_eq!(demand(PROGRAM.start, &[CODE, data(0x0100_2010, 6)], 0x1000), segment(0x0100_2010));
        assert_eq!(demand(PROGRAM.start, &[CODE, data(PROGRAM.end, 6)], 0x1000), segment(PROGRAM.end));
        let both = demand(PROGRAM.start, &[CODE, data(0x0100_2000, 7)], 0x1000);
        assert_eq!(both, Err(Misplaced::WritableCode(0x0100_2000)));
        for stack in [0, 0x1001, MAX_STACK + PAGE] {
            assert_eq!(demand(PROGRAM.start, &[CODE], stack), Err(Misplaced::Stack(stack)));
        }
    }

    #[test]
    fn the_kernel_lies_in_its_place_only() {
        let end = |address, physical, size| {
            let file = elf_at(address, &[(address, physical, 5, size, &[0; 4])]);
            kernel_end(&executable::open(&file).unwrap())
        };
        assert_eq!(end(KERNEL_VIRTUAL, KERNEL_PHYSICAL, 0x3_0001), Ok(KERNEL_PHYSICAL + 0x3_1000));
        // 0x1000 - 0xd0000000 wraps around to 0x30001000.
        for (address, physical, size) in [
            (0x1000, 0x3000_1000, 4),
            (KERNEL_VIRTUAL, KERNEL_PHYSICAL + 4096, 4),
            (KERNEL_VIRTUAL, KERNEL_PHYSICAL, LOADER - KERNEL_PHYSICAL + 1),
        ] {
            assert_eq!(end(address, physical, size), Err(Misplaced::Kernel(address)));
        }
    }
}
