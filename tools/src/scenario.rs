//! Scenario files: `run/NAME.toml`, overrides, and errors that say where and what instead.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use base::scenario::{Invalid, MAX_LIMIT, Scenario};
use serde::Deserialize;
use toml::{Table, Value};

use crate::{suggest, workspace::Workspace};

/// A scenario that has been read, overridden and checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// What it says.
    pub scenario: Scenario,
}

/// One override, `KEY=VALUE`, where KEY is a dotted path such as `component.hello.priority`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    key: Vec<String>,
    value: Value,
    /// As it was given, with its option.
    text: String,
}

/// Keys of a scenario that are no value's name.
const TOP: [&str; 10] =
    ["about", "limit", "root_task", "trace", "losses", "node", "judged_outside", "values", "component", "success"];

/// Most steps of a key; no key of a scenario has as many. Tables inside tables are followed by recursion.
const MOST_STEPS: usize = 8;

/// What a message repeats of a text, in characters; nothing that makes sense is longer.
const LONGEST_QUOTE: usize = 80;

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file of that name.
    #[error("there is no scenario `{name}`; {hint}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        hint: String,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no TOML, or says something that a scenario cannot say.
    #[error("{place}: {message}")]
    Content {
        /// File, line and column.
        place: String,
        /// What is wrong there, and what instead.
        message: String,
    },
    /// An override that cannot be applied.
    #[error("{setting}: {message}")]
    Setting {
        /// The override, with its option.
        setting: String,
        /// What is wrong with it, and what instead.
        message: String,
    },
    /// What the file says fits the types but makes no sense.
    #[error("{path}: {reason}", path = path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What.
        reason: Invalid,
    },
}

impl Setting {
    /// The override that has core record what it does.
    pub fn trace() -> Self {
        Self { key: vec!["trace".into()], value: Value::Boolean(true), text: "--trace".into() }
    }
}

impl std::str::FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in limit=3")?;
        let key: Vec<_> = key.trim().split('.').map(str::to_owned).collect();
        if key.iter().any(String::is_empty) {
            return Err("an empty key; write KEY=VALUE, as in component.hello.priority=50".into());
        }
        if key.len() > MOST_STEPS {
            return Err(format!("a key of {} steps; no key of a scenario has more than {MOST_STEPS}", key.len()));
        }
        Ok(Self { key, value: parse_value(value.trim()), text: format!("--set {}", shortened(text)) })
    }
}

/// A TOML value, or else the text itself, so that nobody has to quote quotes: `ram=64K`.
fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok();
    match parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value")) {
        Some(value) => value,
        None => Value::String(text.into()),
    }
}

impl Setting {
    /// The override that `--limit SECONDS` stands for.
    ///
    /// # Errors
    /// It is no number, or none that a limit can be.
    pub fn limit(seconds: &str) -> Result<Self, String> {
        let number: f64 = seconds.parse().map_err(|_| "write seconds, as in 5 or 0.25")?;
        let micros = number * 1e6 + 0.5;
        if !(1.0..MAX_LIMIT.micros as f64 + 1.0).contains(&micros) {
            return Err(format!("a limit is more than 0 s and at most {MAX_LIMIT}"));
        }
        let text = format!("--limit {}", shortened(seconds));
        Ok(Self { key: vec!["limit".into()], value: Value::Float(number), text })
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::Setting { setting: self.text.clone(), message: message.into() }
    }

    fn apply(&self, root: &mut Table) -> Result<(), Error> {
        let Some((last, path)) = self.key.split_last() else { return Ok(()) };
        let values = root.get_mut("values").and_then(Value::as_table_mut);
        match (path, values) {
            // The name of a value stands for the value, where no other key has that name.
            ([], Some(values)) if !TOP.contains(&last.as_str()) => {
                let Some(value) = values.get_mut(last) else {
                    let known: Vec<_> = values.keys().map(String::as_str).chain(TOP).collect();
                    return Err(self.error(format!(
                        "unknown key `{}`; {}",
                        shortened(last),
                        suggest::hint(last, &known)
                    )));
                };
                *value = self.value.clone();
                return Ok(());
            }
            // A new value would be a misspelt one: the file names them all.
            ([first], values)
                if first == "values" && !values.as_ref().is_some_and(|values| values.contains_key(last)) =>
            {
                let known: Vec<_> = values.iter().flat_map(|values| values.keys()).map(String::as_str).collect();
                let message = format!("there is no value `{}`; {}", shortened(last), suggest::hint(last, &known));
                return Err(self.error(message));
            }
            _ => {}
        }
        let mut table = root;
        for (depth, step) in path.iter().enumerate() {
            // A new component or node would be a misspelt one: the file names them all.
            if depth == 1 && ["component", "node"].contains(&path[0].as_str()) && !table.contains_key(step) {
                let known: Vec<_> = table.keys().map(String::as_str).collect();
                let hint = suggest::hint(step, &known);
                return Err(self.error(format!("there is no {} `{step}`; {hint}", path[0])));
            }
            let entry = table.entry(step.clone()).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().ok_or_else(|| self.error(format!("`{step}` has no keys of its own")))?;
        }
        table.insert(last.clone(), self.value.clone());
        Ok(())
    }
}

