//! How the kernel is configured: `config.toml`, applied to the header that comes with the kernel's source.
//!
//! In a standalone build the kernel takes its options from the header `autoconf.h` of its board, which wins over the
//! command line. So every option that differs is written into a copy of that header, also those that a flavour's
//! Makefile variables would set, and [`Configuration::options`] is exactly what the compiler sees.
//!
//! The patches belong to the configuration too: together with the source they say which kernel it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    Source,
    patch::{self, Patch},
};

/// Which of the two kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// The one that systems run on: no output, no assertions.
    #[default]
    Release,
    /// The one for finding errors: it prints, checks itself and offers the Debug system calls.
    Debug,
}

impl Flavour {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Release, Self::Debug];

    /// `release` or `debug`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The checked configuration of both flavours.
#[derive(Clone, Debug)]
pub struct Configuration {
    base: String,
    base_text: String,
    make: BTreeMap<String, String>,
    options: BTreeMap<String, Value>,
    release: Changes,
    debug: Changes,
    patches: Vec<Patch>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// `config.toml` does not have the form it must have.
    #[error("{path} is no kernel configuration:\n{error}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        error: Box<toml::de::Error>,
    },
    /// An option that the kernel's source does not know.
    #[error("{path} sets {option}, which the kernel's source does not know{}", nearest.as_ref().map_or(String::new(), |near| format!("; did you mean {near}?")))]
    UnknownOption {
        /// The file.
        path: PathBuf,
        /// The option.
        option: String,
        /// A known one that looks like it.
        nearest: Option<String>,
    },
    /// A patch is not what it should be.
    #[error(transparent)]
    Patch(#[from] patch::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: String,
    make: BTreeMap<String, String>,
    options: BTreeMap<String, Value>,
    release: Changes,
    debug: Changes,
}

/// What a flavour adds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[serde(default)]
    make: BTreeMap<String, String>,
    #[serde(default)]
    options: BTreeMap<String, Value>,
}

/// An option as `config.toml` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "an option is a number, true (1) or false (not defined)")]
enum Value {
    Flag(bool),
    Number(i64),
}

impl Value {
    /// What stands in the header; nothing when the option is to be absent.
    fn text(self) -> Option<String> {
        match self {
            Self::Flag(true) => Some("1".to_owned()),
            Self::Flag(false) => None,
            Self::Number(number) => Some(number.to_string()),
        }
    }
}

impl Configuration {
    /// Reads `folder/config.toml`, the header of `source` that it is based on, and `folder/patches`.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, an option that `source` does not know, a malformed patch.
    pub fn load(folder: &Path, source: &Source) -> Result<Self, Error> {
        let path = folder.join("config.toml");
        let text = read(&path)?;
        let file: File =
            toml::from_str(&text).map_err(|error| Error::Form { path: path.clone(), error: Box::new(error) })?;
        let base_text = read(&source.path(&file.base))?;

        let mut known: BTreeSet<String> = definitions(&base_text).map(|(name, _)| name.to_owned()).collect();
        for kconfig in KCONFIG {
            let text = read(&source.path(kconfig))?;
            known.extend(
                text.lines().filter_map(|line| Some(format!("CONFIG_{}", line.trim().strip_prefix("config ")?.trim()))),
            );
        }
        let given = [&file.options, &file.release.options, &file.debug.options];
        if let Some(option) = given.into_iter().flat_map(BTreeMap::keys).find(|option| !known.contains(*option)) {
            let nearest = known.iter().min_by_key(|name| distance(name, option));
            let nearest = nearest.filter(|name| distance(name, option) <= option.len() / 4).cloned();
            return Err(Error::UnknownOption { path, option: option.clone(), nearest });
        }
        let File { base, make, options, release, debug } = file;
        let patches = patch::load(&folder.join("patches"))?;
        Ok(Self { base, base_text, make, options, release, debug, patches })
    }

    /// The header's path below the kernel's top folder.
    pub fn header_path(&self) -> &str {
        &self.base
    }

