//! Sizes and spans of time, as scenarios write them.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A size in bytes; written `4096`, `"64K"`, `"1M"` in TOML (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u32);

/// A span of virtual time in microseconds; written in seconds, `5` or `0.25`, in TOML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// Microseconds.
    pub micros: u64,
}

impl Duration {
    /// The same in nanoseconds, as TIMER counts.
    pub const fn nanoseconds(self) -> u64 {
        self.micros.saturating_mul(1000)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => write!(f, "{}M", n >> 20),
            n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => write!(f, "{}K", n >> 10),
            n => write!(f, "{n}"),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.micros / 1_000_000, self.micros % 1_000_000);
        if micros == 0 {
            return write!(f, "{seconds} s");
        }
        let mut digits = micros;
        let mut width = 6;
        while digits.is_multiple_of(10) {
            digits /= 10;
            width -= 1;
        }
        write!(f, "{seconds}.{digits:0width$} s")
    }
}

/// A text that is no size; says what one looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASize;

impl fmt::Display for NotASize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a size is a number of bytes below 4G, or one with K or M behind it, as in \"64K\"")
    }
}

impl FromStr for Bytes {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'K') => (&text[..text.len() - 1], 10),
            Some(b'M') => (&text[..text.len() - 1], 20),
            _ => (text, 0),
        };
        let number: u64 = digits.parse().map_err(|_| NotASize)?;
        number.checked_mul(1 << shift).and_then(|n| u32::try_from(n).ok()).map(Self).ok_or(NotASize)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_u32(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                fmt::Display::fmt(&NotASize, f)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Bytes, E> {
                u32::try_from(value).map(Bytes).map_err(|_| E::custom(NotASize))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Bytes, E> {
                u32::try_from(value).map(Bytes).map_err(|_| E::custom(NotASize))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                text.parse().map_err(E::custom)
            }
        }
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(Text),
            false => u32::deserialize(deserializer).map(Self),
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.serialize_f64(self.micros as f64 / 1e6),
            false => serializer.serialize_u64(self.micros),
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl de::Visitor<'_> for Seconds {
            type Value = Duration;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number of seconds, such as 5 or 0.25")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Duration, E> {
                u64::try_from(value)
                    .ok()
                    .and_then(|s| s.checked_mul(1_000_000))
                    .map(|micros| Duration { micros })
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(value), &self))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Duration, E> {
                value
                    .checked_mul(1_000_000)
                    .map(|micros| Duration { micros })
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(value), &self))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Duration, E> {
                let micros = value * 1e6 + 0.5;
                if (0.0..1e15).contains(&micros) {
                    Ok(Duration { micros: micros as u64 })
                } else {
                    Err(E::invalid_value(de::Unexpected::Float(value), &self))
                }
            }
        }
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(Seconds),
            false => u64::deserialize(deserializer).map(|micros| Self { micros }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn sizes_and_durations_print_as_they_are_written() {
        for text in ["1", "4097", "64K", "3M"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
        for text in ["", "K", "-1", "4G", "4096M", "1.5K", "99999999999999999999"] {
            assert_eq!(text.parse::<Bytes>(), Err(NotASize), "{text}");
        }
        for (micros, text) in [(5_000_000, "5 s"), (250_000, "0.25 s"), (1, "0.000001 s")] {
            assert_eq!(Duration { micros }.to_string(), text);
        }
    }
}
