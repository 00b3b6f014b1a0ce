//! Tests that cargo runs on this host.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::{Options, Tally};
use crate::{process::Process, terminal, workspace::Workspace};

/// Runs cargo, passes on what it prints, and counts. `program` is the one test program that is wanted, if not all are.
pub(super) fn run(
    workspace: &Workspace,
    packages: &[&str],
    program: Option<&str>,
    options: &Options,
    mut tally: Tally,
) -> io::Result<Tally> {
    let before = tally.failed.len();
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Every test is run even if one fails, each program's own summary is counted.
    command.current_dir(workspace.root()).args(["test", "--no-fail-fast", "--color"]);
    command.arg(if terminal::colour() { "always" } else { "never" });
    packages.iter().for_each(|package| _ = command.args(["--package", package]));
    program.iter().for_each(|program| _ = command.args(["--test", program]));
    command.args(["--", "--color", "never"]).args(&options.only);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let (process, stdout) = Process::start(&mut command, |child| child.stdout.take())?;
    for line in stdout.map(|stdout| BufReader::new(stdout).lines()).into_iter().flatten() {
        let line = line?;
        count(&mut tally, &line);
        let _ = writeln!(io::stdout().lock(), "{line}");
    }
    let failed = !process.wait()?.success();
    if failed && tally.failed.len() == before {
        tally.broken = Some("cargo ended with an error, see above".into());
    }
    Ok(tally)
}

/// Takes a line of libtest: `test NAME ... ok` or `test NAME ... FAILED`.
fn count(tally: &mut Tally, line: &str) {
    if let Some((name, result)) = line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
        match result {
            "ok" => tally.passed.push(name.into()),
            "FAILED" => tally.failed.push(name.into()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_tests_are_counted_and_nothing_else() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test scenario::a ... ok",
            "test image::b - should panic ... ok",
            "test src/lib.rs - c (line 3) ... FAILED",
            "test d ... ignored, takes long",
            "test result: FAILED. 2 passed; 1 failed; 1 ignored",
        ] {
            count(&mut tally, line);
        }
        assert_eq!(tally.passed, ["scenario::a", "image::b - should panic"]);
        assert_eq!(tally.failed, ["src/lib.rs - c (line 3)"]);
    }
}
