//! Measuring: repeat, divide, report.

use core::hint::black_box;

use board::gpt::STEPS_PER_MICROSECOND;
use ground::{Failure, Ground};
use rtcr_core::console::Lines;
use sel4::Error;
use wire::record::Record;

/// What measures.
pub struct Meter {
    /// Where figures go.
    pub lines: Lines,
    /// What is measured with.
    pub ground: Ground,
}

impl Meter {
    /// Does `operation` with each number below `count`, and reports what one took.
    #[inline(always)]
    pub fn each(
        &mut self,
        name: &str,
        count: u32,
        operation: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        self.batches(name, count, 1, operation)
    }

    /// The same, where each operation does the work of `batch`.
    #[inline(always)]
    pub fn batches(
        &mut self,
        name: &str,
        count: u32,
        batch: u32,
        mut operation: impl FnMut(u32) -> Result<(), Error>,
    ) -> Result<(), Failure> {
        let start = self.ground.now();
        for index in 0..count {
            operation(index)?;
        }
        let steps = self.ground.now().wrapping_sub(start);
        let picoseconds = u64::from(steps) * 1_000_000 / u64::from(STEPS_PER_MICROSECOND * count * batch);
        self.lines.report(&Record::Figure { name, picoseconds });
        Ok(())
    }
}

/// What measuring itself costs: a round of the loop, and reading the clock, of which each measurement has one reading in
/// all.
pub fn measure(meter: &mut Meter) -> Result<(), Failure> {
    meter.each("loop/empty round", 10_000, |index| {
        black_box(index);
        Ok(())
    })?;
    let Meter { lines, ground } = meter;
    let start = ground.now();
    for _ in 0..10_000 {
        black_box(ground.now());
    }
    let picoseconds =
        u64::from(ground.now().wrapping_sub(start)) * 1_000_000 / (u64::from(STEPS_PER_MICROSECOND) * 10_000);
    lines.report(&Record::Figure { name: "loop/reading the clock", picoseconds });
    Ok(())
}
