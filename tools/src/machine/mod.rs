//! One run in QEMU: from an image to how it ended.
//!
//! Core's reports come over the control line, a socket here; what components print over the console, QEMU's standard
//! output. A run ends by core's verdict. It can also end without one: QEMU may die, the loader may stop, the kernel may
//! halt, core may die or hang. Those are told apart by what the monitor says about the processor, and nothing of it is
//! concluded from text that a component could print.

pub mod control;
pub mod gdb;
pub mod monitor;
pub mod qemu;
pub mod remote;
pub mod replay;
mod watch;

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use base::scenario;
use tempfile::TempDir;
use wire::record::Record;

use crate::{image::Parts, interrupt, process::Process, timeline::Recorded};
use control::{Frames, Report};
use monitor::{Monitor, Registers};
use qemu::{Gdb, Log};
use watch::Watch;

pub use qemu::Clock;
pub(crate) use watch::HALTED_IN;

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which QEMU; see [`qemu::program`].
    pub qemu: OsString,
    /// Where virtual time comes from.
    pub clock: Clock,
    /// The scenario's limit of virtual time. Core keeps it; here it is what unreasonable means.
    pub limit: scenario::Duration,
    /// Real time without a byte on the console after which a run is ended; see [`watchdog`].
    pub watchdog: Option<Duration>,
    /// Hand standard input to the console.
    pub interactive: bool,
    /// Wait for a debugger.
    pub gdb: Option<gdb::Sources>,
    /// Record the run, to replay it later; not with [`Clock::Real`].
    pub record: Option<PathBuf>,
    /// The RAM, of [`qemu::RAM`] bytes, if it is to outlive the machine; not with `record`.
    pub memory: Option<PathBuf>,
    /// The Ethernet's cable: the board's end and the other, see [`qemu::Cable`].
    pub cable: Option<(PathBuf, PathBuf)>,
    /// By which somebody else ends the run.
    pub stop: Option<Stop>,
}

/// Ends a run from another thread. Asked before the run has begun, it ends then.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<Stopping>>);

#[derive(Debug, Default)]
struct Stopping {
    asked: bool,
    events: Option<Sender<Event>>,
}

impl Stop {
    /// Ends the run.
    pub fn stop(&self) {
        let mut stopping = self.lock();
        stopping.asked = true;
        // It may have ended already.
        stopping.events.as_ref().map(|events| events.send(Event::Stopped));
    }

    fn arm(&self, events: Sender<Event>) {
        let mut stopping = self.lock();
        if stopping.asked {
            let _ = events.send(Event::Stopped);
        }
        stopping.events = Some(events);
    }

