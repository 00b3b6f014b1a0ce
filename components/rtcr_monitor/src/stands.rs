//! How the threads of a child stood at its checkpoints, counted, and told now and then and when the child has ended: so that
//! whoever takes many checkpoints sees at which instants they were.
//!
//! What a thread does is not all. One that was answered and has not run since "runs", as does one that has rung for another;
//! what tells them apart are the instruction before its program counter and the registers of a system call. So those are
//! part of what is counted, and whoever has the program can look further.

use alloc::{collections::BTreeMap, format, string::String};
use core::{
    fmt::{self, Write},
    mem,
};

use log::{Level, Record};
use rtcr::{
    checkpoint::Checkpoint,
    information::Stage,
    object::{Info, ThreadInfo},
};

use base::session::cpu::{Activity, Registers};

/// Places among the registers: program counter, what is called or a badge, a message's info, which system call.
const PC: usize = 0;
const TO: usize = 3;
const INFO: usize = 4;
const CALL: usize = 15;
/// System calls are told by small negative numbers.
const CALLS: i32 = -16;
/// What the framework marks the info register with when it waits, where the kernel leaves it alone if somebody rings.
const MARK: u32 = 0xf80;
/// Checkpoints after which it is told: a child may never end.
const AT_ONCE: u32 = 10;
/// Ways of standing that are told in a line.
const IN_A_LINE: usize = 6;

/// How a thread stood.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stand {
    activity: &'static str,
    pc: u32,
    /// The system call that it is in, or has made last; 0 for none.
    call: i32,
    mark: u32,
    /// What the register that names what is called would be a number of.
    to: &'static str,
}

/// Of checkpoints of a child.
#[derive(Default)]
pub struct Stands {
    checkpoints: u32,
    /// Of them, those before the barrier, at which nobody looks at threads.
    early: u32,
    seen: BTreeMap<Stand, u32>,
}

impl Stands {
    /// Counts those of one more checkpoint.
    pub fn note(&mut self, name: &str, checkpoint: &Checkpoint) {
        let information = checkpoint.information();
        self.checkpoints += 1;
        self.early += u32::from(information.stage == Stage::Booting);
        for object in &information.objects {
            let Info::Thread(ThreadInfo { registers, activity, .. }) = &object.info else { continue };
            let to = match information.object(registers[TO]) {
                Some(Info::Notification) => "bell",
                _ => "else",
            };
            if let Some(stand) = stand(*activity, registers, to) {
                *self.seen.entry(stand).or_default() += 1;
            }
        }
        if self.checkpoints == AT_ONCE {
            self.tell(name);
        }
    }

    /// Tells what was counted since it was told last, whatever else is told.
    pub fn tell(&mut self, name: &str) {
        let Self { checkpoints, early, seen } = mem::take(self);
        say(format_args!("{name} stood still {checkpoints} times, {early} of them before its barrier"));
        let mut ways = seen.iter();
        loop {
            let mut line = String::new();
            for (Stand { activity, pc, call, mark, to }, times) in ways.by_ref().take(IN_A_LINE) {
                // Into a string, which never fails.
                let _ = write!(line, " {activity} {pc:x} {call} {mark:x} {to} {times};");
            }
            if line.is_empty() {
                return;
            }
            say(format_args!("{name} stood:{line}"));
        }
    }
}

/// What is counted of a thread; none of one that is not there yet, or any more.
fn stand(activity: Activity, registers: &Registers, to: &'static str) -> Option<Stand> {
    let name = match activity {
        Activity::Inactive => return None,
        Activity::Running => "running",
        Activity::Sending { .. } => "sending",
        Activity::Calling => "calling",
        Activity::Receiving => "receiving",
        Activity::Waiting => "waiting",
        Activity::Faulted => "faulted",
    };
    let call = registers[CALL].cast_signed();
    let call = if (CALLS..0).contains(&call) { call } else { 0 };
    // Of one in its own code, the registers say anything.
    let mark = if call == 0 { 0 } else { registers[INFO] & MARK };
    let to = if call == 0 { "else" } else { to };
    Some(Stand { activity: name, pc: registers[PC], call, mark, to })
}

/// A line, whichever level is told.
pub fn say(text: fmt::Arguments<'_>) {
    let line = format!("{text}");
    log::logger().log(&Record::builder().level(Level::Info).args(format_args!("{line}")).build());
}
