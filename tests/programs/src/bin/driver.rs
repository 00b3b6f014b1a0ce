//! Drives the timer EPIT1 by its registers and its interrupt, as a driver that is a component does.
//!
//! Its scenario gives it this device and no other; what it is not given is refused, and so is the same interrupt again.
#![no_std]
#![no_main]
start::component!(construct);

use core::sync::atomic::Ordering::Relaxed;

use base::{
    Env,
    memory::Shared,
    rpc::CallError,
    session::{
        device::{io_mem, irq},
        parent::OpenError,
        pd::ANY,
        rm::Placement,
    },
};

/// Control register, by words (IMX6DQRM chapter 24).
const CR: usize = 0;
/// Status register; one clears.
const SR: usize = 1;
/// Load register.
const LR: usize = 2;
/// Compare register.
const CMPR: usize = 3;
/// Peripheral clock, counts while the processor waits, starts anew from LR, interrupts on compare, loads when enabled.
const MODE: u32 = 1 << 24 | 1 << 19 | 1 << 17 | 1 << 3 | 1 << 2 | 1 << 1;
const ENABLE: u32 = 1;
/// A millisecond in steps of 66 MHz.
const PERIOD: u32 = 66_000;

fn construct(env: &mut Env) {
    let env = *env;
    let memory = env.open::<io_mem::Client>("io_mem", b"020d0000").expect("the scenario gives the registers");
    let registers = Shared::new(env, memory.open(ANY).expect("a page of registers")).expect("it has a size");
    let registers = env.attach(&registers, Placement::ANYWHERE).expect("room for a page");
    let registers = registers.words();
    let interrupt = env.open::<irq::Client>("irq", b"88").expect("the scenario gives the interrupt");
    for (service, label) in [("irq", "88"), ("irq", "89"), ("irq", "87"), ("irq", "x"), ("io_mem", "020d4000")] {
        let opened = env.parent().open(service, label.as_bytes());
        assert!(
            matches!(opened, Err(CallError::Error(OpenError::Service | OpenError::Refused))),
            "{label}: {opened:?}"
        );
    }
    let signal = env.own_signal().expect("a signal");
    interrupt.handle(signal.slot()).expect("the signal is there");
    registers[CR].store(MODE, Relaxed);
    registers[LR].store(PERIOD, Relaxed);
    registers[CMPR].store(0, Relaxed);
    registers[SR].store(1, Relaxed);
    let start = env.timer().now().expect("TIMER answers");
    registers[CR].store(MODE | ENABLE, Relaxed);
    for tick in 1..=5 {
        assert_eq!(signal.wait(), 1, "an interrupt is masked until it is acknowledged");
        registers[SR].store(1, Relaxed);
        interrupt.acknowledge().expect("IRQ answers");
        let passed = env.timer().now().expect("TIMER answers") - start;
        assert!((tick * 1_000_000..tick * 1_000_000 + 500_000).contains(&passed), "tick {tick} after {passed} ns");
        log::info!("tick {tick}");
    }
    registers[CR].store(0, Relaxed);
    env.exit(0)
}
