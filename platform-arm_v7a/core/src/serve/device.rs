//! IRQ and IO_MEM.
