//! Asking apt-get, and fetching packages with it, without changing anything of the system.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::{Machine, install};
use crate::terminal::Step;

/// Why apt-get does not just install packages: `would remove qemu-utils`. None if it would, or says something else.
///
/// Takes about a second.
pub(super) fn conflict(machine: &Machine, packages: &[&str]) -> Option<String> {
    let mut lines = Vec::new();
    let mut command = machine.command("apt-get");
    command.args(["-q", "-s", "install", "--no-install-recommends"]).args(packages);
    install::run(&mut command, &mut |line| lines.push(line.to_owned())).ok()?;
    refusal(&lines)
}

/// What of apt-get's plan this project does not let it do. The headings are apt-get's own words, in English.
fn refusal(lines: &[String]) -> Option<String> {
    const HEADINGS: [(&str, &str); 3] = [
        ("The following packages will be REMOVED:", "would remove"),
        ("The following packages will be DOWNGRADED:", "would downgrade"),
        ("The following held packages will be changed:", "would change what is held:"),
    ];
    for (at, line) in lines.iter().enumerate() {
        if let Some((_, verb)) = HEADINGS.iter().find(|(heading, _)| line == heading) {
            let names = lines[at + 1..].iter().take_while(|line| line.starts_with(' '));
            let names = names.flat_map(|line| line.split_whitespace()).map(|name| name.trim_end_matches('*'));
            return Some(format!("{verb} {}", names.collect::<Vec<_>>().join(" ")));
        }
        if line == "The following packages have unmet dependencies:" {
            return Some("does not go together with what is installed".to_owned());
        }
    }
    None
}

/// The archive, seen from a machine that lets everything in beside what it has.
pub(super) struct Archive<'a> {
    machine: &'a Machine,
    /// What is installed, as apt-get is to see it.
    status: PathBuf,
    /// For lists of packages that are newer than the system's.
    lists: PathBuf,
}

impl<'a> Archive<'a> {
    /// Prepares to ask; `work` is a folder for what that takes.
    pub(super) fn open(machine: &'a Machine, work: &Path) -> io::Result<Self> {
        let (status, lists) = (work.join("status"), work.join("lists"));
        let installed = fs::read(&machine.status)?;
        fs::write(&status, relaxed(&String::from_utf8_lossy(&installed)))?;
        // apt-get wants both.
        fs::create_dir_all(lists.join("partial"))?;
        Ok(Self { machine, status, lists })
    }

    /// What `package` takes beside what is installed, as `NAME=VERSION`. An error is the end of what apt-get said.
    pub(super) fn closure(&self, package: &str, updated: bool) -> Result<Vec<String>, String> {
        let mut command = self.command(updated);
        command.args(["-o", "APT::Get::Show-User-Simulation-Note=false"]);
        command.args(["-s", "install", "--no-install-recommends", package]);
        let mut packages = Vec::new();
        talk(&mut command, &mut |line| packages.extend(planned(line)))?;
        match packages.is_empty() {
            false => Ok(packages),
            true => Err(format!("it plans nothing for {package}")),
        }
    }

    /// Fetches packages into a folder; apt-get checks where they come from. An error is the end of what apt-get said.
    pub(super) fn download(&self, names: &[String], into: &Path, updated: bool, step: &Step) -> Result<(), String> {
        let mut command = self.command(updated);
        command.current_dir(into).args(["-o", "Acquire::Retries=2", "download"]).args(names);
        talk(&mut command, &mut |line| install::show(step, line))
    }

    /// Looks which packages there are, and returns what apt-get complained of: it is content when it has reached nobody.
    /// An error is the end of what it said.
    pub(super) fn update(&self, step: &Step) -> Result<String, String> {
        let mut command = self.command(true);
        // Without the lock, which is not needed where nobody else looks.
        command.args(["-o", "Debug::NoLocking=1", "-o", "Acquire::Retries=2", "update"]);
        let mut complaints = VecDeque::new();
        talk(&mut command, &mut |line| {
            install::show(step, line);
            if line.starts_with("W: ") {
                install::keep(&mut complaints, line);
            }
        })?;
        Ok(complaints.into_iter().map(|line| line + "\n").collect())
    }

