//! Core as it is booted: runs one scenario and reports how it went.
//!
//! It starts the first component, `init`, then serves requests one at a time from the highest priority but one (see
//! [`rtcr_core::guardian`]), until the oracle or the limit ends the run.
#![no_std]
#![no_main]

extern crate alloc;

mod server;

use alloc::{format, string::String};

use base::scenario::{Duration, Scenario};
use board::{gpt, gpt::Gpt};
use rtcr_core::{
    begin::begin,
    clock::Limit,
    console::Lines,
    facts, halt,
    judge::Judge,
    modules,
    objects::{Exhausted, Objects},
    root_task,
    serve::Outside,
    system::System,
    window::Window,
};
use sel4::{BootInfo, Cap, IrqHandler, Notification, Rights, boot};
use server::{Server, TIMER};
use wire::record::{Record, Verdict};

root_task!(main);

fn main(boot_info: BootInfo) -> ! {
    let (mut objects, mut window, mut lines) = begin(&boot_info);
    match prepare(&boot_info, &mut objects, &mut window, &mut lines) {
        Ok((scenario, system, server)) => {
            let judge = Judge::new(lines, &scenario.success, scenario.components.into_keys());
            server.serve(system, Outside { judge })
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
    objects: &mut Objects,
    window: &mut Window,
    lines: &mut Lines,
) -> Result<(Scenario, System, Server), String> {
    let text = |error: Exhausted| format!("core cannot start: {error}");
    let facts = facts::find_out(boot_info, objects, window).map_err(text)?;
    lines.report(&Record::Kernel(facts));
    if !facts.can_checkpoint() {
        lines.line(format_args!("[core] this kernel lacks what checkpoints need; they are refused:"));
        facts.missing().for_each(|what| lines.line(format_args!("[core]   {what}")));
    }
    let archive = modules::archive().map_err(|error| format!("core cannot start: {error}"))?;
    let scenario = modules::scenario(&archive).map_err(|error| format!("core cannot start: {error}"))?;
    let (limit, timer) = start_limit(objects, window, scenario.limit).map_err(text)?;
    let endpoint = objects.make().map_err(text)?;
    let system = System::new(endpoint);
    Ok((scenario, system, Server { endpoint, limit, timer }))
}

/// Starts the timer; its interrupts arrive at this thread as a signal with the badge [`TIMER`].
fn start_limit(
    objects: &mut Objects,
    window: &mut Window,
    limit: Duration,
) -> Result<(Limit, Cap<IrqHandler>), Exhausted> {
    let frame = objects.make_device_frame(gpt::ADDRESS)?;
    let registers = window.map_device(objects, frame)?;
    // SAFETY: mapped a moment ago, and the kernel gives the device to nobody else.
    let timer = unsafe { Gpt::start(registers) };
    let notification = objects.make::<Notification>()?;
    let slots = objects.take_slots(2)?;
    let (handler, badged) = (Cap::<IrqHandler>::new(slots.start), Cap::<Notification>::new(slots.start + 1));
    boot::IRQ_CONTROL.get(gpt::INTERRUPT, handler.slot(boot::CNODE))?;
    notification.slot(boot::CNODE).mint_to(badged.slot(boot::CNODE), Rights::ALL, TIMER.into())?;
    handler.set_notification(badged)?;
    boot::TCB.bind_notification(notification)?;
    handler.acknowledge()?;
    Ok((Limit::new(timer, limit), handler))
}
