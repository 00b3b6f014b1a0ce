//! IRQ, IO_MEM, DMA and PERSISTENT.

use base::{
    rpc::Slot,
    session::{
        device::{
            dma::{AddressError, Dma},
            io_mem::IoMem,
            irq::Irq,
            persistent::Persistent,
        },
        pd::CopyError,
        rom::OpenError,
        signal::SignalError,
    },
};

use super::Call;
use crate::system::{self, Dataspace, Id, Known};

/// An IRQ session.
pub(super) struct IrqCall<'a> {
    pub(super) call: Call<'a>,
    pub(super) irq: Id<system::irq::Irq>,
}

impl Irq for IrqCall<'_> {
    fn handle(&mut self, context: Slot) -> Result<(), SignalError> {
        let context = self.call.context(context)?;
        self.call.system.handle_irq(self.irq, context);
        Ok(())
    }

    fn acknowledge(&mut self) {
        self.call.system.acknowledge_irq(self.irq);
    }
}

/// An IO_MEM session.
pub(super) struct IoMemCall<'a> {
    pub(super) call: Call<'a>,
    pub(super) registers: Id<Dataspace>,
}

impl IoMem for IoMemCall<'_> {
    fn open(&mut self, at: Slot) -> Result<Slot, OpenError> {
        self.call.enter_shared(at, self.registers)
    }
}

impl Dma for Call<'_> {
    fn address(&mut self, dataspace: Slot, page: u32) -> Result<u32, AddressError> {
        let id = self.dataspace(dataspace)?;
        self.system.physical_address(self.holder, id, page)
    }
}

/// A PERSISTENT session.
pub(super) struct PersistentCall<'a> {
    pub(super) call: Call<'a>,
    pub(super) memory: Id<Dataspace>,
}

impl Persistent for PersistentCall<'_> {
    fn open(&mut self, at: Slot) -> Result<Slot, OpenError> {
        self.call.enter_shared(at, self.memory)
    }

    fn flush(&mut self, first: u32, count: u32) -> Result<u32, CopyError> {
        self.call.system.flush_persistent(self.memory, first, count)
    }
}

impl Call<'_> {
    /// Lets the caller know a dataspace that nobody pays for; it pays for the number.
    fn enter_shared(&mut self, at: Slot, dataspace: Id<Dataspace>) -> Result<Slot, OpenError> {
        let number = self.free_number(at)?;
        let paid = self.system.pay_entry(self.holder, number, Known::Dataspace(dataspace), true);
        paid.map(|()| number).map_err(|_| OpenError::Caps)
    }
}
