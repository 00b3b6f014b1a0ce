//! What the scenario's values say.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, ops::RangeInclusive, str::FromStr};

use base::session::{link::Address, parent::Value};

use crate::{
    cable::{Cable, Conditions, Cut, MICROSECOND},
    network::{Network, Port},
};

/// Most ports.
pub const MAX_PORTS: usize = 16;
/// Most `cable_N`, and most `cut_N`.
const MAX_RULES: usize = 16;
const MILLION: u64 = 1_000_000;
/// Ten minutes in microseconds: longer than any run.
const LONGEST: u64 = 600 * MILLION;

/// Ports, and what is between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    ports: Vec<(String, Address)>,
    seed: u64,
    /// Of all cables, before rules change them.
    conditions: Conditions,
    /// In the order of their numbers; later ones win.
    rules: Vec<(Ways, Vec<(Key, u64)>)>,
    cuts: Vec<(Ways, Cut)>,
}

/// Cables that a rule is about; none stands for any port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ways {
    from: Option<Port>,
    to: Option<Port>,
    both: bool,
}

impl Ways {
    fn contain(&self, from: Port, to: Port) -> bool {
        let is = |wanted: Option<Port>, port| wanted.is_none_or(|wanted| wanted == port);
        is(self.from, from) && is(self.to, to) || self.both && is(self.from, to) && is(self.to, from)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Speed,
    Delay,
    Loss,
    Duplication,
    Reordering,
    HeldUp,
    Corruption,
}

impl Key {
    const ALL: [(Self, &str, RangeInclusive<u64>); 7] = [
        (Self::Speed, "speed", 1000..=1_000_000_000_000),
        (Self::Delay, "delay", 0..=LONGEST),
        (Self::Loss, "loss", 0..=MILLION),
        (Self::Duplication, "duplication", 0..=MILLION),
        (Self::Reordering, "reordering", 0..=MILLION),
        (Self::HeldUp, "held_up", 0..=LONGEST),
        (Self::Corruption, "corruption", 0..=MILLION),
    ];

    fn set(self, conditions: &mut Conditions, value: u64) {
        match self {
            Self::Speed => conditions.speed = value,
            Self::Delay => conditions.delay = value * MICROSECOND,
            Self::Loss => conditions.loss = value as u32,
            Self::Duplication => conditions.duplication = value as u32,
            Self::Reordering => conditions.reordering = value as u32,
            Self::HeldUp => conditions.held_up = value * MICROSECOND,
            Self::Corruption => conditions.corruption = value as u32,
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonsense {
    key: String,
    value: String,
    wanted: &'static str,
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, wanted } = self;
        write!(f, "the value `{key}` is `{value}`, which is not {wanted}")
    }
}

impl core::error::Error for Nonsense {}

impl Plan {
    /// Reads the values, each by its key.
    ///
    /// # Errors
    /// The first one that makes no sense.
    pub fn read(mut value: impl FnMut(&str) -> Option<Value>) -> Result<Self, Nonsense> {
        let names = value("ports").unwrap_or_else(|| "a b".try_into().unwrap_or_default());
        let nonsense = |key: &str, value: &str, wanted| Nonsense { key: key.into(), value: value.into(), wanted };
        let mut ports: Vec<(String, Address)> = Vec::new();
        for name in names.split_whitespace() {
            let is_good = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_good || ports.len() == MAX_PORTS || ports.iter().any(|(known, _)| known == name) {
                return Err(nonsense("ports", &names, "up to 16 different names of letters, digits and _"));
            }
            let key = format!("mac_{name}");
            let address = match value(&key) {
                Some(text) => text.parse().ok().filter(Address::is_single),
                None => Some(Address([2, 0, 0, 0, 0, ports.len() as u8 + 1])),
            };
            let taken = |address: &Address| ports.iter().any(|(_, known)| known == address);
            let address = address.filter(|address| !taken(address)).ok_or_else(|| {
                let text = value(&key).unwrap_or_default();
                nonsense(&key, &text, "an address like 02:00:00:00:00:01 that no other port has")
            })?;
            ports.push((name.into(), address));
        }
        let mut plan = Self { ports, seed: 1, conditions: Conditions::default(), rules: Vec::new(), cuts: Vec::new() };
        if let Some(text) = value("seed") {
            plan.seed = text.parse().map_err(|_| nonsense("seed", &text, "a whole number"))?;
        }
        for (key, name, range) in Key::ALL {
            if let Some(text) = value(name) {
                let number = within(&text, &range);
                key.set(&mut plan.conditions, number.ok_or_else(|| nonsense(name, &text, "a number in its range"))?);
            }
        }
        for number in 0..MAX_RULES {
            let key = format!("cable_{number}");
            if let Some(text) = value(&key) {
                let rule = plan.rule(&text);
                plan.rules.push(rule.ok_or_else(|| nonsense(&key, &text, "like `a-b delay=5000 loss=0`"))?);
            }
            let key = format!("cut_{number}");
            if let Some(text) = value(&key) {
                let cut = plan.cut(&text);
                plan.cuts
                    .push(cut.ok_or_else(|| nonsense(&key, &text, "like `a-b 1000 2000`, `a-b 1000` or `a>b 0`"))?);
            }
        }
        Ok(plan)
    }

