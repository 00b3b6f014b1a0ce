//! The control line: bytes from core, cut into frames and taken as reports.

mod figures;

use serde::Serialize;
use wire::record::{self, Cause, Crash, Fault, Figures, KernelFacts, Malformed, Place, Record, Remedy, Verdict};

/// A report of core, kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The root task runs.
    Started,
    /// What core has found out about the kernel.
    Kernel(KernelFacts),
    /// A component stopped working.
    Fault {
        /// Which; `core` for core itself.
        component: String,
        /// Why.
        cause: Cause,
        /// Where.
        place: Place,
    },
    /// A component ended itself.
    Exit {
        /// Which.
        component: String,
        /// Its exit code.
        code: i32,
    },
    /// A component panicked.
    Panic {
        /// Which; `core` for core itself.
        component: String,
        /// Where.
        place: Place,
    },
    /// A parent has looked whether a component could be checkpointed.
    Checked {
        /// Which.
        component: String,
        /// What stands in the way; empty if nothing does.
        obstacles: String,
        /// What it has asked for in vain.
        refused: String,
    },
    /// A component has crashed, and its parent recovers it or gives it up.
    Crashed {
        /// Which.
        component: String,
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
        component: String,
        /// All that is known of it.
        #[serde(flatten, serialize_with = "figures::by_name")]
        figures: Figures,
    },
    /// A test on the board has ended.
    Test {
        /// Which.
        name: String,
        /// What was not as it should be.
        failure: Option<String>,
    },
    /// A benchmark has measured something.
    Figure {
        /// What.
        name: String,
        /// How long it took, once.
        picoseconds: u64,
    },
    /// The scenario's oracle is satisfied.
    Passed,
    /// It cannot be any more.
    Failed {
        /// Why.
        reason: String,
    },
    /// The limit of virtual time passed first.
    TimedOut {
        /// What was still missing.
        missing: String,
        /// Where a component was that was still running, if one was.
        running: Option<(String, Place)>,
    },
}

impl Report {
    /// What a record reports; nothing if it is a piece of the trace.
    pub fn of(record: Record<'_>) -> Option<Self> {
        Some(match record {
            Record::Started => Self::Started,
            Record::Kernel(facts) => Self::Kernel(facts),
            Record::Fault(Fault { component, cause, place }) => {
                Self::Fault { component: component.into(), cause, place }
            }
            Record::Exit { component, code } => Self::Exit { component: component.into(), code },
            Record::Panic { component, place } => Self::Panic { component: component.into(), place },
            Record::Checked { component, obstacles, refused } => {
                Self::Checked { component: component.into(), obstacles: obstacles.into(), refused: refused.into() }
            }
            Record::Crashed { component, crash, remedy, recoveries } => {
                Self::Crashed { component: component.into(), crash, remedy, recoveries }
            }
            Record::Worked { component, figures } => Self::Worked { component: component.into(), figures },
            Record::Test { name, failure } => Self::Test { name: name.into(), failure: failure.map(Into::into) },
            Record::Figure { name, picoseconds } => Self::Figure { name: name.into(), picoseconds },
            Record::Verdict(Verdict::Passed) => Self::Passed,
            Record::Verdict(Verdict::Failed { reason }) => Self::Failed { reason: reason.into() },
            Record::Verdict(Verdict::TimedOut { missing, running }) => Self::TimedOut {
                missing: missing.into(),
                running: running.map(|(component, place)| (component.into(), place)),
            },
            Record::Trace(_) => return None,
        })
    }

    /// Whether this is the end of the run.
    pub fn is_verdict(&self) -> bool {
        matches!(self, Self::Passed | Self::Failed { .. } | Self::TimedOut { .. })
    }
}

/// Collects bytes until a frame is whole.
#[derive(Debug, Default)]
pub struct Frames {
    partial: Vec<u8>,
}

impl Frames {
    /// Takes the next bytes; calls `each` with every record that they complete.
    ///
    /// # Errors
    /// A frame that is too long or no record. What follows it cannot be trusted.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Record<'_>)) -> Result<(), Malformed> {
        for &byte in bytes {
            self.partial.push(byte);
            if byte == 0 {
                each(Record::decode(&mut std::mem::take(&mut self.partial))?);
            } else if self.partial.len() >= record::MAX {
                return Err(Malformed);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::trace::Piece;

    fn frame(record: &Record<'_>) -> Vec<u8> {
        record.encode(&mut [0; record::MAX]).unwrap().to_vec()
    }

    fn read(pieces: &[&[u8]]) -> Result<Vec<Report>, Malformed> {
        let (mut frames, mut reports) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.push(piece, |record| reports.extend(Report::of(record)))?;
        }
        Ok(reports)
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let records = [
            Record::Started,
            Record::Exit { component: "hello", code: -3 },
            Record::Verdict(Verdict::Failed { reason: "no" }),
        ];
        let bytes: Vec<_> = records.iter().flat_map(frame).collect();
        let expected: Vec<Report> = records.into_iter().filter_map(Report::of).collect();
        assert!(expected[2].is_verdict() && !expected[0].is_verdict());
        assert_eq!(read(&[&bytes]), Ok(expected.clone()));
        assert_eq!(read(&bytes.chunks(1).collect::<Vec<_>>()), Ok(expected));
    }

    #[test]
    fn a_piece_of_the_trace_is_no_report() {
        assert_eq!(read(&[&frame(&Record::Trace(Piece::Begin { recorded: 1, kept: 1 }))]), Ok(vec![]));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert_eq!(read(&[b"[hello] hi\n\0"]), Err(Malformed));
        assert_eq!(read(&[b"\0"]), Err(Malformed));
        assert_eq!(read(&[&[1; record::MAX]]), Err(Malformed));
        assert_eq!(read(&[&[1; record::MAX - 1]]), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let _ = read(&[&bytes]);
        }
    }
}
