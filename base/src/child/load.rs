//! A program's segments become a child's memory.

use alloc::vec::Vec;

use crate::{
    executable::{Layout, Piece},
    platform::Machine,
    rpc::{CallError, Slot},
    session::{
        pd::{self, ANY, AllocateError, CopyError, CopyPages, MAX_COPY, Memory, PAGE},
        rm::{self, AttachError, Placement},
    },
};

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The dataspace that is its file.
    pub dataspace: Slot,
    /// What its headers say.
    pub layout: &'a Layout<'a>,
}

/// Why a program was not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A segment that does not begin at a page boundary, in memory as in the file.
    Misaligned(u32),
    /// A segment may be written and executed.
    WritableCode(u32),
    /// No memory for a segment.
    Allocate(CallError<AllocateError>),
    /// The content of a segment was not copied.
    Copy(CallError<CopyError>),
    /// A segment was not attached.
    Attach(CallError<AttachError>),
}

impl From<CallError<AllocateError>> for LoadError {
    fn from(error: CallError<AllocateError>) -> Self {
        Self::Allocate(error)
    }
}

impl From<CallError<CopyError>> for LoadError {
    fn from(error: CallError<CopyError>) -> Self {
        Self::Copy(error)
    }
}

impl From<CallError<AttachError>> for LoadError {
    fn from(error: CallError<AttachError>) -> Self {
        Self::Attach(error)
    }
}

/// The child whose memory is made: its own number and that of its address space, among the parent's.
pub(super) struct Loader<'a> {
    pub machine: Machine,
    pub pd: Slot,
    pub space: Slot,
    /// What was allocated for it.
    pub dataspaces: &'a mut Vec<Slot>,
}

impl Loader<'_> {
    /// Attaches the segments of a program: those that are never written as they are in the file, copies of the others.
    pub(super) fn load(&mut self, program: Program<'_>) -> Result<(), LoadError> {
        program.layout.pieces().try_for_each(|piece| self.piece(program.dataspace, &piece))
    }

    fn piece(&mut self, file: Slot, piece: &Piece) -> Result<(), LoadError> {
        let Piece { address, writable, executable, .. } = *piece;
        let pages = piece.pages().ok_or(LoadError::Misaligned(address))?;
        if writable && executable {
            return Err(LoadError::WritableCode(address));
        }
        if !writable && pages.filled == pages.count {
            let (offset, size) = (pages.from * PAGE, pages.count * PAGE);
            let placement = Placement { address: Some(address), offset, size, writable, executable };
            return Ok(self.attach(file, placement)?);
        }
        let memory = self.allocate(pages.count * PAGE)?;
        let (mut dst, mut src) = (0, pages.from);
        while dst < pages.filled {
            let count = (pages.filled - dst).min(MAX_COPY);
            // Programs are smaller than what 16 bits count, since the stack area is.
            let copied = self.pd().copy(memory, file, CopyPages { dst: dst as u16, src: src as u16, count })?;
            if copied == 0 {
                return Err(LoadError::Copy(CallError::Error(CopyError::Range)));
            }
            (dst, src) = (dst + copied, src + copied);
        }
        let placement = Placement { address: Some(address), offset: 0, size: 0, writable, executable };
        Ok(self.attach(memory, placement)?)
    }

    fn pd(&self) -> pd::Client {
        pd::Client::new(self.machine, crate::env::slots::PD)
    }

    /// Zeroed memory that the child pays.
    pub(super) fn allocate(&mut self, size: u32) -> Result<Slot, CallError<AllocateError>> {
        let dataspace = self.pd().allocate(ANY, self.pd, size, Memory::default())?;
        self.dataspaces.push(dataspace);
        while self.pd().populate(dataspace)? > 0 {}
        Ok(dataspace)
    }

    /// Attaches to the child's address space and maps everything, so that what the child costs is known before it runs.
    pub(super) fn attach(&self, dataspace: Slot, placement: Placement) -> Result<(), CallError<AttachError>> {
        let rm = rm::Client::new(self.machine, crate::env::slots::RM);
        let address = rm.attach(self.space, dataspace, placement)?;
        while rm.map(self.space, address)? > 0 {}
        Ok(())
    }
}
