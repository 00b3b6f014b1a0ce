//! What the same work takes at least: its bytes copied at the machine's best rate, what is not copied cleared, its pages mapped,
//! and what must be created,
//! from figures of `bench kernel` that were measured in the same call of the tool.
//!
//! No request is in it, nothing of RTCR's or core's own work, and no instruction of the component. Frames, page directories, page
//! tables and capability spaces are kept and used again, so they cost nothing here.

use super::{
    super::{floor::Missing, table::Figure},
    measure::{Measured, Work},
};

const PAGE: u64 = 4 << 10;

/// Primitives, in picoseconds.
pub struct Floor {
    copy: u64,
    clear: u64,
    map: u64,
    section: u64,
    share: u64,
    table: u64,
    thread: u64,
    notification: u64,
    endpoint: u64,
    give: u64,
    stop: u64,
}

impl Floor {
    /// From the kernel's figures.
    ///
    /// # Errors
    /// One is not there.
    pub fn of(figures: &[Figure]) -> Result<Self, Missing> {
        let of = |name: &'static str| {
            figures.iter().find(|figure| figure.name == name).map(|figure| figure.picoseconds).ok_or(Missing(name))
        };
        let map = of("page/map 4 KiB in another address space")?;
        Ok(Self {
            copy: of("memory/copy 4 KiB with ldm and stm")?,
            clear: of("memory/clear 4 KiB with stm")?,
            map,
            section: of("page/map 1 MiB")?,
            share: of("cnode/copy of a frame")? + map,
            table: of("page/map a page table")?,
            thread: of("retype/thread, used memory")?
                + of("thread/configure")?
                + of("thread/write registers and resume, suspended before")?,
            notification: of("retype/notification")?,
            endpoint: of("retype/endpoint, used memory")?,
            give: of("cnode/mint of an endpoint")?,
            stop: of("thread/freeze, ready")? + of("thread/read registers")? + of("thread/thaw, ready")?,
        })
    }

    /// Of copying alone, in nanoseconds.
    pub fn copying(&self, bytes: u64) -> u64 {
        bytes / PAGE * self.copy / 1_000
    }

    /// Of a restore, in nanoseconds. So many megabytes are mapped as frames of one.
    pub fn restore(&self, work: &Work, sections: u32) -> u64 {
        let sections = u64::from(sections);
        let small = work.mapped.own.saturating_sub(sections * ((1 << 20) / PAGE));
        let copied = (work.copied + work.stack_bytes) / PAGE;
        // What is not overwritten was somebody else's.
        let memory = copied * self.copy
            + work.mapped.own.saturating_sub(copied) * self.clear
            + small * self.map
            + sections * self.section
            + work.mapped.shared * self.share
            + work.mapped.megabytes.saturating_sub(sections) * self.table;
        let objects = work.count("Cpu.create") * self.thread
            + work.count("Pd.create_notification") * self.notification
            + work.count("Pd.create_endpoint") * self.endpoint
            + (work.count("Pd.install") + work.count("Cpu.create")) * self.give;
        (memory + objects) / 1_000
    }

    /// Of the time that a checkpoint stops a component, in nanoseconds.
    pub fn stop(&self, measured: &Measured) -> u64 {
        let work = &measured.checkpoint;
        (work.copied / PAGE * self.copy + work.threads * self.stop) / 1_000
    }
}
