//! The judge of a scenario: sees what happens and says when the run has passed or failed.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use crate::scenario::Success;

/// What the oracle has seen so far.
#[derive(Clone, Debug)]
pub struct Oracle {
    lines: Vec<String>,
    seen: usize,
    exits: BTreeMap<String, i32>,
    overdue: Vec<String>,
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
        Self { lines: success.output.clone(), seen: 0, exits: success.exit.clone(), overdue: success.overdue.clone() }
    }

    /// Whether that is the next line that is to be printed.
    pub fn expects(&self, line: &str) -> bool {
        self.lines.get(self.seen).is_some_and(|expected| expected == line)
    }

    /// A whole line was printed.
    pub fn line(&mut self, line: &str) -> Judgement {
        if self.expects(line) {
            self.seen += 1;
        }
        self.judgement()
    }

    /// A component ended itself; its last line has been told before.
    pub fn exit(&mut self, component: &str, code: i32) -> Judgement {
        match self.exits.get(component) {
            Some(&expected) if expected == code => {
                self.exits.remove(component);
            }
            Some(expected) => {
                return Judgement::Failed(format!("{component} exited with {code} instead of {expected}"));
            }
            // One that is to be overdue has done what it was asked for after all.
            None if self.overdue.iter().any(|name| name == component) => {
                return Judgement::Failed(format!(
                    "{component} exited with {code}, but was to be ended for not exiting"
                ));
            }
            None if code == 0 => {}
            None => return Judgement::Failed(format!("{component} exited with {code}")),
        }
        // Lines come in order, so if the next one was to come from this component, none will be seen any more.
        match self.lines.get(self.seen).and_then(|line| printed_by(line)) {
            Some(name) if name == component => Judgement::Failed(format!("{component} exited, but {}", self.missing())),
            _ => self.judgement(),
        }
    }

    /// A component was asked to exit, did not in time, and was ended; its last line has been told before.
    pub fn overdue(&mut self, component: &str) -> Judgement {
        match self.overdue.iter().position(|name| name == component) {
            Some(place) => {
                self.overdue.remove(place);
                self.judgement()
            }
            None => Judgement::Failed(format!("{component} was asked to exit, did not in time, and was ended")),
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
        for component in &self.overdue {
            parts.push(format!("{component} was not ended for not exiting"));
        }
        parts.join("; ")
    }

    /// What it makes of everything up to now.
    pub fn judgement(&self) -> Judgement {
        match self.seen == self.lines.len() && self.exits.is_empty() && self.overdue.is_empty() {
            true => Judgement::Passed,
            false => Judgement::Open,
        }
    }
}

/// The component whose line this is: `[NAME] text`.
fn printed_by(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.split_once("] ").map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle(lines: &[&str], exits: &[(&str, i32)]) -> Oracle {
        Oracle::new(&Success {
            output: lines.iter().map(|&line| line.into()).collect(),
            exit: exits.iter().map(|&(name, code)| (name.into(), code)).collect(),
            overdue: Vec::new(),
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
    fn an_exit_before_its_own_line_fails() {
        let Judgement::Failed(reason) = oracle(&["[x] a"], &[("x", 0)]).exit("x", 0) else { panic!() };
        assert_eq!(reason, "x exited, but the line `[x] a` was not printed");
    }

    #[test]
    fn somebody_elses_line_may_come_after_the_last_exit() {
        let mut oracle = oracle(&["[y] a"], &[("x", 0)]);
        assert_eq!(oracle.exit("x", 0), Judgement::Open);
        assert_eq!(oracle.line("[y] a"), Judgement::Passed);
    }

    #[test]
    fn an_exit_that_nobody_asked_for_does_not_undo_what_was_seen() {
        let mut oracle = oracle(&["[x] a"], &[]);
        assert_eq!(oracle.line("[x] a"), Judgement::Passed);
        assert_eq!(oracle.exit("x", 0), Judgement::Passed);
    }

    #[test]
    fn who_is_to_be_overdue_must_not_exit_in_time() {
        let success = Success { overdue: ["x".into()].into(), ..Success::default() };
        let mut oracle = Oracle::new(&success);
        assert_eq!(oracle.judgement(), Judgement::Open);
        assert_eq!(oracle.missing(), "x was not ended for not exiting");
        assert!(matches!(oracle.clone().overdue("y"), Judgement::Failed(_)));
        assert_eq!(oracle.overdue("x"), Judgement::Passed);
    }

    #[test]
    fn wrong_exits_fail() {
        assert!(matches!(oracle(&[], &[("x", 0)]).exit("x", 1), Judgement::Failed(_)));
        assert!(matches!(oracle(&["a"], &[]).exit("other", 1), Judgement::Failed(_)));
        assert_eq!(oracle(&["a"], &[]).exit("other", 0), Judgement::Open);
    }
}
