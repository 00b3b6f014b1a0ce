//! Machines made of scripts: what is there, and what apt-get, sudo and rustup do, is up to each test.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
    thread,
};

use super::{
    Choice, Error, Machine, Need, ToolchainError,
    install::{self, Obstacle},
    requirement,
    toolchain::{self, Rustup},
};

const KERNEL_PROGRAMS: [&str; 3] = ["arm-none-eabi-gcc", "make", "xmllint"];
/// A Python that has every module it is asked for.
const PYTHON: &str = "shift 3; for name; do echo \"$name 1.0\"; done";

struct Fake {
    folder: tempfile::TempDir,
    machine: Machine,
}

impl Fake {
    /// A machine with a shell, and nothing that is needed.
    fn new(root: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        for tool in ["sh", "env", "cat", "chmod", "mkdir", "sleep"] {
            let path = ["/bin", "/usr/bin"].map(|place| Path::new(place).join(tool));
            symlink(path.iter().find(|path| path.exists()).unwrap(), bin.join(tool)).unwrap();
        }
        let machine = Machine {
            path: bin.clone().into(),
            debian: bin,
            root,
            no_install: false,
            lock: folder.path().join("lock"),
            cargo: "cargo".into(),
            rustc: "rustc".into(),
        };
        Self { folder, machine }
    }

    /// Puts a program there. It notes how it was called.
    fn with(self, name: &str, body: &str) -> Self {
        let path = self.folder.path().join("bin").join(name);
        let log = self.folder.path().join("log");
        let text = format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{body}\n", log.display());
        // Written by another process: a file that this one has open for writing, or a test beside this one has inherited
        // while it starts a program, cannot be executed.
        let script = "printf '%s' \"$1\" > \"$0\"; chmod 755 \"$0\"";
        assert!(Command::new("/bin/sh").args(["-c", script]).arg(&path).arg(text).status().unwrap().success());
        self
    }

    /// An apt-get that succeeds and, for `install`, puts `programs` there; each runs `body`.
    fn with_apt(self, programs: &[&str], body: &str) -> Self {
        let bin = self.folder.path().join("bin").display().to_string();
        let mut script = "case \"$*\" in *install*) ;; *) exit 0;; esac\n".to_owned();
        for name in programs {
            script += &format!("printf '%s\\n' '#!/bin/sh' '{body}' > '{bin}/{name}'; chmod 755 '{bin}/{name}'\n");
        }
        self.with("apt-get", &(script + "echo pmstatus:x:50.0:Unpacking x"))
    }

    fn calls(&self, of: &str) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.starts_with(of)).map(str::to_owned).collect()
    }
}

#[test]
fn what_is_there_is_not_installed() {
    let mut fake = Fake::new(true).with("apt-get", "").with("python3", PYTHON).with("qemu-system-arm", "");
    for name in KERNEL_PROGRAMS {
        fake = fake.with(name, "");
    }
    install::ensure(&fake.machine, &[Need::Emulator, Need::Kernel]).unwrap();
    assert!(fake.calls("apt-get").is_empty());
    assert!(!fake.machine.lock.exists());
}

