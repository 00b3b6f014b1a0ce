//! The policy that a scenario writes down, and its children started: what `init` and other parents are made of.

use alloc::{boxed::Box, collections::BTreeMap, format, string::String};
use core::fmt;

use super::{ChildError, ChildPolicy, Family, Life, Program, Restarts, Route, Settings, Standing, Way};
use crate::{
    Env,
    env::slots,
    executable::{self, Layout},
    memory::{Module, ModuleError},
    rpc::Interface,
    scenario::{Component, INIT, Invalid, MODULE, Scenario},
    session::{
        parent::{Event, Name, Value},
        report,
    },
};

/// Services of core's that every component may have.
const COMMON: [&str; 4] = ["echo", "log", "rom", "timer"];

/// A parent as its scenario wants it.
///
/// A child asks for services by its `routes`; for devices of core's by its `devices`; for values by its own table and the
/// scenario's; for more than it has up to `ram_max` and `caps_max`. What becomes of children is told to core by the first
/// component of the system, and by others to their parents, so that the judge of a run hears of all of them.
pub struct ByScenario {
    env: Env,
    /// What this component is called.
    own: Name,
    scenario: Scenario,
    /// What children have got besides what they started with.
    given: BTreeMap<Name, (u32, u32)>,
    /// How children were started again.
    again: BTreeMap<Name, Restarts>,
}

/// Why there is no scenario.
#[derive(Debug)]
pub enum NoScenario {
    /// It is not there.
    Module(ModuleError),
    /// It cannot be read: it was written by another version of the tool.
    Unreadable,
    /// It breaks a rule.
    Invalid(Invalid),
}

impl fmt::Display for NoScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(error) => write!(f, "the scenario cannot be had: {error:?}"),
            Self::Unreadable => write!(f, "the scenario cannot be read; tool and system are of different versions"),
            Self::Invalid(invalid) => write!(f, "the scenario is wrong: {invalid}"),
        }
    }
}

impl core::error::Error for NoScenario {}

/// Why a child does not run.
#[derive(Debug)]
pub enum NoStart {
    /// Its program is not there.
    Module(ModuleError),
    /// Its program is no executable.
    Executable(executable::Error),
    /// It was not made.
    Child(ChildError),
    /// Its parent has not what it takes to stand between; for people.
    Between(&'static str),
}

impl fmt::Display for NoStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(error) => write!(f, "its program cannot be had: {error:?}"),
            Self::Executable(error) => write!(f, "its program is {error}"),
            Self::Child(error) => error.fmt(f),
            Self::Between(what) => write!(f, "its parent has no {what} for it"),
        }
    }
}

impl core::error::Error for NoStart {}

impl ByScenario {
    /// The policy of this component, by the name that its own parent has for it.
    ///
    /// # Errors
    /// There is no scenario.
    pub fn load(env: Env) -> Result<Self, NoScenario> {
        let module = env.rom_module(MODULE).map_err(NoScenario::Module)?;
        let scenario: Scenario = postcard::from_bytes(module.bytes()).map_err(|_| NoScenario::Unreadable)?;
        scenario.check().map_err(NoScenario::Invalid)?;
        Ok(Self { env, own: env.name(), scenario, given: BTreeMap::new(), again: BTreeMap::new() })
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What this component is called.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// Whether this is the first component of the system.
    pub fn is_first(&self) -> bool {
        self.own == INIT
    }

    /// A child has that quota by now, since another instance of it has taken its place.
    pub fn has(&mut self, child: &str, ram: u32, caps: u32) {
        let Some(component) = self.scenario.components.get(child) else { return };
        if let Ok(name) = Name::try_from(child) {
            self.given.insert(name, (ram.saturating_sub(component.ram.0), caps.saturating_sub(component.caps)));
        }
    }

    /// The first component's way to tell core.
    fn report(&self) -> report::Client {
        report::Client::new(self.env.platform(), slots::REPORT)
    }

    /// The run cannot go on.
    pub fn failed(env: Env, reason: &dyn fmt::Display) -> ! {
        log::error!("{reason}");
        if env.name() == INIT {
            // If core does not hear it, it hears the exit.
            let _ = report::Client::new(env.platform(), slots::REPORT).failed(&format!("{INIT}: {reason}"));
        }
        env.exit(1)
    }
}

impl ChildPolicy for ByScenario {
    fn route(&self, child: &str, service: &str) -> Route {
        let to = self.scenario.components.get(child).and_then(|component| component.routes.get(service));
        match to {
            Some(to) if self.scenario.components.get(to).is_some_and(|server| server.parent() == self.own()) => {
                Route::Sibling(to.clone())
            }
            Some(_) => Route::Upward,
            None => Route::Core,
        }
    }

    fn may_connect(&self, child: &str, service: &str, label: &str) -> bool {
        let Some(component) = self.scenario.components.get(child) else { return false };
        match service {
            // What it prints is shown under the label.
            "log" => label == child || self.scenario.is_below(label, child),
            "irq" => label.parse().is_ok_and(|irq: u32| component.devices.irq.contains(&irq)),
            "io_mem" => {
                let address = u32::from_str_radix(label.trim_start_matches("0x"), 16);
                address.is_ok_and(|address| component.devices.io_mem.contains(&address))
            }
            "dma" => component.devices.dma,
            "persistent" => {
                let size = u32::from_str_radix(label.trim_start_matches("0x"), 16);
                size.is_ok_and(|size| component.devices.persistent.is_some_and(|own| own.0 == size))
            }
            "census" => component.census,
            service => COMMON.contains(&service),
        }
    }

