//! Mistakes that are planted, one at a time, in a copy of the checkout: the suites about checkpoints must catch each of them. Each
//! is a file in `tests/planted` that says what it is and which call of `cargo rtcr test` is to fail.
//!
//! It takes minutes for each, since much is built again, so it is no part of the ordinary tests:
//! `cargo test -p rtcr-tests --test planted -- --ignored`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tools::workspace::Workspace;

/// A copy of what is committed or changed in the checkout, gone when dropped.
struct Copy {
    checkout: PathBuf,
    path: PathBuf,
}

fn git(at: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("git").current_dir(at).args(arguments).output().expect("git is there");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Copy {
    fn new(checkout: &Path) -> Self {
        let path = std::env::temp_dir().join(format!("rtcr-planted-{}", std::process::id()));
        git(checkout, &["worktree", "add", "--quiet", "--detach", &path.display().to_string(), "HEAD"]);
        let changed = checkout.join("target/planted.diff");
        fs::create_dir_all(checkout.join("target")).unwrap();
        fs::write(&changed, git(checkout, &["diff", "HEAD"])).unwrap();
        let copy = Self { checkout: checkout.to_owned(), path };
        if fs::metadata(&changed).unwrap().len() > 0 {
            git(&copy.path, &["apply", &changed.display().to_string()]);
        }
        copy
    }

    /// The last line of a call of `cargo rtcr test`, and whether it succeeded.
    fn test(&self, arguments: &str) -> (bool, String) {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(self.checkout.join("target"), PathBuf::from);
        let output = Command::new("cargo")
            .current_dir(&self.path)
            .args(["rtcr", "test"])
            .args(arguments.split_whitespace())
            // Apart, so that nothing of it is taken for what the checkout builds.
            .env("CARGO_TARGET_DIR", folder.join("planted"))
            .output()
            .expect("cargo is there");
        let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let last = said.lines().last().unwrap_or_default();
        assert!(last.ends_with(" failed"), "{arguments} did not come to its end:\n{said}\n{complained}");
        (output.status.success(), last.to_owned())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        git(&self.checkout, &["worktree", "remove", "--force", &self.path.display().to_string()]);
    }
}

#[test]
#[ignore = "it builds everything again for each of them"]
fn each_mistake_is_caught() {
    let workspace = Workspace::find().unwrap();
    let copy = Copy::new(workspace.root());
    let mut planted: Vec<_> =
        fs::read_dir(workspace.root().join("tests/planted")).unwrap().map(|entry| entry.unwrap().path()).collect();
    planted.sort();
    let only = std::env::var("RTCR_PLANTED").ok();
    planted.retain(|path| only.as_deref().is_none_or(|only| path.display().to_string().contains(only)));
    let (mut passed, mut succeeds) = (Vec::new(), BTreeSet::new());
    for path in &planted {
        let (text, file) = (fs::read_to_string(path).unwrap(), path.display().to_string());
        let about = text.lines().next().unwrap_or_default();
        let caught_by =
            text.lines().find_map(|line| line.strip_prefix("Caught by: ")).expect("it says what catches it");
        if succeeds.insert(caught_by.to_owned()) {
            let (before, last) = copy.test(caught_by);
            assert!(before, "without it, `cargo rtcr test {caught_by}` fails: {last}");
        }
        git(&copy.path, &["apply", &file]);
        let (unnoticed, last) = copy.test(caught_by);
        git(&copy.path, &["apply", "--reverse", &file]);
        println!("{about} {last}");
        if unnoticed {
            passed.push(about.to_owned());
        }
    }
    assert!(planted.len() >= 9 || std::env::var("RTCR_PLANTED").is_ok());
    assert!(passed.is_empty(), "nobody notices: {passed:#?}");
}
