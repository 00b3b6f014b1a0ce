//! IRQ and IO_MEM: what drivers need.

/// IRQ: an interrupt. The session's label is its number.
pub mod irq {
    use crate::{interface, rpc::Slot, session::signal::SignalError};

    /// IRQ: an interrupt. The session's label is its number.
    #[interface(id = 9)]
    pub trait Irq {
        /// The interrupt raises this signal from now on.
        #[operation(1)]
        fn handle(&mut self, context: Slot) -> Result<(), SignalError>;

        /// The device has been served; the interrupt may come again.
        #[operation(2, idempotent)]
        fn acknowledge(&mut self);
    }
}

/// IO_MEM: registers of a device. The session's label is their physical address in hexadecimal.
pub mod io_mem {
    use crate::{interface, rpc::Slot, session::rom::OpenError};

    /// IO_MEM: registers of a device. The session's label is their physical address in hexadecimal.
    #[interface(id = 10)]
    pub trait IoMem {
        /// The dataspace of one page that is the device's registers.
        #[operation(1)]
        fn open(&mut self, at: Slot) -> Result<Slot, OpenError>;
    }
}
