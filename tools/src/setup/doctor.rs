//! What is installed, what is missing, what to type. Looks only; changes nothing and needs no network.

use std::fmt;

use serde::Serialize;

use super::{
    Choice, Machine, Need, apt,
    install::{self, Obstacle},
    private,
    requirement::{self, Requirement},
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
    /// Why it is this one, or what will be done where it is missing, if there is something to say.
    pub note: Option<String>,
}

/// Looks at this machine.
///
/// # Errors
/// The variable RTCR_TOOLCHAIN asks for something that does not exist.
pub fn examine() -> Result<Diagnosis, Error> {
    Ok(examine_machine(&Machine::here(), Choice::from_environment()?))
}

pub(super) fn examine_machine(machine: &Machine, choice: Choice) -> Diagnosis {
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
        note: None,
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
        note: None,
    });

    let obstacle: Option<Obstacle> = install::obstacle(machine);
    for (requirement, version) in requirement::versions(machine) {
        let Finding { version, note, to_type: line } = match requirement.copied() {
            Some(program) => emulator(machine, &requirement, program, version, obstacle),
            None => Finding::plain(version),
        };
        match line {
            Some(Line::Package) => packages.push(requirement.package),
            Some(Line::Other(line)) => to_type.push(line),
            None => {}
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
            note,
        });
    }
    if !packages.is_empty() {
        to_type.push(install::to_type(machine, &packages));
    }
    Diagnosis {
        complete: items.iter().all(|item| item.optional || item.version.is_some()),
        items,
        installs_itself: obstacle.is_none(),
        to_type,
    }
}

/// What was found of one requirement.
struct Finding {
    version: Option<String>,
    note: Option<String>,
    to_type: Option<Line>,
}

/// What to type for one requirement.
enum Line {
    /// What installs its package.
    Package,
    /// Something else.
    Other(String),
}

impl Finding {
    fn plain(version: Option<String>) -> Self {
        let to_type = version.is_none().then_some(Line::Package);
        Self { version, note: None, to_type }
    }
}

/// Which emulator is used, and why: the one that the user names, the one on the path, or the private copy.
fn emulator(
    machine: &Machine,
    requirement: &Requirement,
    program: &str,
    version: Option<String>,
    obstacle: Option<Obstacle>,
) -> Finding {
    if let Some(named) = &machine.qemu {
        let version = machine.output(named, &["--version"]);
        let version = version.map(|text| text.lines().next().unwrap_or_default().trim().to_owned());
        let to_type = version.is_none().then(|| Line::Other("unset RTCR_QEMU   # it names no QEMU that starts".into()));
        return Finding { version, note: Some("named by RTCR_QEMU".into()), to_type };
    }
    if machine.find(program).is_some() {
        return Finding::plain(version);
    }
    if version.is_some() {
        let reason = private::reason(machine, program).unwrap_or_else(|| "there was no other".into());
        return Finding { version, note: Some(format!("a private copy, since {reason}")), to_type: None };
    }
    const WILL: &str = "a private copy is made when it is first needed";
    match obstacle {
        Some(Obstacle::Forbidden | Obstacle::NoApt) => Finding::plain(None),
        Some(Obstacle::NotRoot) => Finding { note: Some(WILL.into()), ..Finding::plain(None) },
        None => match apt::conflict(machine, &[requirement.package]) {
            // To type what installs it would do what this program does not.
            Some(why) => Finding {
                version,
                note: Some(format!("installing it {why}, so {WILL}")),
                to_type: Some(Line::Other("cargo rtcr run hello   # makes the private copy".into())),
            },
            None => Finding::plain(None),
        },
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
            let note = item.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
            writeln!(f, "{mark:8}  {:width$}  {version}{note}; {}", item.name, item.purpose)?;
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