#[test]
fn a_file_that_cannot_be_executed_is_no_program() {
    let fake = Fake::new(true).with("make", "");
    assert!(fake.machine.find("make").is_some());
    fs::set_permissions(fake.folder.path().join("bin/make"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(fake.machine.find("make").is_none());
}

#[test]
fn only_what_is_needed_is_missed() {
    let fake = Fake::new(true).with("make", "");
    let packages = |needs: &[Need]| -> Vec<_> {
        requirement::missing(&fake.machine, needs).iter().map(|requirement| requirement.package).collect()
    };
    assert_eq!(packages(&[Need::Emulator]), ["qemu-system-arm"]);
    let kernel = ["gcc-arm-none-eabi", "libxml2-utils", "python3", "python3-ply", "python3-six", "python3-tempita"];
    assert_eq!(packages(&[Need::Kernel]), kernel);
    assert_eq!(packages(&[Need::Debugger]), ["gdb-multiarch"]);
}

#[test]
fn a_module_that_python_lacks_is_missed() {
    let fake = Fake::new(true).with("python3", "echo 'six 1.16.0'; echo ply");
    let missing = requirement::missing(&fake.machine, &[Need::Kernel]);
    let modules = missing.iter().map(|requirement| requirement.package).filter(|name| name.starts_with("python3-"));
    assert_eq!(modules.collect::<Vec<_>>(), ["python3-tempita"]);
}

#[test]
fn root_installs_once_even_when_two_start_together() {
    let fake = Fake::new(true).with_apt(&["qemu-system-arm"], "");
    thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| install::ensure(&fake.machine, &[Need::Emulator])));
        both.into_iter().for_each(|one| one.join().unwrap().unwrap());
    });
    let calls = fake.calls("apt-get");
    assert_eq!(calls.len(), 1, "{calls:?}");
    for part in ["--yes", "--no-install-recommends", "--no-remove", " qemu-system-arm"] {
        assert!(calls[0].contains(part), "{calls:?}");
    }
}

#[test]
fn the_list_of_packages_is_updated_only_when_installing_fails() {
    let bin = "\"$(dirname \"$0\")\"";
    let script = format!(
        "case \"$*\" in *update*) : > {bin}/updated; exit 0;; esac\n\
         [ -e {bin}/updated ] || {{ echo 'E: Unable to locate package' >&2; exit 100; }}\n\
         printf '#!/bin/sh\\n' > {bin}/qemu-system-arm; chmod 755 {bin}/qemu-system-arm"
    );
    let fake = Fake::new(true).with("apt-get", &script).with("dirname", "echo \"${1%/*}\"");
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    let calls = fake.calls("apt-get");
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert!(calls[1].ends_with(" update"), "{calls:?}");
}

#[test]
fn a_failing_apt_shows_its_last_words_and_what_to_type() {
    let fake = Fake::new(true).with("apt-get", "echo 'E: cannot reach the archive' >&2; exit 100");
    let error = install::ensure(&fake.machine, &[Need::Emulator]).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Failed { .. }), "{text}");
    assert!(text.contains("cannot reach the archive"), "{text}");
    assert!(text.contains("\n  apt-get update && apt-get install --no-install-recommends qemu-system-arm"), "{text}");
}

#[test]
fn an_apt_that_lies_is_noticed() {
    let fake = Fake::new(true).with("apt-get", "");
    let error = install::ensure(&fake.machine, &[Need::Kernel]).unwrap_err();
    assert!(
        matches!(&error, Error::StillMissing { what, .. } if what.ends_with("Python module tempita are")),
        "{error}"
    );
}

#[test]
fn users_need_sudo_without_a_password() {
    let asks = Fake::new(false).with_apt(&["qemu-system-arm"], "").with("sudo", "exit 1");
    let error = install::ensure(&asks.machine, &[Need::Emulator]).unwrap_err();
    assert!(matches!(error, Error::NotAllowed { why: Obstacle::NotRoot, .. }), "{error}");
    assert!(error.to_string().contains("\n  sudo apt-get update && sudo apt-get install"), "{error}");
    assert!(asks.calls("apt-get").is_empty());

    let may = Fake::new(false).with_apt(&["qemu-system-arm"], "").with("sudo", "shift; exec \"$@\"").with("true", "");
    install::ensure(&may.machine, &[Need::Emulator]).unwrap();
    assert_eq!(may.calls("apt-get").len(), 1);
    assert!(may.calls("sudo").iter().any(|call| call.contains("DEBIAN_FRONTEND=noninteractive")));
}

#[test]
fn nothing_is_installed_where_it_is_forbidden_or_there_is_no_apt() {
    let mut fake = Fake::new(true).with_apt(&["qemu-system-arm"], "").with("rustup", "");
    fake.machine.no_install = true;
    let error = install::ensure(&fake.machine, &[Need::Emulator]).unwrap_err();
    assert!(matches!(error, Error::NotAllowed { why: Obstacle::Forbidden, .. }), "{error}");
    let error = toolchain::find(&fake.machine, Choice::Any).unwrap_err();
    assert!(matches!(error, ToolchainError::None { rustup: Rustup::Forbidden, .. }), "{error}");
    assert!(fake.calls("").is_empty());

    let error = install::ensure(&Fake::new(true).machine, &[Need::Emulator]).unwrap_err();
    assert!(matches!(error, Error::NotAllowed { why: Obstacle::NoApt, .. }), "{error}");
}

