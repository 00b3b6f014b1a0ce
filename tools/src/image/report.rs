//! What is in an image, for people and for programs.

use std::fmt;

use base::scenario::Bytes;
use serde::Serialize;

/// What an image holds and where it will lie. Free of paths, dates and anything else that differs between machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// Size of the image file.
    pub bytes: u64,
    /// Its hash.
    pub sha256: String,
    /// Its parts in order of their place.
    pub parts: Vec<Part>,
    /// The components, by name.
    pub components: Vec<ComponentReport>,
    /// Memory in bytes that kernel, core and modules leave to the components.
    pub free: u64,
}

/// A piece of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// The part that it is inside of, if it is.
    pub within: Option<String>,
    /// Physical address once it is loaded.
    pub start: u64,
    /// Bytes of memory there.
    pub size: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Hash of those.
    pub sha256: String,
}

/// The memory of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentReport {
    /// Its name.
    pub name: String,
    /// The program that it runs.
    pub binary: String,
    /// The component that starts it.
    pub parent: String,
    /// Priority of its first thread.
    pub priority: u8,
    /// Bytes that it may use.
    pub ram: u64,
    /// Bytes that its program takes of that.
    pub program: u64,
    /// Bytes that its first stack takes of that.
    pub stack: u64,
}

/// A size as people write it: exact where that is short.
fn size(bytes: u64) -> String {
    match u32::try_from(bytes) {
        Ok(bytes) => Bytes(bytes).to_string(),
        Err(_) => bytes.to_string(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.scenario, self.about)?;
        writeln!(f, "image {} bytes, sha256 {}", self.bytes, self.sha256)?;
        writeln!(f)?;
        writeln!(f, "{:<20} {:>10} {:>21} {:>9}  sha256", "part", "bytes", "placed at", "memory")?;
        for Part { name, within, start, size: memory, bytes, sha256 } in &self.parts {
            let name = if within.is_some() { format!("  {name}") } else { name.clone() };
            let range = format!("{start:08x}-{:08x}", start + memory);
            let short = sha256.get(..16).unwrap_or(sha256);
            writeln!(f, "{name:<20} {bytes:>10} {range:>21} {:>9}  {short}", size(*memory))?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "{:<20} {:<20} {:<12} {:>8} {:>8} {:>8} {:>8}",
            "component", "program", "parent", "priority", "ram", "code", "stack"
        )?;
        for ComponentReport { name, binary, parent, priority, ram, program, stack } in &self.components {
            let (ram, program, stack) = (size(*ram), size(*program), size(*stack));
            writeln!(f, "{name:<20} {binary:<20} {parent:<12} {priority:>8} {ram:>8} {program:>8} {stack:>8}")?;
        }
        write!(f, "memory for components: {}", size(self.free))
    }
}
