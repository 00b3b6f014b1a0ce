//! Objects. Each information is taken apart here, so that none gets a field that nobody has thought of comparing.

use super::{difference::Comparison, time::Times};
use crate::object::{
    Info, RamDataspaceInfo, RegionMapInfo, RomDataspaceInfo, SessionInfo, SharedInfo, SignalContextInfo, ThreadInfo,
};

/// Names of a thread's registers, in their order.
const REGISTERS: [&str; 17] =
    ["pc", "sp", "cpsr", "r0", "r1", "r8", "r9", "r10", "r11", "r12", "r2", "r3", "r4", "r5", "r6", "r7", "lr"];

/// What it is, for people.
pub(super) const fn kind(info: &Info) -> &'static str {
    match info {
        Info::RamDataspace(_) => "memory",
        Info::RomDataspace(_) => "module",
        Info::RegionMap(_) => "region map",
        Info::Thread(_) => "thread",
        Info::SignalContext(_) => "signal context",
        Info::Endpoint => "endpoint",
        Info::Notification => "notification",
        Info::Remnant => "remnant",
        Info::Session(_) => "session",
        Info::SharedDataspace(_) => "shared memory",
    }
}

pub(super) fn compare(found: &mut Comparison, one: &Info, other: &Info, times: &Times) {
    match (one, other) {
        (Info::RamDataspace(one), Info::RamDataspace(other)) => {
            let RamDataspaceInfo { size, memory, pages, skipped, stack, stored } = one;
            found.field("size", size, &other.size);
            found.field("kind of memory", memory, &other.memory);
            found.field("pages", pages, &other.pages);
            found.field("is a stack", stack, &other.stack);
            found.field("pages below the stack pointer", skipped, &other.skipped);
            found.field("place of its pages", stored, &other.stored);
        }
        (Info::RomDataspace(one), Info::RomDataspace(other)) => {
            let RomDataspaceInfo { name, size, fingerprint } = one;
            found.field("name", name, &other.name);
            found.field("size", size, &other.size);
            found.field("fingerprint", fingerprint, &other.fingerprint);
        }
        (Info::RegionMap(one), Info::RegionMap(other)) => {
            // Where its regions are in the list is a matter of all maps before it.
            let RegionMapInfo { kind, first: _, count, handler } = one;
            found.field("kind", kind, &other.kind);
            found.field("regions", count, &other.count);
            found.field("handler", handler, &other.handler);
        }
        (Info::Thread(one), Info::Thread(other)) => thread(found, one, other),
        (Info::SignalContext(one), Info::SignalContext(other)) => {
            let SignalContextInfo { doorbell, cookie, pending: _, timeout: _ } = one;
            found.field("doorbell", doorbell, &other.doorbell);
            found.field("cookie", cookie, &other.cookie);
            // What rings nothing is told to nobody.
            if doorbell.is_some() && !times.agree(one, other) {
                found.differs("pending and timeout", one, other);
            }
        }
        (Info::Session(one), Info::Session(other)) => {
            let SessionInfo { service, argument, number } = one;
            found.field("service", service, &other.service);
            found.field("argument", argument, &other.argument);
            found.field("session", number, &other.number);
        }
        (Info::SharedDataspace(one), Info::SharedDataspace(other)) => {
            let SharedInfo { session, handle, size } = one;
            found.field("session", session, &other.session);
            found.field("handle", handle, &other.handle);
            found.field("size", size, &other.size);
        }
        (one, other) => found.field("what it is", &kind(one), &kind(other)),
    }
}

fn thread(found: &mut Comparison, one: &ThreadInfo, other: &ThreadInfo) {
    let ThreadInfo { name, map, buffer, priority, paused, bound, started, activity: _, owes, call, registers } = one;
    found.field("name", name, &other.name);
    found.field("address space", map, &other.map);
    found.field("page for messages", buffer, &other.buffer);
    found.field("priority", priority, &other.priority);
    found.field("paused", paused, &other.paused);
    found.field("what wakes it", bound, &other.bound);
    found.field("started", started, &other.started);
    found.field("whom it owes an answer", owes, &other.owes);
    found.field("call", call, &other.call);
    // What was never started has none.
    if *started {
        for ((name, one), other) in REGISTERS.iter().zip(registers).zip(&other.registers) {
            found.field(name, one, other);
        }
    }
}
