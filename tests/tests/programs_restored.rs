//! Programs of all sorts, each of which is checkpointed, ended and restored fifty times while it works: what it prints is what
//! it prints when nothing happens to it.

use rtcr_tests::{console, run_with};
use tools::explain::Kind;

/// What a program itself prints in a run with these settings, and how often it was restored.
fn printed(settings: &[String]) -> (Vec<String>, usize) {
    let finished = run_with("checkpointed", &settings.iter().map(String::as_str).collect::<Vec<_>>());
    let text = console(&finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{settings:?}: {:#?}\n{text}", finished.explanation);
    let own = text.lines().filter(|line| line.starts_with("[program] ")).map(str::to_owned).collect();
    (own, text.matches("A new program goes on from checkpoint").count())
}

/// Fifty restores in `steps` steps, the next checkpoint `every` so many microseconds after a restore, both ways.
fn is_unnoticed(program: &str, steps: u32, every: u32) {
    let set = |key: &str, value: &dyn std::fmt::Display| format!("{key}={value}");
    let mut settings = vec![set("component.program.binary", &program), set("steps", &steps)];
    let alone = printed(&[&*settings, &[set("component.program.parent", &"init")]].concat());
    assert_eq!((alone.0.len() as u32, alone.1), (steps, 0));
    settings.push(set("checkpoint_every", &every));
    for way in ["replay", "direct"] {
        // Each of the direct ones is held against one by replay, before it runs.
        let compare = set("component.rtcr.values.compare", &u32::from(way == "direct"));
        let (lines, restores) = printed(&[&*settings, &[set("restore", &way), compare]].concat());
        assert_eq!(lines, alone.0, "{program}, {way}");
        assert_eq!(restores, 50, "{program}, {way}");
    }
}

#[test]
fn an_interpreter() {
    is_unnoticed("interpreter", 50, 700);
}

#[test]
fn sorts() {
    is_unnoticed("sorts", 50, 700);
}

#[test]
fn compression() {
    is_unnoticed("compression", 50, 700);
}

#[test]
fn hashing_over_two_megabytes() {
    is_unnoticed("hashing", 50, 700);
}

#[test]
fn deep_recursion() {
    is_unnoticed("recursion", 80, 70);
}

#[test]
fn allocator_churn() {
    is_unnoticed("churn", 50, 700);
}

#[test]
fn threads_in_a_pipeline() {
    is_unnoticed("pipeline", 100, 130);
}

#[test]
fn life_on_a_torus() {
    is_unnoticed("life", 100, 50);
}
