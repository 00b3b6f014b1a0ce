//! Every page of the checkout: links lead somewhere, files that are named exist, the book's contents are complete.

use std::{collections::BTreeSet, fs, path::PathBuf};

use base::scenario::Scenario;
use docs_check::{Page, broken_links, missing_files, pages, picture, pictures, top};

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

#[test]
fn pictures_show_their_text() {
    for (text, file) in pictures(top()).unwrap() {
        let drawn = picture(&fs::read_to_string(text).unwrap());
        let shown = fs::read_to_string(&file).unwrap_or_default();
        assert!(drawn == shown, "{} is old; run `cargo run -p rtcr-docs-check --example picture`", file.display());
    }
}

/// What the first picture and the tutorial show of a run is what the scenario waits for.
#[test]
fn the_first_run_shows_the_greeting() {
    let scenario: Scenario = toml::from_str(&read("run/hello.toml")).unwrap();
    for path in ["docs/src/images/first-run.txt", "docs/src/tutorial/first-run.md"] {
        for line in &scenario.success.output {
            assert!(read(path).lines().any(|shown| shown == line), "{path} does not show `{line}`");
        }
    }
}

#[test]
fn the_tutorial_shows_the_files_as_they_are() {
    let page = Page::parse(&read("docs/src/tutorial/first-run.md"));
    for path in ["run/hello.toml", "components/hello/src/lib.rs"] {
        let content = read(path);
        assert!(page.blocks.iter().any(|block| block.text == content), "the tutorial does not show {path} as it is");
    }
}

#[test]
fn every_scenario_is_listed() {
    let page = Page::parse(&read("run/README.md"));
    let rows = page.tables.iter().flat_map(|table| table.body());
    let listed: BTreeSet<String> = rows.map(|row| format!("{}.toml", row[0])).collect();
    let files = docs_check::files(&top().join("run")).unwrap().into_iter().map(|path| path.display().to_string());
    let scenarios: BTreeSet<String> = files.filter(|name| name.ends_with(".toml")).collect();
    assert_eq!(listed, scenarios);
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap()
}
