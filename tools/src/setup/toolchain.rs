//! Which cargo builds for the board.
//!
//! The board's target has a precompiled library that rustup brings. Where rustup cannot download it, or where there is
//! no rustup, Debian's toolchain builds the library from source: it comes with that source, and is told to accept the
//! unstable option that this takes. Debian's compiler brings no linker for the board, so Debian's LLD takes that place.

use std::{
    collections::VecDeque,
    env,
    ffi::OsString,
    fmt, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Serialize;

use super::{Machine, install};
use crate::{build::TARGET, terminal};

/// A cargo that can build for the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The program.
    pub cargo: OsString,
    /// Arguments after the subcommand of whatever compiles.
    pub args: Vec<OsString>,
    /// Environment variables to set.
    pub envs: Vec<(OsString, OsString)>,
    /// Environment variables to remove, before setting any.
    pub removed: Vec<OsString>,
    /// Compiler and origin, for reports: `rustc 1.95.0 (59807616e 2026-04-14)`, with ` from Debian` behind it where it
    /// is.
    pub label: String,
    /// Name of a folder for what it builds: what different compilers build does not mix.
    pub folder: &'static str,
}

impl Toolchain {
    /// `cargo SUBCOMMAND`, in the environment and with the arguments that make it build for the board. Which package, and
    /// which profile, is for the caller to add.
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        self.removed.iter().for_each(|name| _ = command.env_remove(name));
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command.args([subcommand, "--target", TARGET]).args(&self.args);
        command
    }
}

/// Which toolchains come into question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Any.
    #[default]
    Any,
    /// The one in use, with the target from rustup.
    Rustup,
    /// Debian's.
    Debian,
}

/// Why there is no toolchain for the board.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The variable has a value that means nothing.
    #[error("RTCR_TOOLCHAIN is `{0}`; use `rustup` or `debian`, or leave it unset")]
    Choice(String),
    /// The toolchain in use cannot have the target.
    #[error("the Rust toolchain in use has no target {TARGET}: {rustup}. Type:\n  rustup target add {TARGET}")]
    NoTarget {
        /// What became of rustup.
        rustup: Rustup,
    },
    /// Debian's is not there and could not be installed.
    #[error("no Rust toolchain builds for {TARGET}.\nWith rustup: {rustup}.\nWith Debian's toolchain: {debian}")]
    None {
        /// What became of rustup.
        rustup: Rustup,
        /// What became of Debian's.
        debian: install::Error,
    },
    /// Debian's packages are older than the project needs.
    #[error("Debian's Rust toolchain is {found}, but the project needs {needed} or later; use rustup")]
    TooOld {
        /// What it says about its version.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// Debian's toolchain was to be used, and is not there.
    #[error("Debian's Rust toolchain: {0}")]
    Debian(#[from] install::Error),
    /// A toolchain that should build for the board does not.
    #[error("{label} does not build for {TARGET}:\n{output}")]
    Unproven {
        /// Which.
        label: String,
        /// What cargo said.
        output: String,
    },
    /// A file for the trial cannot be written.
    #[error("cannot write a package for a trial: {0}")]
    Trial(#[from] io::Error),
}

/// What became of the attempt to let rustup add the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rustup {
    /// There is no rustup.
    Absent,
    /// Installing is forbidden.
    Forbidden,
    /// It failed, saying this.
    Failed(String),
    /// It was content, but the rustc in use does not see the target: it is not rustup's.
    NotInUse,
}

impl fmt::Display for Rustup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => write!(f, "there is no rustup on the PATH"),
            Self::Forbidden => write!(f, "RTCR_NO_INSTALL forbids installing"),
            Self::Failed(words) => write!(f, "rustup could not add it ({words})"),
            Self::NotInUse => write!(f, "rustup has it, but the rustc in use is not rustup's"),
        }
    }
}

/// What of Debian makes a toolchain for the board.
pub(super) const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

impl Choice {
    /// As the variable RTCR_TOOLCHAIN says.
    ///
    /// # Errors
    /// It says something else.
    pub fn from_environment() -> Result<Self, Error> {
        match env::var_os("RTCR_TOOLCHAIN").as_deref().map(|value| value.to_str()) {
            None | Some(Some("")) => Ok(Self::Any),
            Some(Some("rustup")) => Ok(Self::Rustup),
            Some(Some("debian")) => Ok(Self::Debian),
            Some(_) => Err(Error::Choice(env::var_os("RTCR_TOOLCHAIN").unwrap_or_default().display().to_string())),
        }
    }
}

