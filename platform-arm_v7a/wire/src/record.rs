//! What core reports to the host.
//!
//! Records travel over the control line, UART1, which only core can drive, each as postcard in COBS framing (a zero
//! byte ends it). Text that a component prints travels over the console, UART2; nothing there is ever taken for a
//! record.

pub use base::session::{
    cpu::{Access, Cause, MAX_BACKTRACE, Place},
    figures::{Figures, KINDS, PHASES, Work},
    parent::{Crash, Remedy},
};
use serde::{Deserialize, Serialize};

use crate::trace::Piece;

/// Longest encoded record in bytes, framing included.
pub const MAX: usize = 1024;

/// A report of core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record<'a> {
    /// The root task runs.
    Started,
    /// What core has found out about the kernel.
    Kernel(KernelFacts),
    /// A component stopped working.
    Fault(#[serde(borrow)] Fault<'a>),
    /// A component ended itself.
    Exit {
        /// Which.
        component: &'a str,
        /// Its exit code.
        code: i32,
    },
    /// A component panicked; its message is on the console.
    Panic {
        /// Which; `core` for core itself.
        component: &'a str,
        /// Where; the innermost frames are those of the panic itself.
        place: Place,
    },
    /// A parent has looked whether a component could be checkpointed.
    Checked {
        /// Which.
        component: &'a str,
        /// What stands in the way; empty if nothing does.
        obstacles: &'a str,
        /// What it has asked for in vain.
        refused: &'a str,
    },
    /// A component has crashed, and its parent recovers it or gives it up.
    Crashed {
        /// Which.
        component: &'a str,
        /// How.
        crash: Crash,
        /// What its parent does.
        remedy: Remedy,
        /// How often it was recovered until now, with this time.
        recoveries: u32,
    },
    /// A checkpoint of a component was taken, or it was restored from one.
    Worked {
        /// Which component.
        component: &'a str,
        /// All that is known of it.
        figures: Figures,
    },
    /// A test that runs on the board has ended.
    Test {
        /// Which.
        name: &'a str,
        /// What was not as it should be; none if it passed.
        failure: Option<&'a str>,
    },
    /// A benchmark has measured something.
    Figure {
        /// What.
        name: &'a str,
        /// How long it took, once, in picoseconds of the clock that ran.
        picoseconds: u64,
    },
    /// A piece of the trace, if one was recorded; all of it comes before the verdict.
    Trace(#[serde(borrow)] Piece<'a>),
    /// The end of the run. Nothing follows.
    Verdict(#[serde(borrow)] Verdict<'a>),
}

/// What core has found out about the kernel that it runs on; all true on the kernel that this project builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelFacts {
    /// A stopped thread that has been answered or signalled goes on behind its system call (patch 0001).
    pub restart_address: bool,
    /// A fault is forgotten when the thread is stopped (patch 0003).
    pub fault_forgotten: bool,
    /// The kernel tells what a thread does and who waits for it (patch 0004).
    pub thread_info: bool,
    /// The upper half of the memory is handed out (patch 0005).
    pub upper_memory: bool,
}

impl KernelFacts {
    /// What the kernel cannot do, for people; empty if nothing is missing.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.restart_address, "restart addresses of threads that were answered (patch 0001)"),
            (self.fault_forgotten, "forgetting the fault of a stopped thread (patch 0003)"),
            (self.thread_info, "telling who waits for whom (patch 0004)"),
            (self.upper_memory, "handing out the upper half of the memory (patch 0005)"),
        ]
        .into_iter()
        .filter_map(|(there, what)| (!there).then_some(what))
    }

    /// Whether threads can be stopped and restored on it.
    pub fn can_checkpoint(&self) -> bool {
        self.restart_address && self.fault_forgotten && self.thread_info
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict<'a> {
    /// The scenario's oracle was satisfied.
    Passed,
    /// It can no longer be satisfied.
    Failed {
        /// Why, for people.
        reason: &'a str,
    },
    /// The limit of virtual time passed first.
    TimedOut {
        /// What was still missing, for people.
        missing: &'a str,
        /// Where a component was that was still running, if one was.
        running: Option<(&'a str, Place)>,
    },
}

/// A component that stopped working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<'a> {
    /// Which; `core` for core itself.
    pub component: &'a str,
    /// Why.
    pub cause: Cause,
    /// Where.
    pub place: Place,
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("malformed record on the control line; core and tool are of different versions")
    }
}

impl core::error::Error for Malformed {}

impl<'a> Record<'a> {
    /// Encodes into `buffer`, end marker included.
    ///
    /// # Errors
    /// The record is longer than [`MAX`].
    pub fn encode<'b>(&self, buffer: &'b mut [u8; MAX]) -> Result<&'b [u8], Malformed> {
        postcard::to_slice_cobs(self, buffer).map(|bytes| &*bytes).map_err(|_| Malformed)
    }

    /// Decodes one frame (up to and with its zero byte), in place.
    ///
    /// # Errors
    /// The bytes are no record of this version.
    pub fn decode(frame: &'a mut [u8]) -> Result<Self, Malformed> {
        postcard::from_bytes_cobs(frame).map_err(|_| Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace;
    use proptest::prelude::*;

    #[test]
    fn the_longest_records_fit() {
        let place = Place { pc: !0, sp: !0, lr: !0, backtrace: [!0; MAX_BACKTRACE].into() };
        let missing = "m".repeat(512);
        let name = "n".repeat(32);
        for record in [
            Record::Fault(Fault {
                component: &name,
                cause: Cause::Memory { address: !0, access: Access::Write, status: !0 },
                place: place.clone(),
            }),
            Record::Exit { component: &name, code: i32::MIN },
            Record::Panic { component: &name, place: place.clone() },
            Record::Test { name: &missing[..100], failure: Some(&missing) },
            Record::Checked { component: &name, obstacles: &missing[..200], refused: &missing[..200] },
            Record::Crashed {
                component: &name,
                crash: Crash::Faulted(Cause::Memory { address: !0, access: Access::Write, status: !0 }, place.clone()),
                remedy: Remedy::Restored(!0),
                recoveries: !0,
            },
            Record::Worked {
                component: &name,
                figures: Figures {
                    took: u64::MAX,
                    stopped: u64::MAX,
                    phases: [!0; PHASES.len()],
                    bytes: u64::MAX,
                    objects: [!0; KINDS.len()],
                    ..Figures::default()
                },
            },
            Record::Figure { name: &missing, picoseconds: u64::MAX },
            Record::Trace(Piece::Events(&[1; trace::EVENTS * trace::BYTES])),
            Record::Verdict(Verdict::TimedOut { missing: &missing, running: Some((&name, place)) }),
        ] {
            let mut buffer = [0; MAX];
            let mut frame = record.encode(&mut buffer).unwrap().to_vec();
            assert_eq!(frame.iter().position(|&b| b == 0), Some(frame.len() - 1));
            assert_eq!(Record::decode(&mut frame), Ok(record));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(&mut bytes);
        }
    }
}
