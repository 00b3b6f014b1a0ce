//! What a new component may be called.

use std::path::Path;

use base::scenario::{Invalid, Scenario};
use toml::Table;

use super::{FILES, STANDS_FOR_THE_NAME};

/// Words that cargo or the compiler keeps for itself: keywords of Rust, crates that come with it, and names that cargo's
/// build folders have.
const KEPT: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Why no component can be called so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Not as names of components are.
    #[error("`{0}` is no name of a component: up to 32 of `a-z`, `0-9` and `_`, the first one a letter")]
    Form(String),
    /// So long that its scenario's name would be too long.
    #[error("`{0}` is too long: with `_native` behind it, it is to be a name too; use at most 25 characters")]
    Long(String),
    /// The system, Rust or cargo means something else by it.
    #[error(
        "no component can be called `{0}`: the system, Rust or cargo means something else by it; choose another name"
    )]
    Kept(String),
    /// There is a package of that name.
    #[error("there is a package `{0}` already, here or among the crates of others; choose another name")]
    Package(String),
    /// There is a program of that name.
    #[error("there is a program `{name}` already, {path}; choose another name")]
    Program {
        /// The name.
        name: String,
        /// Where it is.
        path: String,
    },
    /// Something is in the way.
    #[error("{0} is there already; choose another name, or remove it")]
    Path(String),
}

/// Whether a new component can be called `name`, in the workspace at `root` with that manifest and that lock file.
pub(super) fn check(root: &Path, name: &str, manifest: &str, lock: &str) -> Result<(), BadName> {
    let shown = || name.chars().take(80).collect::<String>();
    // The rules are those of scenarios.
    let mut scenario: Scenario = smallest();
    if let Some(component) = scenario.components.remove("x") {
        scenario.components.insert(name.into(), component);
    }
    scenario.success.exit = [(name.into(), 0)].into();
    match scenario.check() {
        Ok(()) => {}
        Err(Invalid::Reserved(_)) => return Err(BadName::Kept(shown())),
        Err(_) => return Err(BadName::Form(shown())),
    }
    if name.len() + "_native".len() > base::scenario::MAX_NAME {
        return Err(BadName::Long(name.into()));
    }
    if KEPT.contains(&name) {
        return Err(BadName::Kept(name.into()));
    }
    let tops = ["components/NAME", "platform-arm_v7a/start/bin/NAME"];
    for path in FILES.iter().map(|(path, _)| *path).chain(tops) {
        let path = path.replace(STANDS_FOR_THE_NAME, name);
        if root.join(&path).symlink_metadata().is_ok() {
            return Err(BadName::Path(path));
        }
    }
    if packages(manifest, lock).any(|package| package == name || package == format!("{name}_bin")) {
        return Err(BadName::Package(name.into()));
    }
    // Programs that are no component's, such as those that tests run, are single files.
    let path = format!("tests/programs/src/bin/{name}.rs");
    match root.join(&path).exists() {
        true => Err(BadName::Program { name: name.into(), path }),
        false => Ok(()),
    }
}

fn smallest() -> Scenario {
    let text = "about = \"\"\n[component.x]\n[success]\nexit = { x = 0 }\n";
    toml::from_str(text).expect("a scenario without a mistake")
}

/// The names of all packages and dependencies, as crates: with `_` for `-`.
fn packages(manifest: &str, lock: &str) -> impl Iterator<Item = String> {
    let manifest: Table = toml::from_str(manifest).unwrap_or_default();
    let lock: Table = toml::from_str(lock).unwrap_or_default();
    let dependencies = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")).cloned();
    let dependencies = dependencies.and_then(|value| value.as_table().cloned()).unwrap_or_default();
    let locked = lock.get("package").and_then(|value| value.as_array().cloned()).unwrap_or_default();
    let locked = locked.into_iter().filter_map(|package| Some(package.get("name")?.as_str()?.to_owned()));
    dependencies.into_iter().map(|(name, _)| name).chain(locked).map(|name| name.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace.dependencies]\nbase = { path = \"base\" }\nsel4-raw = { path = \"x\" }\n";
    const LOCK: &str = "[[package]]\nname = \"proc-macro2\"\n[[package]]\nname = \"other-bin\"\n";

    fn judged(name: &str) -> Result<(), BadName> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        check(root, name, MANIFEST, LOCK)
    }

    #[test]
    fn good_names_pass() {
        for name in ["a", "sheep2", "a_b", "abcdefghijklmnopqrstuvwxy", "sel4"] {
            assert_eq!(judged(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn bad_names_are_told_apart() {
        for name in ["", "A", "1a", "_a", "a-b", "../x", "a b", "é", "abcdefghijklmnopqrstuvwxyzabcdefg", "\u{1b}[2J"]
        {
            assert!(matches!(judged(name), Err(BadName::Form(_))), "{name}");
        }
        assert!(matches!(judged("abcdefghijklmnopqrstuvwxyz"), Err(BadName::Long(_))));
        for name in ["core", "kernel", "loop", "test", "std", "deps"] {
            assert!(matches!(judged(name), Err(BadName::Kept(_))), "{name}");
        }
        for name in ["base", "sel4_raw", "proc_macro2", "other", "other_bin"] {
            assert!(matches!(judged(name), Err(BadName::Package(_))), "{name}");
        }
        assert!(matches!(judged("hello"), Err(BadName::Path(_))));
        assert!(matches!(judged("endless"), Err(BadName::Program { .. })));
    }
}