/// Finds a toolchain, or sets one up.
pub(super) fn find(machine: &Machine, choice: Choice) -> Result<Toolchain, Error> {
    if let Some(toolchain) = present(machine, choice) {
        return Ok(toolchain);
    }
    install::with_lock(machine, || {
        // Somebody else may have installed it meanwhile.
        if let Some(toolchain) = present(machine, choice) {
            return Ok(toolchain);
        }
        let rustup = match choice {
            Choice::Debian => None,
            Choice::Any | Choice::Rustup => match add_target(machine) {
                Ok(toolchain) => return Ok(toolchain),
                Err(reason) => Some(reason),
            },
        };
        if let (Choice::Rustup, Some(rustup)) = (choice, &rustup) {
            return Err(Error::NoTarget { rustup: rustup.clone() });
        }
        let installed = install::install(machine, "rustc, cargo, the library's source or LLD is", &DEBIAN_PACKAGES);
        match (installed, rustup) {
            (Ok(()), _) => debian(machine).ok_or_else(|| too_old(machine)),
            (Err(debian), Some(rustup)) => Err(Error::None { rustup, debian }),
            (Err(debian), None) => Err(debian.into()),
        }
    })
}

/// A toolchain that is there, without changing anything.
pub(super) fn present(machine: &Machine, choice: Choice) -> Option<Toolchain> {
    let in_use = || in_use(machine).filter(|_| choice != Choice::Debian);
    in_use().or_else(|| debian(machine).filter(|_| choice != Choice::Rustup))
}

/// The toolchain in use, if it has the target.
fn in_use(machine: &Machine) -> Option<Toolchain> {
    let folder = machine.output(&machine.rustc, &["--print", "target-libdir", "--target", TARGET])?;
    let is_core = |name: &OsString| name.to_string_lossy().starts_with("libcore-");
    fs::read_dir(folder).ok()?.flatten().any(|entry| is_core(&entry.file_name())).then_some(())?;
    Some(Toolchain {
        cargo: machine.cargo.clone(),
        args: Vec::new(),
        envs: Vec::new(),
        removed: MEDDLERS.iter().map(OsString::from).collect(),
        label: machine.output(&machine.rustc, &["--version"])?,
        folder: "rustup",
    })
}