    fn value(&self, child: &str, key: &str) -> Option<Value> {
        Value::try_from(self.scenario.value(child, key)?.text()).ok()
    }

    fn grants(&self, child: &str, ram: u32, caps: u32) -> bool {
        let Some(component) = self.scenario.components.get(child) else { return false };
        let given = Name::try_from(child).ok().and_then(|name| self.given.get(&name).copied()).unwrap_or_default();
        let within = |start: u32, given: u32, more: u32, most: Option<u32>| {
            let wanted = start.checked_add(given).and_then(|sum| sum.checked_add(more));
            more == 0 || wanted.is_some_and(|wanted| wanted <= most.unwrap_or(start))
        };
        within(component.ram.0, given.0, ram, component.ram_max.map(|most| most.0))
            && within(component.caps, given.1, caps, component.caps_max)
    }

    fn granted(&mut self, child: &str, ram: u32, caps: u32) {
        if let Ok(name) = Name::try_from(child) {
            let given = self.given.entry(name).or_default();
            *given = (given.0.saturating_add(ram), given.1.saturating_add(caps));
        }
    }

    fn again(&mut self, child: &str, event: &Event, life: Life) -> Option<u64> {
        let component = self.scenario.components.get(child).filter(|component| component.restart > 0)?;
        let name = Name::try_from(child).ok().filter(|_| *event != Event::Exited(0))?;
        // It begins with what it began with.
        self.given.remove(&name);
        let delay = self.again.entry(name).or_default().delay(component, life);
        if delay.is_none() {
            let Component { restart, restart_window, .. } = component;
            let window = restart_window.map(|window| format!(" within {window}")).unwrap_or_default();
            let times = if *restart == 1 { "once".into() } else { format!("{restart} times") };
            log::warn!("{child} was started again {times}{window}, and is given up.");
        }
        delay
    }

    fn grace(&self, child: &str) -> u64 {
        self.scenario.components.get(child).map_or(0, |component| component.stop_grace.nanoseconds())
    }

    fn stop_after(&self, child: &str) -> Option<u64> {
        Some(self.scenario.components.get(child)?.stop_after?.nanoseconds())
    }

    fn stop_with(&self, child: &str) -> &[String] {
        self.scenario.components.get(child).map_or(&[], |component| &component.stop_with)
    }

    fn is_below(&self, component: &str, child: &str) -> bool {
        self.scenario.is_below(component, child)
    }

    fn event(&mut self, component: &str, event: Event) {
        // Nobody else could be told that nobody hears it.
        let _ = match self.is_first() {
            true => self.report().event(component, event).is_ok(),
            false => self.env.parent().report(component, event).is_ok(),
        };
    }

    fn all_ended(&mut self) {
        match self.is_first() {
            // As in `event`.
            true => _ = self.report().ended(),
            false => self.env.exit(0),
        }
    }
}

/// Starts all children that a scenario gives this component, in the order of their names. Those that do not start are
/// told as failed, and the others go on.
///
/// `stand` says where the parent stands: who serves a child's sessions, and where its numbers are.
pub fn start_all<S, W>(env: Env, family: &mut Family<ByScenario>, mut stand: S)
where
    S: FnMut(&Settings<'_>, &Component) -> Result<(Standing, W), NoStart>,
    W: Fn(&Interface) -> Way + Send + 'static,
{
    let policy = family.policy();
    let (scenario, own) = (policy.scenario.clone(), policy.own.clone());
    let mut modules = BTreeMap::<&str, &'static Module>::new();
    for (name, component) in scenario.children(&own) {
        let settings = Settings {
            name,
            number: family.next(),
            ram: component.ram.0,
            caps: component.caps,
            slots: scenario.slots(name),
            priority: component.priority,
            stack: component.stack.0,
        };
        let started = stand(&settings, component).and_then(|(standing, way)| {
            let program = (component.binary(name), component.restart > 0);
            start(env, family, &mut modules, program, &settings, standing, way)
        });
        if let Err(error) = started {
            family.failed(name, &error);
        }
    }
}

fn start<'s>(
    env: Env,
    family: &mut Family<ByScenario>,
    modules: &mut BTreeMap<&'s str, &'static Module>,
    (binary, lasts): (&'s str, bool),
    settings: &Settings<'_>,
    standing: Standing,
    way: impl Fn(&Interface) -> Way + Send + 'static,
) -> Result<(), NoStart> {
    if !modules.contains_key(binary) {
        // The files stay open: children have segments of them attached.
        modules.insert(binary, Box::leak(Box::new(env.rom_module(binary).map_err(NoStart::Module)?)));
    }
    let module = modules[binary];
    let file = module.bytes();
    let layout = Layout::new(file, file.len() as u32, env.platform().elf_machine()).map_err(NoStart::Executable)?;
    let dataspace = module.dataspace().slot();
    if lasts {
        // For as long as this component runs, as what they describe.
        let (layout, name) = (Box::leak(Box::new(layout)), String::from(settings.name).leak());
        let settings = Settings { name, ..*settings };
        return family.start_lasting(&settings, Program { dataspace, layout }, standing, way).map_err(NoStart::Child);
    }
    let program = Program { dataspace, layout: &layout };
    family.start(settings, program, standing, way).map_err(NoStart::Child)
}
