//! Nodes: several machines of one scenario, joined by an Ethernet.
//!
//! Each node runs what the scenario gives it as a scenario of its own, which is judged from outside: whoever starts the nodes hears all
//! of them, and has one oracle for what they do together.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Duration, Invalid, Scenario, Value, check::is_name};

/// Most nodes of a scenario.
pub const MAX_NODES: usize = 8;
/// What stands between a node's name and its line.
pub const AFTER_NODE: &str = " | ";

/// One machine of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// What its components find under these names, unless their own tables have something else.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// How long after the run's beginning it is killed, on the host's clock; never if nothing is said.
    #[serde(default)]
    pub kill_after: Option<Duration>,
    /// The line upon which it is killed.
    #[serde(default)]
    pub kill_when: Option<String>,
    /// How long after it was killed it is started again, on the host's clock; never if nothing is said.
    #[serde(default)]
    pub restart_after: Option<Duration>,
}

/// What is wrong with a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// More than [`MAX_NODES`].
    TooMany(usize),
    /// A name that is none.
    Name(String),
    /// A component of a node that does not exist.
    Unknown {
        /// The component.
        component: String,
        /// The node.
        node: String,
    },
    /// A line that no component of it can print.
    Line(String),
    /// It is started again without having been killed.
    Restart(String),
    /// A root task, a record of what core does, or an end that is not told outside: nodes do not have these.
    Alone,
    /// Something is wrong with what it runs.
    Scenario(String, alloc::boxed::Box<Invalid>),
}

impl Scenario {
    /// What a node runs: its components, with its values.
    pub fn of_node(&self, name: &str) -> Self {
        let is_there = |nodes: &Vec<String>| nodes.is_empty() || nodes.iter().any(|node| node == name);
        let mut scenario = Self { nodes: BTreeMap::new(), judged_outside: true, ..self.clone() };
        scenario.components.retain(|_, component| is_there(&component.nodes));
        scenario.components.values_mut().for_each(|component| component.nodes.clear());
        if let Some(node) = self.nodes.get(name) {
            scenario.values.extend(node.values.clone());
        }
        let Self { success, components, .. } = &mut scenario;
        success.output.clear();
        success.exit.retain(|component, _| components.contains_key(component));
        success.overdue.retain(|component| components.contains_key(component));
        scenario
    }