    fn command(&self, updated: bool) -> Command {
        let option = |name: &str, path: &Path| format!("{name}={}", path.display());
        let mut command = self.machine.command("apt-get");
        command.args(["-q", "-o", &option("Dir::State::status", &self.status)]);
        if updated {
            command.args(["-o", &option("Dir::State::lists", &self.lists)]);
            // What apt-get makes of the lists stays in its memory.
            command.args(["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]);
        }
        command
    }
}

/// Runs apt-get; an error is the end of what it said.
fn talk(command: &mut Command, hear: &mut dyn FnMut(&str)) -> Result<(), String> {
    let mut tail = VecDeque::new();
    let result = install::run(command, &mut |line| {
        hear(line);
        install::keep(&mut tail, line);
    });
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(Vec::from(tail).join("\n")),
        Err(error) => Err(format!("{}: {error}", command.get_program().display())),
    }
}

/// The package of a line `Inst NAME [OLD VERSION] (VERSION ARCHIVE [ARCHITECTURE])` as `NAME=VERSION`.
fn planned(line: &str) -> Option<String> {
    let (before, after) = line.strip_prefix("Inst ")?.split_once('(')?;
    Some(format!("{}={}", before.split_whitespace().next()?, after.split_whitespace().next()?))
}

/// dpkg's list of what is installed, with nothing in it that could object to another QEMU: no part of a QEMU, and no
/// dependencies or conflicts of the rest. What is in it counts only for what it provides.
fn relaxed(status: &str) -> String {
    const RELATIONS: [&str; 4] = ["Depends:", "Pre-Depends:", "Conflicts:", "Breaks:"];
    let mut text = String::with_capacity(status.len());
    for paragraph in status.split("\n\n").filter(|paragraph| !paragraph.trim_start().starts_with("Package: qemu")) {
        let mut left_out = false;
        for line in paragraph.lines().filter(|line| !line.is_empty()) {
            // A line that begins with a space goes on with the field before.
            if !line.starts_with([' ', '\t']) {
                left_out = RELATIONS.iter().any(|name| line.starts_with(name));
            }
            if !left_out {
                text += line;
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_plan_is_read() {
        for (line, package) in [
            ("Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])", Some("libfdt1=1.6.1-4+b1")),
            ("Inst make [4.2-1] (4.3-4.1 Debian:12.15/oldstable [amd64]) []", Some("make=4.3-4.1")),
            ("Inst libc6:i386 (2:2.36 A:1/x, B:1/y [i386])", Some("libc6:i386=2:2.36")),
            ("Remv qemu-utils [1:10.0.2]", None),
            ("Conf make (4.3-4.1 Debian:12.15/oldstable [amd64])", None),
            ("Inst make", None),
            ("", None),
        ] {
            assert_eq!(planned(line).as_deref(), package, "{line}");
        }
    }

    #[test]
    fn what_apt_would_do_to_others_is_seen() {
        let removes = "The following packages will be REMOVED:\n  qemu-block-extra* qemu-utils\n  x\nThe following NEW";
        assert_eq!(refusal(&lines(removes)).as_deref(), Some("would remove qemu-block-extra qemu-utils x"));
        let lowers = "Reading\nThe following packages will be DOWNGRADED:\n  libfdt1\n0 upgraded";
        assert_eq!(refusal(&lines(lowers)).as_deref(), Some("would downgrade libfdt1"));
        let unmet = "The following packages have unmet dependencies:\n qemu-system-arm : Depends: x";
        assert_eq!(refusal(&lines(unmet)).as_deref(), Some("does not go together with what is installed"));
        assert_eq!(refusal(&lines("The following NEW packages will be installed:\n  make\nInst make (1 x)")), None);
        assert_eq!(refusal(&lines("E: Unable to locate package qemu-system-arm")), None);
    }

    #[test]
    fn what_is_installed_objects_to_nothing() {
        let status = "Package: qemu-utils\nVersion: 10\n\nPackage: tool\nStatus: install ok installed\n\
                      Depends: qemu-utils (>= 10),\n libc6\nProvides: thing\nBreaks: qemu-system-arm\nDescription: a\n b\n";
        let expected = "Package: tool\nStatus: install ok installed\nProvides: thing\nDescription: a\n b\n\n";
        assert_eq!(relaxed(status), expected);
    }
}
