//! A scenario: the components of one run, what each gets, and what success looks like.
//!
//! Scenarios are written as TOML (`run/NAME.toml`), checked by the host tool, and handed to the running system in
//! postcard form as the boot module [`MODULE`]. Both forms are these same types, so what the tool accepted is what the
//! system obeys.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Name of the boot module that holds the scenario in postcard form.
pub const MODULE: &str = "scenario";

/// One run of the system, from boot to verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for people: what this scenario shows.
    pub about: String,
    /// Virtual time after which the run ends as timed out.
    #[serde(default = "default_limit")]
    pub limit: Duration,
    /// A program that runs in place of core, for testing and measuring the kernel itself. It judges itself, so such a
    /// scenario has neither components nor an oracle.
    #[serde(default)]
    pub root_task: Option<String>,
    /// The components, by name. They start in the order of their names.
    #[serde(default, rename = "component")]
    pub components: BTreeMap<String, Component>,
    /// What must happen for the run to have passed.
    #[serde(default)]
    pub success: Success,
}

/// One component of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Name of the program, when it is not the component's own name.
    #[serde(default)]
    pub binary: Option<String>,
    /// Priority of its first thread, 1 (lowest) to 200.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// Memory it may use, its own code and stack included.
    #[serde(default = "default_ram")]
    pub ram: Bytes,
    /// Size of its first thread's stack; a multiple of the page size.
    #[serde(default = "default_stack")]
    pub stack: Bytes,
}

/// The oracle of a scenario: a run passes when every line was printed, in this order, and every exit happened; it fails
/// as soon as a component faults, panics or exits otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Components that must exit, with their exit code.
    #[serde(default)]
    pub exit: BTreeMap<String, i32>,
    /// Console lines, whole and with the component's prefix, that must appear in this order (others may lie between).
    #[serde(default)]
    pub output: Vec<String>,
}

/// A size in bytes; written `4096`, `"64K"`, `"1M"` in TOML (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u32);

/// A span of virtual time in microseconds; written in seconds, `5` or `0.25`, in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    /// Microseconds.
    pub micros: u64,
}

fn default_limit() -> Duration {
    Duration { micros: 10_000_000 }
}
fn default_priority() -> u8 {
    100
}
fn default_ram() -> Bytes {
    Bytes(1 << 20)
}
fn default_stack() -> Bytes {
    Bytes(16 << 10)
}

/// Highest priority that a scenario may give; those above belong to the system.
pub const MAX_PRIORITY: u8 = 200;
/// Longest limit that a scenario may set.
pub const MAX_LIMIT: Duration = Duration { micros: 24 * 3600 * 1_000_000 };
/// Longest name of a component, in bytes.
pub const MAX_NAME: usize = 32;

/// Names that no component may have: reports speak of these.
pub const RESERVED: [&str; 4] = ["core", "kernel", "loader", "scenario"];
/// Most components of a scenario.
pub const MAX_COMPONENTS: usize = 64;
/// Most lines that an oracle waits for.
pub const MAX_LINES: usize = 256;
/// Longest line that an oracle waits for, and longest `about`, in bytes.
pub const MAX_TEXT: usize = crate::text::MAX_LINE;

/// Why a scenario that parses is still refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// No component at all.
    Empty,
    /// More than [`MAX_COMPONENTS`] components.
    TooMany(usize),
    /// A name of [`RESERVED`].
    Reserved(String),
    /// `about` is longer than [`MAX_TEXT`] or not printable.
    About,
    /// More than [`MAX_LINES`] lines.
    TooManyLines(usize),
    /// A line that no component can print: too long, not printable, or without the name of a component before it.
    Line(String),
    /// A name that is empty, too long, or not made of `a-z`, `0-9` and `_`, starting with a letter.
    Name(String),
    /// A priority outside 1 to [`MAX_PRIORITY`].
    Priority(String, u8),
    /// A stack that is zero or not a multiple of 4 KiB.
    Stack(String, Bytes),
    /// A limit of zero or above [`MAX_LIMIT`].
    Limit(Duration),
    /// A root task besides components or an oracle.
    RootTask(String),
    /// `success` names neither an exit nor a line: nothing could ever pass.
    NoOracle,
    /// `success.exit` names a component that does not exist.
    UnknownComponent(String),
}

