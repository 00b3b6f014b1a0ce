//! Installing Debian packages, where this program may.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    process::{Command, Stdio},
};

use super::{
    Machine, Need, apt, private,
    requirement::{self, Requirement},
};
use crate::terminal::{self, Step};

/// Why something that is needed is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is missing and may not be installed from here.
    #[error("{what} missing, and {why}. To install, type:\n  {command}")]
    NotAllowed {
        /// What is missing, such as `make and xmllint are`.
        what: String,
        /// Why it is not installed.
        why: Obstacle,
        /// What to type.
        command: String,
    },
    /// apt-get failed.
    #[error(
        "apt-get could not install {packages}. Its last lines:\n{tail}\nIf the package archive cannot be reached, try \
         again with a network. To see all of it, type:\n  {command}"
    )]
    Failed {
        /// Which packages.
        packages: String,
        /// The end of what apt-get said.
        tail: String,
        /// What to type.
        command: String,
    },
    /// apt-get would do to other packages what this program does not let it do.
    #[error("installing {packages} {why}, which this program leaves to you. To do it all the same, type:\n  {command}")]
    Conflict {
        /// Which packages.
        packages: String,
        /// What it would do, such as `would remove qemu-utils`.
        why: String,
        /// What to type.
        command: String,
    },
    /// It is not installed for the first reason, and there is no private copy for the second.
    #[error("{error}\nA private copy, which changes nothing of the system, cannot be made: {copy}")]
    NoCopy {
        /// Why it is not installed.
        error: Box<Error>,
        /// Why there is no copy.
        copy: private::Error,
    },
    /// apt-get was content, but what is needed is still not there.
    #[error("{what} still missing after installing {packages}; look whether another program hides it on the PATH")]
    StillMissing {
        /// What is missing, such as `make is`.
        what: String,
        /// What was installed.
        packages: String,
    },
    /// The lock of who installs cannot be had.
    #[error("cannot lock {path} ({source}); remove it, or make its folder writable", path = path.display())]
    Lock {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What stands in the way of installing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The user forbids it.
    #[error("RTCR_NO_INSTALL forbids installing")]
    Forbidden,
    /// Not a Debian.
    #[error("there is no apt-get here (the names below are Debian's packages)")]
    NoApt,
    /// Not root, and sudo asks for a password.
    #[error("this user may not install without a password")]
    NotRoot,
}

/// Lines of apt-get that an error shows.
const TAIL: usize = 12;

/// Installs what `needs` stand for and is not there.
pub(super) fn ensure(machine: &Machine, needs: &[Need]) -> Result<(), Error> {
    if requirement::missing(machine, needs).is_empty() {
        return Ok(());
    }
    with_lock(machine, || {
        // Somebody else may have installed it meanwhile.
        let missing = requirement::missing(machine, needs);
        if missing.is_empty() {
            return Ok(());
        }
        // What may be a private copy is installed alone: its conflict is not to keep the rest away.
        let (copied, rest): (Vec<_>, Vec<_>) = missing.into_iter().partition(|it| it.copied().is_some());
        if !rest.is_empty() {
            install_requirements(machine, &rest)?;
        }
        for requirement in &copied {
            install_or_copy(machine, requirement)?;
        }
        let packages = packages(&[rest, copied].concat());
        match requirement::missing(machine, needs) {
            still if still.is_empty() => Ok(()),
            still => Err(Error::StillMissing { what: names(&still), packages: packages.join(" ") }),
        }
    })
}

fn packages(missing: &[Requirement]) -> Vec<&'static str> {
    let mut packages = missing.iter().map(|requirement| requirement.package).collect::<Vec<_>>();
    packages.dedup();
    packages
}

fn install_requirements(machine: &Machine, missing: &[Requirement]) -> Result<(), Error> {
    install(machine, &names(missing), &packages(missing))
}

/// Installs what `requirement` stands for, or makes a private copy where apt-get may not or would harm other packages.
fn install_or_copy(machine: &Machine, requirement: &Requirement) -> Result<(), Error> {
    let Err(error) = install_requirements(machine, &[*requirement]) else { return Ok(()) };
    let reason = match &error {
        Error::Conflict { why, .. } => format!("installing it {why}"),
        Error::NotAllowed { why: why @ Obstacle::NotRoot, .. } => why.to_string(),
        _ => return Err(error),
    };
    let Some(program) = requirement.copied() else { return Err(error) };
    match private::make(machine, requirement, program, &reason) {
        Ok(_) => Ok(()),
        Err(copy) => Err(Error::NoCopy { error: error.into(), copy }),
    }
}

/// Does something that at most one process may do.
pub(super) fn with_lock<T, E: From<Error>>(machine: &Machine, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let waiting = terminal::step("waiting for another set-up on this machine");
    let lock = machine.lock().map_err(|source| Error::Lock { path: machine.lock.clone(), source })?;
    drop(waiting);
    let result = work();
    drop(lock);
    result
}

/// `a is`, `a and b are`, `a, b and c are`.
fn names(missing: &[Requirement]) -> String {
    let names = missing.iter().map(Requirement::name).collect::<Vec<_>>();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => format!("{last} is"),
        Some((last, rest)) => format!("{} and {last} are", rest.join(", ")),
    }
}

