//! Pages held against the checkout they lie in.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use crate::Page;

/// The checkout's top folder.
pub fn top() -> &'static Path {
    // Two levels above this package; a compile-time constant has them.
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every Markdown file below `folder`, by its path in it.
///
/// # Errors
/// A folder or file that cannot be read.
pub fn pages(folder: &Path) -> io::Result<BTreeMap<PathBuf, Page>> {
    let files = files(folder)?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.map(|path| Ok((path.clone(), Page::parse(&fs::read_to_string(folder.join(path))?)))).collect()
}

/// Every `Cargo.toml` below `folder`, by its path in it.
///
/// # Errors
/// A folder that cannot be read.
pub fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(files(folder)?.into_iter().filter(|path| path.ends_with("Cargo.toml")).collect())
}

/// The terminal texts of the book, each with the file of its picture.
///
/// # Errors
/// The folder cannot be read.
pub fn pictures(folder: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let folder = folder.join("docs/src/images");
    let texts = files(&folder)?.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "txt"));
    Ok(texts.map(|text| (folder.join(&text), folder.join(text.with_extension("svg")))).collect())
}

/// Every file below `folder`, by its path in it, build folders and hidden ones left out.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(folder.join(&inner))? {
            let entry = entry?;
            let (path, name) = (inner.join(entry.file_name()), entry.file_name());
            if name.to_string_lossy().starts_with('.') || name == "target" || name == "book" {
                continue;
            }
            match entry.file_type()?.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    Ok(files)
}

/// Links that lead to no file, or to no heading of it, each as `file:line: target`. Links to other hosts are not
/// followed: a check must not depend on a network.
pub fn broken_links(folder: &Path, pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, page) in pages {
        for link in &page.links {
            if link.target.contains("://") || link.target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
            let target = match file {
                "" => Some(path.clone()),
                file => normal(&path.with_file_name(file)),
            };
            let leads_somewhere = target.is_some_and(|target| match pages.get(&target) {
                Some(page) => anchor.is_empty() || page.anchors.iter().any(|known| known == anchor),
                None => anchor.is_empty() && folder.join(&target).exists(),
            });
            if !leads_somewhere {
                broken.push(format!("{}:{}: {}", path.display(), link.line, link.target));
            }
        }
    }
    broken
}

/// What someone who follows the tutorial makes: the pages name it, and it is not there.
pub const TUTORIAL_MAKES: [&str; 6] = [
    "components/bank/",
    "components/customer/",
    "platform-arm_v7a/start/bin/bank/",
    "platform-arm_v7a/start/bin/customer/",
    "run/bank_native.toml",
    "run/savings.toml",
];

/// Inline code that names a path below one of the checkout's top folders where nothing is, each as `file:line: path`. A
/// page may also name what lies beside it.
///
/// Names that stand for something (`run/NAME.toml`, `base/src/*.rs`) are left out.
pub fn missing_files(folder: &Path, pages: &BTreeMap<PathBuf, Page>) -> Vec<String> {
    const ROOMS: [&str; 9] =
        [".cargo", "base", "components", "docs", "platform-arm_v7a", "rtcr", "run", "tests", "tools"];
    const STAND_FOR_SOMETHING: [&str; 8] = ["NAME", "NNNN", "VERB", "*", "…", "{", "<", " "];
    let is_missing = |path: &Path, text: &str| {
        text.split_once('/').is_some_and(|(room, _)| ROOMS.contains(&room))
            && !TUTORIAL_MAKES.iter().any(|made| text.starts_with(made))
            && !STAND_FOR_SOMETHING.iter().any(|mark| text.contains(mark))
            && !folder.join(text).exists()
            && !folder.join(path).with_file_name(text).exists()
    };
    let mut missing = Vec::new();
    for (path, page) in pages {
        for code in page.code.iter().filter(|code| is_missing(path, &code.text)) {
            missing.push(format!("{}:{}: {}", path.display(), code.line, code.text));
        }
    }
    missing
}

/// A path without `.` and `..`; none if it leaves the checkout.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir => _ = parts.pop()?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> (Vec<String>, Vec<String>) {
        let mut pages = pages(top()).unwrap();
        pages.insert("docs/src/new.md".into(), Page::parse(text));
        pages.retain(|path, _| path.ends_with("new.md") || path.ends_with("README.md"));
        let new = |list: Vec<String>| list.into_iter().filter(|line| line.contains("new.md")).collect();
        (new(broken_links(top(), &pages)), new(missing_files(top(), &pages)))
    }

    #[test]
    fn good_links_and_files_pass() {
        let text = "# Here\n[a](#here) [b](../../README.md) [c](https://example.org/x) `run/hello.toml` `run/NAME.toml` \
                    `base/src/*.rs` `docs/src/` `not/ours.rs`";
        assert_eq!(judged(text), (vec![], vec![]));
    }

    #[test]
    fn broken_ones_are_told() {
        let (links, files) = judged(
            "[a](#nowhere) [b](absent.md) [c](../../README.md#absent)\n[d](../../../outside.md) [e](/README.md) \
             `run/absent.toml` `tools/src/absent.rs`",
        );
        assert_eq!(
            links,
            [
                "docs/src/new.md:1: #nowhere",
                "docs/src/new.md:1: absent.md",
                "docs/src/new.md:1: ../../README.md#absent",
                "docs/src/new.md:2: ../../../outside.md",
                "docs/src/new.md:2: /README.md",
            ]
        );
        assert_eq!(files, ["docs/src/new.md:2: run/absent.toml", "docs/src/new.md:2: tools/src/absent.rs"]);
    }
}
