//! The debugger's side of gdb's remote protocol ("Debugging with GDB", appendix E), as far as a trace needs it.

use std::{
    io::{self, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

/// Longest wait for an answer that needs nothing to run.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest packet that is taken; QEMU's have at most 4096 bytes.
const LONGEST: usize = 16 << 10;
/// Where the program counter stands in the registers' hexadecimal digits: the sixteenth word (r15).
const PC: std::ops::Range<usize> = 15 * 8..16 * 8;

/// Why the machine cannot be led any further.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine has ended.
    #[error("the machine has ended")]
    Ended,
    /// Nothing was heard in time.
    #[error("the machine does not answer")]
    Silent,
    /// The connection broke.
    #[error("the connection to the machine broke: {0}")]
    Broken(io::Error),
    /// What was heard makes no sense here.
    #[error("the machine answered `{0}`, which is no answer to what was asked")]
    Nonsense(String),
}

/// A machine that waits for what it is told. It stands still whenever no method of this is being called.
#[derive(Debug)]
pub struct Remote {
    stream: UnixStream,
    unread: Vec<u8>,
}

impl Remote {
    /// Talks to the stub at the other end.
    ///
    /// # Errors
    /// The stream cannot be used.
    pub fn new(stream: UnixStream) -> Result<Self, Error> {
        stream.set_nonblocking(false).map_err(Error::Broken)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(Error::Broken)?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Stops the machine whenever it is about to run the instruction at that virtual address, in whatever address space.
    ///
    /// # Errors
    /// As of [`Error`].
    pub fn set_breakpoint(&mut self, address: u32) -> Result<(), Error> {
        self.agree(&format!("Z0,{address:x},4"))
    }

    /// Undoes [`set_breakpoint`](Self::set_breakpoint).
    ///
    /// # Errors
    /// As of [`Error`].
    pub fn clear_breakpoint(&mut self, address: u32) -> Result<(), Error> {
        self.agree(&format!("z0,{address:x},4"))
    }

    /// Runs until a breakpoint.
    ///
    /// # Errors
    /// [`Error::Ended`] if the machine ends first, [`Error::Silent`] if it does neither in `patience`.
    pub fn go_on(&mut self, patience: Duration) -> Result<(), Error> {
        self.until_stop("c", patience)
    }

    /// Runs one instruction.
    ///
    /// # Errors
    /// As of [`Error`].
    pub fn step(&mut self) -> Result<(), Error> {
        self.until_stop("s", PATIENCE)
    }

    /// The instruction that is next.
    ///
    /// # Errors
    /// As of [`Error`].
    pub fn pc(&mut self) -> Result<u32, Error> {
        let registers = self.ask("g", PATIENCE)?;
        let word = registers.get(PC).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        // Registers come in the order of their bytes in memory.
        word.map(u32::swap_bytes).ok_or(Error::Nonsense(registers))
    }

    /// The word at a virtual address of the address space that is in use; none where nothing is mapped.
    ///
    /// # Errors
    /// As of [`Error`].
    pub fn word(&mut self, address: u32) -> Result<Option<[u8; 4]>, Error> {
        let answer = self.ask(&format!("m{address:x},4"), PATIENCE)?;
        if answer.starts_with('E') {
            return Ok(None);
        }
        match u32::from_str_radix(&answer, 16) {
            Ok(word) if answer.len() == 8 => Ok(Some(word.to_be_bytes())),
            _ => Err(Error::Nonsense(answer)),
        }
    }

    fn agree(&mut self, request: &str) -> Result<(), Error> {
        match self.ask(request, PATIENCE)? {
            answer if answer == "OK" => Ok(()),
            answer => Err(Error::Nonsense(answer)),
        }
    }

    fn until_stop(&mut self, request: &str, patience: Duration) -> Result<(), Error> {
        let answer = self.ask(request, patience)?;
        match answer.as_bytes().first() {
            // Stopped by a signal: a breakpoint or a finished step.
            Some(b'T' | b'S') => Ok(()),
            Some(b'W' | b'X') => Err(Error::Ended),
            _ => Err(Error::Nonsense(answer)),
        }
    }

    fn ask(&mut self, request: &str, patience: Duration) -> Result<String, Error> {
        self.stream.set_read_timeout(Some(patience)).map_err(Error::Broken)?;
        let packet = format!("${request}#{:02x}", checksum(request.as_bytes()));
        self.stream.write_all(packet.as_bytes()).map_err(broken)?;
        loop {
            if let Some(answer) = self.take()? {
                // It may be gone already, if this was its last answer.
                let _ = self.stream.write_all(b"+");
                return Ok(answer);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(Error::Ended),
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                // Reading with a time limit is not taken up again after a signal.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    /// A packet, if it is there to its end; what stands before it are acknowledgements.
    fn take(&mut self) -> Result<Option<String>, Error> {
        let nonsense = |bytes: &[u8]| Error::Nonsense(String::from_utf8_lossy(bytes).into_owned());
        let start = self.unread.iter().position(|&byte| byte == b'$');
        let end = self.unread.iter().position(|&byte| byte == b'#');
        match (start, end) {
            (Some(start), Some(end)) if start < end && self.unread.len() >= end + 3 => {
                let rest = self.unread.split_off(end + 3);
                let packet = std::mem::replace(&mut self.unread, rest);
                let (content, sum) = (&packet[start + 1..end], &packet[end + 1..]);
                let right = sum == format!("{:02x}", checksum(content)).as_bytes();
                let text = str::from_utf8(content).ok().filter(|_| right);
                text.map(|text| Some(text.to_owned())).ok_or_else(|| nonsense(&packet))
            }
            _ if self.unread.len() > LONGEST => Err(nonsense(&self.unread[..40])),
            _ => Ok(None),
        }
    }
}

fn checksum(content: &[u8]) -> u8 {
    content.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

fn broken(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Silent,
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => Error::Ended,
        _ => Error::Broken(error),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A stub that answers each request in turn with these bytes, and then hangs up.
    fn answering(answers: &'static [&'static [u8]]) -> Remote {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 256];
            for answer in answers {
                // Requests are short and come one at a time; acknowledgements come alone.
                loop {
                    let length = theirs.read(&mut buffer).unwrap();
                    if buffer[..length].contains(&b'#') {
                        break;
                    }
                }
                answer.iter().for_each(|byte| theirs.write_all(&[*byte]).unwrap());
            }
        });
        Remote::new(ours).unwrap()
    }

    #[test]
    fn answers_are_found_however_they_are_cut() {
        let mut remote = answering(&[b"+$OK#9a", b"+$T05thread:01;#07", b"+$E14#aa", b"+$0a0b0c0d#4a"]);
        remote.set_breakpoint(0x100_0f90).unwrap();
        remote.go_on(PATIENCE).unwrap();
        assert_eq!(remote.word(0).unwrap(), None);
        assert_eq!(remote.word(0).unwrap(), Some([10, 11, 12, 13]));
        assert!(matches!(remote.pc(), Err(Error::Ended)));
    }

    #[test]
    fn the_end_of_the_machine_is_told_apart() {
        assert!(matches!(answering(&[b"+$W00#b7"]).step(), Err(Error::Ended)));
        assert!(matches!(answering(&[b"+"]).step(), Err(Error::Ended)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let told = |result: Result<(), Error>| result.unwrap_err().to_string();
        let nonsense = |answer: &str| Error::Nonsense(answer.into()).to_string();
        assert_eq!(told(answering(&[b"+$OK#9b"]).set_breakpoint(0)), nonsense("+$OK#9b"));
        assert_eq!(told(answering(&[b"+$#00"]).set_breakpoint(0)), nonsense(""));
        assert_eq!(told(answering(&[b"+$OK#9a"]).pc().map(drop)), nonsense("OK"));
        assert_eq!(told(answering(&[b"+$OK#9a"]).word(0).map(drop)), nonsense("OK"));
        assert_eq!(told(answering(&[b"+$12#63"]).word(0).map(drop)), nonsense("12"));
    }

    #[test]
    fn the_program_counter_is_the_sixteenth_register() {
        // Fifteen words of zero, then 0x01000f90 as it lies in memory.
        let mut remote = answering(&[b"+$\
            000000000000000000000000000000000000000000000000000000000000\
            000000000000000000000000000000000000000000000000000000000000900f000110000000#c1"]);
        assert_eq!(remote.pc().unwrap(), 0x100_0f90);
    }
}
