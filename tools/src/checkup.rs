//! Can the components of a scenario be checkpointed, and if not, what stands in the way?
//!
//! The scenario is run with every component that can stand under a checkpointing parent moved there; that parent looks at
//! each now and then, and takes no checkpoint. What can be said without a run is said from the scenario.

use std::{collections::BTreeMap, fmt};

use base::scenario::{Bytes, Component, Duration, Scenario, Success, Value};
use serde::Serialize;

use crate::{machine::control::Report, scenario::Loaded};

/// Program of the parent that looks.
const CHECKER: &str = "rtcr_monitor";
/// What the parent itself needs, besides what its children may use.
const OWN_RAM: u32 = 4 << 20;
/// Capabilities that it needs itself, and for each child.
const OWN_CAPS: (u32, u32) = (300, 100);
/// Highest priority of a component that can stand under it.
const HIGHEST: u8 = base::scenario::MAX_PRIORITY - 2;

/// Microseconds that the system may take until its last component runs.
const BOOT: u64 = 50_000;

/// Microseconds from a component's start to the first look, at most: some do not live long.
const FIRST: u32 = 300;

/// When components are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// How often.
    pub count: u32,
    /// Microseconds from one look to the next.
    pub every: u32,
}

/// Why a component is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has devices.
    Devices {
        /// Interrupts.
        irq: Vec<u32>,
        /// Physical addresses of registers.
        io_mem: Vec<u32>,
    },
    /// It has memory that outlives it.
    Persistent,
    /// It is the parent of others.
    Parent {
        /// Names of its children.
        children: Vec<String>,
    },
    /// It may count what core has, which is not its own.
    Census,
    /// It has so high a priority that no parent can stand above it.
    Priority(u8),
}

/// A scenario to be run, and what needs no run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is run; nothing if there is no component to look at.
    pub scenario: Option<Scenario>,
    /// The components that are looked at.
    pub looked_at: Vec<String>,
    /// Those that are not, and why.
    pub reasons: BTreeMap<String, Reason>,
}

/// Moves components under a parent that looks at them.
pub fn plan(scenario: &Scenario, looks: Looks) -> Plan {
    let (mut looked_at, mut reasons) = (Vec::new(), BTreeMap::new());
    for (name, component) in &scenario.components {
        let children = children(scenario, name);
        let devices = &component.devices;
        let reason = if !children.is_empty() {
            // Parents that look already are no subject themselves.
            match component.binary(name) == CHECKER {
                true => continue,
                false => Reason::Parent { children },
            }
        } else if !devices.irq.is_empty() || !devices.io_mem.is_empty() || devices.dma {
            Reason::Devices { irq: devices.irq.clone(), io_mem: devices.io_mem.clone() }
        } else if devices.persistent.is_some() {
            Reason::Persistent
        } else if component.census {
            Reason::Census
        } else if component.priority > HIGHEST {
            Reason::Priority(component.priority)
        } else {
            looked_at.push(name.clone());
            continue;
        };
        reasons.insert(name.clone(), reason);
    }
    let scenario = (!looked_at.is_empty()).then(|| moved(scenario, &looked_at, looks));
    Plan { scenario, looked_at, reasons }
}

/// Names of the components of that parent.
fn children(scenario: &Scenario, parent: &str) -> Vec<String> {
    let of = |(name, component): (&String, &Component)| (component.parent() == parent).then(|| name.clone());
    scenario.components.iter().filter_map(of).collect()
}

