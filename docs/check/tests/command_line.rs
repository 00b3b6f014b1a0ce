//! `docs/src/reference/command-line.md`, held against the command line: every verb, argument and option is there, and no
//! other.

use std::{collections::BTreeSet, fs};

use clap::{Args, Command};
use docs_check::{Page, top};
use tools::verbs;

/// The verbs as clap has them, by name.
fn commands() -> Vec<Command> {
    fn command<A: Args>(name: &'static str) -> Command {
        A::augment_args(Command::new(name))
    }
    vec![command::<verbs::image::Image>("image")]
}

/// What people type for each argument of a verb: `--option`, or the value's name where there is no option.
fn arguments(command: &Command) -> BTreeSet<String> {
    let of = |argument: &clap::Arg| match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_value_names().map_or_else(|| argument.get_id().to_string(), |names| names[0].to_string()),
    };
    command.get_arguments().filter(|argument| !argument.is_hide_set()).map(of).collect()
}

fn page() -> Page {
    Page::parse(&fs::read_to_string(top().join("docs/src/reference/command-line.md")).unwrap())
}

#[test]
fn every_verb_is_documented_and_no_other() {
    let files = fs::read_dir(top().join("tools/src/verbs")).unwrap().map(|file| file.unwrap().path());
    let files = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned());
    let verbs: BTreeSet<String> = files.filter(|name| name != "mod").collect();
    let known: BTreeSet<String> = commands().iter().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(known, verbs, "this test does not know all verbs");
    let overview = page().table("command-line").unwrap().clone();
    let documented: BTreeSet<String> =
        overview.body().iter().map(|row| row[0].split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(documented, verbs);
}

#[test]
fn every_option_is_documented_and_no_other() {
    let page = page();
    for command in commands() {
        let verb = command.get_name();
        let table = page.table(verb).unwrap_or_else(|| panic!("no table below `{verb}`"));
        let documented: BTreeSet<String> = table
            .body()
            .iter()
            .map(|row| row[0].rsplit(", ").next().unwrap().split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(documented, arguments(&command), "{verb}");
    }
}

/// Options that other pages name in inline code exist too: `--name` and `cargo rtcr VERB --name`.
#[test]
fn options_named_elsewhere_exist() {
    let commands = commands();
    let known: BTreeSet<String> = commands.iter().flat_map(arguments).collect();
    // Options of other programs that the documentation speaks about.
    let foreign = ["--locked", "--target", "--no-deps"];
    let mut unknown = Vec::new();
    for (path, page) in docs_check::pages(top()).unwrap() {
        let ours = |text: &str| text.starts_with("--") || text.starts_with("cargo rtcr ");
        for code in page.code.iter().filter(|code| ours(&code.text)) {
            let options = code.text.split([' ', '=']).filter(|word| word.starts_with("--") && word.len() > 2);
            let wrong =
                options.filter(|option| *option != "--help" && !known.contains(*option) && !foreign.contains(option));
            unknown.extend(wrong.map(|option| format!("{}:{}: {option}", path.display(), code.line)));
        }
    }
    assert!(unknown.is_empty(), "options that no verb has:\n{}", unknown.join("\n"));
}
