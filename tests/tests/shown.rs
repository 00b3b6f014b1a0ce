//! What pages show of a run is what the run shows: the blocks behind `cargo rtcr run …` in the README and in the how-tos.
//!
//! A line `…` stands for any lines. Times and sizes may differ, since they belong to one compiler and one QEMU, and so may the
//! space between columns.

use std::fs;

use rtcr_tests::{console, run_with};
use tools::{
    timeline::{Timeline, Window},
    workspace::Workspace,
};

/// A command, and what is shown of it.
struct Shown {
    command: String,
    lines: Vec<String>,
}

/// The blocks of a page that show a run.
fn shown(page: &str) -> Vec<Shown> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
            blocks.push((language.to_owned(), text));
        }
    }
    let pairs = blocks.windows(2).filter_map(|pair| {
        let [(first, typed), (second, lines)] = pair else { return None };
        let command = typed.iter().find(|line| line.starts_with("cargo rtcr run "))?;
        let is_shown = first == "sh" && second == "text" && !command.contains("--trace-exec");
        is_shown.then(|| Shown { command: command.clone(), lines: lines.clone() })
    });
    pairs.collect()
}

/// What all of a run is: its trace if one was asked for, else its console and verdict.
fn run(command: &str) -> String {
    let words: Vec<_> = command.split(' ').skip(3).collect();
    let (name, options) = words.split_first().unwrap();
    let mut settings: Vec<_> = options.windows(2).filter(|pair| pair[0] == "--set").map(|pair| pair[1]).collect();
    let is_traced = options.contains(&"--trace");
    settings.extend(is_traced.then_some("trace=true"));
    let finished = run_with(name, &settings);
    match is_traced {
        true => Timeline::new(&finished.outcome.recorded, Window::ALL).to_string(),
        false => format!("{}\n{}", console(&finished).trim_end(), finished.summary()),
    }
}

/// A line without its figures.
fn masked(line: &str) -> String {
    let is_figure = |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['.', 'x']);
    let words = line.split_whitespace().map(|word| match is_figure(word) || ["us", "ns", "ms"].contains(&word) {
        true => "#",
        false => word,
    });
    // Below a microsecond a time has no point.
    let mut words: Vec<_> = words.collect();
    for place in 1..words.len() {
        if words[place] == "#" && words[place - 1].parse::<u32>().is_ok() {
            words[place - 1] = "#";
        }
    }
    words.join(" ")
}

/// Whether the lines appear, one after the other but for what `…` stands for; else the first that does not.
fn missing<'a>(shown: &'a [String], run: &str) -> Option<&'a str> {
    let all: Vec<_> = run.lines().map(masked).collect();
    let (mut at, mut may_skip) = (0, true);
    for line in shown {
        if line == "…" {
            may_skip = true;
            continue;
        }
        let wanted = masked(line);
        let found = match may_skip {
            true => all[at..].iter().position(|line| *line == wanted).map(|after| at + after),
            false => (all.get(at) == Some(&wanted)).then_some(at),
        };
        let Some(found) = found else { return Some(line) };
        (at, may_skip) = (found + 1, false);
    }
    None
}

fn is_true(page: &str) {
    let root = Workspace::find().unwrap().root().to_owned();
    let shown = shown(&fs::read_to_string(root.join(page)).unwrap());
    assert!(!shown.is_empty(), "{page} shows no run");
    for Shown { command, lines } in shown {
        let run = run(&command);
        let missing = missing(&lines, &run);
        assert!(
            missing.is_none(),
            "{page}: `{command}` does not show the line\n{}\nin its place:\n{run}",
            missing.unwrap()
        );
    }
}

#[test]
fn the_readme_shows_what_is_seen() {
    is_true("README.md");
}

#[test]
fn how_to_checkpoint_shows_what_is_seen() {
    is_true("docs/src/how-to/checkpoint.md");
}

#[test]
fn how_to_recover_shows_what_is_seen() {
    is_true("docs/src/how-to/recover.md");
}

#[test]
fn how_to_trace_shows_what_is_seen() {
    is_true("docs/src/how-to/trace.md");
}

#[test]
fn lines_are_compared_in_order_and_without_figures() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let run = "a\nstopped for 42.1 us, 39 pages\nb\nc  924 ns";
    assert_eq!(missing(&lines("…\nstopped for 40.0 us, 39 pages\nb\nc 1.2 us"), run), None);
    assert_eq!(missing(&lines("stopped for 40.0 us, 38 pages"), run), Some("stopped for 40.0 us, 38 pages"));
    assert_eq!(missing(&lines("a\nb"), run), Some("b"), "a line is left out");
    assert_eq!(missing(&lines("b\n…\na"), run), Some("a"), "another order");
}
