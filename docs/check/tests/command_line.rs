//! `docs/src/reference/command-line.md`, held against the command line: every verb, argument and option is there, and no
//! other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use clap::Command;
use docs_check::{Page, TUTORIAL_MAKES, top};

/// The verbs as clap has them.
fn commands() -> Vec<Command> {
    tools::cli::command().get_subcommands().cloned().collect()
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
    let verbs: BTreeSet<String> = commands().iter().map(|command| command.get_name().to_owned()).collect();
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

/// Calls of the command line anywhere in the documentation use verbs, options and scenarios that exist.
#[test]
fn calls_that_are_shown_are_possible() {
    let verbs: BTreeMap<String, BTreeSet<String>> =
        commands().iter().map(|command| (command.get_name().to_owned(), arguments(command))).collect();
    let all: BTreeSet<&String> = verbs.values().flatten().collect();
    let mut wrong = Vec::new();
    for (path, page) in docs_check::pages(top()).unwrap() {
        let shell = page.blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
        for text in page.code.iter().map(|code| code.text.as_str()).chain(shell) {
            let text = text.trim_start_matches("$ ");
            let call = text.strip_prefix("cargo rtcr ").map(|call| call.split(" #").next().unwrap_or(call).trim());
            let options =
                call.unwrap_or(text).split([' ', '=']).filter(|word| word.starts_with("--") && word.len() > 2);
            let mut options = options.filter(|option| *option != "--help");
            let possible = match call.map(|call| call.split(' ').collect::<Vec<_>>()) {
                // Options by themselves; those of other programs are written with the program's name.
                None => !text.starts_with("--") || options.all(|option| all.contains(&option.to_owned())),
                Some(words) => {
                    let known = verbs.get(words[0]);
                    let scenario = words.get(1).filter(|_| matches!(words[0], "run" | "image"));
                    let stands_for_one = |name: &str| name.starts_with('-') || name == "SCENARIO" || name == "NAME";
                    let exists = |name: &str| {
                        stands_for_one(name)
                            || TUTORIAL_MAKES.contains(&format!("run/{name}.toml").as_str())
                            || top().join("run").join(name).with_extension("toml").is_file()
                            || (name.ends_with(".toml") && top().join(name).is_file())
                    };
                    words[0] == "VERB"
                        || words[0].starts_with('-')
                        || known.is_some_and(|known| options.all(|option| known.contains(option)))
                            && scenario.is_none_or(|scenario| exists(scenario))
                }
            };
            if !possible {
                wrong.push(format!("{}: {text}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "calls that are not possible:\n{}", wrong.join("\n"));
}

/// The suites are private to the tool, so their names are read from its source.
#[test]
fn every_suite_is_documented_and_no_other() {
    let source = fs::read_to_string(top().join("tools/src/verbs/test.rs")).unwrap();
    let suites = source.split("Suite { name: \"").skip(1).filter_map(|rest| rest.split('"').next());
    let suites: BTreeSet<String> = suites.map(str::to_owned).collect();
    assert!(suites.contains("host"));
    let page = page();
    let tables = page.tables.iter().filter(|table| table.below == "test" && table.rows[0][0] == "suite");
    let documented: BTreeSet<String> = tables.flat_map(|table| table.body()).map(|row| row[0].clone()).collect();
    assert_eq!(documented, suites);
}

#[test]
fn every_environment_variable_is_documented_and_no_other() {
    let mut used = BTreeSet::new();
    for path in docs_check::files(&top().join("tools/src")).unwrap() {
        let text = fs::read_to_string(top().join("tools/src").join(path)).unwrap();
        let names = text.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(|name| name.starts_with("RTCR_"));
        used.extend(names.map(str::to_owned));
    }
    let page = page();
    let rows = page.table("environment").unwrap().body().iter().map(|row| row[0].clone());
    let documented: BTreeSet<String> = rows.filter(|name| name.starts_with("RTCR_")).collect();
    assert_eq!(documented, used);
}
