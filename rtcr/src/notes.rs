//! What the library does, as events of a trace.
//!
//! Whoever embeds it makes a [`Tracer`](base::trace::Tracer) of [`KINDS`], and leaves what [`of`] makes of each event.

use base::{
    session::pd::{PAGE, Shape, Unit},
    trace::Kind,
};

use crate::surroundings::{Edge, Event, Phase, Scope, Work};

/// All kinds, at the places that [`of`] tells.
pub const KINDS: [Kind; 32] = [
    kind("checkpoint", Shape::Begin, Unit::Nothing),
    kind("checkpoint", Shape::End, Unit::Nothing),
    kind("restore", Shape::Begin, Unit::Nothing),
    kind("restore", Shape::End, Unit::Nothing),
    // In the order of `Phase`.
    kind("information", Shape::Step, Unit::Nothing),
    kind("freeze", Shape::Step, Unit::Nothing),
    kind("registers", Shape::Step, Unit::Nothing),
    kind("signals", Shape::Step, Unit::Nothing),
    kind("pages", Shape::Step, Unit::Nothing),
    kind("thaw", Shape::Step, Unit::Nothing),
    kind("new instance", Shape::Step, Unit::Nothing),
    kind("bootstrap", Shape::Step, Unit::Nothing),
    kind("objects", Shape::Step, Unit::Nothing),
    kind("memory", Shape::Step, Unit::Nothing),
    kind("regions", Shape::Step, Unit::Nothing),
    kind("threads", Shape::Step, Unit::Nothing),
    kind("threads stopped", Shape::Instant, Unit::Number),
    kind("memory saved", Shape::Instant, Unit::Bytes),
    kind("answered from the journal", Shape::Instant, Unit::Operation),
    kind("barrier", Shape::Instant, Unit::Nothing),
    kind("objects gone", Shape::Instant, Unit::Number),
    kind("objects made", Shape::Instant, Unit::Number),
    kind("memory brought", Shape::Instant, Unit::Bytes),
    kind("stacks repaired", Shape::Instant, Unit::Bytes),
    kind("threads' registers set", Shape::Instant, Unit::Number),
    kind("thawed", Shape::Instant, Unit::Nothing),
    // In the order of `Scope`.
    kind("allocation", Shape::Begin, Unit::Nothing),
    kind("allocation", Shape::End, Unit::Nothing),
    kind("stack repair", Shape::Begin, Unit::Nothing),
    kind("stack repair", Shape::End, Unit::Nothing),
    kind("empty scope", Shape::Begin, Unit::Nothing),
    kind("empty scope", Shape::End, Unit::Nothing),
];

const fn kind(name: &'static str, shape: Shape, unit: Unit) -> Kind {
    Kind { name, shape, unit }
}

/// Where the phases begin, and the instants.
const PHASES: usize = 4;
const INSTANTS: usize = PHASES + Phase::Threads as usize + 1;
/// Where the scopes begin.
const SCOPES: usize = INSTANTS + 10;

/// Begin and end of a scope of which nothing is in between: what recording adds to each scope.
pub const EMPTY: [usize; 2] = [KINDS.len() - 2, KINDS.len() - 1];

/// The place of a scope's kind.
#[inline]
pub const fn scope(scope: Scope, edge: Edge) -> usize {
    SCOPES + 2 * scope as usize + edge as usize
}

/// An event as one or two of a trace: the place of its kind, and the value.
pub fn of(event: &Event) -> impl Iterator<Item = (usize, u32)> {
    let instant = |kind: usize, value| (INSTANTS + kind, value);
    let work = |work: Work| match work {
        Work::Checkpoint => 0,
        Work::Restore => 2,
    };
    let (first, second) = match *event {
        Event::Begins(what) => ((work(what), 0), None),
        Event::Ends(what) => ((work(what) + 1, 0), None),
        Event::Phase(phase) => ((PHASES + phase as usize, 0), None),
        Event::Stopped { threads } => (instant(0, threads), None),
        Event::Saved { pages } => (instant(1, pages.saturating_mul(PAGE)), None),
        Event::Answered { index, interface, operation } => {
            let which = u32::from(operation) | u32::from(interface & 0xff) << 8 | index << 16;
            (instant(2, which), None)
        }
        // A trace has the time of each of its events.
        Event::Time { .. } => return [None, None].into_iter().flatten(),
        Event::Barrier => (instant(3, 0), None),
        Event::Objects { gone, made } => (instant(4, gone), Some(instant(5, made))),
        Event::Memory { pages } => (instant(6, pages.saturating_mul(PAGE)), None),
        Event::Repair { bytes } => (instant(7, bytes), None),
        Event::Registers { threads } => (instant(8, threads), None),
        Event::Thawed => (instant(9, 0), None),
    };
    [Some(first), second].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    #[test]
    fn events_have_the_kinds_that_their_names_say() {
        let named = |event| of(&event).map(|(kind, value)| (KINDS[kind].name, value)).collect::<Vec<_>>();
        for (event, expected) in [
            (Event::Begins(Work::Restore), ("restore", 0)),
            (Event::Ends(Work::Checkpoint), ("checkpoint", 0)),
            (Event::Phase(Phase::Information), ("information", 0)),
            (Event::Phase(Phase::Thaw), ("thaw", 0)),
            (Event::Phase(Phase::Threads), ("threads", 0)),
            (Event::Stopped { threads: 2 }, ("threads stopped", 2)),
            (Event::Answered { index: 3, interface: 1, operation: 2 }, ("answered from the journal", 0x3_0102)),
            (Event::Repair { bytes: 4096 }, ("stacks repaired", 4096)),
            (Event::Thawed, ("thawed", 0)),
        ] {
            assert_eq!(named(event), [expected]);
        }
        assert_eq!(named(Event::Objects { gone: 1, made: 2 }), [("objects gone", 1), ("objects made", 2)]);
        let named = |of, edge| (KINDS[scope(of, edge)].name, KINDS[scope(of, edge)].shape);
        assert_eq!(named(Scope::Allocation, Edge::Begin), ("allocation", Shape::Begin));
        assert_eq!(named(Scope::Repair, Edge::End), ("stack repair", Shape::End));
        assert_eq!(EMPTY.map(|kind| KINDS[kind].name), ["empty scope"; 2]);
        assert!(KINDS.iter().all(|kind| kind.name.len() <= 32));
    }
}
