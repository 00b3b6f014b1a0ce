//! What makes a scenario acceptable, beyond what its types say.

use alloc::string::String;
use core::fmt;

use crate::layout::MAX_STACK;

use super::{Bytes, Disorder, Duration, Misfit, Scenario, Success, value::MAX_VALUES};

/// Highest priority that a scenario may give; those above belong to the system.
pub const MAX_PRIORITY: u8 = 200;
/// Longest limit that a scenario may set.
pub const MAX_LIMIT: Duration = Duration { micros: 24 * 3600 * 1_000_000 };
/// Longest name of a component, in bytes.
pub const MAX_NAME: usize = 32;

/// Names that no component may have: reports speak of these.
pub const RESERVED: [&str; 5] = ["core", "init", "kernel", "loader", "scenario"];
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
    /// A stack that is zero, too large, or not a multiple of 4 KiB.
    Stack(String, Bytes),
    /// A limit of zero or above [`MAX_LIMIT`].
    Limit(Duration),
    /// A root task besides components or an oracle.
    RootTask(String),
    /// Something is wrong between components: parents, quotas, routes, devices.
    Disorder(String, Disorder),
    /// A table with too many values.
    TooManyValues(usize),
    /// A value whose name is no name, or which is too long or not printable.
    Value(String),
    /// `success` names neither an exit nor a line: nothing could ever pass.
    NoOracle,
    /// `success.exit` or `success.overdue` names a component that does not exist.
    UnknownComponent(String),
    /// Something is wrong with a node.
    Node(Misfit),
    /// `success` wants a component both to exit and to be ended because it does not.
    TwoEnds(String),
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
            let alone = !self.trace
                && self.components.is_empty()
                && self.values.is_empty()
                && self.success == Success::default();
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
        // Lines can name nodes, so these come first.
        self.check_nodes().map_err(Invalid::Node)?;
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
            if component.stack.0 == 0 || component.stack.0 > MAX_STACK || !component.stack.0.is_multiple_of(4096) {
                return Err(Invalid::Stack(name.clone(), component.stack));
            }
        }
        for values in self.components.values().map(|component| &component.values).chain([&self.values]) {
            if values.len() > MAX_VALUES {
                return Err(Invalid::TooManyValues(values.len()));
            }
            if let Some((key, _)) = values.iter().find(|(key, value)| !is_name(key) || !value.is_valid()) {
                return Err(Invalid::Value(key.clone()));
            }
        }
        // Components of different nodes have nothing to do with each other.
        if self.nodes.is_empty() {
            self.check_family().map_err(|(name, disorder)| Invalid::Disorder(name, disorder))?;
        }
        let Success { exit, overdue, output } = &self.success;
        if !self.judged_outside && exit.is_empty() && overdue.is_empty() && output.is_empty() {
            return Err(Invalid::NoOracle);
        }
        if let Some(name) = overdue.iter().find(|name| exit.contains_key(*name)) {
            return Err(Invalid::TwoEnds(name.clone()));
        }
        match exit.keys().chain(overdue).find(|name| !self.components.contains_key(*name)) {
            Some(name) => Err(Invalid::UnknownComponent(name.clone())),
            None => Ok(()),
        }
    }
}

impl Scenario {
    /// Whether a component could print this line.
    pub(super) fn can_be_printed(&self, line: &str) -> bool {
        let (node, text) = self.node_of(line).map_or((None, line), |(node, text)| (Some(node), text));
        let is_there = |name: &str| {
            let component = self.components.get(name)?;
            let on = |node| component.nodes.is_empty() || component.nodes.iter().any(|known| known == node);
            Some(node.is_none_or(on))
        };
        let named = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map(|(name, _)| name);
        is_printable(line) && named.and_then(is_there).unwrap_or(false)
    }
}

/// Whether a text is a line as [`crate::text::Line`] would show it.
pub(super) fn is_printable(text: &str) -> bool {
    let mut shown = 0;
    let mut line = crate::text::Line::new();
    line.write(text.as_bytes(), |_| shown += 2);
    line.finish(|whole| shown += if whole == text { 1 } else { 2 });
    shown <= 1 && text.len() <= MAX_TEXT
}

pub(super) fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
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
                write!(
                    f,
                    "component `{name}` has a stack of {stack}; use a multiple of 4K, from one to {}K",
                    MAX_STACK >> 10
                )
            }
            Self::Disorder(name, disorder) => write!(f, "component `{name}` {disorder}"),
            Self::TooManyValues(count) => write!(f, "there is a table of {count} values; use at most {MAX_VALUES}"),
            Self::Value(key) => write!(
                f,
                "`{key}` is no value that components could ask for: its name is to be like a component's, and the value \
                 a whole number or one printable line of at most {} bytes",
                super::value::MAX_BYTES
            ),
            Self::Limit(limit) => write!(f, "a limit of {limit} is not between 0.000001 s and {MAX_LIMIT}"),
            Self::RootTask(name) => {
                write!(
                    f,
                    "the root task `{name}` runs alone and judges itself; remove [component.*], [success] and `trace`"
                )
            }
            Self::Node(misfit) => write!(f, "{misfit}"),
            Self::NoOracle => {
                write!(f, "[success] names nothing that could be seen; give `exit`, `overdue` or `output`")
            }
            Self::UnknownComponent(name) => {
                write!(f, "[success] names `{name}`, but there is no [component.{name}]")
            }
            Self::TwoEnds(name) => {
                write!(f, "`{name}` is in success.exit and in success.overdue, but it can end in one way only")
            }
        }
    }
}

impl core::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use super::{
        super::{Value, tests::HELLO},
        *,
    };

    #[test]
    fn a_root_task_needs_nothing_else() {
        let scenario: Scenario = toml::from_str("about = \"tests\"\nroot_task = \"kernel_tests\"").unwrap();
        assert_eq!(scenario.check(), Ok(()));
        assert!(matches!(Scenario { trace: true, ..scenario }.check(), Err(Invalid::RootTask(_))));
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
        assert!(matches!(broken(|s| s.success.overdue = ["x".into()].into()), Invalid::UnknownComponent(_)));
        assert!(matches!(broken(|s| s.success.overdue = ["hello".into()].into()), Invalid::TwoEnds(_)));
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
        assert_eq!(broken(|s| _ = s.values.insert("X".into(), Value::from(1))), Invalid::Value("X".into()));
        let long = Value::from("x".repeat(65).as_str());
        for value in [long, Value::from("a\nb"), Value::from("\u{1b}")] {
            let mut scenario = good.clone();
            scenario.components.get_mut("hello").unwrap().values.insert("x".into(), value);
            assert_eq!(scenario.check(), Err(Invalid::Value("x".into())));
        }
        let mut scenario = good.clone();
        scenario.components.insert("../x".into(), hello(&mut good.clone()));
        assert!(matches!(scenario.check(), Err(Invalid::Name(_))));
        for (priority, stack) in [(0, 4096), (201, 4096), (1, 0), (1, 4097), (1, 1 << 20)] {
            let mut scenario = good.clone();
            let hello = scenario.components.get_mut("hello").unwrap();
            (hello.priority, hello.stack) = (priority, Bytes(stack));
            assert!(matches!(scenario.check(), Err(Invalid::Priority(..) | Invalid::Stack(..))));
        }
    }
}
