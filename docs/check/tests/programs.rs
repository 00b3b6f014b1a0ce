//! The programs that are checkpointed know nothing of it: neither their sources nor their scenarios have a word for it, and
//! no loop stands for a delay.

use std::fs;

use docs_check::{Page, top};

const PROGRAMS: [&str; 10] = [
    "hello",
    "sheep_counter",
    "stack_counter",
    "large_stack_counter",
    "small_dataspaces",
    "large_dataspaces",
    "ping",
    "pong",
    "worker",
    "rounds",
];

#[test]
fn programs_know_nothing_of_checkpoints() {
    for program in PROGRAMS {
        let folder = top().join("components").join(program);
        let files = docs_check::files(&folder).unwrap();
        assert!(files.len() >= 2, "{program}");
        for file in files {
            let text = fs::read_to_string(folder.join(&file)).unwrap().to_lowercase();
            for word in ["checkpoint", "restor", "rtcr", "snapshot", "migrat", "spin_loop", "nop"] {
                assert!(!text.contains(word), "{program}, {}: `{word}`", file.display());
            }
        }
    }
}

/// A text without what depends on where it stands.
fn unindented(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim(), "\n"]).collect()
}

#[test]
fn excerpts_are_from_the_components() {
    let page = fs::read_to_string(top().join("docs/src/how-to/component.md")).unwrap();
    let sources = docs_check::files(&top().join("components")).unwrap().into_iter();
    let sources = sources.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let sources: Vec<_> =
        sources.map(|path| unindented(&fs::read_to_string(top().join("components").join(path)).unwrap())).collect();
    let page = Page::parse(&page);
    let excerpts: Vec<_> = page.blocks.iter().filter(|block| block.language == "rust").collect();
    assert!(excerpts.len() >= 8);
    for excerpt in excerpts {
        let text = unindented(&excerpt.text);
        assert!(sources.iter().any(|source| source.contains(&text)), "in no component:\n{}", excerpt.text);
    }
}
