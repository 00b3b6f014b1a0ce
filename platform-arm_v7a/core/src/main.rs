//! Core as it is booted: runs one scenario and reports how it went.
//!
//! It starts the first component, `init`, then serves requests one at a time from the highest priority but one (see
//! [`rtcr_core::guardian`]), until the oracle or the limit ends the run.
#![no_std]
#![no_main]

extern crate alloc;

mod server;

use alloc::{format, string::String};

use base::scenario::{INIT, Scenario};
use board::{gpt, gpt::Gpt};
use rtcr_core::{
    begin::begin,
    clock::Clock,
    console::Lines,
    facts, first, halt,
    judge::Judge,
    modules,
    objects::{Exhausted, Objects},
    resources::Resources,
    root_task,
    serve::Outside,
    system::{self, System, irq, timeout::Timeouts},
    window::Window,
};
use sel4::{BootInfo, Cap, Endpoint, Notification, boot};
use server::Server;
use wire::{
    plan,
    record::{Record, Verdict},
};

/// What core needs to keep book of them, in MiB, besides what comes with accounts.
const HEAP: u32 = 6;

root_task!(main);

fn main(boot_info: BootInfo) -> ! {
    let (objects, window, mut lines) = begin(&boot_info);
    match prepare(&boot_info, objects, window, &mut lines) {
        Ok((scenario, mut system, endpoint)) => {
            let mut outside = Outside { judge: Judge::new(lines, &scenario), scenario };
            match first::start(&mut system, &mut outside) {
                Ok(first) => Server { endpoint, first }.serve(system, outside),
                Err(reason) => outside.judge.fail(&reason),
            }
        }
        Err(reason) => {
            lines.report(&Record::Verdict(Verdict::Failed { reason: &reason }));
            halt()
        }
    }
}

/// Everything up to the point where the components may run; they cannot before, since core waits for nothing here.
fn prepare(
    boot_info: &BootInfo,
    mut objects: Objects,
    mut window: Window,
    lines: &mut Lines,
) -> Result<(Scenario, System, Cap<Endpoint>), String> {
    let text = |error: Exhausted| format!("core cannot start: {error}");
    let facts = facts::find_out(boot_info, &mut objects, &mut window).map_err(text)?;
    lines.report(&Record::Kernel(facts));
    if !facts.can_checkpoint() {
        lines.line(format_args!("[core] this kernel lacks what checkpoints need; they are refused:"));
        facts.missing().for_each(|what| lines.line(format_args!("[core]   {what}")));
    }
    let archive = modules::archive().map_err(|error| format!("core cannot start: {error}"))?;
    let scenario = modules::scenario(&archive).map_err(|error| format!("core cannot start: {error}"))?;
    let (clock, lines) = start_clock(&mut objects, &mut window).map_err(text)?;
    let endpoint = objects.make().map_err(text)?;
    let meeting = objects.make().map_err(text)?;
    let wanted = scenario.children(INIT).map(|(_, component)| u64::from(component.most_ram().0)).sum();
    let mut resources = Resources::new(boot_info, objects, window, plan::memory(wanted)).map_err(text)?;
    let room = system::room(resources.available()).div_ceil(1 << 20) as u32;
    resources.extend_heap(HEAP + room).map_err(text)?;
    let system = System::new([endpoint, meeting], resources, Timeouts::new(clock, scenario.limit), lines);
    Ok((scenario, system, endpoint))
}

/// Starts the timer, whose interrupts arrive at this thread as signals, as those of other devices will.
fn start_clock(objects: &mut Objects, window: &mut Window) -> Result<(Clock, irq::Lines), Exhausted> {
    let frame = objects.make_device_frame(gpt::ADDRESS)?;
    let registers = window.map_device(objects, frame)?;
    // SAFETY: mapped a moment ago, and the kernel gives the device to nobody else.
    let timer = unsafe { Gpt::start(registers) };
    let notification = objects.make::<Notification>()?;
    let lines = irq::Lines::new(notification);
    let slots = objects.take_slots(2)?;
    let handler = lines.connect([slots.start, slots.start + 1], gpt::INTERRUPT, irq::TIMER)?;
    boot::TCB.bind_notification(notification)?;
    handler.acknowledge()?;
    Ok((Clock::new(timer, handler), lines))
}
