//! QEMU's monitor (QMP), for what only the machine knows: where the processor is when nothing reports any more.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixListener, UnixStream},
    time::Duration,
};

use serde_json::{Value, json};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most lines (events among them) that are read for one answer.
const MOST_LINES: usize = 100;

/// The processor's registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// r0 to r15.
    pub general: [u32; 16],
    /// Current program status register.
    pub cpsr: u32,
}

impl Registers {
    /// Program counter.
    pub fn pc(&self) -> u32 {
        self.general[15]
    }

    /// Whether interrupts are masked (CPSR.I; ARM ARM B1.3.3).
    pub fn interrupts_are_off(&self) -> bool {
        self.cpsr & 1 << 7 != 0
    }

    /// From what the monitor's `info registers` prints: `R00=00000001 ... PSR=400001d3 ...`.
    pub fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let at = text.find(&format!("{name}="))? + name.len() + 1;
            u32::from_str_radix(text.get(at..at + 8)?, 16).ok()
        };
        let mut registers = Self { cpsr: value("PSR")?, ..Self::default() };
        for (number, register) in registers.general.iter_mut().enumerate() {
            *register = value(&format!("R{number:02}"))?;
        }
        Some(registers)
    }
}

/// A connection to the monitor. Nothing that goes wrong here is an error of the run: less is known then.
#[derive(Debug)]
pub struct Monitor {
    listener: UnixListener,
    stream: Option<BufReader<UnixStream>>,
}

impl Monitor {
    /// Waits for QEMU to connect to `listener`, which does not block.
    pub fn new(listener: UnixListener) -> Self {
        Self { listener, stream: None }
    }

    /// Where the processor is.
    pub fn registers(&mut self) -> Option<Registers> {
        let answer = self
            .command(&json!({"execute": "human-monitor-command", "arguments": {"command-line": "info registers"}}))?;
        Registers::parse(answer.as_str()?)
    }

    /// Words of memory at a virtual address, as the processor sees it now.
    pub fn words(&mut self, address: u32, count: usize) -> Option<Vec<u32>> {
        let line = format!("x /{count}xw {address:#x}");
        let answer = self.command(&json!({"execute": "human-monitor-command", "arguments": {"command-line": line}}))?;
        parse_words(answer.as_str()?).filter(|words| words.len() == count)
    }

    /// Instructions executed so far; with one nanosecond each, a lower bound of virtual time.
    pub fn instructions(&mut self) -> Option<u64> {
        self.command(&json!({"execute": "query-replay"}))?.get("icount")?.as_u64()
    }

    /// Stops the machine for good, so that registers hold still.
    pub fn stop(&mut self) {
        self.command(&json!({"execute": "stop"}));
    }

    /// Asks the machine to end itself, in order.
    pub fn quit(&mut self) {
        self.command(&json!({"execute": "quit"}));
    }

    fn command(&mut self, command: &Value) -> Option<Value> {
        if self.stream.is_none() {
            let (stream, _) = self.listener.accept().ok()?;
            stream.set_nonblocking(false).ok()?;
            stream.set_read_timeout(Some(PATIENCE)).ok()?;
            stream.set_write_timeout(Some(PATIENCE)).ok()?;
            self.stream = Some(BufReader::new(stream));
            self.exchange(&json!({"execute": "qmp_capabilities"}))?;
        }
        self.exchange(command)
    }

    /// The answer, past greeting and events.
    fn exchange(&mut self, command: &Value) -> Option<Value> {
        let stream = self.stream.as_mut()?;
        stream.get_mut().write_all(format!("{command}\n").as_bytes()).ok()?;
        for _ in 0..MOST_LINES {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|&length| length > 0)?;
            let mut message: Value = serde_json::from_str(&line).ok()?;
            if let Some(answer) = message.get_mut("return") {
                return Some(answer.take());
            }
            if message.get("error").is_some() {
                return None;
            }
        }
        None
    }
}

/// From what the monitor's `x` prints: `e0021ff0: 0x00000001 0x00000002`, in lines.
fn parse_words(text: &str) -> Option<Vec<u32>> {
    let words = text.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, words)| words.split_whitespace());
    words.map(|word| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_read_from_the_monitors_text() {
        let text = "\r\nCPU#0\r\nR00=00000001 R01=00000002 R02=00000000 R03=00000000\r\nR04=00000000 R05=00000000 \
                    R06=00000000 R07=00000000\r\nR08=00000000 R09=00000000 R10=00000000 R11=00000000\r\nR12=00000000 \
                    R13=0000000d R14=00000000 R15=2000000c\r\nPSR=400001d3 -Z-- A S svc32\r\ns00=00000000";
        let registers = Registers::parse(text).unwrap();
        assert_eq!((registers.pc(), registers.general[13], registers.general[1]), (0x2000_000c, 13, 2));
        assert!(registers.interrupts_are_off());
        assert_eq!(Registers::parse(""), None);
        assert_eq!(Registers::parse("R00=0"), None);
    }

    #[test]
    fn words_are_read_from_the_monitors_text() {
        let text = "e0021ff0: 0x00000001 0xe001b524\r\ne0021ff8: 0x00000003\r\n";
        assert_eq!(parse_words(text), Some(vec![1, 0xe001_b524, 3]));
        assert_eq!(parse_words("e0021ff0: Cannot access memory\r\n"), None);
    }
}
