//! IRQ and IO_MEM.

use base::{
    rpc::Slot,
    session::{
        device::{io_mem::IoMem, irq::Irq},
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
        let number = self.call.free_number(at)?;
        let holder = self.call.holder;
        let domain = self.call.system.domains.get_mut(holder).ok_or(OpenError::Nothing)?;
        domain.account.charge(0, 1).map_err(|_| OpenError::Caps)?;
        self.call.enter(number, Known::Dataspace(self.registers));
        if let Some(domain) = self.call.system.domains.get_mut(holder)
            && let Some(entry) = domain.table.get_mut(number.0 as usize)
        {
            entry.paid = true;
        }
        Ok(number)
    }
}
