//! Timeouts and interrupts.

use board::epit::{INTERRUPTS, STEPS_PER_MICROSECOND};
use ground::{Outcome, ensure, ensure_eq};
use rtcr_core::system::irq::IrqError;

use crate::Bench;

const MICRO: u64 = 1000;

/// Single ones and periodic ones, by their times and not by their making.
pub fn timeouts_come_in_order(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let (late, soon, again) = (bench.context(bell, 1)?, bench.context(bell, 2)?, bench.context(bell, 3)?);
    let start = bench.system.timeouts.now();
    ensure!(bench.system.timeouts.set(late, 250 * MICRO, 0).is_ok());
    ensure!(bench.system.timeouts.set(soon, 30 * MICRO, 0).is_ok());
    ensure!(bench.system.timeouts.set(again, 100 * MICRO, 100 * MICRO).is_ok());
    for (cookie, after) in [(2, 30), (3, 100), (3, 200), (1, 250), (3, 300)] {
        let pending = loop {
            bench.interrupt();
            if let Some(pending) = bench.fetch(bell) {
                break pending;
            }
        };
        let passed = bench.system.timeouts.now() - start;
        ensure_eq!(pending, (cookie, 1, false));
        // Not early, and at most some microseconds late.
        ensure!((after * MICRO..(after + 10) * MICRO).contains(&passed), "{passed} ns");
    }
    ensure_eq!(bench.system.timeouts.remaining(soon), None);
    ensure!(bench.system.timeouts.remaining(again).is_some_and(|left| left <= 100 * MICRO));
    for context in [late, soon, again] {
        bench.system.destroy_context(context);
    }
    Ok(())
}

/// A period that nobody has looked at counts each time that it passed.
pub fn a_late_period_counts(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let context = bench.context(bell, 1)?;
    ensure!(bench.system.timeouts.set(context, 10 * MICRO, 10 * MICRO).is_ok());
    let start = bench.system.timeouts.now();
    while bench.system.timeouts.now() < start + 1005 * MICRO {}
    bench.interrupt();
    let count = bench.fetch(bell).map(|(_, count, _)| count);
    ensure!(count.is_some_and(|count| (100..103).contains(&count)), "{count:?}");
    bench.system.destroy_context(context);
    Ok(())
}

/// 40 contexts whose time has come together are raised by three interrupts, none out of order.
pub fn many_at_once_come_in_parts(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let mut contexts = heapless::Vec::<_, 40>::new();
    for cookie in 0..40 {
        let context = bench.context(bell, cookie)?;
        ensure!(bench.system.timeouts.set(context, 200 * MICRO, 0).is_ok());
        ensure!(contexts.push(context).is_ok());
    }
    let start = bench.system.timeouts.now();
    while bench.system.timeouts.now() < start + 300 * MICRO {}
    let (mut interrupts, mut next) = (0, 0);
    while next < 40 {
        bench.interrupt();
        interrupts += 1;
        while let Some((cookie, ..)) = bench.fetch(bell) {
            ensure_eq!(cookie, next);
            next += 1;
        }
    }
    ensure_eq!(interrupts, 3);
    for context in contexts {
        bench.system.destroy_context(context);
    }
    Ok(())
}

/// What was taken back, moved or ended does not come at its old time.
pub fn cancelled_does_not_come(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let (taken_back, moved, ended) = (bench.context(bell, 1)?, bench.context(bell, 2)?, bench.context(bell, 3)?);
    for context in [taken_back, moved, ended] {
        ensure!(bench.system.timeouts.set(context, 50 * MICRO, 0).is_ok());
    }
    let left = bench.system.timeouts.cancel(taken_back);
    ensure!(left.is_some_and(|left| left <= 50 * MICRO), "{left:?}");
    ensure_eq!(bench.system.timeouts.cancel(taken_back), None);
    ensure!(bench.system.timeouts.set(moved, 100 * MICRO, 0).is_ok());
    bench.system.destroy_context(ended);
    ensure!(bench.system.timeouts.set(moved, u64::MAX, 0).is_err());
    let pending = loop {
        bench.interrupt();
        if let Some(pending) = bench.fetch(bell) {
            break pending;
        }
    };
    ensure_eq!(pending, (2, 1, false));
    bench.system.destroy_context(taken_back);
    bench.system.destroy_context(moved);
    Ok(())
}

/// Another may have it when it is closed; it comes again when it was acknowledged.
pub fn interrupts_have_one_holder(bench: &mut Bench) -> Outcome {
    let bell = bench.doorbell()?;
    let context = bench.context(bell, 7)?;
    for _ in 0..2 {
        let irq = match bench.system.open_irq(INTERRUPTS[0]) {
            Ok(irq) => irq,
            Err(error) => return Err(ground::Failure(alloc::format!("{error:?}"))),
        };
        ensure_eq!(bench.system.open_irq(INTERRUPTS[0]).err(), Some(IrqError::Held));
        ensure_eq!(bench.system.open_irq(board::gpt::INTERRUPT).err(), Some(IrqError::Number), "core has that");
        ensure_eq!(bench.system.open_irq(u16::MAX).err(), Some(IrqError::Number));
        bench.system.handle_irq(irq, context);
        bench.device.start(100 * STEPS_PER_MICROSECOND);
        for _ in 0..3 {
            let pending = loop {
                bench.interrupt();
                if let Some(pending) = bench.fetch(bell) {
                    break pending;
                }
            };
            ensure_eq!(pending, (7, 1, false));
            bench.device.clear_interrupt();
            bench.system.acknowledge_irq(irq);
        }
        bench.device.stop();
        bench.system.close_irq(irq);
    }
    bench.system.destroy_context(context);
    Ok(())
}
