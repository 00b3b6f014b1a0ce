//! When a component that ends badly is started again, and when it is given up: what a scenario says of that.

use super::Life;
use crate::scenario::{Component, Duration};

/// An instance that lived for less, in nanoseconds, was short-lived; and nobody waits longer than this, unless told to.
const SHORT: u64 = 1_000_000_000;

/// How a component was started again so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restarts {
    /// When the window began.
    begun: u64,
    /// How often since.
    count: u32,
    /// How many short-lived instances there were in a row.
    row: u32,
}

impl Restarts {
    /// An instance has ended badly: how long to wait for the next one, in nanoseconds. None if there is to be none.
    ///
    /// What it costs others that it is started again must not depend on how soon it ends.
    pub fn delay(&mut self, component: &Component, life: Life) -> Option<u64> {
        let Component { restart, restart_window, restart_delay, .. } = component;
        let is_over = |window: &Duration| life.now.saturating_sub(self.begun) >= window.nanoseconds();
        if self.count == 0 || restart_window.as_ref().is_some_and(is_over) {
            (self.begun, self.count) = (life.now, 0);
        }
        if self.count >= *restart {
            return None;
        }
        self.count += 1;
        self.row = if life.lived < SHORT { self.row.saturating_add(1) } else { 1 };
        let delay = restart_delay.nanoseconds();
        // At most 2^30 times as long, which is more than a second for any delay.
        Some(delay.saturating_mul(1 << (self.row - 1).min(30)).min(delay.max(SHORT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const MS: u64 = 1_000_000;

    fn component(text: &str) -> Component {
        let scenario: Scenario = toml::from_str(text).unwrap();
        scenario.components["x"].clone()
    }

    fn of(keys: &str) -> Component {
        component(&alloc::format!("about = \"x\"\n[component.x]\n{keys}"))
    }

    #[test]
    fn a_component_is_started_again_so_often() {
        let mut restarts = Restarts::default();
        let component = of("restart = 2");
        let life = |now| Life { now, lived: 5_000 * MS };
        assert_eq!(restarts.delay(&component, life(1)), Some(10 * MS));
        assert_eq!(restarts.delay(&component, life(1 << 60)), Some(10 * MS));
        assert_eq!(restarts.delay(&component, life(1 << 61)), None);
        assert_eq!(Restarts::default().delay(&of(""), life(1)), None);
    }

    #[test]
    fn a_window_bounds_how_often_in_a_time() {
        let mut restarts = Restarts::default();
        let component = of("restart = 2\nrestart_window = 1\nrestart_delay = 0");
        let mut at = |ms: u64| restarts.delay(&component, Life { now: ms * MS, lived: MS });
        assert_eq!((at(500), at(600)), (Some(0), Some(0)));
        // A second after the first one another window begins.
        assert_eq!((at(1500), at(1600), at(1700)), (Some(0), Some(0), None));
    }

    #[test]
    fn the_sooner_it_ends_the_longer_it_waits() {
        let mut restarts = Restarts::default();
        let component = of("restart = 4000000000");
        let mut after = |lived: u64| restarts.delay(&component, Life { now: 0, lived }).unwrap() / MS;
        let delays: alloc::vec::Vec<_> = (0..9).map(|_| after(MS)).collect();
        assert_eq!(delays, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!((after(2000 * MS), after(MS)), (10, 20));
        (0..100).for_each(|_| _ = after(0));
        let patient = of("restart = 9\nrestart_delay = 3");
        let mut restarts = Restarts::default();
        assert_eq!(restarts.delay(&patient, Life { now: 0, lived: 0 }), Some(3000 * MS));
        assert_eq!(restarts.delay(&patient, Life { now: 0, lived: 0 }), Some(3000 * MS));
    }
}
