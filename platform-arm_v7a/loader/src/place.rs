//! Checks the boot archive and copies what it holds to where the kernel expects it.

use core::{fmt, ops::Range, slice};

use wire::{
    archive::{self, Archive},
    executable,
    layout::{CORE, KERNEL, KERNEL_PHYSICAL, KERNEL_RAM, LOADER, MODULES, PAGE},
    plan::{self, Misplaced},
};

/// What the kernel is told when it is entered (seL4 5.0.0, `init_kernel`).
#[derive(Debug)]
pub struct Placed {
    /// Virtual entry point of the kernel.
    pub kernel_entry: u32,
    /// Physical addresses of core's image, modules included.
    pub image: Range<u32>,
    /// Core's physical addresses minus its virtual ones, modulo 2^32.
    pub offset: u32,
    /// Virtual entry point of core.
    pub core_entry: u32,
}

/// Why nothing can be started.
#[derive(Debug)]
pub enum Error {
    Archive(archive::Error),
    Modules(archive::Error),
    Missing(&'static str),
    Executable(&'static str, executable::Error),
    ArchiveTooLarge { end: u64 },
    Kernel(Misplaced),
    Core { address: u32 },
    TooLarge { end: u64 },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Modules(error) => write!(f, "modules: {error}"),
            Self::Missing(name) => write!(f, "the boot archive has no `{name}`; build the image again"),
            Self::Executable(name, error) => write!(f, "{name}: {error}"),
            Self::ArchiveTooLarge { end } => {
                write!(f, "the boot archive ends at {end:#x}, beyond the kernel's memory ({:#x})", KERNEL_RAM.end)
            }
            Self::Kernel(misplaced) => misplaced.fmt(f),
            Self::Core { address } => write!(f, "core wants to lie at {address:#x}, which is not page-aligned"),
            Self::TooLarge { end } => {
                write!(f, "core and its modules end at {end:#x}, inside the loader ({LOADER:#x}); use smaller modules")
            }
        }
    }
}

unsafe extern "C" {
    /// First byte after the loader, where the archive lies (link.ld).
    static __archive: u8;
}

/// Checks everything, then copies everything.
pub fn place() -> Result<Placed, Error> {
    let archive = archive()?;
    let file = |name| archive.find(name).map(|file| file.bytes).ok_or(Error::Missing(name));
    let kernel = executable::open(file(KERNEL)?).map_err(|error| Error::Executable(KERNEL, error))?;
    let core = executable::open(file(CORE)?).map_err(|error| Error::Executable(CORE, error))?;
    let modules = Archive::new(file(MODULES)?).map_err(Error::Modules)?.bytes();

    let kernel_end = u64::from(plan::kernel_end(&kernel).map_err(Error::Kernel)?);
    let core_extent = core.extent();
    if !core_extent.start.is_multiple_of(PAGE) {
        return Err(Error::Core { address: core_extent.start });
    }
    let core_size = u64::from(core_extent.end - core_extent.start).next_multiple_of(PAGE.into());
    let end = kernel_end + core_size + modules.len() as u64;
    if end > u64::from(LOADER) {
        return Err(Error::TooLarge { end });
    }
    let (image, modules_at) = (kernel_end as u32..end as u32, (kernel_end + core_size) as u32);
    let offset = image.start.wrapping_sub(core_extent.start);

    for segment in kernel.segments() {
        put(segment.physical, segment.size, segment.bytes);
    }
    for segment in core.segments() {
        put(segment.address.wrapping_add(offset), segment.size, segment.bytes);
    }
    put(modules_at, modules.len() as u32, modules);
    Ok(Placed { kernel_entry: kernel.entry(), image, offset, core_entry: core.entry() })
}

fn archive() -> Result<Archive<'static>, Error> {
    let start = &raw const __archive;
    // SAFETY: RAM behind the loader, written by whoever loaded us and by nobody since; a header fits there whatever
    // it contains.
    let header = unsafe { slice::from_raw_parts(start, archive::HEADER) };
    let length = Archive::stated_length(header).map_err(Error::Archive)?;
    let end = start.addr() as u64 + length as u64;
    if end > KERNEL_RAM.end.into() {
        return Err(Error::ArchiveTooLarge { end });
    }
    // SAFETY: as above; the end is still RAM.
    Archive::new(unsafe { slice::from_raw_parts(start, length) }).map_err(Error::Archive)
}

/// Copies `bytes` to physical memory and clears the rest up to `size`.
fn put(to: u32, size: u32, bytes: &[u8]) {
    debug_assert!(to >= KERNEL_PHYSICAL && to + size <= LOADER);
    // SAFETY: `place` has checked that the range is RAM below the loader, where nothing else lies; the source lies
    // behind the loader.
    unsafe {
        let to = to as *mut u8;
        to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        to.add(bytes.len()).write_bytes(0, size as usize - bytes.len());
    }
}
