//! What is installed, what is missing, what to type. Looks only; changes nothing and needs no network.

use std::fmt;

use serde::Serialize;

use super::{
    Choice, Machine, Need,
    install::{self, Obstacle},
    requirement,
    toolchain::{self, DEBIAN_PACKAGES, Error},
};
use crate::build::TARGET;

/// What the doctor found. Contains no paths, dates or names of machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Whether everything is there that is not optional.
    pub complete: bool,
    /// Everything that was looked for.
    pub items: Vec<Item>,
    /// Whether `cargo rtcr` will install what is missing by itself, when it is needed.
    pub installs_itself: bool,
    /// What to type to get what is missing, optional things included; nothing when nothing is.
    pub to_type: Vec<String>,
}

/// One thing that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What it is.
    pub name: String,
    /// What it is good for.
    pub purpose: &'static str,
    /// Whether one can do without.
    pub optional: bool,
    /// Its version, which may be empty if it has none; absent when it is missing.
    pub version: Option<String>,
}

/// Looks at this machine.
///
/// # Errors
/// The variable RTCR_TOOLCHAIN asks for something that does not exist.
pub fn examine() -> Result<Diagnosis, Error> {
    Ok(examine_machine(&Machine::here(), Choice::from_environment()?))
}

fn examine_machine(machine: &Machine, choice: Choice) -> Diagnosis {
    let mut items = Vec::new();
    let mut packages = Vec::new();
    let mut to_type = Vec::new();

    let toolchain = toolchain::present(machine, choice);
    if toolchain.is_none() {
        match choice {
            Choice::Debian => packages.extend(DEBIAN_PACKAGES),
            Choice::Any | Choice::Rustup if machine.find("rustup").is_some() => {
                to_type.push(format!("rustup target add {TARGET}"));
            }
            Choice::Any => packages.extend(DEBIAN_PACKAGES),
            Choice::Rustup => to_type.push(format!("rustup target add {TARGET}   # after installing rustup")),
        }
    }
    items.push(Item {
        name: format!("Rust for {TARGET}"),
        purpose: "builds what runs on the board",
        optional: false,
        version: toolchain.map(|toolchain| toolchain.label),
    });

    let source = kernel::source::locate_offline(kernel::folder());
    if source.is_err() {
        to_type.push("cargo fetch --locked --manifest-path platform-arm_v7a/kernel/pin/Cargo.toml".to_owned());
    }
    items.push(Item {
        name: "kernel source".to_owned(),
        purpose: "the kernel and its interface are made from it",
        optional: false,
        version: source.ok().map(|source| format!("seL4 {}", source.version)),
    });

    for (requirement, version) in requirement::versions(machine) {
        if version.is_none() {
            packages.push(requirement.package);
        }
        items.push(Item {
            name: requirement.name(),
            purpose: match requirement.need {
                Need::Emulator => "boots images",
                Need::Kernel => "builds the kernel",
                Need::Debugger => "debugs what runs (--gdb)",
            },
            optional: requirement.need == Need::Debugger,
            version,
        });
    }
    if !packages.is_empty() {
        to_type.push(install::to_type(machine, &packages));
    }
    let obstacle: Option<Obstacle> = install::obstacle(machine);
    Diagnosis {
        complete: items.iter().all(|item| item.optional || item.version.is_some()),
        items,
        installs_itself: obstacle.is_none(),
        to_type,
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.items.iter().map(|item| item.name.len()).max().unwrap_or(0);
        for item in &self.items {
            let (mark, version) = match (&item.version, item.optional) {
                (Some(version), _) if version.is_empty() => ("ok", "version unknown"),
                (Some(version), _) => ("ok", version.as_str()),
                (None, true) => ("optional", "missing"),
                (None, false) => ("MISSING", "missing"),
            };
            writeln!(f, "{mark:8}  {:width$}  {version}; {}", item.name, item.purpose)?;
        }
        if self.to_type.is_empty() {
            return write!(f, "\nEverything is there.");
        }
        let itself = match (self.complete, self.installs_itself) {
            (true, _) => "Everything that is needed is there. For the rest, type:",
            (false, true) => "What is missing is installed when it is first needed. To do it now, type:",
            (false, false) => "This program may not install here. To get what is missing, type:",
        };
        write!(f, "\n{itself}")?;
        self.to_type.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
