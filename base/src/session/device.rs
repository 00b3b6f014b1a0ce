//! IRQ and IO_MEM: what drivers need. PERSISTENT: memory that outlives the system.

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

/// PERSISTENT: memory that outlives the system. The session's label is its size in hexadecimal.
pub mod persistent {
    use crate::{
        interface,
        rpc::Slot,
        session::{pd::CopyError, rom::OpenError},
    };

    /// Most pages that are flushed at once.
    pub const MAX_FLUSH: u32 = 8;

    /// PERSISTENT: memory that outlives the system. The session's label is its size in hexadecimal.
    #[interface(id = 15)]
    pub trait Persistent {
        /// The dataspace that is the memory, in frames of 1 MiB. Nobody clears it: it holds what a run before has left, or
        /// anything at all.
        #[operation(1)]
        fn open(&mut self, at: Slot) -> Result<Slot, OpenError>;

        /// What was written to these pages is there after a restart; at most [`MAX_FLUSH`] are seen to, tells how
        /// many.
        #[operation(2, idempotent)]
        fn flush(&mut self, first: u32, count: u32) -> Result<u32, CopyError>;
    }
}