impl Scenario {
    /// Checks what the types alone cannot say.
    ///
    /// # Errors
    /// The first rule that is broken, with the component it concerns.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.limit.micros == 0 || self.limit > MAX_LIMIT {
            return Err(Invalid::Limit(self.limit));
        }
        if !is_printable(&self.about) {
            return Err(Invalid::About);
        }
        if let Some(name) = &self.root_task {
            let alone = self.components.is_empty() && self.success == Success::default();
            return match (is_name(name), alone) {
                (false, _) => Err(Invalid::Name(name.clone())),
                (true, false) => Err(Invalid::RootTask(name.clone())),
                (true, true) => Ok(()),
            };
        }
        if self.components.is_empty() {
            return Err(Invalid::Empty);
        }
        if self.components.len() > MAX_COMPONENTS {
            return Err(Invalid::TooMany(self.components.len()));
        }
        if self.success.output.len() > MAX_LINES {
            return Err(Invalid::TooManyLines(self.success.output.len()));
        }
        if let Some(line) = self.success.output.iter().find(|line| !self.can_be_printed(line)) {
            return Err(Invalid::Line(line.clone()));
        }
        for (name, component) in &self.components {
            for name in [Some(name), component.binary.as_ref()].into_iter().flatten() {
                if !is_name(name) {
                    return Err(Invalid::Name(name.clone()));
                }
            }
            if RESERVED.contains(&name.as_str()) {
                return Err(Invalid::Reserved(name.clone()));
            }
            if component.priority == 0 || component.priority > MAX_PRIORITY {
                return Err(Invalid::Priority(name.clone(), component.priority));
            }
            if component.stack.0 == 0 || !component.stack.0.is_multiple_of(4096) {
                return Err(Invalid::Stack(name.clone(), component.stack));
            }
        }
        if self.success.exit.is_empty() && self.success.output.is_empty() {
            return Err(Invalid::NoOracle);
        }
        match self.success.exit.keys().find(|name| !self.components.contains_key(*name)) {
            Some(name) => Err(Invalid::UnknownComponent(name.clone())),
            None => Ok(()),
        }
    }
}

impl Scenario {
    /// Whether a component could print this line.
    fn can_be_printed(&self, line: &str) -> bool {
        let named = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map(|(name, _)| name);
        is_printable(line) && named.is_some_and(|name| self.components.contains_key(name))
    }
}

/// Whether a text is a line as [`crate::text::Line`] would show it.
fn is_printable(text: &str) -> bool {
    let mut shown = 0;
    let mut line = crate::text::Line::new();
    line.write(text.as_bytes(), |_| shown += 2);
    line.finish(|whole| shown += if whole == text { 1 } else { 2 });
    shown <= 1 && text.len() <= MAX_TEXT
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

impl Component {
    /// The program that this component runs.
    pub fn binary<'a>(&'a self, name: &'a str) -> &'a str {
        self.binary.as_deref().unwrap_or(name)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "there is no component; add a table [component.NAME]"),
            Self::TooMany(count) => write!(f, "there are {count} components; use at most {MAX_COMPONENTS}"),
            Self::Reserved(name) => write!(f, "no component can be called `{name}`: reports mean something else by it"),
            Self::About => write!(f, "`about` is to be one printable line of at most {MAX_TEXT} bytes"),
            Self::TooManyLines(count) => write!(f, "success.output has {count} lines; use at most {MAX_LINES}"),
            Self::Line(line) => {
                write!(
                    f,
                    "no component can print the line {:?} of success.output; it is to be one printable line of at most \
                     {MAX_TEXT} bytes that begins with `[NAME] `, NAME being a component of this scenario",
                    line.chars().take(80).collect::<String>()
                )
            }
            Self::Name(name) => write!(
                f,
                "`{name}` is no component name; use up to {MAX_NAME} of a-z, 0-9 and _, starting with a letter"
            ),
            Self::Priority(name, priority) => {
                write!(f, "component `{name}` has priority {priority}; use 1 to {MAX_PRIORITY}")
            }
            Self::Stack(name, stack) => {
                write!(f, "component `{name}` has a stack of {stack}; use a multiple of 4K, at least one")
            }
            Self::Limit(limit) => write!(f, "a limit of {limit} is not between 0.000001 s and {MAX_LIMIT}"),
            Self::RootTask(name) => {
                write!(f, "the root task `{name}` runs alone and judges itself; remove [component.*] and [success]")
            }
            Self::NoOracle => {
                write!(f, "[success] names nothing that could be seen; give `exit`, `output` or both")
            }
            Self::UnknownComponent(name) => {
                write!(f, "success.exit names `{name}`, but there is no [component.{name}]")
            }
        }
    }
}

