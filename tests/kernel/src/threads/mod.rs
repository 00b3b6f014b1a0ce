//! What becomes of a thread that is stopped, read, and let go on.

use core::hint::black_box;

use ground::{Ground, Outcome, Probe, ensure, ensure_eq};

extern "C" fn counts(probe: &'static Probe) -> ! {
    loop {
        probe.count(0);
        black_box(());
    }
}

/// A thread in user code: its pc is exact, and it goes on.
pub fn user_code_goes_on(ground: &mut Ground) -> Outcome {
    let probe = ground.probe();
    let thread = ground.spawn(counts, probe)?;
    ground.run_for(100);
    let before = probe.get(0);
    ensure!(before > 0);
    thread.tcb.suspend()?;
    ground.run_for(100);
    ensure_eq!(probe.get(0), before);
    thread.tcb.resume()?;
    ground.run_for(100);
    ensure!(probe.get(0) > before);
    Ok(())
}