    fn ways(&self, text: &str) -> Option<Ways> {
        let port = |name: &str| match name {
            "*" => Some(None),
            name => self.port(name).map(Some),
        };
        let (from, to, both) = match (text.split_once('-'), text.split_once('>')) {
            (Some((from, to)), None) => (from, to, true),
            (None, Some((from, to))) => (from, to, false),
            _ => return None,
        };
        Some(Ways { from: port(from)?, to: port(to)?, both })
    }

    fn rule(&self, text: &str) -> Option<(Ways, Vec<(Key, u64)>)> {
        let mut parts = text.split_whitespace();
        let ways = self.ways(parts.next()?)?;
        let settings = parts.map(|part| {
            let (name, value) = part.split_once('=')?;
            let (key, _, range) = Key::ALL.into_iter().find(|(_, known, _)| *known == name)?;
            Some((key, within(value, &range)?))
        });
        Some((ways, settings.collect::<Option<Vec<_>>>()?))
    }

    fn cut(&self, text: &str) -> Option<(Ways, Cut)> {
        let mut parts = text.split_whitespace();
        let ways = self.ways(parts.next()?)?;
        let range = 0..=LONGEST;
        let from = within(parts.next()?, &range)?;
        let to = match parts.next() {
            Some(to) => Some(within(to, &range).filter(|to| *to > from)?),
            None => None,
        };
        let cut = Cut { from: from * MICROSECOND, to: to.map(|to| to * MICROSECOND) };
        parts.next().is_none().then_some((ways, cut))
    }

    /// How many ports there are.
    pub fn ports(&self) -> usize {
        self.ports.len()
    }

    /// The place of the port of that name.
    pub fn port(&self, name: &str) -> Option<Port> {
        self.ports.iter().position(|(known, _)| known == name)
    }

    /// The name of a port.
    pub fn name(&self, port: Port) -> String {
        self.ports.get(port).map_or_else(|| port.to_string(), |(name, _)| name.clone())
    }

    /// What a cable is like.
    pub fn conditions(&self, from: Port, to: Port) -> Conditions {
        let mut conditions = self.conditions;
        for (_, settings) in self.rules.iter().filter(|(ways, _)| ways.contain(from, to)) {
            settings.iter().for_each(|(key, value)| key.set(&mut conditions, *value));
        }
        conditions
    }

    /// The network, as it is at `start`; times of cuts count from there.
    pub fn network(&self, start: u64) -> Network {
        let addresses = self.ports.iter().map(|(_, address)| *address).collect();
        Network::new(addresses, |from, to| {
            let cuts = self.cuts.iter().filter(|(ways, _)| ways.contain(from, to));
            let cuts = cuts.map(|(_, cut)| Cut { from: start + cut.from, to: cut.to.map(|to| start + to) });
            // Each has its own, so that what happens on one does not depend on what is sent on others.
            let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((from as u64) << 32 | to as u64);
            Cable::new(self.conditions(from, to), cuts.collect(), seed)
        })
    }
}

fn within(text: &str, range: &RangeInclusive<u64>) -> Option<u64> {
    u64::from_str(text).ok().filter(|number| range.contains(number))
}