/// The same scenario with those components under one parent more, unless a checkpointing one is theirs already.
fn moved(scenario: &Scenario, subjects: &[String], looks: Looks) -> Scenario {
    let mut moved = scenario.clone();
    let stands = |name: &str| scenario.components.get(name).is_some_and(|parent| parent.binary(name) == CHECKER);
    let (mut ram, mut caps, mut priority, mut routes) = (OWN_RAM, OWN_CAPS.0, 1, BTreeMap::new());
    let checker = free_name(scenario);
    for name in subjects {
        let Some(component) = moved.components.get_mut(name) else { continue };
        if stands(component.parent()) {
            continue;
        }
        component.parent = Some(checker.clone());
        ram = ram.saturating_add(component.most_ram().0);
        caps += component.caps_max.unwrap_or(component.caps).max(component.caps) + OWN_CAPS.1;
        priority = priority.max(component.priority + 2);
        // What is served by one that stays where it is goes through the parent.
        let outside = component.routes.iter().filter(|(_, server)| !subjects.contains(server));
        routes.extend(outside.map(|(service, server)| (service.clone(), server.clone())));
        // Its parent starts it once and asks it nothing.
        (component.restart, component.stop_after, component.stop_with) = (0, None, Vec::new());
    }
    let values =
        [("checks", looks.count), ("checkpoint_after", looks.every.min(FIRST)), ("checkpoint_every", looks.every)];
    let values = || values.iter().map(|(key, number)| ((*key).to_owned(), Value::from(i64::from(*number))));
    for (name, component) in &mut moved.components {
        if component.binary(name) == CHECKER {
            component.values.extend(values());
        }
    }
    if moved.components.values().any(|component| component.parent() == checker) {
        let parent = Component {
            binary: Some(CHECKER.into()),
            ram: Bytes(ram.next_multiple_of(4096)),
            caps,
            priority,
            routes,
            values: values().collect(),
            ..Component::default()
        };
        moved.components.insert(checker, parent);
    }
    drop_empty_parents(scenario, &mut moved, subjects);
    // Whoever stays behind waits for none of those.
    moved.components.values_mut().for_each(|component| component.stop_with.retain(|name| !subjects.contains(name)));
    let micros = BOOT + u64::from(looks.every) * u64::from(looks.count + 1);
    moved.limit = moved.limit.min(Duration { micros });
    moved
}

/// Parents whose children have all been moved away have nothing to do, and may miss them.
fn drop_empty_parents(scenario: &Scenario, moved: &mut Scenario, subjects: &[String]) {
    let serves = |name: &String| scenario.components.values().any(|client| client.routes.values().any(|to| to == name));
    let is_empty = |name: &String, component: &Component| {
        component.binary(name) != CHECKER
            && !children(scenario, name).is_empty()
            && children(scenario, name).iter().all(|child| subjects.contains(child))
            && !serves(name)
    };
    let empty: Vec<String> =
        scenario.components.iter().filter(|(n, c)| is_empty(n, c)).map(|(n, _)| n.clone()).collect();
    moved.components.retain(|name, _| !empty.contains(name));
    let Success { exit, overdue, output } = &mut moved.success;
    exit.retain(|name, _| !empty.contains(name));
    overdue.retain(|name| !empty.contains(name));
    output.retain(|line| !empty.iter().any(|name| line.starts_with(&format!("[{name}] "))));
    if exit.is_empty() && overdue.is_empty() && output.is_empty() {
        // Something has to be expected; it is the looks that matter.
        exit.extend(subjects.first().map(|name| (name.clone(), 0)));
    }
}

/// A name that no component has.
fn free_name(scenario: &Scenario) -> String {
    let mut name = "check".to_owned();
    while scenario.components.contains_key(&name) {
        name.push('_');
    }
    name
}

/// What was found about a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It cannot be checkpointed, whatever it does.
    Never(Reason),
    /// It was looked at.
    Looked {
        /// How often it could have been checkpointed.
        ready: u32,
        /// How often it could not, by what stood in the way.
        obstacles: BTreeMap<String, u32>,
        /// What it has asked for and was refused, as its parent told last.
        refused: Option<String>,
        /// How it ended, if it did.
        ended: Option<String>,
    },
}

/// What was found, by component.
#[derive(Clone, Debug, Serialize)]
pub struct Checkup {
    /// Name of the scenario.
    pub scenario: String,
    /// The findings, by component.
    pub components: BTreeMap<String, Finding>,
}