    /// Node and rest of a line with the name of a node in front.
    pub fn node_of<'a>(&self, line: &'a str) -> Option<(&str, &'a str)> {
        let (node, rest) = line.split_once(AFTER_NODE)?;
        self.nodes.get_key_value(node).map(|(node, _)| (node.as_str(), rest))
    }

    /// Checks what concerns nodes.
    pub(super) fn check_nodes(&self) -> Result<(), Misfit> {
        if self.nodes.len() > MAX_NODES {
            return Err(Misfit::TooMany(self.nodes.len()));
        }
        if self.nodes.is_empty() {
            let placed = self.components.iter().find(|(_, component)| !component.nodes.is_empty());
            return match placed {
                Some((component, it)) => {
                    Err(Misfit::Unknown { component: component.clone(), node: it.nodes.join(", ") })
                }
                None => Ok(()),
            };
        }
        if self.root_task.is_some() || self.trace || self.judged_outside || !self.success.overdue.is_empty() {
            return Err(Misfit::Alone);
        }
        for (name, component) in &self.components {
            if let Some(node) = component.nodes.iter().find(|node| !self.nodes.contains_key(*node)) {
                return Err(Misfit::Unknown { component: name.clone(), node: node.clone() });
            }
        }
        for (name, node) in &self.nodes {
            if !is_name(name) {
                return Err(Misfit::Name(name.clone()));
            }
            if let Some(line) = node.kill_when.as_ref().filter(|line| !self.can_be_printed(line)) {
                return Err(Misfit::Line(line.clone()));
            }
            if node.restart_after.is_some() && node.kill_after.is_none() && node.kill_when.is_none() {
                return Err(Misfit::Restart(name.clone()));
            }
            let own = self.of_node(name);
            own.check().map_err(|invalid| Misfit::Scenario(name.clone(), invalid.into()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(count) => write!(f, "there are {count} nodes; use at most {MAX_NODES}"),
            Self::Name(name) => write!(f, "`{name}` is no name of a node; the rules for components hold"),
            Self::Unknown { component, node } => {
                write!(
                    f,
                    "component `{component}` is on the node `{node}`, which does not exist; add a table [node.NAME]"
                )
            }
            Self::Line(line) => {
                write!(f, "no component can print the line {line:?}, upon which a node is to be killed")
            }
            Self::Restart(name) => {
                write!(f, "the node `{name}` is started again, but never killed; give `kill_after` or `kill_when`")
            }
            Self::Alone => write!(
                f,
                "nodes run core, judged from outside by lines and exits, and do not record what it does; remove `root_task`, `trace` and `success.overdue`"
            ),
            Self::Scenario(name, invalid) => write!(f, "on the node `{name}`: {invalid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const TWO: &str = r#"
        about = "two"
        [values]
        address = "none"
        [node.a]
        values = { address = "1" }
        [node.b]
        values = { address = "2" }
        kill_when = "a | [left] x"
        restart_after = 1
        [component.both]
        routes = {}
        [component.left]
        nodes = ["a"]
        routes = { link = "both" }
        [component.right]
        nodes = ["b"]
        [success]
        output = ["[both] 1", "a | [left] 2"]
        exit = { left = 0, both = 3 }
    "#;

    fn two() -> Scenario {
        toml::from_str(TWO).unwrap()
    }

    #[test]
    fn a_node_has_its_components_and_values() {
        let scenario = two();
        assert_eq!(scenario.check(), Ok(()));
        let a = scenario.of_node("a");
        assert_eq!(a.check(), Ok(()));
        assert_eq!(a.components.keys().collect::<Vec<_>>(), ["both", "left"]);
        assert_eq!(a.values["address"].text(), "1");
        assert_eq!(a.success.exit.len(), 2);
        let b = scenario.of_node("b");
        assert_eq!(b.components.keys().collect::<Vec<_>>(), ["both", "right"]);
        assert_eq!((b.success.exit.len(), b.success.output.len(), b.judged_outside), (1, 0, true));
        assert_eq!(scenario.node_of("a | [left] x | y"), Some(("a", "[left] x | y")));
        assert_eq!(scenario.node_of("c | [left] x"), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let broken = |change: fn(&mut Scenario)| {
            let mut scenario = two();
            change(&mut scenario);
            scenario.check().unwrap_err().to_string()
        };
        for (change, reason) in [
            (
                (|s| s.components.get_mut("left").unwrap().nodes = ["c".into()].into()) as fn(&mut Scenario),
                "which does not exist",
            ),
            (|s| s.nodes.get_mut("b").unwrap().kill_when = None, "never killed"),
            (|s| s.nodes.get_mut("b").unwrap().kill_when = Some("x".into()), "no component can print"),
            (|s| s.components.get_mut("both").unwrap().nodes = ["b".into()].into(), "on the node `a`: "),
            (|s| s.nodes = (0..9).map(|n| (alloc::format!("n{n}"), Node::default())).collect(), "at most 8"),
            (|s| _ = s.nodes.insert("A".into(), Node::default()), "no name of a node"),
            (|s| s.trace = true, "judged from outside"),
            (|s| s.success.output = ["b | [left] 2".into()].into(), "no component can print"),
            (|s| s.success = Default::default(), "nothing that could be seen"),
            (|s| s.nodes.clear(), "which does not exist"),
        ] {
            let said = broken(change);
            assert!(said.contains(reason), "{said}: {reason}");
        }
    }
}