/// Reads a scenario by name (`run/NAME.toml`) or, if it ends in `.toml`, by path, and applies `settings` in order.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn load(workspace: &Workspace, which: &str, settings: &[Setting]) -> Result<Loaded, Error> {
    let path = match which.ends_with(".toml") {
        true => PathBuf::from(which),
        false => workspace.root().join("run").join(format!("{which}.toml")),
    };
    let known = names(workspace);
    if !which.ends_with(".toml") && !known.iter().any(|name| name == which) {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        return Err(Error::Unknown { name: which.into(), hint: suggest::hint(which, &known) });
    }
    let shown = workspace.relative(&path).to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(Error::Unreadable { path: shown, source }),
    };
    let scenario = parse(&text, &shown, settings)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Loaded { name, scenario })
}

/// The names of all scenarios, sorted.
pub fn names(workspace: &Workspace) -> Vec<String> {
    let files = fs::read_dir(workspace.root().join("run")).into_iter().flatten().flatten();
    let mut names: Vec<_> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Reads the text of a scenario; `path` is for messages.
///
/// # Errors
/// As of [`load`].
pub fn parse(text: &str, path: &Path, settings: &[Setting]) -> Result<Scenario, Error> {
    let content = |error: toml::de::Error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        let place = format!("{}:{line}:{column}", path.display());
        Error::Content { place, message: explain(error.message()) }
    };
    // The file has to be right by itself; only then can an error be blamed on an override.
    let mut scenario: Scenario = toml::from_str(text).map_err(content)?;
    let mut table: Table = toml::from_str(text).map_err(content)?;
    let mut wrong = scenario.check().err();
    // Who made a scenario wrong that was right: none if it was the file.
    let mut culprit = None;
    for setting in settings {
        setting.apply(&mut table)?;
        let retry = Scenario::deserialize(table.clone());
        scenario = retry.map_err(|error| setting.error(explain(error.message())))?;
        let still = scenario.check().err();
        if wrong.is_none() {
            culprit = Some(setting);
        }
        wrong = still;
    }
    match (wrong, culprit) {
        (None, _) => Ok(scenario),
        (Some(reason), None) => Err(Error::Invalid { path: path.into(), reason }),
        (Some(reason), Some(setting)) => Err(setting.error(reason.to_string())),
    }
}

/// Line and column, from 1, of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Serde's message in words of scenario files, with the nearest known key where a key is unknown.
fn explain(message: &str) -> String {
    let message = message.trim().lines().collect::<Vec<_>>().join("; ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    if let (true, Some(wrong)) = (message.starts_with("unknown field"), quoted.next()) {
        let known: Vec<_> = quoted.collect();
        return format!("unknown key `{}`; {}", shortened(wrong), suggest::hint(wrong, &known));
    }
    let parts: Vec<_> = message.split('`').map(shortened).collect();
    let message = parts.join("`");
    // Names of Rust's types mean nothing to whoever writes a scenario.
    match message.rsplit_once(", expected ").and_then(|(found, wanted)| Some((found, in_words(wanted)?))) {
        Some((found, wanted)) => format!("{found}, expected {wanted}"),
        None => message,
    }
}

fn in_words(wanted: &str) -> Option<String> {
    let range = match wanted {
        "u8" => (0, u8::MAX.into()),
        "u16" => (0, u16::MAX.into()),
        "u32" => (0, u32::MAX.into()),
        "i32" => (i32::MIN.into(), i32::MAX.into()),
        "u64" => (0, i64::MAX),
        "i64" => (i64::MIN, i64::MAX),
        "a string" => return Some("text in quotes".into()),
        "a map" => return Some("a table".into()),
        "a sequence" => return Some("a list".into()),
        _ => return None,
    };
    Some(format!("a whole number from {} to {}", range.0, range.1))
}