impl Checkup {
    /// What follows from the scenario and from what was reported when it ran.
    pub fn new(loaded: &Loaded, plan: &Plan, reports: &[Report]) -> Self {
        let never = plan.reasons.iter().map(|(name, reason)| (name.clone(), Finding::Never(reason.clone())));
        let looked = plan.looked_at.iter().map(|name| (name.clone(), looked(name, reports)));
        Self { scenario: loaded.name.clone(), components: never.chain(looked).collect() }
    }

    /// Whether every component can be checkpointed at some instant, without anything that it was refused.
    pub fn is_good(&self) -> bool {
        self.components.values().all(Finding::is_good)
    }
}

fn looked(component: &str, reports: &[Report]) -> Finding {
    let (mut ready, mut counted, mut refusals, mut end) = (0, BTreeMap::new(), None, None);
    for report in reports {
        match report {
            Report::Checked { component: of, obstacles, refused } if of == component => {
                match obstacles.as_str() {
                    "" => ready += 1,
                    obstacles => *counted.entry(obstacles.to_owned()).or_insert(0) += 1,
                }
                refusals = Some(refused.clone()).filter(|refused| !refused.is_empty());
            }
            Report::Exit { component: of, code } if of == component => end = Some(format!("exited with {code}")),
            Report::Panic { component: of, .. } if of == component => end = Some("panicked".into()),
            Report::Fault { component: of, .. } if of == component => end = Some("faulted".into()),
            _ => {}
        }
    }
    Finding::Looked { ready, obstacles: counted, refused: refusals, ended: end }
}

impl Finding {
    fn is_good(&self) -> bool {
        matches!(self, Self::Looked { ready: 1.., refused: None, .. })
    }
}

impl fmt::Display for Checkup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.components.keys().map(String::len).max().unwrap_or(0);
        for (number, (name, finding)) in self.components.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{name:width$}  {}", Indented(finding, width + 2))?;
        }
        Ok(())
    }
}

/// A finding whose further lines begin that far to the right.
struct Indented<'a>(&'a Finding, usize);

impl fmt::Display for Indented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(finding, indent) = *self;
        let (ready, obstacles, refused, ended) = match finding {
            Finding::Never(reason) => return write!(f, "cannot be checkpointed: {reason}"),
            Finding::Looked { ready, obstacles, refused, ended } => (*ready, obstacles, refused, ended),
        };
        let looks = ready + obstacles.values().sum::<u32>();
        match (ready, looks) {
            (_, 0) => write!(f, "was not there when it was to be looked at")?,
            (0, _) => write!(f, "cannot be checkpointed, at none of {looks} instants")?,
            (ready, looks) if ready == looks => write!(f, "can be checkpointed, at all of {looks} instants")?,
            _ => write!(f, "can be checkpointed at {ready} of {looks} instants")?,
        }
        for (obstacle, times) in obstacles {
            write!(f, "\n{:indent$}in the way, {times} times: {obstacle}", "")?;
        }
        if let Some(refused) = refused {
            write!(f, "\n{:indent$}not supported, and refused: {refused}", "")?;
        }
        if let Some(ended) = ended {
            write!(f, "\n{:indent$}it {ended}", "")?;
        }
        Ok(())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Devices { irq, io_mem } => {
                let irq = irq.iter().map(|number| format!("interrupt {number}"));
                let registers = io_mem.iter().map(|address| format!("registers at {address:#010x}"));
                let all: Vec<_> = irq.chain(registers).collect();
                write!(f, "it drives a device ({}), whose state is no memory that could be copied", all.join(", "))
            }
            Self::Persistent => write!(f, "it has persistent memory, which no restore brings back to what it was"),
            Self::Parent { children } => {
                write!(
                    f,
                    "it has children ({}), and protection domains of its own are not supported",
                    children.join(", ")
                )
            }
            Self::Census => write!(f, "it may count what core has (`census`), which is nobody's state"),
            Self::Priority(priority) => {
                write!(f, "no parent can stand above its priority {priority}; give it {HIGHEST} at most")
            }
        }
    }
}

#[cfg(test)]
mod tests;
