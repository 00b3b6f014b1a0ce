//! Events that a component leaves in the trace of a run, beside what core records.
//!
//! A component says beforehand which kinds of events it has, as a table of [`Kind`]s, and gets a [`Tracer`] for them. Core
//! gives each name a number, once, so that leaving an event is a request of four words. If nothing is recorded, the
//! first answer says so: no more is asked then, and [`Tracer::note`] is a comparison.

use crate::{
    env::slots,
    platform::Machine,
    rpc::CallError,
    session::pd::{self, Note, OWN, Shape, TraceError, Unit},
};

/// A kind of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// For people: what happens; of [`Unit::Number`], what is counted. At most 32 bytes.
    pub name: &'static str,
    /// Whether something begins or ends with it.
    pub shape: Shape,
    /// What its value counts.
    pub unit: Unit,
}

/// Leaves events of `KINDS` kinds in the trace.
#[derive(Clone, Copy)]
pub struct Tracer<const KINDS: usize> {
    machine: Machine,
    kinds: &'static [Kind; KINDS],
    /// 0 for those that there was no room for.
    numbers: [u8; KINDS],
    on: bool,
}

impl<const KINDS: usize> Tracer<KINDS> {
    /// Asks for the numbers of the kinds, unless nothing is recorded.
    pub fn new(machine: Machine, kinds: &'static [Kind; KINDS]) -> Self {
        let pd = pd::Client::new(machine, slots::PD);
        let mut tracer = Self { machine, kinds, numbers: [0; KINDS], on: true };
        for (number, kind) in tracer.numbers.iter_mut().zip(kinds) {
            match pd.trace_kind(kind.name) {
                Ok(told) => *number = u8::try_from(told).unwrap_or(0),
                Err(CallError::Error(TraceError::Exhausted | TraceError::Name)) => {}
                Err(_) => {
                    tracer.on = false;
                    break;
                }
            }
        }
        tracer
    }

    /// Whether anything is recorded.
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Leaves an event of the kind in that place of the table.
    #[inline]
    pub fn note(&self, kind: usize, value: u32) {
        if self.on {
            self.send(kind, value);
        }
    }

    #[cold]
    fn send(&self, kind: usize, value: u32) {
        let (Some(&Kind { shape, unit, .. }), Some(&number)) = (self.kinds.get(kind), self.numbers.get(kind)) else {
            return;
        };
        if number != 0 {
            let note = Note { kind: number, thread: self.machine.thread(), shape, unit, value };
            // A trace with a hole is better than a component that fails for it.
            let _ = pd::Client::new(self.machine, slots::PD).note(OWN, note);
        }
    }
}
