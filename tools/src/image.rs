//! The boot image: one ELF file that `qemu-system-arm -kernel` and U-Boot's `bootelf` take.
//!
//! ```text
//! segments of the loader            linked at wire::layout::LOADER; the entry point is the loader's
//! one more segment                  at the next page after the loader, which knows the place as `__archive`
//!   boot archive                    wire::archive
//!     kernel                        ELF, stripped
//!     core                          ELF, stripped
//!     modules                       an archive in the archive, handed to core as it is
//!       scenario                    postcard of base::scenario::Scenario
//!       PROGRAM ...                 ELF, stripped, by name
//! ```
//!
//! What will not fit on the board is refused here, with numbers; the loader checks again.

mod report;

use std::collections::{BTreeMap, BTreeSet};

use base::scenario::{Bytes, INIT, MODULE, Scenario};
use sha2::{Digest, Sha256};
use wire::{
    archive,
    executable::{Executable, Segment},
    layout::{CORE, KERNEL, KERNEL_PHYSICAL, KERNEL_RAM, LOADER, MODULES, PAGE},
    plan::{self, Misplaced},
};

use crate::executable;

pub use report::{ComponentReport, Part, Report};

/// What an image is made of: ELF files as the linker left them.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The kernel.
    pub kernel: Vec<u8>,
    /// The loader.
    pub loader: Vec<u8>,
    /// Core.
    pub core: Vec<u8>,
    /// The programs of the scenario's components, by name.
    pub programs: BTreeMap<String, Vec<u8>>,
}

/// A bootable image.
#[derive(Clone, Debug)]
pub struct Image {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// What is in it and where it will lie.
    pub report: Report,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A scenario of several nodes.
    #[error("a scenario of several nodes has an image for each of them, and none for all; add --node NODE")]
    Nodes,
    /// A part is no executable for the board.
    #[error(transparent)]
    Executable(#[from] executable::Error),
    /// The parts do not fit the archive format.
    #[error(transparent)]
    Archive(#[from] archive::WriteError),
    /// A component's program was not given.
    #[error("the program `{0}` is missing")]
    NoProgram(String),
    /// A program whose name is taken.
    #[error("no program can be called `{MODULE}`: the boot module with the scenario has that name; rename it")]
    ReservedName,
    /// The scenario cannot be encoded.
    #[error("the scenario cannot be encoded: {0}")]
    Scenario(postcard::Error),
    /// The loader expects the archive elsewhere than behind itself.
    #[error(
        "the loader expects the boot archive at {expected:?}, but ends at {end:#010x}; \
         mend platform-arm_v7a/loader/link.ld"
    )]
    ArchivePlace {
        /// Its symbol `__archive`.
        expected: Option<u32>,
        /// Where it ends, rounded up to a page.
        end: u64,
    },
    /// The loader is not linked where it belongs.
    #[error("the loader is linked at {0:#010x} instead of {LOADER:#010x}; mend platform-arm_v7a/loader/link.ld")]
    LoaderPlace(u32),
    /// The kernel is not linked where it belongs.
    #[error(transparent)]
    KernelPlace(Misplaced),
    /// A component cannot lie where components lie.
    #[error("component `{component}`: {misplaced}")]
    Component {
        /// Which.
        component: String,
        /// Why.
        misplaced: Misplaced,
    },
    /// Core is not page-aligned.
    #[error("core is linked at {0:#010x}, which is no page boundary; mend platform-arm_v7a/core/link.ld")]
    CorePlace(u32),
    /// Core and its modules would reach into the loader.
    #[error(
        "the programs are too large: core ({core} bytes) and its modules ({modules} bytes), placed at {start:#010x}, \
         would end at {end:#x}, inside the loader at {LOADER:#010x}; use smaller or fewer programs"
    )]
    TooLarge {
        /// Physical address after the kernel.
        start: u64,
        /// Core's size in memory.
        core: u64,
        /// Size of the archive of modules.
        modules: u64,
        /// Physical end.
        end: u64,
    },
    /// The archive would reach out of the memory that may be used while loading.
    #[error(
        "the image is too large: the boot archive ({length} bytes at {start:#010x}) would end at {end:#x}, beyond \
         {limit:#010x}; use smaller or fewer programs", limit = KERNEL_RAM.end
    )]
    ArchiveTooLarge {
        /// Where it starts.
        start: u64,
        /// Its size.
        length: u64,
        /// Where it ends.
        end: u64,
    },
    /// A component that could not even be loaded into what it may use.
    #[error(
        "component `{component}` may use {ram} bytes, but its program ({program}), stack ({stack}), children ({below}), \
         message buffer and page tables need {needed}; set component.{component}.ram to at least {suggestion}"
    )]
    Ram {
        /// Which.
        component: String,
        /// Its quota.
        ram: u64,
        /// Size of its program in memory.
        program: u64,
        /// Size of its stack.
        stack: u64,
        /// Quotas of its children.
        below: u64,
        /// What it needs to start.
        needed: u64,
        /// A quota with some room.
        suggestion: Bytes,
    },
    /// The quotas of all components exceed the board.
    #[error(
        "the components, and core to manage them, may use {wanted} bytes in all, but the board has {free} to give; \
         lower component.NAME.ram"
    )]
    TotalRam {
        /// Sum of all quotas, and what core needs.
        wanted: u64,
        /// What is left beside kernel, core and modules.
        free: u64,
    },
}

