//! How threads stood at checkpoints: what the monitor counts, put into the rows of the table of what a stopped thread does
//! (`docs/src/reference/threads.md`).
//!
//! What a thread does is told by the kernel. A thread that could run may be in its own code, or right behind a system call that
//! was done for it while it stood still; the program tells, by the instruction before the program counter.

use std::collections::{BTreeMap, BTreeSet};

/// `swi 0`.
const SYSTEM_CALL: [u8; 4] = 0xef00_0000_u32.to_le_bytes();
/// How system calls are numbered.
const CALL: i32 = -1;
const REPLY_RECEIVE: i32 = -2;
const SEND: i32 = -3;
const RECEIVE: i32 = -5;
/// The info register keeps these bits of it when the kernel does not touch it: a signal was delivered, and no message.
const MARK: u32 = 0xe00;

/// The rows: each by its test in the suite `kernel`, and what it is for people.
pub const ROWS: [(&str, &str); 12] = [
    ("user_code", "is in user code"),
    ("call_not_received", "is in a call that nobody has received"),
    ("call_waiting_for_reply", "is in a call that was received, and not answered"),
    ("recv", "receives"),
    ("wait", "waits for a signal"),
    ("reply_recv", "has answered in ReplyRecv, and receives"),
    ("memory_fault", "was stopped by a memory fault"),
    ("answered", "was answered, and has not run since"),
    ("message_delivered", "was given a message, and has not run since"),
    ("signal_delivered", "was signalled, and has not run since"),
    ("sent", "has sent to a thread of higher priority, and has not run since"),
    ("signalled", "has signalled a thread of higher priority, and has not run since"),
];

/// Instants and places of each row, as many as [`ROWS`].
#[derive(Debug, Default)]
pub struct Stands {
    rows: [(u32, BTreeSet<(String, u32)>); ROWS.len()],
    /// Checkpoints, and those of them before the barrier.
    pub checkpoints: (u32, u32),
}

impl Stands {
    /// Takes a line of the monitor's, if it is one about how threads stood. Programs by components are asked for
    /// instructions.
    pub fn take(&mut self, line: &str, programs: &BTreeMap<&str, &Program<'_>>) {
        if let Some((_, rest)) = line.split_once(" stood still ") {
            let mut numbers = rest.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse::<u32>().ok());
            self.checkpoints.0 += numbers.next().unwrap_or(0);
            self.checkpoints.1 += numbers.next().unwrap_or(0);
        } else if let Some((name, ways)) = line.split_once(" stood: ")
            && let Some(program) = programs.get(name)
        {
            for (row, pc, times) in ways.split(';').filter_map(|way| read(way, program)) {
                self.rows[row].0 += times;
                self.rows[row].1.insert((name.to_owned(), pc));
            }
        }
    }

    /// How often threads were found in each row, and at how many places.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &'static str, u32, usize)> {
        ROWS.into_iter().zip(&self.rows).map(|((test, row), (instants, places))| (test, row, *instants, places.len()))
    }
}

/// A program's instructions.
#[derive(Debug)]
pub struct Program<'a> {
    segments: Vec<(u32, &'a [u8])>,
}

impl<'a> Program<'a> {
    /// Those of an executable.
    ///
    /// # Errors
    /// It is none.
    pub fn new(file: &'a [u8]) -> Result<Self, String> {
        let file = wire::executable::open(file).map_err(|reason| reason.to_string())?;
        Ok(Self { segments: file.segments().filter(|it| it.executable).map(|it| (it.address, it.bytes)).collect() })
    }

    fn is_system_call(&self, address: u32) -> bool {
        self.segments.iter().any(|(start, bytes)| {
            let at = address.checked_sub(*start).map(|at| at as usize);
            at.and_then(|at| bytes.get(at..at + 4)).is_some_and(|found| found == SYSTEM_CALL)
        })
    }
}

/// The row, the place and the times of one way of standing: `ACTIVITY PC CALL MARK TO TIMES`.
fn read(way: &str, program: &Program<'_>) -> Option<(usize, u32, u32)> {
    let mut words = way.split_whitespace();
    let activity = words.next()?;
    let pc = u32::from_str_radix(words.next()?, 16).ok()?;
    let call: i32 = words.next()?.parse().ok()?;
    let mark = u32::from_str_radix(words.next()?, 16).ok()?;
    let (to, times) = (words.next()?, words.next()?.parse().ok()?);
    let row = match activity {
        "sending" => "call_not_received",
        "calling" => "call_waiting_for_reply",
        "receiving" if call == REPLY_RECEIVE => "reply_recv",
        "receiving" => "recv",
        "waiting" => "wait",
        "faulted" => "memory_fault",
        "running" if !program.is_system_call(pc.wrapping_sub(4)) => "user_code",
        "running" => match call {
            CALL => "answered",
            SEND if to == "bell" => "signalled",
            SEND => "sent",
            RECEIVE | REPLY_RECEIVE if mark == MARK => "signal_delivered",
            RECEIVE | REPLY_RECEIVE => "message_delivered",
            _ => "user_code",
        },
        _ => return None,
    };
    Some((ROWS.iter().position(|(name, _)| *name == row)?, pc, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system call at 0x1000, something else at 0x1004.
    const CODE: [u8; 8] = [0, 0, 0, 0xef, 0, 0, 0xa0, 0xe1];

    fn row(way: &str) -> &'static str {
        ROWS[read(way, &Program { segments: vec![(0x1000, &CODE)] }).unwrap().0].0
    }

    #[test]
    fn each_row_is_told_from_the_others() {
        for (way, expected) in [
            ("running 1008 -1 0 else 3", "user_code"),
            ("running 1004 -1 0 else 3", "answered"),
            ("running 1004 -2 0 else 3", "message_delivered"),
            ("running 1004 -2 e00 else 3", "signal_delivered"),
            ("running 1004 -5 e00 else 3", "signal_delivered"),
            ("running 1004 -3 0 bell 3", "signalled"),
            ("running 1004 -3 0 else 3", "sent"),
            ("sending 1000 -1 0 else 3", "call_not_received"),
            ("calling 1000 -1 0 else 3", "call_waiting_for_reply"),
            ("receiving 1000 -5 e00 else 3", "recv"),
            ("receiving 1000 -2 e00 else 3", "reply_recv"),
            ("waiting 1000 -5 e00 bell 3", "wait"),
            ("faulted 1008 0 0 else 3", "memory_fault"),
        ] {
            assert_eq!(row(way), expected, "{way}");
        }
    }

    #[test]
    fn places_are_counted_once() {
        let program = Program { segments: vec![(0x1000, &CODE)] };
        let (mut stands, programs) = (Stands::default(), BTreeMap::from([("it", &program)]));
        stands.take("it stood still 7 times, 2 of them before its barrier", &programs);
        stands.take("it stood: running 1008 0 0 else 3; running 1000 0 0 else 2;", &programs);
        stands.take("it stood: running 1008 -1 0 else 1;", &programs);
        stands.take("other stood: running 1008 -1 0 else 1;", &programs);
        assert_eq!(stands.checkpoints, (7, 2));
        assert_eq!(stands.rows().next(), Some(("user_code", "is in user code", 6, 2)));
        assert_eq!(stands.rows().map(|row| row.2).sum::<u32>(), 6);
    }
}
