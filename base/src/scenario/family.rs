//! What must be right between components: who is whose parent, what each has to give, who serves whom.
//!
//! A parent divides what it has: quotas of children come out of the parent's, so the sum of the components right below the
//! first one is what the system has to give, and everything else follows.

use alloc::{collections::BTreeSet, string::String};
use core::fmt;

use super::{Bytes, Component, Duration, INIT, MAX_LIMIT, Scenario, check::is_name};
use crate::{
    env::slots,
    session::pd::{FrameSize, PAGE},
};

/// Most components on the way from one to the first component of the system, itself included.
pub const MAX_DEPTH: usize = 8;
/// Fewest capabilities with which a component can start.
pub const MIN_CAPS: u32 = 32;
/// Most capabilities of a component.
pub const MAX_CAPS: u32 = 8192;
/// Most slots of a component.
pub const MAX_SLOTS: u32 = 1 << 14;
/// Most routes of a component.
pub const MAX_ROUTES: usize = 16;
/// Most devices of one kind of a component.
pub const MAX_DEVICES: usize = 16;
/// Numbers of a parent that its children's windows leave free for what it makes besides, for each child.
const BESIDES: u32 = 32;
/// Most bytes of persistent memory: the upper half of the board's RAM.
pub const MAX_PERSISTENT: u32 = 512 << 20;
/// First number that is no interrupt of the board's.
const MAX_IRQ: u32 = 1020;

/// What can be wrong between components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disorder {
    /// Its parent is not there.
    NoParent(String),
    /// It is above itself.
    Cycle,
    /// More than [`MAX_DEPTH`] levels.
    Depth,
    /// Its parent's priority is not above its own.
    Priority {
        /// Its parent.
        parent: String,
        /// Its parent's priority.
        above: u8,
        /// Its own.
        own: u8,
    },
    /// Its children may use more memory than itself.
    Ram {
        /// Its own quota.
        own: Bytes,
        /// What its children have in all.
        children: u64,
    },
    /// Its children may have more capabilities than itself.
    Caps {
        /// Its own quota.
        own: u32,
        /// What its children have in all.
        children: u64,
    },
    /// Fewer capabilities than [`MIN_CAPS`] or more than [`MAX_CAPS`].
    CapsRange(u32),
    /// It would need more than [`MAX_SLOTS`] slots.
    Slots(u64),
    /// Too many routes or devices.
    TooMuch,
    /// The name of a service that is no name.
    Service(String),
    /// A route to a component that is not there, or to itself.
    Route {
        /// Of this service.
        service: String,
        /// To this component.
        to: String,
    },
    /// A route to somebody whom its parent cannot reach.
    Far {
        /// Of this service.
        service: String,
        /// To this component.
        to: String,
        /// Its parent.
        parent: String,
    },
    /// Devices of a component that the first one does not start.
    Devices,
    /// The census for a component that the first one does not start.
    Census,
    /// It is to stop with a component that is not its sibling, or with itself.
    StopWith(String),
    /// A span of time that is not between a microsecond and the longest limit of a run.
    Span(&'static str, Duration),
    /// No interrupt.
    Irq(u32),
    /// No page of registers.
    IoMem(u32),
    /// Not whole MiB of persistent memory, or more than there are.
    Persistent(Bytes),
    /// Persistent memory that another component has.
    PersistentTwice(String),
}

impl Scenario {
    /// The components that this one starts, by name.
    pub fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = (&'a str, &'a Component)> {
        let of_parent = move |(name, component): (&'a String, &'a Component)| {
            (component.parent() == parent).then_some((name.as_str(), component))
        };
        self.components.iter().filter_map(of_parent)
    }

    /// Whether `below` is a descendant of `above`.
    pub fn is_below(&self, below: &str, above: &str) -> bool {
        let mut component = self.components.get(below);
        // A scenario that was not checked may have cycles.
        for _ in 0..MAX_DEPTH {
            match component.map(Component::parent) {
                Some(parent) if parent == above => return true,
                Some(parent) => component = self.components.get(parent),
                None => return false,
            }
        }
        false
    }

