//! The command line as a user meets it when something is wrong: what it says, where, and with which exit status.

use std::process::{Command, Output};

fn rtcr(arguments: &[&str]) -> Output {
    // Nothing here may get as far as installing or building.
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtcr"));
    command.args(arguments).env("RTCR_NO_INSTALL", "1").output().expect("rtcr starts")
}

/// The error message of a call that must be refused as wrong usage.
fn refused(arguments: &[&str]) -> String {
    let output = rtcr(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(output.stdout.is_empty(), "errors go to standard error only");
    assert!(!error.contains('\x1b'), "no colour outside of a terminal");
    error
}

#[test]
fn unknown_names_get_near_ones() {
    assert_eq!(refused(&["run", "helo"]), "error: there is no scenario `helo`; did you mean `hello`?\n");
    assert!(refused(&["test", "hots"]).contains("there is no suite `hots`; did you mean `host`?"));
    assert!(refused(&["bench", "kernle"]).contains("there is no benchmark `kernle`; did you mean `kernel`?"));
    assert!(refused(&["imgae"]).contains("'image'"));
}

#[test]
fn wrong_values_are_blamed_on_their_option() {
    let error = refused(&["run", "hello", "--set", "component.hello.priorty=3"]);
    assert!(
        error.contains("--set component.hello.priorty=3: unknown key `priorty`; did you mean `priority`?"),
        "{error}"
    );
    for limit in ["0", "nan", "-1", "1e300"] {
        let error = refused(&["run", "hello", "--limit", limit]);
        let start = format!("error: invalid value '{limit}' for '--limit <SECONDS>': a limit is more than 0 s");
        assert!(error.starts_with(&start), "{error}");
    }
    let error = refused(&["run", "hello", "--set", "component.hello.priority=0"]);
    assert!(error.starts_with("error: --set component.hello.priority=0: component `hello` has priority 0"), "{error}");
    assert!(refused(&["run", "hello", "--set", "limit"]).contains("KEY=VALUE"));
    assert!(refused(&["test", "host", "--without-patch", "1"]).contains("tests on the board only"));
}

#[test]
fn what_a_scenario_says_cannot_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evil.toml");
    std::fs::write(&file, "about = \"\"\n\"\\u001b]0;title\\u0007\\u202e\" = 1\n").unwrap();
    let error = refused(&["run", &file.display().to_string()]);
    assert!(error.contains("unknown key `\\x1b]0;title\\x07\\u{202e}`"), "{error}");
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_built() {
    let reason = "there is no folder /no/such/folder; make it first";
    let error = refused(&["image", "hello", "-o", "/no/such/folder/image"]);
    assert_eq!(error, format!("error: cannot write /no/such/folder/image: {reason}\n"));
    let error = refused(&["run", "hello", "--console", "/no/such/folder/console"]);
    assert_eq!(error, format!("error: cannot write /no/such/folder/console: {reason}\n"));
}

#[test]
fn results_that_would_overwrite_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file").display().to_string();
    let error = refused(&["image", "hello", "-o", &file, "--report", &file]);
    assert!(error.contains("--output and --report are the same file"), "{error}");
    let error = refused(&["run", "hello", "--console", &file, "--report", &file]);
    assert!(error.contains("--console and --report are the same file"), "{error}");
    let error =
        refused(&["run", "hello", "--trace-exec", "hello:construct", "--trace-file", &file, "--console", &file]);
    assert!(error.contains("--console and --trace-file are the same file"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn every_verb_has_help() {
    for verb in ["run", "test", "bench", "image", "doctor"] {
        let output = rtcr(&[verb, "--help"]);
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(&format!("Usage: cargo rtcr {verb}")), "{help}");
    }
}
