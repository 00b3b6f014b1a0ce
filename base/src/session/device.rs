//! IRQ, IO_MEM and DMA: what drivers need. PERSISTENT: memory that outlives the system.

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

/// DMA: where memory lies, for a device that reads and writes it by itself.
pub mod dma {
    use crate::{ErrorCode, interface, rpc::Slot};

    /// DMA: where memory lies, for a device that reads and writes it by itself.
    ///
    /// Nothing stands between such a device and memory: whoever can tell it an address can have it read and write anything. So a driver with
    /// a session of DMA is trusted with the whole system, and is to be done with its device before it gives memory back.
    #[interface(id = 21)]
    pub trait Dma {
        /// Physical address of a page of memory that the component has allocated uncached. What the processor has of it in its
        /// caches is in memory then, and stays out of them.
        #[operation(1, idempotent)]
        fn address(&mut self, dataspace: Slot, page: u32) -> Result<u32, AddressError>;
    }

    /// Why there is no address.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
    pub enum AddressError {
        /// There is nothing under this number.
        Nothing = 1,
        /// It is no memory that the component has allocated, or was not allocated uncached.
        Kind = 2,
        /// It has no such page.
        Range = 6,
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
