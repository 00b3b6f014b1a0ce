//! The kernel's configuration, as far as its interface depends on it.

use std::collections::BTreeMap;

/// Options by name (with their `CONFIG_`), as the C preprocessor sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Defines a name; what it was before is forgotten.
    pub fn define(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Whether a name is defined, whatever its value.
    pub fn is_defined(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a name, as text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a name as a number; none if it is not defined or no number.
    pub fn number(&self, name: &str) -> Option<i64> {
        crate::expression::literal(self.get(name)?)
    }
}

impl FromIterator<(String, String)> for Options {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(options: I) -> Self {
        Self(options.into_iter().collect())
    }
}