/// The beginning of what is too long for a message.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::scenario::Bytes;

    const HELLO: &str = "about = \"x\"\nlimit = 5\n[component.hello]\nram = \"64K\"\n[success]\nexit = { hello = 0 }\n";

    fn read(text: &str, settings: &[&str]) -> Result<Scenario, String> {
        let settings: Vec<_> = settings.iter().map(|s| s.parse().unwrap()).collect();
        parse(text, Path::new("run/hello.toml"), &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_keys_are_named_with_place_and_nearest_key() {
        let error = read(&HELLO.replace("ram =", "rma ="), &[]).unwrap_err();
        assert_eq!(error, "run/hello.toml:4:1: unknown key `rma`; did you mean `ram`?");
        let error = read(&HELLO.replace("limit =", "colour ="), &[]).unwrap_err();
        assert_eq!(
            error,
            "run/hello.toml:2:1: unknown key `colour`; known: `about`, `limit`, `root_task`, `trace`, `losses`, `node`, `judged_outside`, `values`, `component`, `success`"
        );
        let error = read(&HELLO.replace("component.hello", "components.hello"), &[]).unwrap_err();
        assert_eq!(error, "run/hello.toml:3:2: unknown key `components`; did you mean `component`?");
    }

    #[test]
    fn wrong_values_and_broken_toml_are_placed() {
        let error = read(&HELLO.replace("\"64K\"", "\"64Q\""), &[]).unwrap_err();
        assert!(error.starts_with("run/hello.toml:4:") && error.contains("a size is"), "{error}");
        let error = read("about = \n", &[]).unwrap_err();
        assert!(error.starts_with("run/hello.toml:1:"), "{error}");
        let error = read(&HELLO.replace("limit = 5", "limit = 0"), &[]).unwrap_err();
        assert!(error.starts_with("run/hello.toml: a limit of 0 s"), "{error}");
    }

    #[test]
    fn settings_override() {
        let scenario = read(HELLO, &["limit=0.25", "component.hello.priority=50", "component.hello.ram=8K"]).unwrap();
        assert_eq!(scenario.limit.micros, 250_000);
        assert_eq!(scenario.components["hello"].priority, 50);
        assert_eq!(scenario.components["hello"].ram, Bytes(8192));
        assert_eq!(read(HELLO, &["about=other words", "limit=3"]).unwrap().about, "other words");
        let with_limit = parse(HELLO, Path::new("x"), &[Setting::limit("0.5").unwrap()]).unwrap();
        assert_eq!(with_limit.limit.micros, 500_000);
    }

    #[test]
    fn values_are_set_by_their_names() {
        let text = HELLO.replace("[component.hello]", "[values]\nrounds = 10\nname = \"x\"\n[component.hello]");
        let value = |settings: &[&str], key: &str| read(&text, settings).map(|s| s.values[key].text().to_owned());
        assert_eq!(value(&[], "rounds").unwrap(), "10");
        assert_eq!(value(&["rounds=20"], "rounds").unwrap(), "20");
        assert_eq!(value(&["values.rounds=21", "name=y z"], "rounds").unwrap(), "21");
        assert_eq!(value(&["name=y z"], "name").unwrap(), "y z");
        let error = |setting| value(&[setting], "rounds").unwrap_err();
        assert_eq!(error("round=20"), "--set round=20: unknown key `round`; did you mean `rounds`?");
        assert_eq!(error("limti=20"), "--set limti=20: unknown key `limti`; did you mean `limit`?");
        assert_eq!(
            error("values.ruonds=1"),
            "--set values.ruonds=1: there is no value `ruonds`; did you mean `rounds`?"
        );
        assert!(error("rounds=[1]").contains("expected a whole number or text in quotes"), "{}", error("rounds=[1]"));
        let error = read(HELLO, &["values.rounds=1"]).unwrap_err();
        assert_eq!(error, "--set values.rounds=1: there is no value `rounds`; there is none");
        let text = text.replace("ram = \"64K\"", "values = { rounds = 1 }");
        let scenario = read(&text, &["component.hello.values.rounds=7", "rounds=5"]).unwrap();
        assert_eq!(scenario.value("hello", "rounds").unwrap().text(), "7");
    }

    #[test]
    fn wrong_settings_are_blamed() {
        let error = |setting| read(HELLO, &[setting]).unwrap_err();
        assert_eq!(
            error("component.helo.ram=8K"),
            "--set component.helo.ram=8K: there is no component `helo`; did you mean `hello`?"
        );
        assert_eq!(error("limti=3"), "--set limti=3: unknown key `limti`; did you mean `limit`?");
        assert!(error("limit=soon").starts_with("--set limit=soon: invalid type"), "{}", error("limit=soon"));
        assert_eq!(error("limit.x=1"), "--set limit.x=1: `limit` has no keys of its own");
        for text in ["limit", "=3", "component..ram=1", ".=1"] {
            assert!(text.parse::<Setting>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_that_an_override_breaks_is_blamed_on_it() {
        let error = |settings: &[&str]| read(HELLO, settings).unwrap_err();
        assert_eq!(
            error(&["component.hello.priority=0", "component.hello.ram=8K"]),
            "--set component.hello.priority=0: component `hello` has priority 0; use 1 to 200"
        );
        assert!(error(&["component.hello.ram=8K", "limit=0"]).starts_with("--set limit=0: a limit of 0 s is not"));
        assert!(read(HELLO, &["limit=0", "limit=1"]).is_ok(), "the last one counts");
        let broken = HELLO.replace("limit = 5", "limit = 0");
        assert!(read(&broken, &["component.hello.ram=8K"]).unwrap_err().starts_with("run/hello.toml: a limit of 0 s"));
        assert!(read(&broken, &["limit=1"]).is_ok());
        let error = read(&broken, &["limit=1", "component.hello.stack=1"]).unwrap_err();
        assert!(error.starts_with("--set component.hello.stack=1: component `hello` has a stack of 1"), "{error}");
    }

    #[test]
    fn limits_are_seconds_that_can_be() {
        for text in ["soon", "", "nan", "inf", "0", "-0.0", "-1", "1e300", "86400.1", "1e-9"] {
            let error = Setting::limit(text).unwrap_err();
            assert!(
                error == "write seconds, as in 5 or 0.25" || error == "a limit is more than 0 s and at most 86400 s"
            );
        }
        for text in ["86400", "0.000001", "5"] {
            let setting = Setting::limit(text).unwrap();
            parse(HELLO, Path::new("x"), &[setting]).unwrap();
        }
    }

    #[test]
    fn numbers_are_expected_in_words_and_long_ones_cut_short() {
        let error = |setting: &str| read(HELLO, &[setting]).unwrap_err();
        assert_eq!(
            error("component.hello.priority=999"),
            "--set component.hello.priority=999: invalid value: integer `999`, expected a whole number from 0 to 255"
        );
        let long = error("limit=1e300");
        assert!(long.len() < 250 && long.ends_with("expected a number of seconds, such as 5 or 0.25"), "{long}");
        let long = error(&format!("{}=1", "x".repeat(10_000)));
        assert!(long.len() < 350 && long.contains("unknown key `xxx"), "{long}");
        assert!(
            error("about=1").ends_with("invalid type: integer `1`, expected text in quotes"),
            "{}",
            error("about=1")
        );
    }

    #[test]
    fn keys_have_few_steps() {
        let deep = |steps| format!("{}=1", vec!["a"; steps].join("."));
        assert!(deep(MOST_STEPS + 1).parse::<Setting>().unwrap_err().contains("no key of a scenario has more than 8"));
        assert!(deep(30_000).parse::<Setting>().is_err());
        assert!(read(HELLO, &[&deep(MOST_STEPS)]).is_err());
        // Values have steps too; the parser does not follow them far.
        let value = format!("about={}1{}", "[".repeat(30_000), "]".repeat(30_000));
        assert!(value.parse::<Setting>().is_ok_and(|setting| matches!(setting.value, Value::String(_))));
    }

    #[test]
    fn a_value_cannot_smuggle_in_keys() {
        let setting: Setting = "about=1\nlimit = 9".parse().unwrap();
        assert_eq!(setting.value, Value::String("1\nlimit = 9".into()));
    }

    #[test]
    fn unknown_scenarios_get_near_names() {
        let workspace = Workspace::find().unwrap();
        let error = load(&workspace, "helo", &[]).unwrap_err().to_string();
        assert!(error.starts_with("there is no scenario `helo`; did you mean `hello`"), "{error}");
        assert!(load(&workspace, "../run/hello", &[]).is_err());
        assert!(matches!(load(&workspace, "no/such.toml", &[]), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn every_scenario_of_the_project_is_right() {
        let workspace = Workspace::find().unwrap();
        let names = names(&workspace);
        assert!(names.contains(&"hello".into()));
        for name in names {
            load(&workspace, &name, &[]).unwrap();
        }
    }
}