/// Variables that would take the place of the flags that `.cargo/config.toml` has for the board.
const MEDDLERS: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"];
/// Variables by which another toolchain would show through.
const FOREIGN: [&str; 6] =
    ["RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH", "CARGO", "RUSTDOC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];
/// The oldest compiler that the project builds with.
const OLDEST: (&str, (u32, u32)) = (env!("CARGO_PKG_RUST_VERSION"), parse_version(env!("CARGO_PKG_RUST_VERSION")));

/// Debian's toolchain, if it is complete and new enough.
fn debian(machine: &Machine) -> Option<Toolchain> {
    let (cargo, rustc) = (machine.debian("cargo")?, machine.debian("rustc")?);
    let linker = machine.debian("ld.lld")?;
    let sysroot = PathBuf::from(machine.output(&rustc, &["--print", "sysroot"])?);
    sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file().then_some(())?;
    let version = machine.output(&rustc, &["--version"])?;
    let number = version.split(' ').nth(1)?;
    (parse_version(number) >= OLDEST.1).then_some(())?;
    let variable = |name: &str, value: &Path| (OsString::from(name), value.as_os_str().to_owned());
    Some(Toolchain {
        cargo: cargo.into(),
        args: ["-Zbuild-std=core,alloc,compiler_builtins", "-Zbuild-std-features=compiler-builtins-mem"]
            .map(OsString::from)
            .to_vec(),
        envs: vec![
            // Building the library is an unstable option, which a stable compiler accepts when it is told so.
            ("RUSTC_BOOTSTRAP".into(), "1".into()),
            variable("RUSTC", &rustc),
            variable("CARGO_TARGET_ARMV7A_NONE_EABI_LINKER", &linker),
        ],
        removed: MEDDLERS.iter().chain(&FOREIGN).map(OsString::from).collect(),
        label: format!("{version} from Debian"),
        folder: "debian",
    })
}

fn too_old(machine: &Machine) -> Error {
    let found = machine.debian("rustc").and_then(|rustc| machine.output(rustc, &["--version"]));
    Error::TooOld { found: found.unwrap_or_else(|| "not complete".to_owned()), needed: OLDEST.0 }
}

/// Major and minor of a version; what is missing or no number counts as zero.
const fn parse_version(text: &str) -> (u32, u32) {
    let bytes = text.as_bytes();
    let mut numbers = [0; 2];
    let (mut part, mut at) = (0, 0);
    while at < bytes.len() && part < 2 {
        match bytes[at] {
            digit @ b'0'..=b'9' => numbers[part] = numbers[part] * 10 + (digit - b'0') as u32,
            _ => part += 1,
        }
        at += 1;
    }
    (numbers[0], numbers[1])
}

/// Lets rustup add the target to the toolchain in use.
fn add_target(machine: &Machine) -> Result<Toolchain, Rustup> {
    if machine.find("rustup").is_none() {
        return Err(Rustup::Absent);
    }
    if machine.no_install {
        return Err(Rustup::Forbidden);
    }
    let step = terminal::step(format!("adding the Rust target {TARGET}"));
    let mut command = machine.command("rustup");
    // Another way is open: no need to try long where there is no network.
    command.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1");
    let mut tail = VecDeque::new();
    let result = install::run(&mut command, &mut |line| {
        step.detail(line);
        install::keep(&mut tail, line);
    });
    let last = tail.into_iter().next_back().unwrap_or_else(|| "it said nothing".to_owned());
    match result {
        Ok(true) => in_use(machine).ok_or(Rustup::NotInUse),
        Ok(false) => Err(Rustup::Failed(last)),
        Err(error) => Err(Rustup::Failed(error.to_string())),
    }
}

/// Shows that a toolchain builds for the board, by building a program of a few lines with it in a folder of its own.
/// Sets the toolchain up if it is not there.
///
/// # Errors
/// It cannot be had, or does not build.
pub fn prove(choice: Choice) -> Result<Toolchain, Error> {
    let toolchain = find(&Machine::here(), choice)?;
    let _step = terminal::step(format!("trying {}", toolchain.label));
    let folder = tempfile::tempdir()?;
    let files = [
        (
            "Cargo.toml",
            "[package]\nname = \"trial\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[profile.dev]\npanic = \"abort\"\n",
        ),
        ("src/main.rs", TRIAL),
        // As the project's own scripts do; unwinding tables would want symbols that nobody has.
        ("link.ld", "ENTRY(_start)\nSECTIONS { . = 0x10000; /DISCARD/ : { *(.ARM.*) } }\n"),
    ];
    fs::create_dir(folder.path().join("src"))?;
    for (name, text) in files {
        fs::write(folder.path().join(name), text)?;
    }
    let mut command = toolchain.command("build");
    command.current_dir(folder.path()).arg("--target-dir").arg(folder.path().join("target"));
    command.env("CARGO_TARGET_ARMV7A_NONE_EABI_RUSTFLAGS", "-Clink-arg=-Tlink.ld -Clink-arg=-L.");
    command.env_remove("CARGO_TARGET_DIR");
    let output = command.output()?;
    let built = folder.path().join("target").join(TARGET).join("debug/trial").is_file();
    match output.status.success() && built {
        true => Ok(toolchain),
        false => Err(Error::Unproven {
            label: toolchain.label,
            output: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        }),
    }
}

/// Needs core, alloc, the routines that move memory, and a linker.
const TRIAL: &str = r#"#![no_std]
#![no_main]
extern crate alloc;
struct Nothing;
unsafe impl core::alloc::GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 { core::ptr::null_mut() }
    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}
}
#[global_allocator]
static HEAP: Nothing = Nothing;
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! { loop {} }
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let bytes = alloc::vec![7_u8; core::hint::black_box(5000)];
    core::hint::black_box(bytes.clone());
    loop {}
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(parse_version("1.96.0"), (1, 96));
        assert_eq!(parse_version("1.96.0-nightly"), (1, 96));
        assert_eq!(parse_version("1.90"), (1, 90));
        assert_eq!(parse_version("?"), (0, 0));
        assert!(parse_version("1.100.0") > parse_version("1.90.0"));
        assert!(OLDEST.1 >= (1, 85), "edition 2024 needs 1.85");
    }

    #[test]
    fn debian_is_called_with_nothing_of_another_toolchain() {
        let toolchain = Toolchain {
            cargo: "/usr/bin/cargo".into(),
            args: vec!["-Zbuild-std=core".into()],
            envs: vec![("RUSTC".into(), "/usr/bin/rustc".into())],
            removed: vec!["RUSTUP_TOOLCHAIN".into()],
            label: String::new(),
            folder: "debian",
        };
        let command = toolchain.command("build");
        let args = command.get_args().collect::<Vec<_>>();
        assert_eq!(args, ["build", "--target", TARGET, "-Zbuild-std=core"]);
        let envs = command.get_envs().collect::<Vec<_>>();
        assert!(envs.contains(&("RUSTUP_TOOLCHAIN".as_ref(), None)));
        assert!(envs.contains(&("RUSTC".as_ref(), Some("/usr/bin/rustc".as_ref()))));
    }

    // Both install what is missing, and compile a library; continuous integration calls them by name.

    #[test]
    #[ignore = "may install; run with --ignored"]
    fn the_toolchain_in_use_builds_for_the_board() {
        prove(Choice::Rustup).unwrap();
    }

    #[test]
    #[ignore = "may install; run with --ignored"]
    fn the_toolchain_of_debian_builds_for_the_board() {
        prove(Choice::Debian).unwrap();
    }
}