impl core::error::Error for Invalid {}

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

    const HELLO: &str = r#"
        about = "greets"
        limit = 0.25
        [component.hello]
        ram = "64K"
        [success]
        exit = { hello = 0 }
        output = ["[hello] hi"]
    "#;

    #[test]
    fn toml_and_postcard_are_the_same_scenario() {
        let scenario: Scenario = toml::from_str(HELLO).unwrap();
        assert_eq!(scenario.check(), Ok(()));
        assert_eq!(scenario.limit.micros, 250_000);
        assert_eq!(scenario.components["hello"].ram, Bytes(65536));
        let bytes = postcard::to_allocvec(&scenario).unwrap();
        assert_eq!(postcard::from_bytes::<Scenario>(&bytes).unwrap(), scenario);
    }

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

    #[test]
    fn a_root_task_needs_nothing_else() {
        let scenario: Scenario = toml::from_str("about = \"tests\"\nroot_task = \"kernel_tests\"").unwrap();
        assert_eq!(scenario.check(), Ok(()));
    }

    #[test]
    fn each_rule_is_checked() {
        let good: Scenario = toml::from_str(HELLO).unwrap();
        let broken = |change: fn(&mut Scenario)| {
            let mut scenario = good.clone();
            change(&mut scenario);
            scenario.check().unwrap_err()
        };
        let hello = |s: &mut Scenario| s.components["hello"].clone();
        assert_eq!(broken(|s| s.components.clear()), Invalid::Empty);
        assert!(matches!(broken(|s| s.limit.micros = 0), Invalid::Limit(_)));
        assert!(matches!(broken(|s| s.success = Success::default()), Invalid::NoOracle));
        assert!(matches!(broken(|s| _ = s.success.exit.insert("x".into(), 0)), Invalid::UnknownComponent(_)));
        assert!(matches!(broken(|s| s.about = "a\x1b[2J".into()), Invalid::About));
        assert!(matches!(broken(|s| s.about = "a\nb".into()), Invalid::About));
        assert!(matches!(
            broken(|s| s.success.output = alloc::vec!["[hello] x".into(); 257]),
            Invalid::TooManyLines(257)
        ));
        for line in ["x", "[other] x", "[hello] \u{1b}", "[hello] a\nb", &"[hello] ".repeat(80)] {
            let mut scenario = good.clone();
            scenario.success.output = alloc::vec![line.into()];
            assert_eq!(scenario.check(), Err(Invalid::Line(line.into())));
        }
        for name in RESERVED {
            let mut scenario = good.clone();
            scenario.components.insert(name.into(), hello(&mut good.clone()));
            assert_eq!(scenario.check(), Err(Invalid::Reserved(name.into())));
        }
        assert!(matches!(broken(|s| s.root_task = Some("tests".into())), Invalid::RootTask(_)));
        let mut scenario = good.clone();
        scenario.components.insert("../x".into(), hello(&mut good.clone()));
        assert!(matches!(scenario.check(), Err(Invalid::Name(_))));
        for (priority, stack) in [(0, 4096), (201, 4096), (1, 0), (1, 4097)] {
            let mut scenario = good.clone();
            let hello = scenario.components.get_mut("hello").unwrap();
            (hello.priority, hello.stack) = (priority, Bytes(stack));
            assert!(matches!(scenario.check(), Err(Invalid::Priority(..) | Invalid::Stack(..))));
        }
    }
}
