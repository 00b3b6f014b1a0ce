//! An image as text, and as JSON.

use std::fmt;

use rtcr::{
    image::{Image, Section},
    information::{Information, Stage},
    object::{Info, MapKind, RegionInfo},
};
use serde_json::{Value, json as value};

use super::Program;

/// Names of the registers, in the order in which they are kept.
pub(super) const NAMES: [&str; 17] =
    ["pc", "sp", "cpsr", "r0", "r1", "r8", "r9", "r10", "r11", "r12", "r2", "r3", "r4", "r5", "r6", "r7", "lr"];

const PAGE: u64 = 4096;

/// What is shown of an image: everything but the content of memory.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Of this one.
    pub image: &'a Image,
    /// With names of functions, if its program is there.
    pub program: Option<&'a Program>,
}

/// Pages of all memory: all of them, those that are zero, and those that are no state.
fn pages(image: &Image) -> (u64, u64, u64) {
    let memory = || {
        image.information.objects.iter().filter_map(|object| match &object.info {
            Info::RamDataspace(info) => Some(info),
            _ => None,
        })
    };
    let all: u64 = memory().map(|info| u64::from(info.pages)).sum();
    let skipped: u64 = memory().map(|info| u64::from(info.skipped.min(info.pages))).sum();
    (all, all - skipped - saved(image), skipped)
}

fn saved(image: &Image) -> u64 {
    image.header.entry(Section::Contents).map_or(0, |entry| entry.length / PAGE)
}

fn or_none(number: Option<u32>) -> String {
    number.map_or_else(|| "none".into(), |number| number.to_string())
}

/// Names of the services that it offers.
pub(super) fn offered(information: &Information) -> String {
    list(&information.served.services)
}

/// With commas in between.
pub(super) fn list<T: fmt::Display>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// An object in a line.
pub(super) fn what(info: &Info) -> String {
    match info {
        Info::RamDataspace(info) => {
            let kind = if info.stack { "stack" } else { "memory" };
            let skipped =
                if info.skipped > 0 { format!(", {} below its pointer", info.skipped) } else { String::new() };
            format!(
                "{kind}, {} bytes, {} pages{skipped}, {:?}, frames {:?}",
                info.size, info.pages, info.memory.cache, info.memory.largest
            )
        }
        Info::RomDataspace(info) => {
            format!("module {}, {} bytes, fingerprint {:016x}", info.name, info.size, info.fingerprint)
        }
        Info::RegionMap(info) => {
            let kind = match info.kind {
                MapKind::Space => "address space".into(),
                MapKind::Managed { size } => format!("region map, {size} bytes"),
            };
            let handler = info.handler.map_or_else(String::new, |handler| format!(", faults raise {handler}"));
            format!("{kind}, {} regions{handler}", info.count)
        }
        Info::Thread(info) => {
            let mut text = format!(
                "thread {}, priority {}, {:?}, in {}, messages at {:#010x}, woken by {}",
                info.name,
                info.priority,
                info.activity,
                or_none(info.map),
                info.buffer,
                or_none(info.bound)
            );
            if info.paused > 0 {
                text += &format!(", paused {} times", info.paused);
            }
            if let Some(owes) = info.owes {
                text += &format!(", owes {owes} an answer");
            }
            if let Some(call) = info.call {
                text += &format!(", in call {} of session {}", call.number, call.session);
            }
            text
        }
        Info::SignalContext(info) => {
            let mut text = format!("signal context, cookie {:#x}, rings {}", info.cookie, or_none(info.doorbell));
            if info.pending > 0 {
                text += &format!(", raised {} times", info.pending);
            }
            match info.timeout.map(|timeout| (timeout.remaining, timeout.period)) {
                Some((remaining, Some(period))) => text += &format!(", in {remaining} ns and every {period} ns"),
                Some((remaining, None)) => text += &format!(", in {remaining} ns"),
                None => {}
            }
            text
        }
        Info::Endpoint => "endpoint".into(),
        Info::Notification => "notification".into(),
        Info::Remnant => "what is being freed".into(),
        Info::Session(info) => {
            let argument = info.argument.escape_ascii();
            format!("session {} of {}, opened with \"{argument}\"", info.number, info.service)
        }
        Info::SharedDataspace(info) => {
            format!("memory of the server of session {}, handle {}, {} bytes", info.session, info.handle, info.size)
        }
    }
}

