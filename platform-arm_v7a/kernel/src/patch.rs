//! Changes to the kernel's source: `patches/NNNN-name.patch`, one file per flaw.
//!
//! A patch is a unified diff below a header for people: a title, a line that starts with `Reason:`, and one that starts
//! with `Upstream:` and says how later kernels solved it. Patches are applied in the order of their numbers. Every line
//! of a hunk must be there as the patch has it; only its line number may differ.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// One change to the kernel's source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// File name without `.patch`, such as `0001-restart-address-of-running-threads`.
    pub name: String,
    /// First line of the file.
    pub title: String,
    /// The whole file.
    pub text: String,
}

/// Why patches cannot be read or applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file that is no patch lies among the patches.
    #[error("{0} is not named NNNN-name.patch; rename or remove it")]
    Name(PathBuf),
    /// Two patches have the same number, so their order is not defined.
    #[error("the kernel patches {0} and {1} have the same number; rename one")]
    Number(String, String),
    /// A patch does not say why it exists.
    #[error("kernel patch {patch} has no line that starts with `{missing}` above its first `--- a/`; add it")]
    Header {
        /// The patch.
        patch: String,
        /// Which part of the header is not there.
        missing: &'static str,
    },
    /// A patch is no unified diff.
    #[error("kernel patch {patch} is no unified diff: {detail}")]
    Form {
        /// The patch.
        patch: String,
        /// What is wrong.
        detail: String,
    },
    /// A patch does not fit the source.
    #[error("kernel patch {patch} does not apply to {file}: {detail}; the source differs from what the patch expects")]
    DoesNotApply {
        /// The patch.
        patch: String,
        /// The file below the kernel's top folder.
        file: String,
        /// Which hunk.
        detail: String,
    },
    /// No patch has the name that was asked for.
    #[error("there is no kernel patch {0}; there are: {1}")]
    Unknown(String, String),
}

/// Reads and checks all patches of a folder, in order.
///
/// # Errors
/// The first file that is not what it should be.
pub fn load(folder: &Path) -> Result<Vec<Patch>, Error> {
    let failed = |error| Error::File { path: folder.to_owned(), error };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    let mut patches: Vec<Patch> = Vec::new();
    for path in paths.into_iter().filter(|path| path.file_name().is_none_or(|name| name != "README.md")) {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".patch"));
        let name = name.filter(|name| is_name(name)).ok_or_else(|| Error::Name(path.clone()))?.to_owned();
        let text = fs::read_to_string(&path).map_err(|error| Error::File { path: path.clone(), error })?;
        let patch = Patch::new(name, text)?;
        if let Some(before) = patches.last().filter(|before| before.name[..DIGITS] == patch.name[..DIGITS]) {
            return Err(Error::Number(before.name.clone(), patch.name));
        }
        patches.push(patch);
    }
    Ok(patches)
}

const DIGITS: usize = 4;

fn is_name(name: &str) -> bool {
    name.len() > DIGITS + 1
        && name.bytes().enumerate().all(|(index, byte)| match index {
            0..DIGITS => byte.is_ascii_digit(),
            DIGITS => byte == b'-',
            _ => byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
        })
}

impl Patch {
    fn new(name: String, text: String) -> Result<Self, Error> {
        let title = text.lines().next().unwrap_or("").to_owned();
        let patch = Self { name, title, text };
        let (header, files) = patch.split();
        for missing in ["Reason:", "Upstream:"] {
            if !header.lines().any(|line| line.strip_prefix(missing).is_some_and(|rest| !rest.trim().is_empty())) {
                return Err(Error::Header { patch: patch.name, missing });
            }
        }
        let form = |detail: String| Error::Form { patch: patch.name.clone(), detail };
        if files.is_empty() {
            return Err(form("it changes no file".to_owned()));
        }
        for diff in files {
            patch.parse(diff).map_err(form)?;
        }
        Ok(patch)
    }

    /// The files that it changes, below the kernel's top folder.
    pub fn files(&self) -> Vec<&str> {
        self.split().1.into_iter().filter_map(file).collect()
    }

    /// Changes the files below `root`.
    ///
    /// # Errors
    /// The first hunk that does not fit. Files changed before it stay changed, so apply to a copy.
    pub fn apply(&self, root: &Path) -> Result<(), Error> {
        for diff in self.split().1 {
            let form = |detail| Error::Form { patch: self.name.clone(), detail };
            let (file, changes) = self.parse(diff).map_err(form)?;
            let path = root.join(file);
            let before = fs::read_to_string(&path).map_err(|error| Error::DoesNotApply {
                patch: self.name.clone(),
                file: file.to_owned(),
                detail: format!("it cannot be read ({error})"),
            })?;
            let after = diffy::apply(&before, &changes).map_err(|error| Error::DoesNotApply {
                patch: self.name.clone(),
                file: file.to_owned(),
                detail: error.to_string(),
            })?;
            fs::write(&path, after).map_err(|error| Error::File { path: path.clone(), error })?;
        }
        Ok(())
    }

