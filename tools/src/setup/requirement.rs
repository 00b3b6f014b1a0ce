//! The programs and Python modules that are needed, and the Debian packages that bring them.

use std::path::PathBuf;

use super::{Machine, private};

/// What something is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To boot an image.
    Emulator,
    /// To build the kernel, and to tell which kernel in the cache is the right one.
    Kernel,
    /// To debug a system; only where somebody asks for it.
    Debugger,
}

/// One thing that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) need: Need,
    pub(super) part: Part,
    /// The Debian package that brings it.
    pub(super) package: &'static str,
}

/// What shows that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A program on the path.
    Program(&'static str),
    /// Debian's Python.
    Python,
    /// A module of it.
    Module(&'static str),
}

const fn needed(need: Need, part: Part, package: &'static str) -> Requirement {
    Requirement { need, part, package }
}

pub(super) const ALL: [Requirement; 9] = [
    needed(Need::Emulator, Part::Program("qemu-system-arm"), "qemu-system-arm"),
    needed(Need::Kernel, Part::Program("arm-none-eabi-gcc"), "gcc-arm-none-eabi"),
    needed(Need::Kernel, Part::Program("make"), "make"),
    needed(Need::Kernel, Part::Program("xmllint"), "libxml2-utils"),
    needed(Need::Kernel, Part::Python, "python3"),
    needed(Need::Kernel, Part::Module("ply"), "python3-ply"),
    needed(Need::Kernel, Part::Module("six"), "python3-six"),
    needed(Need::Kernel, Part::Module("tempita"), "python3-tempita"),
    needed(Need::Debugger, Part::Program("gdb-multiarch"), "gdb-multiarch"),
];

impl Requirement {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        match self.part {
            Part::Program(name) => name.to_owned(),
            Part::Python => "Debian's Python".to_owned(),
            Part::Module(name) => format!("Python module {name}"),
        }
    }

    /// The program that may also be a private copy, where it cannot be installed. The emulator only: what builds the
    /// kernel is part of what a kernel is known by, and has to be the system's.
    pub(super) fn copied(&self) -> Option<&'static str> {
        match (self.need, self.part) {
            (Need::Emulator, Part::Program(name)) => Some(name),
            _ => None,
        }
    }
}

/// The program that starts the emulator: the one on the path, else the private copy, which is not tried here.
pub(super) fn emulator(machine: &Machine) -> Option<PathBuf> {
    let program = ALL.iter().find_map(Requirement::copied)?;
    machine.find(program).or_else(|| private::script(machine, program))
}

/// Which of `needs` are not there.
pub(super) fn missing(machine: &Machine, needs: &[Need]) -> Vec<Requirement> {
    let wanted = ALL.into_iter().filter(|requirement| needs.contains(&requirement.need)).collect::<Vec<_>>();
    let modules = modules(machine, &wanted);
    wanted.into_iter().filter(|requirement| !is_there(machine, requirement, &modules)).collect()
}

fn is_there(machine: &Machine, requirement: &Requirement, modules: &[(String, String)]) -> bool {
    match requirement.part {
        Part::Program(name) => {
            machine.find(name).is_some()
                || requirement.copied().is_some_and(|program| private::find(machine, program).is_some())
        }
        Part::Python => machine.debian("python3").is_some(),
        Part::Module(name) => modules.iter().any(|(module, _)| module == name),
    }
}

/// Every requirement, with the version of what is there (which may be unknown), or nothing.
pub(super) fn versions(machine: &Machine) -> Vec<(Requirement, Option<String>)> {
    let modules = modules(machine, &ALL);
    let version = |requirement: &Requirement| match requirement.part {
        Part::Program(name) => {
            let copy = || private::find(machine, requirement.copied()?);
            machine.find(name).or_else(copy).map(|path| first_line(machine, path.as_os_str()))
        }
        Part::Python => machine.debian("python3").map(|path| first_line(machine, path.as_os_str())),
        Part::Module(name) => modules.iter().find(|(module, _)| module == name).map(|(_, version)| version.clone()),
    };
    ALL.into_iter().map(|requirement| (requirement, version(&requirement))).collect()
}

/// What a program says about its version, whichever stream it uses.
fn first_line(machine: &Machine, program: &std::ffi::OsStr) -> String {
    let Ok(output) = machine.command(program).arg("--version").output() else { return String::new() };
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().unwrap_or("").trim().to_owned();
    let (out, error) = (line(&output.stdout), line(&output.stderr));
    // xmllint puts its own path in front.
    let text = if out.is_empty() { error } else { out };
    match text.split_once(": ") {
        Some((path, rest)) if path.starts_with('/') => rest.to_owned(),
        _ => text,
    }
}

/// The modules of `wanted` that Debian's Python has, with their versions.
fn modules(machine: &Machine, wanted: &[Requirement]) -> Vec<(String, String)> {
    // Isolated, since the kernel's build does not see the user's own modules either.
    const SCRIPT: &str = "\
import importlib.util, importlib.metadata, sys
for name in sys.argv[1:]:
    if importlib.util.find_spec(name):
        try: version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError: version = ''
        print(name, version)";
    let names = wanted.iter().filter_map(|requirement| match requirement.part {
        Part::Module(name) => Some(name),
        Part::Program(_) | Part::Python => None,
    });
    let names = names.collect::<Vec<_>>();
    let Some(python) = machine.debian("python3").filter(|_| !names.is_empty()) else { return Vec::new() };
    let output = machine.output(python, &[&["-I", "-c", SCRIPT][..], &names].concat()).unwrap_or_default();
    output
        .lines()
        .filter_map(|line| line.split_once(' ').or(Some((line, ""))))
        .map(|(name, version)| (name.into(), version.into()))
        .collect()
}
