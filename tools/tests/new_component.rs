//! `cargo rtcr new component` on a copy of this workspace: what it makes, and that nobody has anything to say about it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Folders and files of the workspace that cargo needs to know of.
const COPIED: [&str; 12] = [
    ".cargo",
    "base",
    "components",
    "docs/check",
    "platform-arm_v7a",
    "rtcr",
    "run",
    "tests",
    "tools",
    "Cargo.lock",
    "Cargo.toml",
    "rustfmt.toml",
];

/// A copy of the workspace. It lies in the same place each time, so that what cargo built there counts again.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new_component").join(name);
        let _ = fs::remove_dir_all(&root);
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for path in COPIED {
            copy(&top.join(path), &root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        Self { root }
    }

    fn rtcr(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtcr"));
        command.args(arguments).current_dir(&self.root).env("RTCR_NO_INSTALL", "1").output().expect("rtcr starts")
    }

    /// Calls cargo, and asserts that it has nothing to complain about.
    fn cargo(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO"));
        let target = self.root.with_file_name("target");
        let output = command.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", target).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Every file and its content.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), fs::read(path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }
}

fn copy(src: &Path, dst: &Path) -> io::Result<()> {
    if !src.is_dir() {
        fs::create_dir_all(dst.parent().unwrap_or(dst))?;
        fs::copy(src, dst)?;
        // By the time of its last change cargo knows what it has built of it.
        return fs::File::options().write(true).open(dst)?.set_modified(src.metadata()?.modified()?);
    }
    fs::create_dir_all(dst)?;
    for entry in fs::read_dir(src)? {
        let entry = entry?;
        if entry.file_name() != "target" {
            copy(&entry.path(), &dst.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[test]
fn what_is_made_is_clean() {
    let copy = Copy::new("clean");
    let output = copy.rtcr(&["new", "component", "tutorial_sheep"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("\n  cargo rtcr run tutorial_sheep_native\n"), "{said}");
    for line in said.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with("cargo")) {
        assert!(copy.root.join(line).is_file(), "{line}");
    }
    copy.cargo(&["fmt", "--check", "-p", "tutorial_sheep", "-p", "tutorial_sheep-bin"]);
    copy.cargo(&["clippy", "--no-deps", "--offline", "-p", "tutorial_sheep", "--", "-D", "warnings"]);
    // The program is none for the host, but cargo reads its manifest.
    copy.cargo(&["metadata", "--offline", "--no-deps", "--format-version", "1"]);
}

#[test]
fn what_is_refused_changes_nothing() {
    let copy = Copy::new("refused");
    let before = copy.files();
    for (name, reason) in [
        ("hello", "components/hello/Cargo.toml is there already"),
        ("Sheep", "`Sheep` is no name of a component"),
        ("base", "there is a package `base` already"),
        ("endless", "there is a program `endless` already"),
        ("type", "no component can be called `type`"),
    ] {
        let output = copy.rtcr(&["new", "component", name]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.starts_with(&format!("error: {reason}")), "{error}");
    }
    fs::write(copy.root.join("run/README.md"), "# run\n").unwrap();
    let output = copy.rtcr(&["new", "component", "sheep"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("run/README.md has no table of scenarios"), "{error}");
    let changed: Vec<_> = copy.files().into_iter().filter(|file| !before.contains(file)).map(|file| file.0).collect();
    assert_eq!(changed, [copy.root.join("run/README.md")]);
}