    /// The header, and one diff per file: each starts with a line `--- a/…` that a line `+++ b/…` follows.
    fn split(&self) -> (&str, Vec<&str>) {
        let mut starts = Vec::new();
        let mut at = 0;
        let mut lines = self.text.split_inclusive('\n').peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("--- a/") && lines.peek().is_some_and(|next| next.starts_with("+++ b/")) {
                starts.push(at);
            }
            at += line.len();
        }
        let header = &self.text[..starts.first().copied().unwrap_or(at)];
        let ends = starts.iter().skip(1).copied().chain([at]);
        (header, starts.iter().zip(ends).map(|(&start, end)| &self.text[start..end]).collect())
    }

    fn parse<'a>(&self, diff: &'a str) -> Result<(&'a str, diffy::Patch<'a, str>), String> {
        let file = file(diff).ok_or("the paths of a `---` and its `+++` differ, or lead outside the source")?;
        let changes = diffy::Patch::from_str(diff).map_err(|error| format!("{file}: {error}"))?;
        match changes.hunks().is_empty() {
            true => Err(format!("{file}: no hunk")),
            false => Ok((file, changes)),
        }
    }
}

/// The file that a diff changes, when both of its paths agree and stay inside the source.
fn file(diff: &str) -> Option<&str> {
    let mut lines = diff.lines();
    let old = lines.next()?.strip_prefix("--- a/")?.trim_end();
    let new = lines.next()?.strip_prefix("+++ b/")?.trim_end();
    (old == new && old.split('/').all(|part| !part.is_empty() && part != "..")).then_some(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "A title\n\nReason: one.\nUpstream: two.\n\n";
    const DIFF: &str = "--- a/dir/x.c\n+++ b/dir/x.c\n@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn patches_apply_in_order_to_several_files_and_elsewhere_than_their_line_number() {
        let first = format!("{HEADER}{DIFF}{}", DIFF.replace("x.c", "y.c"));
        let second = format!("{HEADER}{}", DIFF.replace("two", "TWO").replace("+TWO", "+zwei"));
        let patches = folder(&[("0002-b.patch", &second), ("0001-a.patch", &first), ("README.md", "")]);
        let source = folder(&[("dir/x.c", "one\ntwo\nthree\n"), ("dir/y.c", "zero\none\ntwo\nthree\n")]);
        let patches = load(patches.path()).unwrap();
        assert_eq!(patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>(), ["0001-a", "0002-b"]);
        assert_eq!(patches[0].title, "A title");
        assert_eq!(patches[0].files(), ["dir/x.c", "dir/y.c"]);
        for patch in &patches {
            patch.apply(source.path()).unwrap();
        }
        assert_eq!(fs::read_to_string(source.path().join("dir/x.c")).unwrap(), "one\nzwei\nthree\n");
        assert_eq!(fs::read_to_string(source.path().join("dir/y.c")).unwrap(), "zero\none\nTWO\nthree\n");
    }

    #[test]
    fn this_projects_patches_apply_also_when_one_is_left_out() {
        let source = crate::source::locate(crate::folder()).unwrap();
        let all = crate::Configuration::load(crate::folder(), &source).unwrap();
        assert!(!all.patches().is_empty());
        for left_out in all.patches() {
            let rest = all.clone().without_patch(&left_out.name[..DIGITS]).unwrap();
            assert_eq!(rest.patches().len() + 1, all.patches().len());
            let copy = tempfile::tempdir().unwrap();
            for file in all.patches().iter().flat_map(Patch::files) {
                fs::create_dir_all(copy.path().join(file).parent().unwrap()).unwrap();
                fs::copy(source.path(file), copy.path().join(file)).unwrap();
            }
            rest.patches().iter().for_each(|patch| patch.apply(copy.path()).unwrap());
        }
        for name in ["", "0000", "000"] {
            assert!(all.clone().without_patch(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_patch_that_does_not_fit_names_patch_file_and_hunk() {
        let patches = folder(&[("0001-a.patch", &format!("{HEADER}{DIFF}"))]);
        let patch = &load(patches.path()).unwrap()[0];
        for files in [&[("dir/x.c", "one\n2\nthree\n")][..], &[]] {
            let error = patch.apply(folder(files).path()).unwrap_err();
            assert!(
                matches!(&error, Error::DoesNotApply { patch, file, .. } if patch == "0001-a" && file == "dir/x.c")
            );
            assert!(files.is_empty() || error.to_string().contains("hunk #1"), "{error}");
        }
    }

    #[test]
    fn what_is_no_patch_is_refused() {
        let good = format!("{HEADER}{DIFF}");
        let one = |name: &str, text: &str| load(folder(&[(name, text)]).path()).unwrap_err();
        for name in ["a.patch", "0001-a.diff", "001-a.patch", "0001-.patch", "0001-A.patch", "notes"] {
            assert!(matches!(one(name, &good), Error::Name(_)), "{name}");
        }
        for (text, missing) in [("Reason: one.", "Reason:"), ("Upstream: two.", "Upstream:"), ("two.", "Upstream:")] {
            let error = one("0001-a.patch", &good.replace(text, ""));
            assert!(matches!(error, Error::Header { missing: found, .. } if found == missing), "{text}");
        }
        for text in [HEADER, &good.replace("-1,3", "-1,4"), &good.replace("dir/", "../"), &good.replace("+ b/", "+ c/")]
        {
            assert!(matches!(one("0001-a.patch", text), Error::Form { .. }), "{text}");
        }
        let same = folder(&[("0001-a.patch", &good), ("0001-b.patch", &good)]);
        assert!(matches!(load(same.path()), Err(Error::Number(..))));
    }
}