    /// Every option that is in force for a flavour, by name with its `CONFIG_`, as the compiler sees it: `1` for a flag,
    /// quotes and all for a text, empty for a bare `#define`.
    pub fn options(&self, flavour: Flavour) -> BTreeMap<String, String> {
        definitions(&self.header(flavour)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The header for a flavour: the base with the options changed in place, removed, or added at its end.
    pub fn header(&self, flavour: Flavour) -> String {
        let mut changes = self.options.clone();
        changes.extend(self.changes(flavour).options.clone());
        let mut header = String::with_capacity(self.base_text.len());
        for line in self.base_text.lines() {
            match definition(line).and_then(|(name, _)| Some((name, changes.remove(name)?))) {
                None => header.extend([line, "\n"]),
                Some((name, value)) => header.extend(value.text().map(|value| format!("#define {name} {value}\n"))),
            }
        }
        for (name, value) in changes {
            header.extend(value.text().map(|value| format!("#define {name} {value}\n")));
        }
        header
    }

    /// The variables of the kernel's Makefile for a flavour.
    pub fn make_variables(&self, flavour: Flavour) -> BTreeMap<String, String> {
        let mut variables = self.make.clone();
        variables.extend(self.changes(flavour).make.clone());
        variables
    }

    /// The changes to the source, in the order in which they apply.
    pub fn patches(&self) -> &[Patch] {
        &self.patches
    }

    /// The same configuration without one patch, to see what it is good for. Its name may be given by its start, such as
    /// `0003`.
    ///
    /// # Errors
    /// [`patch::Error::Unknown`] when not exactly one patch is named so.
    pub fn without_patch(mut self, name: &str) -> Result<Self, Error> {
        let before = self.patches.len();
        let names = self.patches.iter().map(|patch| patch.name.as_str()).collect::<Vec<_>>().join(", ");
        self.patches.retain(|patch| name.is_empty() || !patch.name.starts_with(name));
        match before - self.patches.len() {
            1 => Ok(self),
            _ => Err(patch::Error::Unknown(name.to_owned(), names).into()),
        }
    }

    fn changes(&self, flavour: Flavour) -> &Changes {
        match flavour {
            Flavour::Release => &self.release,
            Flavour::Debug => &self.debug,
        }
    }
}

/// Where the kernel declares its options.
const KCONFIG: [&str; 2] = ["Kconfig", "src/arch/arm/Kconfig"];

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| Error::Read { path: path.to_owned(), error })
}

fn definitions(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.lines().filter_map(definition)
}

/// Name and value of a line that defines something.
fn definition(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("#define ")?.trim();
    Some(rest.split_once(char::is_whitespace).map_or((rest, ""), |(name, value)| (name, value.trim())))
}

/// How many characters must change to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source;

    fn configuration(change: impl Fn(String) -> String) -> Result<Configuration, Error> {
        let source = source::locate(crate::folder()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(crate::folder().join("config.toml")).unwrap();
        fs::write(folder.path().join("config.toml"), change(text)).unwrap();
        fs::create_dir(folder.path().join("patches")).unwrap();
        Configuration::load(folder.path(), &source)
    }

    #[test]
    fn flavours_differ_in_what_they_add() {
        let configuration = configuration(|text| text).unwrap();
        let release = configuration.options(Flavour::Release);
        let mut debug = configuration.options(Flavour::Debug);
        assert_eq!(release["CONFIG_ROOT_CNODE_SIZE_BITS"], "16");
        assert_eq!(release["CONFIG_DOMAIN_SCHEDULE"], "\"\"");
        assert_eq!(release["AUTOCONF_INCLUDED"], "");
        for option in ["CONFIG_DEBUG_BUILD", "CONFIG_PRINTING", "CONFIG_USER_STACK_TRACE_LENGTH"] {
            assert_eq!(debug.remove(option).as_deref(), Some("1"), "{option}");
        }
        assert_eq!(release, debug);
        assert_eq!(configuration.make_variables(Flavour::Release).get("DEBUG"), None);
        assert_eq!(configuration.make_variables(Flavour::Debug)["DEBUG"], "1");
        assert_eq!(configuration.make_variables(Flavour::Debug)["PLAT"], "imx6");
    }

    #[test]
    fn an_option_is_changed_once_in_place_and_can_be_removed() {
        let given = configuration(|text| text).unwrap();
        let header = given.header(Flavour::Release);
        let places = header.lines().filter(|line| line.contains("CONFIG_ROOT_CNODE_SIZE_BITS")).collect::<Vec<_>>();
        assert_eq!(places, ["#define CONFIG_ROOT_CNODE_SIZE_BITS 16"]);
        let without = configuration(|text| text.replace("[options]", "[options]\nCONFIG_FASTPATH = false")).unwrap();
        assert!(given.options(Flavour::Release).contains_key("CONFIG_FASTPATH"));
        assert!(!without.options(Flavour::Release).contains_key("CONFIG_FASTPATH"));
    }

    #[test]
    fn unknown_keys_and_options_are_refused() {
        for (from, to) in [("[release]", "[release]\nmade = {}"), ("base =", "bass ="), (" = 16", " = \"sixteen\"")] {
            let error = configuration(|text| text.replace(from, to)).unwrap_err();
            assert!(matches!(error, Error::Form { .. }), "{error}");
        }
        let error = configuration(|text| text.replace("CNODE_SIZE_BITS", "CNODE_SIZE_BIT")).unwrap_err();
        assert!(error.to_string().ends_with("did you mean CONFIG_ROOT_CNODE_SIZE_BITS?"), "{error}");
        let error = configuration(|text| text.replace("[options]", "[options]\nSOMETHING_ELSE = 1")).unwrap_err();
        assert!(matches!(error, Error::UnknownOption { nearest: None, .. }), "{error}");
    }
}