/// The programs that a scenario runs: those of its components, and the one that starts them.
pub fn programs(scenario: &Scenario) -> BTreeSet<&str> {
    let of_components = scenario.components.iter().map(|(name, component)| component.binary(name));
    of_components.chain((!scenario.components.is_empty()).then_some(INIT)).collect()
}

/// Packs an image. Equal input gives equal bytes.
///
/// # Errors
/// The first part that is wrong or does not fit.
pub fn assemble(name: &str, scenario: &Scenario, parts: &Parts) -> Result<Image, Error> {
    if !scenario.nodes.is_empty() {
        return Err(Error::Nodes);
    }
    let kernel = executable::strip(KERNEL, &parts.kernel)?;
    let core = executable::strip(CORE, &parts.core)?;
    let loader = executable::check("loader", &parts.loader)?;
    let scenario_module = postcard::to_allocvec(scenario).map_err(Error::Scenario)?;

    let mut programs = Vec::new();
    for name in self::programs(scenario) {
        if name == MODULE {
            return Err(Error::ReservedName);
        }
        let program = parts.programs.get(name).ok_or_else(|| Error::NoProgram(name.into()))?;
        programs.push((name, executable::strip(name, program)?));
    }
    let mut files = vec![(MODULE, scenario_module.as_slice())];
    files.extend(programs.iter().map(|(name, program)| (*name, program.as_slice())));
    let modules = archive::write(&files)?;
    let archive = archive::write(&[(KERNEL, &kernel), (CORE, &core), (MODULES, &modules)])?;

    let archive_start = archive_place(&loader, &parts.loader)?;
    let kernel_start = u64::from(KERNEL_PHYSICAL);
    let kernel_end = u64::from(plan::kernel_end(&executable::check(KERNEL, &kernel)?).map_err(Error::KernelPlace)?);
    let core_size = core_size(&executable::check(CORE, &core)?)?;
    let modules_start = kernel_end + core_size;
    let end = modules_start + modules.len() as u64;
    if end > LOADER.into() {
        return Err(Error::TooLarge { start: kernel_end, core: core_size, modules: modules.len() as u64, end });
    }
    let archive_end = u64::from(archive_start) + archive.len() as u64;
    if archive_end > KERNEL_RAM.end.into() {
        return Err(Error::ArchiveTooLarge {
            start: archive_start.into(),
            length: archive.len() as u64,
            end: archive_end,
        });
    }

    let stripped_loader = executable::strip("loader", &parts.loader)?;
    let part = |name: &str, start: u64, size: u64, content: &[u8]| {
        let (bytes, sha256) = (content.len() as u64, hash(content));
        Part { name: name.into(), within: None, start, size, bytes, sha256 }
    };
    let mut places = vec![
        part(KERNEL, kernel_start, kernel_end - kernel_start, &kernel),
        part(CORE, kernel_end, core_size, &core),
        part(MODULES, modules_start, modules.len() as u64, &modules),
    ];
    for file in archive::Archive::new(&modules).into_iter().flat_map(|modules| modules.files()) {
        let place = part(file.name, modules_start + file.offset as u64, file.bytes.len() as u64, file.bytes);
        places.push(Part { within: Some(MODULES.into()), ..place });
    }
    places.push(part("loader", LOADER.into(), u64::from(archive_start - LOADER), &stripped_loader));
    places.push(part("boot archive", archive_start.into(), archive.len() as u64, &archive));

    let free = u64::from(KERNEL_RAM.end - KERNEL_RAM.start) - (end - u64::from(KERNEL_RAM.start));
    let components = components(scenario, &programs, free)?;
    let archive_segment = Segment {
        address: archive_start,
        physical: archive_start,
        size: archive.len() as u32,
        bytes: &archive,
        writable: false,
        executable: false,
    };
    let segments: Vec<_> = loader.segments().chain([archive_segment]).collect();
    let bytes = executable::write("the image", loader.entry(), segments)?;
    let report = Report {
        scenario: name.into(),
        about: scenario.about.clone(),
        bytes: bytes.len() as u64,
        sha256: hash(&bytes),
        parts: places,
        components,
        free,
    };
    Ok(Image { bytes, report })
}

