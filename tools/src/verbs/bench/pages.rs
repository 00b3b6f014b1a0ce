//! `cargo rtcr bench pages`: the tables and pictures in `docs/src/results`, made again, or held against what the code says now.
//!
//! A page says by which command a table was made: the last `$ cargo rtcr bench` of a `console` block above a `text` block that ends
//! with the line that names compiler, kernel and emulator. That command is called as people call it, and what it prints takes the
//! block's place. Where the line that names them differs, figures are not comparable, and are not compared.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    result::Result as Either,
};

use super::super::{Ending, Result};
use crate::{
    terminal::{self, Tone},
    workspace::Workspace,
};

const FOLDER: &str = "docs/src/results";
const COMMAND: &str = "$ cargo rtcr bench ";
/// How the last line of a table begins.
const ORIGIN: &str = "rustc ";

/// A table of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    /// What `bench` was called with.
    arguments: Vec<String>,
    /// Its first line in the page, and the line behind its last.
    lines: (usize, usize),
}

/// Makes the tables again whose commands have one of these in them, all if there is none; or only tells how they differ.
///
/// # Errors
/// A page cannot be read or written, or a command fails.
pub fn run(workspace: &Workspace, like: &[String], check: bool) -> Result {
    let mut pages: Vec<PathBuf> = fs::read_dir(workspace.root().join(FOLDER))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Either<_, std::io::Error>>()?;
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut differ = 0;
    for path in pages {
        let text = fs::read_to_string(&path)?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the last one up, so that places stay right.
        for block in blocks(&text).into_iter().rev() {
            let command = block.arguments.join(" ");
            if !like.is_empty() && !like.iter().any(|like| command.contains(like.as_str())) {
                continue;
            }
            let made = call(workspace.root(), &block.arguments, check)?;
            let (first, end) = block.lines;
            let known = lines[first..end].to_vec();
            match (check, known.last() == made.last()) {
                (true, false) => terminal::say(format_args!(
                    "bench {command}: not compared, since the page was made with {}",
                    known.last().map_or("", String::as_str)
                )),
                (true, true) if known != made => {
                    differ += 1;
                    terminal::say(format_args!(
                        "bench {command}, in {}:\n{}",
                        workspace.relative(&path).display(),
                        difference(&known, &made)
                    ));
                }
                (true, true) => terminal::say(format_args!("bench {command}: as in the page")),
                (false, _) => drop(lines.splice(first..end, made)),
            }
        }
        if !check {
            let mut new = lines.join("\n");
            new.push('\n');
            if new != text {
                fs::write(&path, new)?;
            }
        }
    }
    if differ == 0 {
        return Ok(Ending::Passed);
    }
    terminal::say_in(
        Tone::Bad,
        "figures have changed: `cargo rtcr bench pages` writes them into the pages, and the change says why",
    );
    Ok(Ending::Failed)
}

/// The tables of a page.
fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut arguments, mut open) = (Vec::new(), None::<Vec<String>>, None::<(&str, usize)>);
    for (index, line) in text.lines().enumerate() {
        match (open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind, index + 1)),
            (Some((kind, first)), Some(_)) => {
                open = None;
                let is_table =
                    kind == "text" && text.lines().nth(index - 1).is_some_and(|last| last.starts_with(ORIGIN));
                if is_table && let Some(arguments) = &arguments {
                    blocks.push(Block { arguments: arguments.clone(), lines: (first, index) });
                }
            }
            (Some(("console", _)), None) => {
                if let Some(rest) = line.strip_prefix(COMMAND) {
                    arguments = Some(rest.split_whitespace().map(str::to_owned).collect());
                }
            }
            _ => {}
        }
    }
    blocks
}

/// What `bench` prints, up to the line that names compiler, kernel and emulator. To be compared only, nothing is written.
fn call(root: &Path, arguments: &[String], check: bool) -> Either<Vec<String>, Box<dyn Error>> {
    let mut arguments = arguments.to_vec();
    if check && let Some(place) = arguments.iter().position(|argument| argument == "--plots") {
        arguments.drain(place..(place + 2).min(arguments.len()));
    }
    let mut command = Command::new(env::current_exe()?);
    command.arg("bench").args(&arguments).current_dir(root).stderr(Stdio::inherit());
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.iter().rposition(|line| line.starts_with(ORIGIN));
    match last.filter(|_| output.status.success()) {
        Some(last) => {
            lines.truncate(last + 1);
            Ok(lines)
        }
        None => Err(format!("bench {} has failed:\n{text}", arguments.join(" ")).into()),
    }
}

/// Lines that went and came, each with the last line above it that is a heading.
fn difference(known: &[String], made: &[String]) -> String {
    let mut text = String::new();
    let mut heading = None;
    if known.len() != made.len() {
        let alike = known.iter().zip(made).take_while(|(known, made)| known == made).count();
        let behind = known[alike..].iter().rev().zip(made[alike..].iter().rev()).take_while(|(a, b)| a == b).count();
        known[alike..known.len() - behind].iter().for_each(|line| _ = writeln!(text, "-{line}"));
        made[alike..made.len() - behind].iter().for_each(|line| _ = writeln!(text, "+{line}"));
        return text;
    }
    for (known, made) in known.iter().zip(made) {
        if !known.is_empty() && !known.starts_with(' ') {
            heading = Some(known);
        }
        if known != made {
            if let Some(heading) = heading.take() {
                _ = writeln!(text, "@@ {heading}");
            }
            _ = writeln!(text, "-{known}\n+{made}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n```console\n$ cargo rtcr bench a --only b\n```\n\n```text\nno table\n```\n\n\
                        ```text\nheading\n  x  1\nrustc 1\n```\n\n```console\n$ cargo rtcr run c\n```\n\n```text\nrustc 2\n```\n";

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn tables_stand_below_their_commands() {
        let arguments = vec!["a".to_owned(), "--only".into(), "b".into()];
        let of = |lines| Block { arguments: arguments.clone(), lines };
        assert_eq!(blocks(PAGE), [of((11, 14)), of((21, 22))]);
    }

    #[test]
    fn what_differs_is_shown_below_its_heading() {
        let known = lines("a\n  x  1\n  y  2\nb\n  z  3");
        assert_eq!(difference(&known, &lines("a\n  x  1\n  y  4\nb\n  z  3")), "@@ a\n-  y  2\n+  y  4\n");
        assert_eq!(difference(&known, &lines("a\n  x  1\nb\n  z  3")), "-  y  2\n");
        assert_eq!(difference(&known, &known), "");
    }
}