    /// Slots that a component's table needs: for what every component has, for its capabilities, and for a window for each
    /// child, whose numbers are numbers of its own should it stand between. To be asked for checked scenarios only.
    pub fn slots(&self, name: &str) -> u32 {
        u32::try_from(self.needed_slots(name, 0)).unwrap_or(u32::MAX)
    }

    fn needed_slots(&self, name: &str, depth: usize) -> u64 {
        let caps = self.components.get(name).map_or(0, |component| u64::from(component.caps));
        let children = self.children(name).filter(|_| depth < MAX_DEPTH);
        let windows = children.map(|(child, _)| self.needed_slots(child, depth + 1) + u64::from(BESIDES));
        u64::from(slots::FIRST_FREE.0) + caps + windows.sum::<u64>()
    }

    /// The value that a component finds under a name.
    pub fn value(&self, component: &str, key: &str) -> Option<&super::Value> {
        let own = self.components.get(component).and_then(|component| component.values.get(key));
        own.or_else(|| self.values.get(key))
    }

    /// Checks what must be right between components; names the first one with which something is wrong.
    pub(super) fn check_family(&self) -> Result<(), (String, Disorder)> {
        self.components.iter().try_for_each(|(name, component)| {
            self.check_place(name, component)
                .and_then(|()| self.check_quota(name, component))
                .and_then(|()| self.check_routes(component, name))
                .and_then(|()| self.check_end(component, name))
                .map_err(|disorder| (name.clone(), disorder))
        })
    }

    fn check_place(&self, name: &str, component: &Component) -> Result<(), Disorder> {
        let mut seen = BTreeSet::from([name]);
        let mut parent = component.parent();
        while parent != INIT {
            let above = self.components.get(parent).ok_or_else(|| Disorder::NoParent(parent.into()))?;
            if parent == name {
                return Err(Disorder::Cycle);
            }
            // A cycle further up is told of those who are in it.
            if !seen.insert(parent) {
                break;
            }
            if seen.len() > MAX_DEPTH {
                return Err(Disorder::Depth);
            }
            parent = above.parent();
        }
        match self.components.get(component.parent()) {
            Some(above) if above.priority <= component.priority => Err(Disorder::Priority {
                parent: component.parent().into(),
                above: above.priority,
                own: component.priority,
            }),
            _ => Ok(()),
        }
    }

    fn check_quota(&self, name: &str, component: &Component) -> Result<(), Disorder> {
        if !(MIN_CAPS..=MAX_CAPS).contains(&component.caps) {
            return Err(Disorder::CapsRange(component.caps));
        }
        let ram = self.children(name).map(|(_, child)| u64::from(child.ram.0)).sum();
        if ram > component.ram.0.into() {
            return Err(Disorder::Ram { own: component.ram, children: ram });
        }
        let caps = self.children(name).map(|(_, child)| u64::from(child.caps)).sum();
        if caps > component.caps.into() {
            return Err(Disorder::Caps { own: component.caps, children: caps });
        }
        match self.needed_slots(name, 0) {
            slots if slots > MAX_SLOTS.into() => Err(Disorder::Slots(slots)),
            _ => Ok(()),
        }
    }

    fn check_routes(&self, component: &Component, name: &str) -> Result<(), Disorder> {
        let Component { routes, devices, .. } = component;
        if routes.len() > MAX_ROUTES || devices.irq.len() > MAX_DEVICES || devices.io_mem.len() > MAX_DEVICES {
            return Err(Disorder::TooMuch);
        }
        for (service, to) in routes {
            if !is_name(service) {
                return Err(Disorder::Service(service.clone()));
            }
            let Some(server) = self.components.get(to).filter(|_| to != name) else {
                return Err(Disorder::Route { service: service.clone(), to: to.clone() });
            };
            let parent = component.parent();
            let above = self.components.get(parent).and_then(|parent| parent.routes.get(service));
            if server.parent() != parent && above != Some(to) {
                return Err(Disorder::Far { service: service.clone(), to: to.clone(), parent: parent.into() });
            }
        }
        if component.parent() != INIT && *devices != super::Devices::default() {
            return Err(Disorder::Devices);
        }
        if component.parent() != INIT && component.census {
            return Err(Disorder::Census);
        }
        if let Some(&irq) = devices.irq.iter().find(|&&irq| irq >= MAX_IRQ) {
            return Err(Disorder::Irq(irq));
        }
        if let Some(&address) = devices.io_mem.iter().find(|address| !address.is_multiple_of(PAGE)) {
            return Err(Disorder::IoMem(address));
        }
        let Some(size) = devices.persistent else { return Ok(()) };
        if size.0 == 0 || size.0 > MAX_PERSISTENT || !size.0.is_multiple_of(FrameSize::Section.bytes()) {
            return Err(Disorder::Persistent(size));
        }
        // It is where it was in the run before, so there is one.
        match self.components.iter().find(|(other, it)| *other != name && it.devices.persistent.is_some()) {
            Some((other, _)) => Err(Disorder::PersistentTwice(other.clone())),
            None => Ok(()),
        }
    }
}

