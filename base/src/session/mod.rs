//! The interfaces between a component and whoever serves it, one module each.
//!
//! Each is a trait marked [`interface`](macro@crate::interface), from which client, server and interposer are made, with what
//! else its clients like to have.

pub mod census;
pub mod checkpoint;
pub mod cpu;
pub mod custody;
pub mod device;
pub mod echo;
pub mod figures;
pub mod link;
pub mod log;
pub mod parent;
pub mod pd;
pub mod report;
pub mod rm;
pub mod rom;
pub mod several;
pub mod signal;
pub mod timer;

use crate::rpc::Interface;

/// All of them, for whoever shows or relays requests. Numbers from 1000 on belong to interfaces that are not here.
pub const INTERFACES: &[Interface] = &[
    pd::INTERFACE,
    log::INTERFACE,
    rm::INTERFACE,
    cpu::INTERFACE,
    rom::INTERFACE,
    timer::INTERFACE,
    signal::INTERFACE,
    parent::INTERFACE,
    device::irq::INTERFACE,
    device::io_mem::INTERFACE,
    device::persistent::INTERFACE,
    device::dma::INTERFACE,
    report::INTERFACE,
    echo::INTERFACE,
    census::INTERFACE,
    checkpoint::INTERFACE,
    link::INTERFACE,
    custody::INTERFACE,
];

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_and_names_are_unique() {
        let ids: BTreeSet<_> = INTERFACES.iter().map(|interface| interface.id).collect();
        let names: BTreeSet<_> = INTERFACES.iter().map(|interface| interface.name).collect();
        assert_eq!((ids.len(), names.len()), (INTERFACES.len(), INTERFACES.len()));
        assert!(ids.into_iter().all(|id| id < 1000));
    }
}
