//! The programs that are checkpointed know nothing of it: neither their sources nor their scenarios have a word for it, and
//! no loop stands for a delay.

use std::fs;

use docs_check::top;

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
