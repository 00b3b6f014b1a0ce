//! Machines made of scripts: what is there, and what apt-get, sudo and rustup do, is up to each test.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::Command,
    thread,
};

use super::{
    Choice, Error, Machine, Need, ToolchainError, doctor,
    install::{self, Obstacle},
    private, requirement,
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
            cache: Some(folder.path().join("cache")),
            status: folder.path().join("status"),
            qemu: None,
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
    // Between them, a look whether anything stands against it.
    assert_eq!(calls.len(), 4, "{calls:?}");
    assert!(calls[2].ends_with(" update"), "{calls:?}");
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
    let error = install::ensure(&asks.machine, &[Need::Kernel]).unwrap_err();
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

/// An apt-get that would remove something for QEMU, and can fetch it: `update` and `download` run these.
fn conflicting(update: &str, download: &str) -> String {
    format!(
        "case \" $* \" in\n\
         *Dir::State::status*' -s '*) echo 'Inst libfdt1 (1.6 Debian:12 [amd64])'; echo 'Inst qemu-system-arm (1:7.2 Debian:12 [amd64])';;\n\
         *' -s '*) echo 'The following packages will be REMOVED:'; echo '  qemu-utils'; echo 'Remv qemu-utils [1:10.0]';;\n\
         *' update '*) {update};;\n\
         *' download '*) {download};;\n\
         *) echo 'E: Packages need to be removed but remove is disabled.' >&2; exit 100;;\n\
         esac"
    )
}

/// Packages, as this dpkg-deb takes them: one has a library, the other a program that asks for it.
const DOWNLOAD: &str = ": > libfdt1.deb; : > qemu-system-arm.deb";
const UNPACK: &str = r#"case "$2" in
*libfdt1.deb) mkdir -p "$3/usr/lib/x/own"; : > "$3/usr/lib/x/own/libfdt.so.1";;
*qemu-system-arm.deb) mkdir -p "$3/usr/bin"; printf '#!/bin/sh\n[ -e "${LD_LIBRARY_PATH%%%%:*}/libfdt.so.1" ] || { echo no library >&2; exit 127; }\necho "QEMU copied $LD_LIBRARY_PATH $*"\n' > "$3/usr/bin/qemu-system-arm"; chmod 755 "$3/usr/bin/qemu-system-arm";;
*) exit 2;;
esac"#;

impl Fake {
    /// A machine where installing QEMU would remove something.
    fn with_conflict(self, update: &str, download: &str) -> Self {
        fs::write(&self.machine.status, "Package: qemu-utils\nVersion: 1:10.0\n").unwrap();
        self.with("apt-get", &conflicting(update, download)).with("dpkg-deb", UNPACK)
    }

