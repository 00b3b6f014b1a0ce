//! The judge of a scenario: sees what happens and says when the run has passed or failed.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::scenario::Success;

/// What the oracle has seen so far.
#[derive(Clone, Debug)]
pub struct Oracle {
    lines: Vec<String>,
    seen: usize,
    exits: BTreeMap<String, i32>,
}

/// What it makes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing yet.
    Open,
    /// Everything that had to happen has happened.
    Passed,
    /// It cannot happen any more; the reason is for people.
    Failed(String),
}

impl Oracle {
    /// An oracle that waits for `success`.
    pub fn new(success: &Success) -> Self {
        Self { lines: success.output.clone(), seen: 0, exits: success.exit.clone() }
    }

    /// A whole line was printed.
    pub fn line(&mut self, line: &str) -> Judgement {
        if self.lines.get(self.seen).is_some_and(|expected| expected == line) {
            self.seen += 1;
        }
        self.judge()
    }

    /// A component ended itself.
    pub fn exit(&mut self, component: &str, code: i32) -> Judgement {
        match self.exits.get(component) {
            Some(&expected) if expected == code => {
                self.exits.remove(component);
                match (self.judge(), self.exits.is_empty()) {
                    // The last exit is the end of the run, so what has not been printed will not be.
                    (Judgement::Open, true) => Judgement::Failed(format!("{component} exited, but {}", self.missing())),
                    (judgement, _) => judgement,
                }
            }
            Some(expected) => Judgement::Failed(format!("{component} exited with {code} instead of {expected}")),
            None if code == 0 => Judgement::Open,
            None => Judgement::Failed(format!("{component} exited with {code}")),
        }
    }

    /// What has still to happen, for people.
    pub fn missing(&self) -> String {
        let mut parts = Vec::new();
        if let Some(line) = self.lines.get(self.seen) {
            parts.push(format!("the line `{line}` was not printed"));
        }
        for component in self.exits.keys() {
            parts.push(format!("{component} has not exited"));
        }
        parts.join("; ")
    }

    fn judge(&self) -> Judgement {
        match self.seen == self.lines.len() && self.exits.is_empty() {
            true => Judgement::Passed,
            false => Judgement::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle(lines: &[&str], exits: &[(&str, i32)]) -> Oracle {
        Oracle::new(&Success {
            output: lines.iter().map(|&line| line.into()).collect(),
            exit: exits.iter().map(|&(name, code)| (name.into(), code)).collect(),
        })
    }

    #[test]
    fn lines_in_order_and_exits_pass() {
        let mut oracle = oracle(&["a", "b"], &[("x", 0), ("y", 3)]);
        assert_eq!(oracle.line("b"), Judgement::Open);
        assert_eq!(oracle.line("a"), Judgement::Open);
        assert_eq!(oracle.exit("y", 3), Judgement::Open);
        assert_eq!(oracle.line("noise"), Judgement::Open);
        assert_eq!(oracle.line("b"), Judgement::Open);
        assert_eq!(oracle.missing(), "x has not exited");
        assert_eq!(oracle.exit("x", 0), Judgement::Passed);
    }

    #[test]
    fn lines_alone_pass() {
        assert_eq!(oracle(&["a"], &[]).line("a"), Judgement::Passed);
    }

    #[test]
    fn the_last_exit_without_the_line_fails() {
        let Judgement::Failed(reason) = oracle(&["a"], &[("x", 0)]).exit("x", 0) else { panic!() };
        assert_eq!(reason, "x exited, but the line `a` was not printed");
    }

    #[test]
    fn wrong_exits_fail() {
        assert!(matches!(oracle(&[], &[("x", 0)]).exit("x", 1), Judgement::Failed(_)));
        assert!(matches!(oracle(&["a"], &[]).exit("other", 1), Judgement::Failed(_)));
        assert_eq!(oracle(&["a"], &[]).exit("other", 0), Judgement::Open);
    }
}
