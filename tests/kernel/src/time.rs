//! Clocks and their interrupts, in virtual time.

use board::{
    epit::{self, Epit},
    gpt,
};
use ground::{Failure, Ground, Outcome, Test, ensure, ensure_eq, tests};
use sel4::{Badge, Cap, Error, IrqHandler, Notification, boot};

/// Their list.
pub const TESTS: &[Test] = tests! { time:
    gpt_is_monotonic,
    gpt_interrupts_when_told,
    epit_is_periodic_and_exact,
    interrupt_is_masked_until_acknowledged,
};

/// Instants are exact to a few instructions, and the clocks' step is 15 ns.
const SLACK: u32 = 40;
/// Badge of the interrupts' signals.
const TICK: u32 = 0x40;

/// The GPT never goes back and does not stand still.
pub fn gpt_is_monotonic(ground: &mut Ground) -> Outcome {
    let start = ground.now();
    let mut last = start;
    for _ in 0..10_000 {
        let now = ground.now();
        ensure!(now >= last, "{last} then {now}");
        last = now;
    }
    ensure!(last - start >= 1000, "{} steps for 10,000 readings", last - start);
    Ok(())
}

/// A span of time on the GPT, waited for while the machine idles, is as long as asked for.
pub fn gpt_interrupts_when_told(ground: &mut Ground) -> Outcome {
    for microseconds in [50, 1_000, 100_000] {
        let before = ground.now();
        ground.run_for(microseconds);
        let steps = ground.now().wrapping_sub(before);
        let expected = microseconds * gpt::STEPS_PER_MICROSECOND;
        // One interrupt with its signal: below 5 us.
        ensure!((expected..expected + 5 * gpt::STEPS_PER_MICROSECOND).contains(&steps), "{steps}, not {expected}");
    }
    Ok(())
}

struct Ticker {
    timer: Epit,
    handler: Cap<IrqHandler>,
    ticks: Cap<Notification>,
}

/// One of the two timers, its interrupts signalled with the badge [`TICK`].
fn ticker(ground: &mut Ground, index: usize) -> Result<Ticker, Failure> {
    let frame = ground.objects.make_device_frame(epit::ADDRESSES[index])?;
    let registers = ground.window.map_device(&mut ground.objects, frame)?;
    // SAFETY: mapped a moment ago, and nobody else has the device.
    let timer = unsafe { Epit::at(registers) };
    let slot = ground.slot()?;
    boot::IRQ_CONTROL.get(epit::INTERRUPTS[index], slot)?;
    let handler = slot.cap::<IrqHandler>();
    let ticks = ground.objects.make::<Notification>()?;
    let badged = ground.badged(ticks, TICK)?;
    handler.set_notification(badged)?;
    handler.acknowledge()?;
    Ok(Ticker { timer, handler, ticks })
}

/// EPIT1's interrupts arrive as signals, one each period, without drift: their instants, read on the GPT, are those of a
/// clock of the same 66 MHz. The interrupt is given out once.
pub fn epit_is_periodic_and_exact(ground: &mut Ground) -> Outcome {
    let Ticker { mut timer, handler, ticks } = ticker(ground, 0)?;
    let slot = ground.slot()?;
    ensure_eq!(boot::IRQ_CONTROL.get(epit::INTERRUPTS[0], slot), Err(Error::RevokeFirst));
    const PERIOD: u32 = 500 * epit::STEPS_PER_MICROSECOND;
    timer.start(PERIOD);
    let mut first = None;
    for tick in 0..50 {
        ensure_eq!(ticks.wait(), Badge::new(TICK).unwrap_or_default());
        let now = ground.now();
        let steps = now.wrapping_sub(*first.get_or_insert(now));
        ensure!(steps.abs_diff(tick * PERIOD) <= SLACK, "tick {tick} after {steps} steps, not {}", tick * PERIOD);
        timer.clear_interrupt();
        handler.acknowledge()?;
    }
    timer.stop();
    ground.run_for(2_000);
    ensure_eq!(ticks.poll(), None);
    Ok(())
}

/// After its signal an interrupt stays away until it is acknowledged; then one that came meanwhile is signalled. Without a
/// notification nothing is signalled.
pub fn interrupt_is_masked_until_acknowledged(ground: &mut Ground) -> Outcome {
    let Ticker { mut timer, handler, ticks } = ticker(ground, 1)?;
    timer.start(100 * epit::STEPS_PER_MICROSECOND);
    ensure_eq!(ticks.wait(), Badge::new(TICK).unwrap_or_default());
    timer.clear_interrupt();
    ground.run_for(1_000);
    ensure_eq!(ticks.poll(), None, "although it was not acknowledged");
    handler.acknowledge()?;
    ensure_eq!(ticks.wait(), Badge::new(TICK).unwrap_or_default());
    handler.clear()?;
    timer.clear_interrupt();
    handler.acknowledge()?;
    ground.run_for(1_000);
    ensure_eq!(ticks.poll(), None, "although it has no notification");
    timer.stop();
    Ok(())
}
