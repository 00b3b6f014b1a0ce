//! Scenario files: `run/NAME.toml`, overrides, and errors that say where and what instead.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use base::scenario::{Invalid, Scenario};
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
    text: String,
}

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
    #[error("--set {setting}: {message}")]
    Setting {
        /// The override.
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

impl std::str::FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in limit=3")?;
        let key: Vec<_> = key.trim().split('.').map(str::to_owned).collect();
        if key.iter().any(String::is_empty) {
            return Err("an empty key; write KEY=VALUE, as in component.hello.priority=50".into());
        }
        Ok(Self { key, value: parse_value(value.trim()), text: text.into() })
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
    pub fn limit(seconds: f64) -> Self {
        Self { key: vec!["limit".into()], value: Value::Float(seconds), text: format!("limit={seconds}") }
    }

    fn error(&self, message: impl Into<String>) -> Error {
        Error::Setting { setting: self.text.clone(), message: message.into() }
    }

    fn apply(&self, root: &mut Table) -> Result<(), Error> {
        let Some((last, path)) = self.key.split_last() else { return Ok(()) };
        let mut table = root;
        for (depth, step) in path.iter().enumerate() {
            // A new component would be a misspelt one: the file names them all.
            if depth == 1 && path[0] == "component" && !table.contains_key(step) {
                let known: Vec<_> = table.keys().map(String::as_str).collect();
                let hint = suggest::hint(step, &known);
                return Err(self.error(format!("there is no component `{step}`; {hint}")));
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
    for setting in settings {
        setting.apply(&mut table)?;
        let retry = Scenario::deserialize(table.clone());
        scenario = retry.map_err(|error| setting.error(explain(error.message())))?;
    }
    match scenario.check() {
        Ok(()) => Ok(scenario),
        Err(reason) => Err(Error::Invalid { path: path.into(), reason }),
    }
}

/// Line and column, from 1, of a byte.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Serde's message, with the nearest known key where a key is unknown.
fn explain(message: &str) -> String {
    let message = message.trim().lines().collect::<Vec<_>>().join("; ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(wrong)) => format!("unknown key `{wrong}`; {}", suggest::hint(wrong, &quoted.collect::<Vec<_>>())),
        _ => message,
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
            "run/hello.toml:2:1: unknown key `colour`; known: `about`, `limit`, `root_task`, `component`, `success`"
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
        let with_limit = parse(HELLO, Path::new("x"), &[Setting::limit(0.5)]).unwrap();
        assert_eq!(with_limit.limit.micros, 500_000);
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
