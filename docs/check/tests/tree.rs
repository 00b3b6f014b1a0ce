//! Every page of the checkout: links lead somewhere, files that are named exist, the book's contents are complete.

use std::{collections::BTreeSet, path::PathBuf};

use docs_check::{broken_links, missing_files, pages, top};

#[test]
fn links_lead_somewhere() {
    let broken = broken_links(top(), &pages(top()).unwrap());
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn files_that_are_named_exist() {
    let missing = missing_files(top(), &pages(top()).unwrap());
    assert!(missing.is_empty(), "named, but not there:\n{}", missing.join("\n"));
}

#[test]
fn the_book_lists_each_page_once() {
    let pages = pages(&top().join("docs/src")).unwrap();
    let summary = PathBuf::from("SUMMARY.md");
    let listed: Vec<PathBuf> = pages[&summary].links.iter().map(|link| PathBuf::from(&link.target)).collect();
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a page is listed twice");
    let written: BTreeSet<_> = pages.into_keys().filter(|path| *path != summary).collect();
    assert_eq!(unique, written);
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let pages = pages(&top().join("docs/src/decisions")).unwrap();
    let names = pages.keys().map(|path| path.to_string_lossy().into_owned());
    let numbers: Vec<u32> = names.filter_map(|name| name.get(..4)?.parse().ok()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>());
    for (path, page) in &pages {
        if path.to_string_lossy().starts_with(|c: char| c.is_ascii_digit()) {
            for part in ["context", "choice", "given-up", "status"] {
                assert!(page.anchors.iter().any(|anchor| anchor == part), "{}: no `{part}`", path.display());
            }
        }
    }
}
