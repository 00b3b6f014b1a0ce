//! The page on what can be checkpointed, held against what is tried.

use std::{collections::BTreeSet, fs};

use docs_check::{Page, top};
use tools::{suite::checkpoints, workspace::Workspace};

fn text() -> String {
    fs::read_to_string(top().join("docs/src/reference/coverage.md")).unwrap()
}

#[test]
fn features_are_those_that_are_tried_and_their_count_is_right() {
    let workspace = Workspace::find().unwrap();
    let features = checkpoints::features::read(&workspace).unwrap();
    assert!(features.len() >= 40);
    let (text, page) = (text(), Page::parse(&text()));
    let tried: Vec<_> = features.iter().map(|feature| (feature.name.clone(), feature.about.clone())).collect();
    let rows = page.table("features").unwrap().body().iter().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(rows.collect::<Vec<_>>(), tried);
    let count = format!("{} tests each, {} in all", checkpoints::MODES, checkpoints::MODES * features.len());
    assert!(text.contains(&count), "the page should say: {count}");
    let scenarios = format!("across the lives of {} scenarios", checkpoints::SCENARIOS_SWEPT);
    assert!(text.contains(&scenarios), "the page should say: {scenarios}");
}

/// The program has a function for each, and none that nobody tries.
#[test]
fn the_program_has_all_features_and_no_other() {
    let program = fs::read_to_string(top().join("tests/checkpoint/src/feature/mod.rs")).unwrap();
    let lines = program.lines().filter_map(|line| line.trim().strip_prefix("(\""));
    let has: BTreeSet<_> = lines.filter_map(|line| Some(line.split_once('"')?.0.to_owned())).collect();
    let features = checkpoints::features::read(&Workspace::find().unwrap()).unwrap();
    assert_eq!(has, features.into_iter().map(|feature| feature.name).collect());
}

#[test]
fn tests_that_are_named_exist() {
    let mut tests = String::new();
    for folder in ["tests/tests", "rtcr/tests"] {
        for file in docs_check::files(&top().join(folder)).unwrap() {
            if file.extension().is_some_and(|end| end == "rs") {
                tests.push_str(&fs::read_to_string(top().join(folder).join(file)).unwrap());
            }
        }
    }
    let text = text();
    let (_, behind) = text.split_once("Clients, servers and memory").unwrap();
    let named = behind.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`').skip(1).step_by(2));
    for name in named.filter(|name| name.contains('_') && !name.contains(['/', ' '])) {
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}
