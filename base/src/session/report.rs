//! REPORT: what the first component tells core about a run.

use super::parent::Event;
use crate::interface;

/// REPORT: what the first component tells core about a run. Core shows it, and lets the scenario's oracle judge.
#[interface(id = 11)]
pub trait Report {
    /// What became of a component.
    #[operation(1, encoded)]
    fn event(&mut self, component: &str, event: Event);

    /// Nothing can happen any more.
    #[operation(2)]
    fn ended(&mut self);

    /// The run has failed; for people.
    #[operation(3, encoded)]
    fn failed(&mut self, reason: &str);
}
