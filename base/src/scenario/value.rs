//! Values of scenarios, which components ask for by name.

use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Most values in one table.
pub const MAX_VALUES: usize = 64;
/// Longest value in bytes.
pub const MAX_BYTES: usize = 64;

/// A value of a scenario: a whole number or a text. Components get it as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// As text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// As a number, if it is one.
    pub fn number(&self) -> Option<i64> {
        self.0.parse().ok().filter(|number: &i64| number.to_string() == self.0)
    }

    /// Whether it is short enough, and can be shown in one line.
    pub(super) fn is_valid(&self) -> bool {
        self.0.len() <= MAX_BYTES && super::check::is_printable(&self.0)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self(format!("{number}"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.number() {
            Some(number) if serializer.is_human_readable() => serializer.serialize_i64(number),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl de::Visitor<'_> for Either {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a whole number or text in quotes")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
                Ok(Value(format!("{value}")))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }
        }
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(Either),
            false => deserializer.deserialize_str(Either),
        }
    }
}