/// A region in a line.
pub(super) fn region(region: &RegionInfo) -> String {
    let RegionInfo { address, size, offset, writable, executable, what, mapped } = *region;
    let end = u64::from(address) + u64::from(size);
    let (w, x) = (if writable { 'w' } else { '-' }, if executable { 'x' } else { '-' });
    let what = what.map_or_else(|| "what is gone".into(), |what| format!("{what} from {offset:#x}"));
    format!("{address:#010x}..{end:#010x} r{w}{x} {what}{}", if mapped { "" } else { ", as it is touched" })
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Image { header, identity, information, .. } = self.image;
        let stage = if information.stage == Stage::Running { "running" } else { "before its barrier" };
        writeln!(f, "{}: program {} ({:016x}), {stage}", identity.name, identity.module, identity.fingerprint)?;
        writeln!(f, "image: version {}, {} bytes", header.version, header.length)?;
        for entry in &header.sections {
            let known = Section::described(entry.kind).map_or("not known", |known| known.name);
            writeln!(f, "  {known:<10} {:>9} bytes, checksum {:08x}", entry.length, entry.checksum)?;
        }
        let (all, zero, skipped) = pages(self.image);
        writeln!(f, "pages: {all}: {} saved, {zero} zero, {skipped} below stack pointers", saved(self.image))?;
        let account = information.account;
        writeln!(f, "quota: {} bytes, {} capabilities; {} numbers", account.ram, account.caps, information.slots)?;
        writeln!(f, "time: {}.{:09} s", information.clock / 1_000_000_000, information.clock % 1_000_000_000)?;
        writeln!(f, "journal: {} requests", information.journal.len())?;
        let mut place = 0;
        while let Some((entry, next)) = information.journal.entry(place) {
            writeln!(f, "  {} -> {}", entry.asked(), entry.status)?;
            place = next;
        }
        if self.program.is_some_and(|program| !program.is_of(identity)) {
            writeln!(f, "names of functions are those of another build of {}", identity.module)?;
        }
        if !information.served.services.is_empty() {
            writeln!(f, "offers: {}; sessions: {}", offered(information), list(&information.served.sessions))?;
        }
        writeln!(f, "objects: {}", information.objects.len())?;
        for object in &information.objects {
            let private = if object.number >= information.slots { " (private)" } else { "" };
            writeln!(f, "  {}{private}: {}", object.number, what(&object.info))?;
            match &object.info {
                Info::RegionMap(map) => {
                    information.regions_of(map).iter().try_for_each(|shown| writeln!(f, "      {}", region(shown)))?
                }
                Info::Thread(thread) => {
                    for (label, place) in [("pc", thread.registers[0]), ("lr", thread.registers[16])] {
                        if let Some(place) = self.program.and_then(|program| program.place(place)) {
                            writeln!(f, "      {label} is in {place}")?;
                        }
                    }
                    for part in NAMES.iter().zip(thread.registers).collect::<Vec<_>>().chunks(6) {
                        let part: Vec<String> =
                            part.iter().map(|(name, register)| format!("{name:>4} {register:08x}")).collect();
                        writeln!(f, "      {}", part.join(" ").trim_end())?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The same for programs.
pub fn json(shown: Shown<'_>) -> Value {
    let Image { header, identity, information, .. } = shown.image;
    let sections = header.sections.iter().map(|entry| {
        let name = Section::described(entry.kind).map(|known| known.name);
        value!({"kind": entry.kind, "name": name, "bytes": entry.length, "checksum": entry.checksum})
    });
    let objects = information.objects.iter().map(|object| {
        let mut told = value!({
            "number": object.number,
            "private": object.number >= information.slots,
            "what": what(&object.info),
        });
        match &object.info {
            Info::RegionMap(map) => {
                let regions = information.regions_of(map).iter().map(|region| {
                    value!({
                        "address": region.address, "size": region.size, "offset": region.offset, "what": region.what,
                        "writable": region.writable, "executable": region.executable, "mapped": region.mapped,
                    })
                });
                told["regions"] = regions.collect();
            }
            Info::Thread(thread) => {
                let registers = NAMES.iter().zip(thread.registers);
                told["registers"] = registers.map(|(name, register)| (name.to_string(), value!(register))).collect();
                let place = shown.program.and_then(|program| program.place(thread.registers[0]));
                told["place"] = value!(place);
            }
            _ => {}
        }
        told
    });
    let (all, zero, skipped) = pages(shown.image);
    value!({
        "version": header.version.to_string(),
        "machine": header.machine,
        "bytes": header.length,
        "sections": sections.collect::<Vec<_>>(),
        "component": identity.name.as_str(),
        "program": identity.module.as_str(),
        "fingerprint": format!("{:016x}", identity.fingerprint),
        "program_is_same": shown.program.map(|program| program.is_of(identity)),
        "running": information.stage == Stage::Running,
        "ram": information.account.ram,
        "caps": information.account.caps,
        "slots": information.slots,
        "clock": information.clock,
        "requests": information.journal.len(),
        "pages": {"all": all, "saved": saved(shown.image), "zero": zero, "skipped": skipped},
        "services": information.served.services.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        "sessions": information.served.sessions,
        "objects": objects.collect::<Vec<_>>(),
    })
}