    fn lock(&self) -> MutexGuard<'_, Stopping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The real time that no run should need: 20 times its limit of virtual time, at least a minute.
pub fn watchdog(limit: scenario::Duration) -> Duration {
    Duration::from_micros(limit.micros.saturating_mul(20)).max(Duration::from_secs(60))
}

/// How a run ended, and everything that was heard of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The end.
    pub end: End,
    /// All reports in order, the verdict included.
    pub reports: Vec<Report>,
    /// What core recorded, if the scenario asked for it.
    pub recorded: Recorded,
    /// All bytes of the console.
    pub console: Vec<u8>,
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Core gave its verdict; it is the last report.
    Verdict,
    /// Core itself faulted or panicked; it is the last report.
    Core,
    /// The loader stopped; what it said.
    Loader(String),
    /// The kernel halted.
    Kernel {
        /// Here.
        registers: Registers,
        /// The words at its stack pointer, lowest address first; empty if the monitor could not tell.
        stack: Vec<u32>,
    },
    /// The control line carried something that is no report.
    Malformed,
    /// QEMU ended by itself.
    Qemu {
        /// Its exit status.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
    /// Somebody has ended it, see [`Stop`].
    Stopped,
    /// No verdict within reasonable time; where the processor was, if the monitor could tell.
    Silent(Option<Registers>),
}

/// What is heard of a run while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// Bytes of the console.
    Console(&'a [u8]),
    /// A report of core.
    Report(&'a Report),
}

/// Why nothing was run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the run could not be made.
    #[error("cannot prepare {path}: {source}; set TMPDIR to a folder that can be written", path = path.display())]
    Prepare {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU cannot be started.
    #[error(
        "cannot start {program}: {source}; install the Debian package qemu-system-arm, or set RTCR_QEMU \
         (`cargo rtcr doctor` tells what is missing)", program = program.display()
    )]
    Start {
        /// The program.
        program: OsString,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU ended before it ran anything.
    #[error("{program} did not start the board ({status}): {said}", program = program.display())]
    Refused {
        /// The program.
        program: OsString,
        /// Its exit status.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
}

#[derive(Debug)]
enum Event {
    Connected,
    Stopped,
    Control(Vec<u8>),
    ControlEnded,
    Console(Vec<u8>),
    ConsoleEnded,
}

/// Boots `image`, which was packed from `parts`, and follows it to its end. `show` hears everything as it comes.
///
/// # Errors
/// Nothing ran. Whatever goes wrong later is part of the outcome.
pub fn run(image: &[u8], parts: &Parts, options: &Options, mut show: impl FnMut(Heard<'_>)) -> Result<Outcome, Error> {
    let folder = Folder::new()?;
    let image_file = folder.path("image");
    fs::write(&image_file, image).map_err(|source| Error::Prepare { path: image_file.clone(), source })?;
    let (control_path, monitor_path, gdb_path) = (folder.path("control"), folder.path("monitor"), folder.path("gdb"));
    let (control, monitor) = (listen(&control_path)?, listen(&monitor_path)?);
    let gdb = options.gdb.as_ref().map(|_| Gdb::Awaited(&gdb_path));
    if let Some(sources) = &options.gdb {
        let script = gdb::write(folder.temporary.path(), &gdb_path, parts, sources);
        let script = script.map_err(|(path, source)| Error::Prepare { path, source })?;
        gdb::announce(&script, parts, sources);
    }

    let program = options.qemu.clone();
    let cable = options.cable.as_ref().map(|(board, other)| qemu::Cable { board, other });
    let memory = options.memory.as_deref();
    let sockets = qemu::Sockets { control: &control_path, monitor: &monitor_path, gdb, memory, cable };
    let mut command =
        qemu::command(&program, &image_file, options.clock, sockets, options.record.as_deref().map(Log::Record));
    command.stdin(if options.interactive { Stdio::piped() } else { Stdio::null() });
    let start = |source| Error::Start { program: program.clone(), source };
    let (process, pipes) = Process::start(&mut command, take_pipes).map_err(start)?;
    let (events, received) = mpsc::channel();
    if let Some(stop) = &options.stop {
        stop.arm(events.clone());
    }
    let said = follow(pipes, control, events, options.interactive);

    let mut run = Run {
        received,
        monitor: Monitor::new(monitor),
        watch: Watch::new(parts),
        frames: Frames::default(),
        connected: false,
        control_ended: false,
        ended: false,
        outcome: Outcome { end: End::Verdict, reports: Vec::new(), recorded: Recorded::default(), console: Vec::new() },
    };
    let end = run.until_end(options, &mut show);
    if options.record.is_some() && end.is_some() {
        // The record is whole only when QEMU writes its end. If it does not, replaying says so.
        run.monitor.quit();
        process.wait_for(PATIENCE).map_err(start)?;
    }
    process.kill();
    run.drain(&mut show);
    let (connected, mut outcome) = (run.connected, run.outcome);
    outcome.end = match end {
        Some(end) => end,
        None => {
            let status = process.wait().map_err(start)?;
            let said = said.join().unwrap_or_default();
            if !connected {
                return Err(Error::Refused { program, status, said });
            }
            End::Qemu { status, said }
        }
    };
    Ok(outcome)
}

/// A private folder that vanishes with the run, also on Ctrl-C.
pub(crate) struct Folder {
    temporary: TempDir,
    _cleanup: interrupt::Registration,
}

impl Folder {
    pub(crate) fn new() -> Result<Self, Error> {
        // A socket's path has at most 107 bytes.
        let longest = 70;
        let base = Some(std::env::temp_dir()).filter(|base| base.as_os_str().len() <= longest);
        let base = base.unwrap_or_else(|| "/tmp".into());
        let made = tempfile::Builder::new().prefix("rtcr-").tempdir_in(&base);
        // The error itself would name a folder that nobody knows.
        let temporary = made.map_err(|error| Error::Prepare { path: base, source: error.kind().into() })?;
        let path = temporary.path().to_owned();
        let cleanup = interrupt::on_interrupt(move || drop(fs::remove_dir_all(path)));
        Ok(Self { temporary, _cleanup: cleanup })
    }

    pub(crate) fn root(&self) -> &Path {
        self.temporary.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }
}

fn listen(path: &Path) -> Result<UnixListener, Error> {
    let listener = UnixListener::bind(path).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|source| Error::Prepare { path: path.into(), source })
}

struct Pipes {
    stdin: Option<std::process::ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

fn take_pipes(child: &mut Child) -> Pipes {
    Pipes { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() }
}

/// Threads that turn what arrives into events; returns the one that collects what QEMU itself says.
fn follow(pipes: Pipes, control: UnixListener, events: Sender<Event>, interactive: bool) -> JoinHandle<String> {
    let Pipes { stdin, stdout, stderr } = pipes;
    // The console ends when QEMU has: whoever has not connected by then will not.
    let gone = Arc::new(AtomicBool::new(false));
    let (console, console_gone) = (events.clone(), gone.clone());
    thread::spawn(move || {
        copy(stdout, |bytes| console.send(Event::Console(bytes)).is_ok());
        console_gone.store(true, Ordering::Release);
        let _ = console.send(Event::ConsoleEnded);
    });
    thread::spawn(move || {
        loop {
            let last = gone.load(Ordering::Acquire);
            match control.accept() {
                Ok((stream, _)) => {
                    let readable = stream.set_nonblocking(false).is_ok() && events.send(Event::Connected).is_ok();
                    copy(Some(stream).filter(|_| readable), |bytes| events.send(Event::Control(bytes)).is_ok());
                    break;
                }
                Err(_) if last => break,
                Err(_) => thread::sleep(Duration::from_millis(2)),
            }
        }
        let _ = events.send(Event::ControlEnded);
    });
    if let (true, Some(mut console_input)) = (interactive, stdin) {
        // It ends with the process: nothing can wake it from waiting for a key.
        thread::spawn(move || copy(Some(io::stdin()), |bytes| console_input.write_all(&bytes).is_ok()));
    }
    thread::spawn(move || {
        // Its end tells why it gave up; a machine that complains for ever must not fill our memory.
        let (mut said, most) = (Vec::new(), 16 << 10);
        copy(stderr, |bytes| {
            said.extend_from_slice(&bytes);
            said.drain(..said.len().saturating_sub(most));
            true
        });
        String::from_utf8_lossy(&said).trim().to_owned()
    })
}

/// Hands on what can be read until the end, an error, or `take` says that it is enough.
fn copy(source: Option<impl Read>, mut take: impl FnMut(Vec<u8>) -> bool) {
    let Some(mut source) = source else { return };
    let mut buffer = [0; 4096];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) if take(buffer[..length].to_vec()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Longest wait for what is about to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of a halted kernel's stack is looked at: halting itself takes two words.
const STACK_WORDS: usize = 4;
/// How often it is looked whether silence is only silence.
const TICK: Duration = Duration::from_millis(500);

struct Run {
    received: Receiver<Event>,
    monitor: Monitor,
    watch: Watch,
    frames: Frames,
    connected: bool,
    control_ended: bool,
    ended: bool,
    outcome: Outcome,
}

impl Run {
    /// How it ended; none if QEMU ended by itself.
    fn until_end(&mut self, options: &Options, show: &mut impl FnMut(Heard<'_>)) -> Option<End> {
        let mut last_heard = Instant::now();
        let watchdog = options.watchdog.filter(|_| options.gdb.is_none());
        let mut suspected = false;
        loop {
            let event = self.received.recv_timeout(TICK);
            let quiet = matches!(event, Err(RecvTimeoutError::Timeout));
            // Core limits what a component may print, but printing it can take longer than the watchdog waits.
            if matches!(event, Ok(Event::Console(_))) {
                last_heard = Instant::now();
            }
            if let Ok(event) = event
                && let Some(end) = self.take(event, show)
            {
                return Some(end);
            }
            // Everything has been heard.
            if self.ended && self.control_ended {
                return None;
            }
            if let Some(said) = self.watch.loader_stopped(&self.outcome.reports) {
                // Believed only if that is where the processor is, or nothing can be told.
                match self.monitor.registers() {
                    Some(registers) if !self.watch.is_in_loader(registers) => {}
                    _ => return Some(End::Loader(said)),
                }
            }
            if quiet && options.gdb.is_none() || self.watch.kernel_spoke() {
                let registers = self.monitor.registers();
                match registers.filter(|registers| self.watch.is_halted(*registers)) {
                    // Twice in a row, since the first may have caught the kernel on its way through.
                    Some(registers) if suspected => {
                        let stack = self.monitor.words(registers.general[13], STACK_WORDS).unwrap_or_default();
                        return Some(End::Kernel { registers, stack });
                    }
                    halted => suspected = halted.is_some(),
                }
                // Each instruction takes a nanosecond at least, so core should have ended this long ago.
                let most = options.limit.micros.saturating_mul(2_000).saturating_add(1_000_000_000);
                let late = |run: &mut Self| run.monitor.instructions().is_some_and(|count| count > most);
                if options.clock == Clock::Instructions && quiet && late(self) {
                    return Some(self.silent());
                }
            }
            if watchdog.is_some_and(|watchdog| last_heard.elapsed() > watchdog) {
                return Some(self.silent());
            }
        }
    }

    fn silent(&mut self) -> End {
        self.monitor.stop();
        End::Silent(self.monitor.registers())
    }

    fn take(&mut self, event: Event, show: &mut impl FnMut(Heard<'_>)) -> Option<End> {
        match event {
            Event::Connected => self.connected = true,
            Event::Stopped => return Some(End::Stopped),
            Event::Console(bytes) => {
                show(Heard::Console(&bytes));
                self.watch.hear(&bytes);
                self.outcome.console.extend(bytes);
            }
            Event::ConsoleEnded => self.ended = true,
            Event::ControlEnded => self.control_ended = true,
            Event::Control(bytes) => return self.control(&bytes, show),
        }
        None
    }

    fn control(&mut self, bytes: &[u8], show: &mut impl FnMut(Heard<'_>)) -> Option<End> {
        let Outcome { reports, recorded, .. } = &mut self.outcome;
        let (mut end, mut piece) = (None, Ok(()));
        let result = self.frames.push(bytes, |record| {
            // Nothing follows the end.
            if end.is_some() {
                return;
            }
            if let Record::Trace(next) = record {
                piece = piece.and_then(|()| recorded.take(next));
            } else if let Some(report) = Report::of(record) {
                end = match &report {
                    report if report.is_verdict() => Some(End::Verdict),
                    Report::Fault { component, .. } | Report::Panic { component, .. } if component == "core" => {
                        Some(End::Core)
                    }
                    _ => None,
                };
                show(Heard::Report(&report));
                reports.push(report);
            }
        });
        match result.and(piece) {
            Err(_) if end.is_none() => Some(End::Malformed),
            _ => end,
        }
    }

    /// Takes what is still in the pipes after QEMU has been ended.
    fn drain(&mut self, show: &mut impl FnMut(Heard<'_>)) {
        while !self.ended {
            match self.received.recv_timeout(PATIENCE) {
                // The end is known; what comes over the control line now changes nothing.
                Ok(Event::Control(_) | Event::ControlEnded | Event::Connected | Event::Stopped) => {}
                Ok(event) => drop(self.take(event, show)),
                Err(_) => return,
            }
        }
    }
}
