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
        let known = Known::Dataspace(self.registers);
        let paid = self.call.system.pay_entry(self.call.holder, number, known, true);
        paid.map(|()| number).map_err(|_| OpenError::Caps)
    }
}
