//! Numbers: of nodes, of tenures, and instants.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A node, by its place in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Node(pub u8);

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An instant by a node's own clock, in nanoseconds since it started. Clocks of different nodes are never compared.
pub type Time = u64;

/// Number of a tenure, or of an attempt at one. It tells which node has made it, so two nodes never make the same one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Before the first one.
    pub const NONE: Self = Self(0);
    /// There are fewer nodes than this.
    const NODES: u64 = 4;

    /// The smallest number above this one that `node` makes.
    #[must_use]
    pub const fn next(self, node: Node) -> Self {
        Self((self.0 / Self::NODES + 1) * Self::NODES + node.0 as u64 % Self::NODES)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / Self::NODES, self.0 % Self::NODES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_and_are_one_nodes_own() {
        let mut all = alloc::collections::BTreeSet::new();
        for node in 0..3 {
            let mut last = Epoch::NONE;
            for _ in 0..100 {
                let next = last.next(Node(node));
                assert!(next > last && all.insert(next), "{next}");
                last = next;
            }
        }
        assert!(Epoch(6).next(Node(0)) > Epoch(6) && Epoch(6).next(Node(3)) > Epoch(6));
    }
}
