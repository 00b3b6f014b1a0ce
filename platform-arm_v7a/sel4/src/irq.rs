//! Interrupts as signals (manual, section 8.1).

use sel4_raw as raw;

use crate::{Cap, Error, IrqControl, IrqHandler, Notification, Slot};

impl Cap<IrqControl> {
    /// Puts a capability to interrupt `irq` into `dst`. There is at most one per interrupt.
    ///
    /// Corresponds to `seL4_IRQControl_Get` (manual, "IRQ Control - Get").
    ///
    /// # Errors
    /// `RangeError`: there is no such interrupt. `RevokeFirst`: somebody has it. `DeleteFirst`: `dst` is taken.
    #[inline]
    pub fn get(self, irq: u16, dst: Slot) -> Result<(), Error> {
        let Slot { root, index, depth } = dst;
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_IRQControl_Get(self.number(), irq.into(), root.number(), index, depth) })
    }
}

impl Cap<IrqHandler> {
    /// Lets the interrupt occur again. After it was signalled it is masked until then.
    ///
    /// Corresponds to `seL4_IRQHandler_Ack` (manual, "IRQ Handler - Acknowledge").
    ///
    /// # Errors
    /// The slot holds something else.
    #[inline]
    pub fn acknowledge(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_IRQHandler_Ack(self.number()) })
    }

    /// Has the interrupt signalled through `notification`, which should have a badge: a thread that polls cannot tell a
    /// signal without badge from none.
    ///
    /// Corresponds to `seL4_IRQHandler_SetNotification` (manual, "IRQ Handler - Set Notification").
    ///
    /// # Errors
    /// `InvalidCapability`: no notification, or one without write right.
    #[inline]
    pub fn set_notification(self, notification: Cap<Notification>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_IRQHandler_SetNotification(self.number(), notification.number()) })
    }

    /// Has the interrupt signalled nowhere.
    ///
    /// Corresponds to `seL4_IRQHandler_Clear` (manual, "IRQ Handler - Clear").
    ///
    /// # Errors
    /// The slot holds something else.
    #[inline]
    pub fn clear(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_IRQHandler_Clear(self.number()) })
    }
}
