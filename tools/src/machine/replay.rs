//! A run once more, from QEMU's record of it, to look at it instruction by instruction.
//!
//! QEMU's clock goes on when a debugger stops the machine, so whoever looks at a run changes it. A recorded run is
//! replayed with everything at the same instruction as before, interrupts included, however often it is stopped
//! meanwhile: what is seen is what happened.

use std::{
    fs,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use wire::{
    executable::{self, Executable},
    layout::KERNEL_VIRTUAL,
};

use super::{
    Clock, Error, Folder, copy, listen,
    qemu::{self, Gdb, Log, Sockets},
    remote::{self, Remote},
};
use crate::{image::Parts, process::Process};

/// Longest wait for QEMU to connect.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place for the record of a run; it vanishes with this.
pub struct Recording {
    folder: Folder,
}

impl Recording {
    /// Where to record.
    ///
    /// # Errors
    /// No folder can be made.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { folder: Folder::new()? })
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.path("record")
    }
}

/// Which instructions are wanted.
#[derive(Clone, Debug)]
pub struct Window {
    /// The first one.
    pub start: u32,
    /// What it belongs to.
    pub part: Part,
    /// How many.
    pub count: usize,
}

/// A piece of software.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The kernel.
    Kernel,
    /// The loader.
    Loader,
    /// The root task.
    Core,
    /// A program of components, by its name.
    Program(String),
    /// None that is known.
    Unknown,
}

/// An instruction that was run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Its virtual address.
    pub pc: u32,
    /// What it belongs to.
    pub part: Part,
}

/// What was seen of a window.
#[derive(Debug)]
pub struct Seen {
    /// The instructions, in order.
    pub steps: Vec<Step>,
    /// Why there are fewer than were wanted, if there are.
    pub cut_short: Option<remote::Error>,
}

/// Replays the run of `image` that was recorded in `recording` and looks at a window of it. `longest` is how long the
/// replay may take to get there.
///
/// # Errors
/// The machine cannot be started. Whatever ends it later is told by what is returned.
pub fn look(
    image: &[u8],
    parts: &Parts,
    program: &std::ffi::OsStr,
    recording: &Recording,
    window: &Window,
    longest: Duration,
) -> Result<Seen, Error> {
    let folder = Folder::new()?;
    let image_file = folder.path("image");
    fs::write(&image_file, image).map_err(|source| Error::Prepare { path: image_file.clone(), source })?;
    let (control_path, monitor_path, gdb_path) = (folder.path("control"), folder.path("monitor"), folder.path("gdb"));
    let (control, _monitor, gdb) = (listen(&control_path)?, listen(&monitor_path)?, listen(&gdb_path)?);
    let sockets = Sockets {
        control: &control_path,
        monitor: &monitor_path,
        gdb: Some(Gdb::Listening(&gdb_path)),
        memory: None,
        cable: None,
    };
    let record = recording.path();
    let clock = Clock::Instructions;
    let mut command = qemu::command(program, &image_file, clock, sockets, Some(Log::Replay(&record)));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = |source| Error::Start { program: program.to_owned(), source };
    let (process, stderr) = Process::start(&mut command, |child| child.stderr.take()).map_err(start)?;
    let said = thread::spawn(move || {
        let mut said = Vec::new();
        copy(stderr, |bytes| {
            said.extend_from_slice(&bytes);
            said.len() < 16 << 10
        });
        String::from_utf8_lossy(&said).trim().to_owned()
    });
    let connection = accept(&control, &process).and_then(|control| Some((control, accept(&gdb, &process)?)));
    let Some((control, gdb)) = connection else {
        process.kill();
        let status = process.wait().map_err(start)?;
        return Err(Error::Refused { program: program.into(), status, said: said.join().unwrap_or_default() });
    };
    // What core reports is known from the run itself.
    thread::spawn(move || copy(Some(control), |_| true));
    let mut steps = Vec::new();
    let cut_short = follow(gdb, parts, window, longest, &mut steps).err();
    Ok(Seen { steps, cut_short })
}