/// What to type to install packages.
pub(super) fn to_type(machine: &Machine, packages: &[&str]) -> String {
    let sudo = if machine.root { "" } else { "sudo " };
    let packages = packages.join(" ");
    format!("{sudo}apt-get update && {sudo}apt-get install --no-install-recommends {packages}")
}

/// What stands in the way of installing packages.
pub(super) fn obstacle(machine: &Machine) -> Option<Obstacle> {
    if machine.no_install {
        Some(Obstacle::Forbidden)
    } else if machine.find("apt-get").is_none() {
        Some(Obstacle::NoApt)
    } else if machine.root || machine.output("sudo", &["-n", "true"]).is_some() {
        None
    } else {
        Some(Obstacle::NotRoot)
    }
}

/// Installs packages, with the lock held. `what` tells what is missing, such as `make is`.
pub(super) fn install(machine: &Machine, what: &str, packages: &[&str]) -> Result<(), Error> {
    let command = to_type(machine, packages);
    if let Some(why) = obstacle(machine) {
        return Err(Error::NotAllowed { what: what.to_owned(), why, command });
    }
    let step = terminal::step(format!("installing {}", packages.join(" ")));
    let failed = |tail| Error::Failed { packages: packages.join(" "), tail, command: command.clone() };
    let arguments = [&["install", "--yes", "--no-install-recommends", "--no-remove"], packages].concat();
    // Most machines know their packages; a fresh container, or one long not updated, has to ask first.
    if apt(machine, &arguments, &step).is_ok() {
        return Ok(());
    }
    let conflict = || {
        let why = apt::conflict(machine, packages)?;
        Some(Error::Conflict { packages: packages.join(" "), why, command: command.clone() })
    };
    if let Some(error) = conflict() {
        return Err(error);
    }
    apt(machine, &["update"], &step).map_err(failed)?;
    apt(machine, &arguments, &step).map_err(|tail| conflict().unwrap_or_else(|| failed(tail)))
}

/// Calls apt-get; an error is the end of what it said.
fn apt(machine: &Machine, arguments: &[&str], step: &Step) -> Result<(), String> {
    let mut command = match machine.root {
        true => machine.command("apt-get"),
        false => {
            let mut sudo = machine.command("sudo");
            // sudo drops the environment, so what apt-get must see is set behind it.
            sudo.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get"]);
            sudo
        }
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // APT::Status-Fd would tell percentages, but on a descriptor that scripts of packages print to they fail (seen with
    // libgstreamer1.0-0: "echo: I/O error"), and there is no other without unsafe code.
    command.args(["-q", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=2"]);
    // Other programs may be installing as well.
    command.args(["-o", "DPkg::Lock::Timeout=600"]).args(arguments);
    let mut tail = VecDeque::new();
    let result = run(&mut command, &mut |line| {
        show(step, line);
        keep(&mut tail, line);
    });
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(Vec::from(tail).join("\n")),
        Err(error) => Err(format!("{}: {error}", command.get_program().display())),
    }
}

/// Runs a command and hands over its lines, those of standard error last; whether it ended well.
pub(super) fn run(command: &mut Command, hear: &mut dyn FnMut(&str)) -> io::Result<bool> {
    let mut errors: File = tempfile::tempfile()?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors.try_clone()?).spawn()?;
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).split(b'\n')) {
        hear(String::from_utf8_lossy(&line?).trim_end());
    }
    let status = child.wait()?;
    let mut text = Vec::new();
    errors.rewind()?;
    errors.read_to_end(&mut text)?;
    String::from_utf8_lossy(&text).lines().for_each(hear);
    Ok(status.success())
}

/// Keeps the last lines only.
pub(super) fn keep(tail: &mut VecDeque<String>, line: &str) {
    if !line.trim().is_empty() {
        tail.push_back(line.to_owned());
    }
    while tail.len() > TAIL {
        tail.pop_front();
    }
}

/// Shows what apt-get is at, if the line tells.
pub(super) fn show(step: &Step, line: &str) {
    if let Some(text) = status(line) {
        step.detail(text);
    }
}

/// What apt-get is at, if the line tells: a download, an unpacking, a setting up.
fn status(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    match (words.next()?, words.next()?) {
        // `Get:28 ADDRESS SUITE ARCHITECTURE PACKAGE ARCHITECTURE VERSION [SIZE]`
        (get, _) if get.starts_with("Get:") => Some(format!("downloading {}", words.nth(2)?)),
        ("Unpacking", package) => Some(format!("unpacking {package}")),
        ("Setting", "up") => Some(format!("setting up {}", words.next()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_says_where_it_is() {
        for (line, said) in [
            ("Get:28 https://archive/debian bookworm/main amd64 make amd64 4.3-4.1 [396 kB]", Some("downloading make")),
            ("Unpacking make (4.3-4.1) ...", Some("unpacking make")),
            ("Setting up make (4.3-4.1) ...", Some("setting up make")),
            ("Get:1 https://archive", None),
            ("Reading package lists...", None),
            ("Setting", None),
            ("", None),
        ] {
            assert_eq!(status(line).as_deref(), said, "{line}");
        }
    }
}