impl Scenario {
    /// How it is started again, and made to end.
    fn check_end(&self, component: &Component, name: &str) -> Result<(), Disorder> {
        let Component { restart_window, restart_delay, stop_after, stop_with, stop_grace, .. } = component;
        if stop_with.len() > MAX_ROUTES {
            return Err(Disorder::TooMuch);
        }
        let is_sibling =
            |other: &str| other != name && self.components.get(other).is_some_and(|c| c.parent() == component.parent());
        if let Some(other) = stop_with.iter().find(|other| !is_sibling(other)) {
            return Err(Disorder::StopWith(other.clone()));
        }
        // Only waiting before a restart can be left out.
        let spans = [
            ("restart_window", restart_window.as_ref(), 1),
            ("restart_delay", Some(restart_delay), 0),
            ("stop_after", stop_after.as_ref(), 1),
            ("stop_grace", Some(stop_grace), 1),
        ];
        for (key, span, least) in spans {
            if let Some(&span) = span
                && !(least..=MAX_LIMIT.micros).contains(&span.micros)
            {
                return Err(Disorder::Span(key, span));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Disorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoParent(parent) => {
                write!(
                    f,
                    "has the parent `{parent}`, but there is no [component.{parent}]; leave `parent` out for `{INIT}`"
                )
            }
            Self::Cycle => write!(f, "is an ancestor of itself; its line of parents must lead to `{INIT}`"),
            Self::Depth => write!(f, "has more than {MAX_DEPTH} levels of parents above it"),
            Self::Priority { parent, above, own } => {
                write!(
                    f,
                    "has priority {own}, but its parent `{parent}` has {above}; a parent's is higher than its children's"
                )
            }
            Self::Ram { own, children } => {
                write!(f, "may use {own} bytes of RAM, but its children {children} in all; theirs come out of its own")
            }
            Self::Caps { own, children } => {
                write!(f, "may have {own} capabilities, but its children {children} in all; theirs come out of its own")
            }
            Self::CapsRange(caps) => write!(f, "may have {caps} capabilities; use {MIN_CAPS} to {MAX_CAPS}"),
            Self::Slots(slots) => write!(
                f,
                "needs {slots} slots, for its capabilities and for those of its children; there can be {MAX_SLOTS}. Lower \
                 `caps`, its own or theirs"
            ),
            Self::TooMuch => {
                write!(f, "has more than {MAX_ROUTES} routes, or more than {MAX_DEVICES} devices of a kind")
            }
            Self::Service(service) => write!(f, "has a route of `{service}`, which is no name of a service"),
            Self::Route { service, to } => {
                write!(f, "has a route of `{service}` to `{to}`, which is no other component of this scenario")
            }
            Self::Far { service, to, parent } => write!(
                f,
                "has a route of `{service}` to `{to}`, which is not its sibling; a parent in between passes requests on: \
                 give `{parent}` this route too"
            ),
            Self::Devices => write!(f, "has devices, but a parent; only children of `{INIT}` can have them"),
            Self::Census => write!(f, "may have the census, but has a parent; only children of `{INIT}` can have it"),
            Self::StopWith(other) => write!(f, "is to stop with `{other}`, which is no sibling of it"),
            Self::Span(key, span) => {
                write!(f, "has a `{key}` of {span}; use 0.000001 s to {MAX_LIMIT}, or 0 for no `restart_delay`")
            }
            Self::Irq(irq) => write!(f, "may use interrupt {irq}, which does not exist"),
            Self::IoMem(address) => write!(f, "may use registers at {address:#x}, which is no page boundary"),
            Self::Persistent(size) => {
                write!(f, "may use {size} of persistent memory, which is not whole MiB up to 512M")
            }
            Self::PersistentTwice(other) => write!(f, "may use persistent memory, as `{other}` may"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Invalid, *};
    use alloc::{format, string::ToString, vec::Vec};

    const TREE: &str = r#"
        about = "a tree"
        [values]
        rounds = 10
        greeting = "hi"
        [component.server]
        devices = { irq = [88], io_mem = [0x020d0000] }
        [component.monitor]
        priority = 150
        ram = "8M"
        caps = 1000
        routes = { echo = "server" }
        [component.nested]
        binary = "init"
        parent = "monitor"
        priority = 120
        ram = "4M"
        caps = 500
        routes = { echo = "server" }
        [component.worker]
        parent = "nested"
        routes = { echo = "server" }
        values = { rounds = 3 }
        [success]
        exit = { worker = 0 }
    "#;

    fn tree() -> Scenario {
        toml::from_str(TREE).unwrap()
    }

    fn broken(name: &str, change: impl Fn(&mut Component)) -> Disorder {
        let mut scenario = tree();
        change(scenario.components.get_mut(name).unwrap());
        match scenario.check().unwrap_err() {
            Invalid::Disorder(_, disorder) => disorder,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_tree_is_right_and_known() {
        let tree = tree();
        assert_eq!(tree.check(), Ok(()));
        let names = |parent| tree.children(parent).map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(
            (names(INIT), names("monitor"), names("worker")),
            (["monitor", "server"].into(), ["nested"].into(), [].into())
        );
        assert!(
            tree.is_below("worker", "monitor") && tree.is_below("worker", INIT) && !tree.is_below("server", "monitor")
        );
        assert!(!tree.is_below("nobody", INIT) && !tree.is_below("monitor", "monitor"));
        assert_eq!(tree.slots("worker"), 216);
        assert_eq!(tree.slots("nested"), 516 + 216 + 32);
        assert_eq!(tree.slots("monitor"), 1016 + 764 + 32);
        let bytes = postcard::to_allocvec(&tree).unwrap();
        assert_eq!(postcard::from_bytes::<Scenario>(&bytes).unwrap(), tree);
    }

    #[test]
    fn a_component_finds_its_own_value_first() {
        let tree = tree();
        let value = |component, key| tree.value(component, key).map(|value| value.text());
        assert_eq!((value("worker", "rounds"), value("server", "rounds")), (Some("3"), Some("10")));
        assert_eq!((value("worker", "greeting"), value("worker", "nothing")), (Some("hi"), None));
        assert_eq!(tree.values["greeting"].number(), None);
    }

    #[test]
    fn parents_must_be_there_and_above() {
        assert_eq!(broken("worker", |c| c.parent = Some("x".into())), Disorder::NoParent("x".into()));
        assert_eq!(broken("monitor", |c| c.parent = Some("nested".into())), Disorder::Cycle);
        assert_eq!(broken("monitor", |c| c.parent = Some("monitor".into())), Disorder::Cycle);
        let disorder = broken("worker", |c| c.priority = 120);
        assert_eq!(disorder, Disorder::Priority { parent: "nested".into(), above: 120, own: 120 });
        let mut deep = tree();
        let server = deep.components["server"].clone();
        for level in 0..MAX_DEPTH as u8 + 1 {
            let parent = level.checked_sub(1).map(|above| format!("level{above}"));
            let component = Component {
                parent,
                priority: 200 - level,
                ram: Bytes(0),
                caps: 32,
                devices: Default::default(),
                ..server.clone()
            };
            deep.components.insert(format!("level{level}"), component);
        }
        for level in 0..MAX_DEPTH as u32 + 1 {
            deep.components.get_mut(&format!("level{level}")).unwrap().caps = 32 * (10 - level);
        }
        assert_eq!(deep.check(), Err(Invalid::Disorder("level8".into(), Disorder::Depth)));
        deep.components.remove("level8");
        assert_eq!(deep.check(), Ok(()));
    }

    #[test]
    fn quotas_of_children_come_out_of_their_parents() {
        let disorder = broken("monitor", |c| c.ram = Bytes(3 << 20));
        assert_eq!(disorder, Disorder::Ram { own: Bytes(3 << 20), children: 4 << 20 });
        assert!(disorder.to_string().starts_with("may use 3M bytes of RAM, but its children 4194304 in all"));
        assert_eq!(broken("monitor", |c| c.caps = 499), Disorder::Caps { own: 499, children: 500 });
        assert_eq!(broken("server", |c| c.caps = 31), Disorder::CapsRange(31));
        assert_eq!(broken("server", |c| c.caps = 8193), Disorder::CapsRange(8193));
        let mut scenario = tree();
        scenario.components.get_mut("monitor").unwrap().caps = 8192;
        scenario.components.get_mut("nested").unwrap().caps = 8192;
        assert!(matches!(scenario.check(), Err(Invalid::Disorder(_, Disorder::Slots(_)))));
    }

    #[test]
    fn routes_lead_to_siblings_or_through_parents() {
        let route = |to: &str| [("echo".into(), to.into())].into();
        let to = |to: &str| Disorder::Route { service: "echo".into(), to: to.into() };
        assert_eq!(broken("worker", |c| c.routes = route("nobody")), to("nobody"));
        assert_eq!(broken("worker", |c| c.routes = route("worker")), to("worker"));
        let disorder = broken("nested", |c| c.routes.clear());
        assert_eq!(
            disorder.to_string().split("; ").next().unwrap(),
            "has a route of `echo` to `server`, which is not its sibling"
        );
        let odd = |c: &mut Component| c.routes = [("A b".into(), "server".into())].into();
        assert_eq!(broken("worker", odd), Disorder::Service("A b".into()));
        let many = |c: &mut Component| c.routes = (0..17).map(|n| (format!("s{n}"), "server".into())).collect();
        assert_eq!(broken("monitor", many), Disorder::TooMuch);
        assert_eq!(broken("server", |c| c.devices.irq = [2000].into()), Disorder::Irq(2000));
        assert_eq!(broken("worker", |c| c.devices.irq = [88].into()), Disorder::Devices);
        assert_eq!(broken("server", |c| c.devices.io_mem = [0x1004].into()), Disorder::IoMem(0x1004));
        for size in [0, 4096, 513 << 20] {
            let size = Bytes(size);
            assert_eq!(broken("server", |c| c.devices.persistent = Some(size)), Disorder::Persistent(size));
        }
        assert_eq!(broken("worker", |c| c.census = true), Disorder::Census);
    }

    #[test]
    fn components_stop_with_siblings_and_after_some_time() {
        let mut scenario = tree();
        scenario.components.get_mut("server").unwrap().stop_with = ["monitor".into()].into();
        scenario.components.get_mut("server").unwrap().restart_delay = Duration { micros: 0 };
        assert_eq!(scenario.check(), Ok(()));
        for other in ["server", "worker", "nobody"] {
            let disorder = broken("server", |c| c.stop_with = [other.into()].into());
            assert_eq!(disorder, Disorder::StopWith(other.into()));
        }
        let none = Duration { micros: 0 };
        assert_eq!(broken("server", |c| c.stop_after = Some(none)), Disorder::Span("stop_after", none));
        assert_eq!(broken("server", |c| c.restart_window = Some(none)), Disorder::Span("restart_window", none));
        assert_eq!(broken("server", |c| c.stop_grace = none), Disorder::Span("stop_grace", none));
        let long = Duration { micros: MAX_LIMIT.micros + 1 };
        assert_eq!(broken("server", |c| c.restart_delay = long), Disorder::Span("restart_delay", long));
        let many = |c: &mut Component| c.stop_with = (0..17).map(|_| "monitor".into()).collect();
        assert_eq!(broken("server", many), Disorder::TooMuch);
    }
}
