//! IRQ and IO_MEM.

use base::{
    rpc::Slot,
    session::{device::irq::Irq, signal::SignalError},
};

use super::Call;
use crate::system::{self, Id};

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
