//! Figures of checkpoints and restores in a report: by name, with their units, and without what is 0 by its kind.

use serde::{Serialize, Serializer};
use wire::record::{Figures, KINDS, PHASES, Work};

/// Times are in nanoseconds.
#[derive(Serialize)]
struct ByName {
    work: &'static str,
    checkpoint: u32,
    took_ns: u64,
    stopped_ns: u64,
    phases_ns: Table<{ PHASES.len() }>,
    requests_answered: u32,
    objects_gone: u32,
    objects_made: u32,
    pages_copied: u32,
    bytes_copied: u64,
    pages_skipped: u32,
    objects: Table<{ KINDS.len() }>,
}

/// Numbers by their names, in that order; those that are not 0.
struct Table<const N: usize>([&'static str; N], [u32; N]);

impl<const N: usize> Serialize for Table<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().zip(self.1).filter(|(_, number)| *number > 0))
    }
}

/// As a table with names.
///
/// # Errors
/// Those of the serializer.
pub fn by_name<S: Serializer>(figures: &Figures, serializer: S) -> Result<S::Ok, S::Error> {
    let Figures { work, checkpoint, took, stopped, phases, answered, gone, made, pages, bytes, skipped, objects } =
        *figures;
    let work = match work {
        Work::Checkpoint => "checkpoint",
        Work::Replay => "restore by replay",
        Work::Direct => "direct restore",
    };
    let named = ByName {
        work,
        checkpoint,
        took_ns: took,
        stopped_ns: stopped,
        phases_ns: Table(PHASES, phases),
        requests_answered: answered,
        objects_gone: gone,
        objects_made: made,
        pages_copied: pages,
        bytes_copied: bytes,
        pages_skipped: skipped,
        objects: Table(KINDS, objects),
    };
    named.serialize(serializer)
}