/// A rustc that prints its sysroot and version, and has its library for the board in `lib` of `folder`.
fn rustc(folder: &Path, version: &str) -> String {
    let folder = folder.display();
    format!(
        "case \"$*\" in *target-libdir*) echo '{folder}/lib';; *sysroot*) echo '{folder}';; \
         *) echo 'rustc {version} (0 2026-01-01)';; esac"
    )
}

#[test]
fn the_toolchain_in_use_wins_when_it_has_the_target() {
    let fake = Fake::new(true);
    let script = rustc(fake.folder.path(), "1.95.0");
    let fake = fake.with("rustc", &script).with("rustup", "");
    let lib = fake.folder.path().join("lib");
    assert_eq!(toolchain::present(&fake.machine, Choice::Any), None);
    fs::create_dir(&lib).unwrap();
    assert_eq!(toolchain::present(&fake.machine, Choice::Any), None);
    fs::write(lib.join("libcore-0.rlib"), "").unwrap();
    let found = toolchain::find(&fake.machine, Choice::Any).unwrap();
    assert_eq!((found.label.as_str(), found.folder), ("rustc 1.95.0 (0 2026-01-01)", "rustup"));
    assert!(fake.calls("rustup").is_empty());
    assert_eq!(toolchain::present(&fake.machine, Choice::Debian), None);
}

#[test]
fn rustup_adds_the_target() {
    let fake = Fake::new(true);
    let script = rustc(fake.folder.path(), "1.95.0");
    let lib = fake.folder.path().join("lib").display().to_string();
    let fake = fake.with("rustc", &script).with("rustup", &format!("mkdir '{lib}'; : > '{lib}/libcore-0.rlib'"));
    assert_eq!(toolchain::find(&fake.machine, Choice::Any).unwrap().folder, "rustup");
    toolchain::find(&fake.machine, Choice::Rustup).unwrap();
    assert_eq!(fake.calls("rustup"), ["rustup target add armv7a-none-eabi"]);
}

#[test]
fn where_rustup_fails_debian_steps_in_and_later_comes_first() {
    let fake = Fake::new(true);
    let library = fake.folder.path().join("lib/rustlib/src/rust/library/core");
    fs::create_dir_all(&library).unwrap();
    fs::write(library.join("Cargo.toml"), "").unwrap();
    let script = rustc(fake.folder.path(), "1.96.0");
    let fake = fake.with("rustc", &script).with("rustup", "echo 'error: no network' >&2; exit 1");
    let fake = fake.with_apt(&["cargo", "ld.lld"], "");

    let error = toolchain::find(&fake.machine, Choice::Rustup).unwrap_err();
    assert!(matches!(&error, ToolchainError::NoTarget { .. }) && error.to_string().contains("no network"), "{error}");
    assert!(fake.calls("apt-get").is_empty());

    for _ in 0..2 {
        let found = toolchain::find(&fake.machine, Choice::Any).unwrap();
        assert_eq!((found.label.as_str(), found.folder), ("rustc 1.96.0 (0 2026-01-01) from Debian", "debian"));
    }
    // One for each choice, none once Debian's was there.
    assert_eq!(fake.calls("rustup").len(), 2);
    assert_eq!(fake.calls("apt-get").len(), 1);
}

#[test]
fn an_old_debian_is_refused() {
    let fake = Fake::new(true);
    let script = rustc(fake.folder.path(), "1.63.0");
    let fake = fake.with("rustc", &script).with_apt(&["cargo", "ld.lld"], "");
    let error = toolchain::find(&fake.machine, Choice::Debian).unwrap_err();
    assert!(matches!(&error, ToolchainError::TooOld { found, .. } if found.contains("1.63.0")), "{error}");
}
