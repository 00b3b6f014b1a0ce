//! What the scenario says.

use alloc::{format, string::String};

use base::{Env, session::parent::Value};
use ethernet::smoltcp::wire::{Ipv4Address, Ipv4Cidr};
use handover::{Config, Node, Rule, Timing};

use crate::channel::Key;

/// What the scenario says.
pub struct Settings {
    /// For the transitions.
    pub config: Config,
    /// The component.
    pub component: Value,
    /// The argument of the session of LINK.
    pub port: Value,
    /// This node's address.
    pub address: Ipv4Cidr,
    /// The other's.
    pub peer: Ipv4Address,
    /// Private.
    pub key: Key,
    /// The other's, public.
    pub peer_key: Key,
    /// Of random numbers.
    pub seed: u64,
    /// How often it is moved away.
    pub moves: u32,
    /// Nanoseconds before each time.
    pub move_after: u64,
}

impl Settings {
    /// # Errors
    /// What is missing or wrong, for people.
    pub fn of(env: Env) -> Result<Self, String> {
        let text = |key: &str| env.parent().value(key).ok().flatten();
        let needed = |key: &str| text(key).ok_or_else(|| format!("there is no value `{key}`"));
        let key = |name: &str| {
            hexadecimal(&needed(name)?).ok_or_else(|| format!("the value `{name}` is not of 64 hexadecimal digits"))
        };
        let micros = |key: &str, default: u64| env.value::<u64>(key).unwrap_or(default).saturating_mul(1000);
        let own: u8 = needed("node")?.parse().map_err(|_| "the value `node` is no number")?;
        if own > 1 {
            return Err("the value `node` can be 0 or 1".into());
        }
        let timing =
            Timing { lease: 0, trust: 0, renew: micros("renew", 5000), patience: micros("patience", 1_000_000) };
        let (own, peer) = (Node(own), Node(1 - own));
        let home = Node(env.value("home").unwrap_or(0));
        let name = || env.name().as_str().try_into().unwrap_or_default();
        Ok(Self {
            config: Config { own, peer: Some(peer), home, rule: Rule::Stay, timing },
            component: needed("component")?,
            port: text("port").unwrap_or_else(name),
            address: needed("address")?.parse().map_err(|_| "the value `address` is no address")?,
            peer: needed("peer")?.parse().map_err(|_| "the value `peer` is no address")?,
            key: key("key")?,
            peer_key: key("peer_key")?,
            seed: env.value("seed").unwrap_or(1),
            moves: env.value("moves").unwrap_or(0),
            move_after: micros("move_after", 10_000),
        })
    }
}

/// 32 bytes.
fn hexadecimal(text: &str) -> Option<Key> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}
