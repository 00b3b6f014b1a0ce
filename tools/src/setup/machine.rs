//! The machine that this runs on, as far as setting it up is concerned. Tests make up their own.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where programs are looked for, and what may be done.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Folders of programs, as in PATH.
    pub(super) path: OsString,
    /// The folder of Debian's own programs. Its Python runs the kernel's scripts; another one earlier on the path does
    /// not see Debian's modules.
    pub(super) debian: PathBuf,
    /// Whether this process is root.
    pub(super) root: bool,
    /// Whether installing is forbidden.
    pub(super) no_install: bool,
    /// The file whose lock one holds who installs.
    pub(super) lock: PathBuf,
    /// The folder for private copies of programs, if there can be one.
    pub(super) cache: Option<PathBuf>,
    /// dpkg's list of what is installed.
    pub(super) status: PathBuf,
    /// Which QEMU the user names, if any.
    pub(super) qemu: Option<OsString>,
    /// Which cargo is in use.
    pub(super) cargo: OsString,
    /// Which rustc is in use.
    pub(super) rustc: OsString,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let user = rustix::process::geteuid();
        let given = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            path: given("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
            debian: "/usr/bin".into(),
            root: user.is_root(),
            no_install: given("RTCR_NO_INSTALL").is_some_and(|value| value != "0"),
            // One per user: another user's file could not be opened.
            lock: env::temp_dir().join(format!("rtcr-setup-{}.lock", user.as_raw())),
            cache: cache(given("XDG_CACHE_HOME"), given("HOME")),
            status: "/var/lib/dpkg/status".into(),
            qemu: given(crate::machine::qemu::OVERRIDE),
            cargo: given("CARGO").unwrap_or_else(|| "cargo".into()),
            rustc: given("RUSTC").unwrap_or_else(|| "rustc".into()),
        }
    }

    /// Where a program lies.
    pub(super) fn find(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.path).map(|folder| folder.join(program)).find(|path| is_program(path))
    }

    /// One of Debian's own programs.
    pub(super) fn debian(&self, program: &str) -> Option<PathBuf> {
        Some(self.debian.join(program)).filter(|path| is_program(path))
    }

    /// A command that sees this machine's path, answers in English, and asks nothing.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = program.as_ref();
        let found = program.to_str().and_then(|name| self.find(name));
        let mut command = Command::new(found.unwrap_or_else(|| program.into()));
        command.env("PATH", &self.path).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// What a program prints, when it ends well.
    pub(super) fn output(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Option<String> {
        let output = self.command(program).args(args).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Waits until nobody else installs; the lock ends when the file is dropped.
    pub(super) fn lock(&self) -> io::Result<std::fs::File> {
        let file = std::fs::File::options().create(true).truncate(false).write(true).open(&self.lock)?;
        file.lock()?;
        Ok(file)
    }
}

/// Where a user's caches are, by the XDG rules, which ignore what is not absolute.
fn cache(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let folder = cache.and_then(absolute).or_else(|| Some(home.and_then(absolute)?.join(".cache")))?;
    Some(folder.join("rtcr"))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn caches_lie_where_the_user_has_them() {
        let cache = |given: Option<&str>, home: Option<&str>| super::cache(given.map(Into::into), home.map(Into::into));
        assert_eq!(cache(Some("/c"), Some("/h")), Some("/c/rtcr".into()));
        assert_eq!(cache(Some("c"), Some("/h")), Some("/h/.cache/rtcr".into()));
        assert_eq!(cache(None, Some("/h")), Some("/h/.cache/rtcr".into()));
        assert_eq!(cache(None, Some("h")), None);
        assert_eq!(cache(None, None), None);
    }
}