/// Waits until QEMU connects; none if it ends first, or never does.
fn accept(listener: &UnixListener, process: &Process) -> Option<UnixStream> {
    let begun = Instant::now();
    loop {
        if let Ok((stream, _)) = listener.accept() {
            return stream.set_nonblocking(false).ok().map(|()| stream);
        }
        if begun.elapsed() > PATIENCE || !matches!(process.poll(), Ok(None)) {
            return None;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Leads the machine to the window and through it.
fn follow(
    gdb: UnixStream,
    parts: &Parts,
    window: &Window,
    longest: Duration,
    steps: &mut Vec<Step>,
) -> Result<(), remote::Error> {
    let mut remote = Remote::new(gdb)?;
    let mut locator = Locator::new(parts);
    loop {
        remote.set_breakpoint(window.start)?;
        remote.go_on(longest)?;
        remote.clear_breakpoint(window.start)?;
        locator.forget();
        if locator.part(window.start, &mut remote)? == window.part {
            break;
        }
        // Somebody else has code at that address. Past it, or the machine would stop there again.
        remote.step()?;
    }
    locator.forget();
    while steps.len() < window.count {
        let pc = remote.pc()?;
        let part = locator.part(pc, &mut remote)?;
        steps.push(Step { pc, part });
        remote.step()?;
    }
    Ok(())
}

/// Tells whose code is at an address.
///
/// Kernel, loader and root task have addresses of their own. Programs share theirs, so which one it is shows in memory:
/// in the first word in which two of them differ.
struct Locator<'a> {
    alone: Vec<(Part, Executable<'a>)>,
    programs: Vec<(&'a str, Executable<'a>)>,
    /// The program that runs; it is another one only after somebody else has run in between.
    running: Option<Part>,
}

impl<'a> Locator<'a> {
    fn new(parts: &'a Parts) -> Self {
        let alone = [(Part::Loader, &parts.loader), (Part::Core, &parts.core)];
        let alone = alone.into_iter().filter_map(|(part, file)| Some((part, executable::open(file).ok()?))).collect();
        let programs = parts.programs.iter();
        let programs =
            programs.filter_map(|(name, file)| Some((name.as_str(), executable::open(file).ok()?))).collect();
        Self { alone, programs, running: None }
    }

    /// Another program may run now.
    fn forget(&mut self) {
        self.running = None;
    }

    fn part(&mut self, pc: u32, remote: &mut Remote) -> Result<Part, remote::Error> {
        if pc >= KERNEL_VIRTUAL {
            self.forget();
            return Ok(Part::Kernel);
        }
        if let Some((part, _)) = self.alone.iter().find(|(_, executable)| executable.extent().contains(&pc)) {
            let part = part.clone();
            self.forget();
            return Ok(part);
        }
        if let Some(running) = &self.running {
            return Ok(running.clone());
        }
        let mut candidates: Vec<_> = self.programs.iter().filter(|(_, program)| has_code(program, pc)).collect();
        // Each round compares two and drops at least one of them.
        while let [first, second, ..] = candidates.as_slice() {
            let Some(address) = difference(&first.1, &second.1) else {
                // The same program twice; one name is as good as the other.
                candidates.remove(1);
                continue;
            };
            let word = remote.word(address)?;
            let before = candidates.len();
            candidates
                .retain(|(_, program)| word.is_none() || fixed_word(program, address).is_none_or(|w| Some(w) == word));
            if candidates.len() == before {
                // Nothing can be read there: it remains open which one it is.
                candidates.clear();
            }
        }
        let part = candidates.first().map_or(Part::Unknown, |(name, _)| Part::Program((*name).into()));
        self.running = Some(part.clone());
        Ok(part)
    }
}

fn has_code(program: &Executable<'_>, pc: u32) -> bool {
    program.segments().any(|s| s.executable && pc.checked_sub(s.address).is_some_and(|offset| offset < s.size))
}

/// The first address at which both have a word that never changes, and not the same.
fn difference(one: &Executable<'_>, other: &Executable<'_>) -> Option<u32> {
    let fixed = one.segments().filter(|segment| !segment.writable);
    let words = fixed.flat_map(|segment| {
        (0..segment.bytes.len() as u32 / 4).filter_map(move |index| segment.address.checked_add(index * 4))
    });
    let mut words = words.filter(|&address| {
        let other = fixed_word(other, address);
        other.is_some() && fixed_word(one, address) != other
    });
    words.next()
}

/// The word at an address, if it never changes.
fn fixed_word(program: &Executable<'_>, address: u32) -> Option<[u8; 4]> {
    program.segments().filter(|segment| !segment.writable).find_map(|segment| {
        let offset = address.checked_sub(segment.address)? as usize;
        segment.bytes.get(offset..offset.checked_add(4)?)?.try_into().ok()
    })
}