    fn in_cache(&self) -> Vec<String> {
        let entries = fs::read_dir(self.machine.cache.as_ref().unwrap()).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn what_would_remove_something_becomes_a_private_copy() {
    let fake = Fake::new(true).with_conflict("exit 9", DOWNLOAD);
    let item = |of: &doctor::Diagnosis| of.items.iter().find(|item| item.name == "qemu-system-arm").unwrap().clone();
    let before = doctor::examine_machine(&fake.machine, Choice::Any);
    assert_eq!(
        item(&before).note.as_deref(),
        Some("installing it would remove qemu-utils, so a private copy is made when it is first needed")
    );
    assert!(!before.to_type.iter().any(|line| line.contains("qemu-system-arm")), "{:?}", before.to_type);

    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    let script = requirement::emulator(&fake.machine).unwrap();
    assert_eq!(fake.in_cache(), ["qemu-system-arm"]);
    assert!(fake.calls("apt-get").iter().any(|call| call.ends_with("download libfdt1=1.6 qemu-system-arm=1:7.2")));
    // The list of packages was good, and the system's is not touched.
    assert!(!fake.calls("apt-get").iter().any(|call| call.contains(" update")));
    let output = Command::new(&script).args(["-M", "board"]).env("LD_LIBRARY_PATH", "/mine").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let folder = script.parent().unwrap().display().to_string();
    assert_eq!(
        said.trim(),
        format!("QEMU copied {folder}/root/usr/lib/x/own:/mine -L {folder}/root/usr/share/qemu -M board")
    );
    let after = item(&doctor::examine_machine(&fake.machine, Choice::Any));
    assert!(after.version.unwrap().starts_with("QEMU copied"));
    assert_eq!(after.note.as_deref(), Some("a private copy, since installing it would remove qemu-utils"));

    // Once is enough, and QEMU of the system wins.
    let calls = fake.calls("apt-get").len();
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    assert_eq!(calls, fake.calls("apt-get").len());
    let fake = fake.with("qemu-system-arm", "echo QEMU of the system");
    assert_eq!(requirement::emulator(&fake.machine), Some(fake.folder.path().join("bin/qemu-system-arm")));
    assert_eq!(item(&doctor::examine_machine(&fake.machine, Choice::Any)).note, None);
}

#[test]
fn a_user_who_may_not_install_gets_a_private_copy_without_asking() {
    let fake = Fake::new(false).with_conflict("exit 9", DOWNLOAD).with("sudo", "exit 1");
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    assert!(fake.calls("sudo").iter().all(|call| call == "sudo -n true"));
    let reason = private::reason(&fake.machine, "qemu-system-arm").unwrap();
    assert_eq!(reason, "this user may not install without a password");
}

#[test]
fn a_copy_that_no_longer_works_and_what_was_half_made_are_replaced() {
    let fake = Fake::new(true).with_conflict("exit 9", DOWNLOAD);
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    let cache = fake.machine.cache.clone().unwrap();
    fs::remove_dir_all(cache.join("qemu-system-arm/root/usr/lib")).unwrap();
    fs::create_dir_all(cache.join("unpacking-x/copy/root")).unwrap();
    assert_eq!(requirement::missing(&fake.machine, &[Need::Emulator]).len(), 1);
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    assert_eq!(fake.in_cache(), ["qemu-system-arm"]);
    assert!(requirement::missing(&fake.machine, &[Need::Emulator]).is_empty());
}

#[test]
fn an_old_list_of_packages_is_renewed_for_the_copy_only() {
    let download = format!("case \" $* \" in *Dir::State::lists*) {DOWNLOAD};; *) echo 'E: 404' >&2; exit 100;; esac");
    let fake = Fake::new(true).with_conflict("exit 0", &download);
    install::ensure(&fake.machine, &[Need::Emulator]).unwrap();
    let updates = fake.calls("apt-get").into_iter().filter(|call| call.ends_with(" update")).collect::<Vec<_>>();
    assert_eq!(updates.len(), 1, "{updates:?}");
    assert!(updates[0].contains("Dir::State::lists="), "{updates:?}");
}

#[test]
fn a_copy_that_fails_says_why_and_leaves_nothing() {
    let fails = |fake: Fake, words: &str| {
        let error = install::ensure(&fake.machine, &[Need::Emulator]).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::NoCopy { .. }), "{text}");
        for part in ["would remove qemu-utils", "\n  apt-get update && apt-get install", words] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(fake.in_cache(), [""; 0]);
        assert_eq!(requirement::emulator(&fake.machine), None);
    };
    let new = || Fake::new(true);
    fails(new().with_conflict("echo 'E: no network' >&2; exit 100", "exit 100"), "E: no network");
    let silent = "echo 'W: cannot resolve' >&2";
    fails(new().with_conflict(silent, "echo 'E: gone' >&2; exit 100"), "last lines:\nW: cannot resolve\nE: gone");
    let broken = new().with_conflict("exit 9", DOWNLOAD).with("dpkg-deb", "echo 'bad magic' >&2; exit 2");
    fails(broken, "libfdt1.deb cannot be unpacked");
    let lame = new().with_conflict("exit 9", ": > qemu-system-arm.deb");
    fails(lame, "does not start:\nno library");
    let mut homeless = new().with_conflict("exit 9", DOWNLOAD);
    let cache = homeless.machine.cache.take();
    let error = install::ensure(&homeless.machine, &[Need::Emulator]).unwrap_err();
    assert!(error.to_string().contains("set HOME"), "{error}");
    assert!(cache.is_some_and(|cache| !cache.exists()));
}

#[test]
fn nothing_else_is_copied() {
    let fake = Fake::new(true).with_conflict("exit 9", DOWNLOAD);
    let error = install::ensure(&fake.machine, &[Need::Kernel]).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert!(fake.calls("dpkg-deb").is_empty());
}

#[test]
fn the_doctor_tries_the_qemu_that_is_named() {
    let mut fake = Fake::new(true).with("mine", "echo QEMU 99");
    let item = |fake: &Fake| doctor::examine_machine(&fake.machine, Choice::Any).items.swap_remove(2);
    fake.machine.qemu = Some("mine".into());
    assert_eq!(item(&fake).version.as_deref(), Some("QEMU 99"));
    fake.machine.qemu = Some("yours".into());
    assert_eq!((item(&fake).version, item(&fake).note.as_deref()), (None, Some("named by RTCR_QEMU")));
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

// Installs or copies what is missing on this machine, and says what it uses.
#[test]
#[ignore = "may install; run with --ignored"]
fn the_emulator_of_this_machine_starts() {
    let machine = Machine::here();
    install::ensure(&machine, &[Need::Emulator]).unwrap_or_else(|error| panic!("{error}"));
    let emulator = requirement::emulator(&machine).unwrap();
    let output = Command::new(&emulator).arg("--version").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    println!("{}: {}", emulator.display(), String::from_utf8_lossy(&output.stdout));
}
