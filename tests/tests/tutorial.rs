//! The tutorial, followed to the letter in a copy of the checkout: its commands print what it shows, its files build, are
//! formatted, and leave clippy nothing to say.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tools::workspace::Workspace;

/// What the tutorial has its reader do.
#[derive(Debug, PartialEq)]
enum Step {
    /// Type this.
    Type(String),
    /// See these lines, in this order.
    See(String),
    /// Put this text into that file.
    Write(PathBuf, String),
}

/// Reads the steps off a page: blocks of shell are typed, blocks of text are seen, and other blocks are files, whose
/// name is the last thing before them, as in `NAME`:
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut before, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            before = if line.trim().is_empty() { before } else { line };
            continue;
        };
        let text: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        let named = before.strip_suffix("`:").and_then(|before| before.rsplit('`').next());
        match (language, named) {
            ("sh", _) => steps.extend(text.lines().map(|line| Step::Type(line.into()))),
            ("text", _) => steps.push(Step::See(text)),
            (_, Some(file)) => steps.push(Step::Write(file.into(), text)),
            (_, None) => panic!("a block without the name of its file:\n{text}"),
        }
        before = "";
    }
    steps
}

fn copy(src: &Path, dst: &Path) -> io::Result<()> {
    fs::create_dir_all(dst)?;
    for entry in fs::read_dir(src)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        match path.is_dir() {
            true if name == "target" || name == ".git" => {}
            true => copy(&path, &dst.join(name))?,
            // With the time of its last change, by which cargo knows what it has built of it.
            false => {
                fs::copy(&path, dst.join(&name))?;
                fs::File::options().write(true).open(dst.join(name))?.set_modified(entry.metadata()?.modified()?)?;
            }
        }
    }
    Ok(())
}

/// Types a line, and returns what was printed.
fn type_line(line: &str, folder: &Path, target: &Path) -> String {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap());
    command.args(words).current_dir(folder).env("CARGO_TARGET_DIR", target);
    // Cargo tells the tests that it runs where their own package is.
    command.env_remove("CARGO_MANIFEST_DIR");
    let output = command.output().unwrap();
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{line}:\n{shown}{said}");
    shown.into_owned()
}

#[test]
fn the_tutorial_can_be_followed() {
    let workspace = Workspace::find().unwrap();
    // In the same place each time, so that what was built there counts again.
    let place = workspace.state_folder("tutorial").unwrap();
    let (folder, target) = (place.join("checkout"), place.join("target"));
    let _ = fs::remove_dir_all(&folder);
    copy(workspace.root(), &folder).unwrap();
    let page = fs::read_to_string(workspace.root().join("docs/src/tutorial/service.md")).unwrap();
    let mut shown = String::new();
    for step in steps(&page) {
        match step {
            Step::Type(line) => shown = type_line(&line, &folder, &target),
            Step::See(expected) => assert_eq!(shown, expected),
            Step::Write(file, text) => {
                let path = folder.join(&file);
                let is_new = ["session.rs", "savings.toml"].iter().any(|new| file.ends_with(new));
                assert_eq!(path.exists(), !is_new, "{}", file.display());
                fs::write(path, text).unwrap();
            }
        }
    }
    type_line("cargo fmt --check -p bank -p customer", &folder, &target);
    type_line("cargo clippy --no-deps -p bank -p customer -- -D warnings", &folder, &target);
}

#[test]
fn steps_are_read_off() {
    let page = "Do `x`:\n\n```sh\nls a\n```\n\n```text\na\n```\n\nNow `run/a.toml`:\n\n```toml\nb = 1\n```\n";
    let expected =
        [Step::Type("ls a".into()), Step::See("a\n".into()), Step::Write("run/a.toml".into(), "b = 1\n".into())];
    assert_eq!(steps(page), expected);
}