/// Where the archive goes: behind the loader, if the loader looks for it there.
fn archive_place(loader: &Executable<'_>, file: &[u8]) -> Result<u32, Error> {
    let extent = loader.extent();
    if extent.start != LOADER || loader.segments().any(|segment| segment.address != segment.physical) {
        return Err(Error::LoaderPlace(extent.start));
    }
    let end = u64::from(extent.end).next_multiple_of(PAGE.into());
    match executable::symbol(file, "__archive") {
        Some(place) if u64::from(place) == end => Ok(place),
        expected => Err(Error::ArchivePlace { expected, end }),
    }
}

fn core_size(core: &Executable<'_>) -> Result<u64, Error> {
    let extent = core.extent();
    match extent.start.is_multiple_of(PAGE) {
        true => Ok(u64::from(extent.end - extent.start).next_multiple_of(PAGE.into())),
        false => Err(Error::CorePlace(extent.start)),
    }
}

fn components(scenario: &Scenario, programs: &[(&str, Vec<u8>)], free: u64) -> Result<Vec<ComponentReport>, Error> {
    let bytes = |pages| u64::from(pages) * u64::from(PAGE);
    let (mut reports, mut wanted) = (Vec::new(), 0);
    for (name, component) in &scenario.components {
        let binary = component.binary(name);
        let (_, file) =
            programs.iter().find(|(program, _)| *program == binary).ok_or_else(|| Error::NoProgram(binary.into()))?;
        let demand = plan::component(&executable::check(binary, file)?, component.stack.0)
            .map_err(|misplaced| Error::Component { component: name.clone(), misplaced })?;
        let below: u64 = scenario.children(name).map(|(_, child)| u64::from(child.ram.0)).sum();
        let (ram, needed) = (u64::from(component.ram.0), demand.bytes() + below);
        let (program, stack) = (bytes(demand.program), bytes(demand.stack));
        if needed > ram {
            let suggestion = Bytes(u32::try_from((needed * 5 / 4).next_multiple_of(64 << 10)).unwrap_or(u32::MAX));
            return Err(Error::Ram { component: name.clone(), ram, program, stack, below, needed, suggestion });
        }
        // What is below others comes out of theirs.
        wanted += if component.parent() == INIT { u64::from(component.most_ram().0) } else { 0 };
        reports.push(ComponentReport {
            name: name.clone(),
            binary: binary.into(),
            parent: component.parent().into(),
            priority: component.priority,
            ram,
            program,
            stack,
        });
    }
    let wanted = plan::memory(wanted);
    if wanted > free {
        return Err(Error::TotalRam { wanted, free });
    }
    Ok(reports)
}

/// SHA-256 in hexadecimal digits.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
