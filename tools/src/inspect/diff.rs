//! What two images of a component differ in.

use std::{collections::BTreeSet, fmt};

use rtcr::{
    image::Image,
    object::{Info, RamDataspaceInfo, ThreadInfo},
};
use serde::Serialize;

use super::shown::{NAMES, list, offered, what};

/// All of it, in lines of text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of the component: its program, quota and time.
    pub component: Vec<String>,
    /// Objects that came, went, or are other ones.
    pub objects: Vec<String>,
    /// Region maps whose regions differ.
    pub regions: Vec<String>,
    /// Registers of threads that differ.
    pub registers: Vec<String>,
    /// Pages that differ.
    pub pages: Vec<Pages>,
}

/// A page of a dataspace that is another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// Number of the dataspace.
    pub dataspace: u32,
    /// Counted from its beginning.
    pub page: u32,
    /// First and last byte of each part that differs.
    pub changed: Vec<(u32, u32)>,
}

/// Differences that lie closer to each other than that are told as one.
const GAP: u32 = 8;

impl Difference {
    /// Of two images.
    pub fn new(a: &Image, b: &Image) -> Self {
        let mut found = Self::default();
        let (one, other) = (&a.information, &b.information);
        let mut told = |what: &str, a: String, b: String| {
            if a != b {
                found.component.push(format!("{what}: {a} -> {b}"));
            }
        };
        told("program", format!("{:?}", a.identity), format!("{:?}", b.identity));
        told("stage", format!("{:?}", one.stage), format!("{:?}", other.stage));
        told("quota in bytes", one.account.ram.to_string(), other.account.ram.to_string());
        told("quota in capabilities", one.account.caps.to_string(), other.account.caps.to_string());
        told("time in ns", one.clock.to_string(), other.clock.to_string());
        told("services that it offers", offered(one), offered(other));
        told("sessions of its services", list(&one.served.sessions), list(&other.served.sessions));
        told("threads that ask for a checkpoint", format!("{:b}", one.asking), format!("{:b}", other.asking));
        told("words of the journal", one.journal.words().to_string(), other.journal.words().to_string());
        if one.journal != other.journal {
            found.component.push("the journals differ".into());
        }
        let numbers: BTreeSet<u32> = one.objects.iter().chain(&other.objects).map(|object| object.number).collect();
        for number in numbers {
            match (one.object(number), other.object(number)) {
                (Some(old), Some(new)) => found.object(number, (a, old), (b, new)),
                (Some(old), None) => found.objects.push(format!("{number} is gone: {}", what(old))),
                (None, Some(new)) => found.objects.push(format!("{number} is new: {}", what(new))),
                (None, None) => {}
            }
        }
        found
    }

    fn object(&mut self, number: u32, (a, old): (&Image, &Info), (b, new): (&Image, &Info)) {
        match (old, new) {
            (Info::Thread(old), Info::Thread(new)) => self.thread(number, old, new),
            (Info::RamDataspace(old), Info::RamDataspace(new)) => {
                if (RamDataspaceInfo { stored: 0, ..*old }) != (RamDataspaceInfo { stored: 0, ..*new }) {
                    self.changed(number, &what(&Info::RamDataspace(*old)), &what(&Info::RamDataspace(*new)));
                }
                for page in old.skipped.max(new.skipped)..old.pages.min(new.pages) {
                    let changed = ranges(a.pages.get(old.stored + page), b.pages.get(new.stored + page));
                    if !changed.is_empty() {
                        self.pages.push(Pages { dataspace: number, page, changed });
                    }
                }
            }
            (Info::RegionMap(old), Info::RegionMap(new)) => {
                if (old.kind, old.handler) != (new.kind, new.handler) {
                    self.changed(number, &what(&Info::RegionMap(*old)), &what(&Info::RegionMap(*new)));
                }
                let (old, new) = (a.information.regions_of(old), b.information.regions_of(new));
                let gone = old.iter().filter(|region| !new.contains(region)).map(|region| ("-", region));
                let come = new.iter().filter(|region| !old.contains(region)).map(|region| ("+", region));
                for (sign, region) in gone.chain(come) {
                    self.regions.push(format!("{number} {sign} {}", super::shown::region(region)));
                }
            }
            (old, new) if old != new => {
                let (before, after) = match (what(old), what(new)) {
                    // What differs is not in the short form.
                    (one, other) if one == other => (format!("{old:?}"), format!("{new:?}")),
                    both => both,
                };
                self.changed(number, &before, &after);
            }
            _ => {}
        }
    }

    fn changed(&mut self, number: u32, old: &str, new: &str) {
        self.objects.push(format!("{number}: {old} -> {new}"));
    }

    fn thread(&mut self, number: u32, old: &ThreadInfo, new: &ThreadInfo) {
        for (name, (old, new)) in NAMES.iter().zip(old.registers.iter().zip(&new.registers)) {
            if old != new {
                self.registers.push(format!("{number} {name}: {old:08x} -> {new:08x}"));
            }
        }
        let same_registers = ThreadInfo { registers: new.registers, ..old.clone() };
        if same_registers != *new {
            self.changed(number, &what(&Info::Thread(old.clone())), &what(&Info::Thread(new.clone())));
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// First and last byte of each part in which two pages differ.
fn ranges(a: &[u8], b: &[u8]) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> = Vec::new();
    if a == b {
        return found;
    }
    for (at, _) in (0u32..).zip(a.iter().zip(b)).filter(|(_, (a, b))| a != b) {
        match found.last_mut() {
            Some((_, last)) if at - *last < GAP => *last = at,
            _ => found.push((at, at)),
        }
    }
    found
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "no difference");
        }
        let parts = [
            ("component", &self.component),
            ("objects", &self.objects),
            ("regions", &self.regions),
            ("registers", &self.registers),
        ];
        for (title, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
            writeln!(f, "{title}:")?;
            lines.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        if !self.pages.is_empty() {
            writeln!(f, "pages:")?;
        }
        for Pages { dataspace, page, changed } in &self.pages {
            write!(f, "  {dataspace} page {page}:")?;
            changed.iter().try_for_each(|(first, last)| write!(f, " {first:03x}..={last:03x}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}
