//! A scenario: the components of one run, what each gets, and what success looks like.
//!
//! Scenarios are written as TOML (`run/NAME.toml`), checked by the host tool, and handed to the running system in
//! postcard form as the boot module [`MODULE`]. Both forms are these same types, so what the tool accepted is what the
//! system obeys.

mod check;
mod family;
mod node;
mod quantity;
mod value;

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

pub use check::{Invalid, MAX_COMPONENTS, MAX_LIMIT, MAX_LINES, MAX_NAME, MAX_PRIORITY, MAX_TEXT, RESERVED};
pub use family::{Disorder, MAX_CAPS, MAX_DEPTH, MAX_DEVICES, MAX_ROUTES, MAX_SLOTS, MIN_CAPS};
pub use node::{AFTER_NODE, MAX_NODES, Misfit, Node};
pub use quantity::{Bytes, Duration, NotASize};
pub use value::{MAX_VALUES, Value};

/// Name of the first component, which starts those that name no other parent; and of its program.
pub const INIT: &str = "init";
/// Name of the boot module that holds the scenario in postcard form.
pub const MODULE: &str = "scenario";

/// One run of the system, from boot to verdict. The default has nothing in it, and is no valid one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Core records what it does, for a timeline of the run. Takes effect when the system is built.
    #[serde(default)]
    pub trace: bool,
    /// Core is built so that CENSUS can have it lose things, to see that losses are noticed.
    #[serde(default)]
    pub losses: bool,
    /// The machines, by name, if there are several.
    #[serde(default, rename = "node")]
    pub nodes: BTreeMap<String, Node>,
    /// Core shows what happens, and ends the run only if it fails, has lasted too long, or nothing can happen any more: so runs a node.
    #[serde(default)]
    pub judged_outside: bool,
    /// What components can ask for by name, unless their own table has something else under it.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// The components, by name. Those of one parent start in the order of their names.
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
    /// The nodes on which it is; all if none is named.
    #[serde(default)]
    pub nodes: Vec<String>,
    /// Name of the component that starts it and that it belongs to; the first component of the system if none is given.
    #[serde(default)]
    pub parent: Option<String>,
    /// Priority of its first thread, 1 (lowest) to 200.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// Memory it may use, its own code and stack and all that is below it included.
    #[serde(default = "default_ram")]
    pub ram: Bytes,
    /// Memory up to which its parent gives it more when it asks, if the parent has it; `ram` if nothing is said.
    #[serde(default)]
    pub ram_max: Option<Bytes>,
    /// Capabilities it may have, those of what is below it included.
    #[serde(default = "default_caps")]
    pub caps: u32,
    /// Capabilities up to which its parent gives it more; `caps` if nothing is said.
    #[serde(default)]
    pub caps_max: Option<u32>,
    /// Size of its first thread's stack; a multiple of the page size.
    #[serde(default = "default_stack")]
    pub stack: Bytes,
    /// Which component serves its sessions of a service.
    #[serde(default)]
    pub routes: BTreeMap<String, String>,
    /// Devices that it may use.
    #[serde(default)]
    pub devices: Devices,
    /// How often its parent starts it again when it has faulted or panicked, exited with something else than 0, or was given
    /// up.
    #[serde(default)]
    pub restart: u32,
    /// The time within which it is started again at most so often; the whole run if nothing is said.
    #[serde(default)]
    pub restart_window: Option<Duration>,
    /// How long its parent waits before it starts it again; twice as long after each instance that was short-lived.
    #[serde(default = "default_restart_delay")]
    pub restart_delay: Duration,
    /// How long after its start its parent asks it to exit; never if nothing is said.
    #[serde(default)]
    pub stop_after: Option<Duration>,
    /// Siblings; its parent asks it to exit when all of them have ended.
    #[serde(default)]
    pub stop_with: Vec<String>,
    /// How long its parent waits for it to exit before it ends it.
    #[serde(default = "default_stop_grace")]
    pub stop_grace: Duration,
    /// It may count what core has.
    #[serde(default)]
    pub census: bool,
    /// What it alone finds under that name.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
}

/// Devices that a component may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Devices {
    /// Numbers of interrupts.
    #[serde(default)]
    pub irq: Vec<u32>,
    /// Physical addresses of pages with registers.
    #[serde(default)]
    pub io_mem: Vec<u32>,
    /// Whether it may know where its memory lies, to tell a device.
    #[serde(default)]
    pub dma: bool,
    /// Bytes of memory that outlives the system; none if nothing is said.
    #[serde(default)]
    pub persistent: Option<Bytes>,
}

/// The oracle of a scenario: a run passes when every line was printed, in this order, and every exit happened; it fails
/// as soon as a component faults, panics, exits otherwise, or has to be ended because it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Success {
    /// Components that must exit, with their exit code.
    #[serde(default)]
    pub exit: BTreeMap<String, i32>,
    /// Components that must be asked to exit, not do so in time, and be ended for it.
    #[serde(default)]
    pub overdue: Vec<String>,
    /// Console lines, whole and with the component's prefix, that must appear in this order (others may lie between).
    #[serde(default)]
    pub output: Vec<String>,
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
fn default_caps() -> u32 {
    200
}
fn default_restart_delay() -> Duration {
    Duration { micros: 10_000 }
}
fn default_stop_grace() -> Duration {
    Duration { micros: 100_000 }
}
fn default_stack() -> Bytes {
    Bytes(16 << 10)
}

impl Default for Component {
    /// What a component has of which the scenario says nothing.
    fn default() -> Self {
        Self {
            binary: None,
            nodes: Vec::new(),
            parent: None,
            priority: default_priority(),
            ram: default_ram(),
            ram_max: None,
            caps: default_caps(),
            caps_max: None,
            stack: default_stack(),
            routes: BTreeMap::new(),
            devices: Devices::default(),
            restart: 0,
            restart_window: None,
            restart_delay: default_restart_delay(),
            stop_after: None,
            stop_with: Vec::new(),
            stop_grace: default_stop_grace(),
            census: false,
            values: BTreeMap::new(),
        }
    }
}

impl Component {
    /// The program that this component runs.
    pub fn binary<'a>(&'a self, name: &'a str) -> &'a str {
        self.binary.as_deref().unwrap_or(name)
    }

    /// Memory that it may have at most, with what its parent gives it later.
    pub fn most_ram(&self) -> Bytes {
        self.ram.max(self.ram_max.unwrap_or(self.ram))
    }

    /// Name of the component that starts it.
    pub fn parent(&self) -> &str {
        self.parent.as_deref().unwrap_or(INIT)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) const HELLO: &str = r#"
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
}
