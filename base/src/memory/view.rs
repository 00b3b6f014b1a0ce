//! Attached memory as bytes and words.
//!
//! Memory that others may have too is seen as atomic words: whatever they do to it, each word is some value. Memory that
//! nobody else can have is seen as ordinary bytes. Where what was attached is taken away, touching it is a fault, which stops
//! the thread: the addresses themselves stay taken until the region is dropped.
//!
//! The raw sessions (`env.rm()` and so on) can take memory away from under references: they stand where
//! `/proc/self/mem` stands elsewhere.
#![allow(unsafe_code)]

use core::{
    ops::{Deref, DerefMut},
    sync::atomic::AtomicU32,
};

use bytemuck::Pod;

use super::{Attachable, Dataspace, MemoryError, ModuleError, Region, Shared};
use crate::{
    Env,
    session::{pd::ANY, rm::Placement},
};

/// Something attached in the component's own address space, shared with others perhaps. Detached when dropped.
#[derive(Debug)]
pub struct Attachment(Region);

impl Attachment {
    /// Where it is.
    pub const fn address(&self) -> u32 {
        self.0.address()
    }

    /// How many bytes it has, whole pages.
    pub const fn size(&self) -> usize {
        self.0.size()
    }

    /// Its words, which others may change at any time. Writing to what was attached to be read only is a fault.
    pub fn words(&self) -> &[AtomicU32] {
        let start = self.0.env().platform().memory(self.address()).cast::<AtomicU32>();
        // SAFETY: the region has this many bytes from a page boundary on, and its addresses are nobody else's until it is
        // dropped. Any word is an atomic word, and all references to these addresses are to atomic words: others that
        // have the memory have it at other addresses, and their accesses are no worse than those of another processor.
        unsafe { core::slice::from_raw_parts(start, self.size() / size_of::<AtomicU32>()) }
    }

    /// Stays attached for good; its words.
    pub fn leak(self) -> &'static [AtomicU32] {
        let words: *const [AtomicU32] = self.words();
        self.0.leak();
        // SAFETY: as in `words`; the region is never dropped.
        unsafe { &*words }
    }
}

/// Memory that nobody else has: a dataspace that was made for it, attached, whose number nobody learns.
#[derive(Debug)]
pub struct PrivateMemory {
    // Detached before the dataspace is freed.
    region: Region,
    _dataspace: Dataspace,
}

impl PrivateMemory {
    /// Where it is.
    pub const fn address(&self) -> u32 {
        self.region.address()
    }

    /// As values of some type, as many as fit.
    ///
    /// # Panics
    /// A type that is aligned to more than a page.
    pub fn as_slice<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(&self[..whole::<T>(self.len())])
    }

    /// As values of some type, as many as fit.
    ///
    /// # Panics
    /// A type that is aligned to more than a page.
    pub fn as_mut_slice<T: Pod>(&mut self) -> &mut [T] {
        let bytes = whole::<T>(self.len());
        bytemuck::cast_slice_mut(&mut self[..bytes])
    }
}

/// As many bytes as whole values have.
fn whole<T>(bytes: usize) -> usize {
    bytes - bytes.checked_rem(size_of::<T>()).unwrap_or(0)
}

impl Deref for PrivateMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let start = self.region.env().platform().memory(self.address());
        // SAFETY: the region has this many bytes, which are all zero or what was written to them here; neither its
        // addresses nor the dataspace are anybody else's.
        unsafe { core::slice::from_raw_parts(start, self.region.size()) }
    }
}

impl DerefMut for PrivateMemory {
    fn deref_mut(&mut self) -> &mut [u8] {
        let start = self.region.env().platform().memory(self.address());
        // SAFETY: as in `deref`, and it is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(start, self.region.size()) }
    }
}

/// A module, attached to be read.
#[derive(Debug)]
pub struct Module {
    region: Region,
    shared: Shared,
    size: usize,
}

impl Module {
    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        let start = self.region.env().platform().memory(self.region.address());
        // SAFETY: the region has at least this many bytes, and modules never change.
        unsafe { core::slice::from_raw_parts(start, self.size.min(self.region.size())) }
    }

    /// The dataspace that holds it.
    pub const fn dataspace(&self) -> &Shared {
        &self.shared
    }
}

impl Env {
    /// Attaches a dataspace, or a region map, in the component's address space, with all its pages.
    ///
    /// # Errors
    /// Why it is not attached.
    pub fn attach(&self, what: &impl Attachable, placement: Placement) -> Result<Attachment, MemoryError> {
        self.attach_here(what, placement).map(Attachment)
    }

    /// Memory of at least that many bytes, all zero, that nobody else has.
    ///
    /// # Errors
    /// Why there is none.
    pub fn memory(&self, size: usize) -> Result<PrivateMemory, MemoryError> {
        let dataspace = self.allocate(size)?;
        let region = self.attach_here(&dataspace, Placement::ANYWHERE)?;
        Ok(PrivateMemory { region, _dataspace: dataspace })
    }

    /// The module of that name.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn rom_module(&self, name: &str) -> Result<Module, ModuleError> {
        let slot = self.rom().open(ANY, name).map_err(ModuleError::Open)?;
        let shared = Shared::new(*self, slot).map_err(ModuleError::Attach)?;
        let size = self.rom().size(name).map_err(ModuleError::Open)?;
        let placement = Placement { writable: false, ..Placement::ANYWHERE };
        let region = self.attach_here(&shared, placement).map_err(ModuleError::Attach)?;
        Ok(Module { region, shared, size: size as usize })
    }
}
