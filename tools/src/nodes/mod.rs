//! A scenario of several nodes: one QEMU for each, joined by their Ethernets, and one oracle for all.
//!
//! Time in these machines is the host's, since none of them could know how far the others' virtual time is. So two runs are
//! not equal to the byte, and what lasts how long depends on what else the host does.

mod hub;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use base::{
    oracle::{Judgement, Oracle},
    scenario::{AFTER_NODE, Node, Scenario, Success},
};

use crate::{
    build::{self, KernelRequest},
    explain::{self, Explanation, Kind},
    image::{self, Parts},
    machine::{self, Clock, Folder, Heard, Options, Outcome, Stop, control::Report, qemu},
    run::{Error, Request},
    setup::{self, Need},
    workspace::Workspace,
};
use hub::Hub;

/// What is heard of the nodes while they run.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// A line of a node's, with its name in front.
    Line(&'a str),
    /// What happens to a node, for people.
    Note(&'a str),
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Passed, failed or timed out.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// More about it.
    pub details: Vec<String>,
    /// All lines in the order in which they came, with the nodes' names in front.
    pub lines: Vec<String>,
    /// What each node has printed, all its instances one after the other.
    pub consoles: BTreeMap<String, Vec<u8>>,
}

/// Something that came from a machine.
enum What {
    Bytes(Vec<u8>),
    Report(Report),
    Ended(Result<Outcome, machine::Error>),
}

/// A node, and its machine while it has one.
struct Station {
    name: String,
    node: Node,
    scenario: Scenario,
    image: Arc<Vec<u8>>,
    options: Options,
    running: Option<(Stop, JoinHandle<()>)>,
    /// It is being killed; it was.
    killed: bool,
    kill_at: Option<Instant>,
    start_at: Option<Instant>,
    /// The line that is not complete yet.
    line: Vec<u8>,
}

/// Builds, starts a machine for each node, and follows them until the oracle knows.
///
/// # Errors
/// Nothing ran.
pub fn run(workspace: &Workspace, request: &Request, mut show: impl FnMut(Said<'_>)) -> Result<Finished, Error> {
    setup::ensure(&[Need::Kernel])?;
    if !qemu::is_overridden() {
        setup::ensure(&[Need::Emulator])?;
    }
    let scenario = &request.loaded.scenario;
    let toolchain = request.toolchain.map_or_else(setup::toolchain, setup::toolchain_of)?;
    let kernel = KernelRequest { flavour: request.kernel, without_patches: request.without_patches.clone() };
    let parts = Arc::new(build::build(workspace, &toolchain, scenario, &kernel)?.parts);
    let folder = Folder::new()?;
    let hub = Hub::new(folder.root(), scenario.nodes.len());
    let hub = hub.map_err(|source| machine::Error::Prepare { path: folder.root().into(), source })?;
    let mut stations = Vec::new();
    for (number, (name, node)) in scenario.nodes.iter().enumerate() {
        let own = scenario.of_node(name);
        let image = image::assemble(&request.loaded.name, &own, &parts)?;
        let options = Options {
            qemu: qemu::program(),
            clock: Clock::Real,
            limit: own.limit,
            watchdog: Some(request.watchdog.unwrap_or_else(|| machine::watchdog(own.limit))),
            interactive: false,
            gdb: None,
            record: None,
            memory: None,
            cable: hub.cable(number),
            stop: None,
        };
        stations.push(Station {
            name: name.clone(),
            node: node.clone(),
            scenario: own,
            image: Arc::new(image.bytes),
            options,
            running: None,
            killed: false,
            kill_at: None,
            start_at: None,
            line: Vec::new(),
        });
    }
    let (events, received) = mpsc::channel();
    let mut run = Run {
        stations,
        parts,
        events,
        lines: Oracle::new(&Success { output: scenario.success.output.clone(), ..Success::default() }),
        exits: Oracle::new(&Success { exit: scenario.success.exit.clone(), ..Success::default() }),
        finished: Finished {
            kind: Kind::Passed,
            reason: String::new(),
            details: Vec::new(),
            lines: Vec::new(),
            consoles: scenario.nodes.keys().map(|name| (name.clone(), Vec::new())).collect(),
        },
    };
    let begin = Instant::now();
    for number in 0..run.stations.len() {
        let station = &mut run.stations[number];
        station.kill_at = station.node.kill_after.map(|after| begin + duration(after));
        run.start(number);
    }
    let ended = run.until_end(&received, &mut show);
    for station in &mut run.stations {
        if let Some((stop, thread)) = station.running.take() {
            stop.stop();
            let _ = thread.join();
        }
    }
    let (kind, reason, details) = ended?;
    Ok(Finished { kind, reason, details, ..run.finished })
}

fn duration(of: base::scenario::Duration) -> Duration {
    Duration::from_micros(of.micros)
}

struct Run {
    stations: Vec<Station>,
    parts: Arc<Parts>,
    events: Sender<(usize, What)>,
    lines: Oracle,
    exits: Oracle,
    finished: Finished,
}

type Ended = (Kind, String, Vec<String>);

impl Run {
    /// A machine for a node.
    fn start(&mut self, number: usize) {
        let station = &mut self.stations[number];
        // The board's end of one that was killed would be in the way.
        if let Some((board, _)) = &station.options.cable {
            let _ = std::fs::remove_file(board);
        }
        let stop = Stop::default();
        let options = Options { stop: Some(stop.clone()), ..station.options.clone() };
        let (image, parts, events) = (Arc::clone(&station.image), Arc::clone(&self.parts), self.events.clone());
        let thread = thread::spawn(move || {
            let send = |what| _ = events.send((number, what));
            let ended = machine::run(&image, &parts, &options, |heard| match heard {
                Heard::Console(bytes) => send(What::Bytes(bytes.to_vec())),
                Heard::Report(report) => send(What::Report(report.clone())),
            });
            send(What::Ended(ended));
        });
        (station.running, station.killed, station.start_at) = (Some((stop, thread)), false, None);
    }

    fn kill(&mut self, number: usize, show: &mut impl FnMut(Said<'_>)) {
        let station = &mut self.stations[number];
        station.kill_at = None;
        if let Some((stop, _)) = station.running.as_ref().filter(|_| !station.killed) {
            station.killed = true;
            show(Said::Note(&format!("{} is killed", station.name)));
            stop.stop();
        }
    }

    fn until_end(
        &mut self,
        received: &mpsc::Receiver<(usize, What)>,
        show: &mut impl FnMut(Said<'_>),
    ) -> Result<Ended, Error> {
        loop {
            let now = Instant::now();
            for number in 0..self.stations.len() {
                if self.stations[number].kill_at.is_some_and(|at| at <= now) {
                    self.kill(number, show);
                }
                if self.stations[number].start_at.is_some_and(|at| at <= now) {
                    show(Said::Note(&format!("{} is started again", self.stations[number].name)));
                    self.start(number);
                }
            }
            let next = self.stations.iter().flat_map(|station| [station.kill_at, station.start_at]).flatten().min();
            let wait = next.map_or(Duration::from_secs(1), |next| next.saturating_duration_since(now));
            let (number, what) = match received.recv_timeout(wait) {
                Ok(event) => event,
                // There is a sender here, too.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => continue,
            };
            let judgement = match what {
                What::Bytes(bytes) => {
                    self.bytes(number, &bytes, show);
                    self.judgement()
                }
                What::Report(Report::Exit { component, code }) => match self.exits.exit(&component, code) {
                    Judgement::Failed(reason) => Judgement::Failed(format!("{}: {reason}", self.stations[number].name)),
                    _ => self.judgement(),
                },
                What::Report(_) => Judgement::Open,
                What::Ended(outcome) => match self.ended(number, outcome?) {
                    Some(ended) => return Ok(ended),
                    None => Judgement::Open,
                },
            };
            match judgement {
                Judgement::Open => {}
                Judgement::Passed => return Ok((Kind::Passed, String::new(), Vec::new())),
                Judgement::Failed(reason) => return Ok((Kind::Failed, reason, Vec::new())),
            }
        }
    }

    fn judgement(&self) -> Judgement {
        match (self.lines.judgement(), self.exits.judgement()) {
            (Judgement::Passed, Judgement::Passed) => Judgement::Passed,
            _ => Judgement::Open,
        }
    }

    fn missing(&self) -> String {
        let parts = [self.lines.missing(), self.exits.missing()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }

    /// A node has printed something.
    fn bytes(&mut self, number: usize, bytes: &[u8], show: &mut impl FnMut(Said<'_>)) {
        let station = &mut self.stations[number];
        if let Some(console) = self.finished.consoles.get_mut(&station.name) {
            console.extend(bytes);
        }
        station.line.extend(bytes);
        while let Some(end) = self.stations[number].line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.stations[number].line.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            self.line(number, &text, show);
        }
    }

    fn line(&mut self, number: usize, text: &str, show: &mut impl FnMut(Said<'_>)) {
        let named = format!("{}{AFTER_NODE}{text}", self.stations[number].name);
        show(Said::Line(&named));
        let _ = match self.lines.expects(&named) {
            true => self.lines.line(&named),
            false => self.lines.line(text),
        };
        let is = |line: &str| line == named || line == text;
        let killed = self.stations.iter().position(|it| it.node.kill_when.as_deref().is_some_and(is));
        self.finished.lines.push(named);
        if let Some(killed) = killed {
            // Once: it may print the line again when it is started again.
            self.stations[killed].node.kill_when = None;
            self.kill(killed, show);
        }
    }

    /// A node's machine has ended; tells how all of it ends, if that is the end.
    fn ended(&mut self, number: usize, outcome: Outcome) -> Option<Ended> {
        let station = &mut self.stations[number];
        if let Some((_, thread)) = station.running.take() {
            // It has said that it ends.
            let _ = thread.join();
        }
        if station.killed {
            station.line.clear();
            station.start_at = station.node.restart_after.map(|after| Instant::now() + duration(after));
        } else {
            let Explanation { kind, reason, details } = explain::explain(&outcome, &station.scenario, &self.parts);
            if kind != Kind::Passed {
                let missing = match kind {
                    Kind::TimedOut => format!("its limit has passed, and {}", self.missing()),
                    _ => reason,
                };
                return Some((kind, format!("{}: {missing}", self.stations[number].name), details));
            }
        }
        let is_over = |station: &Station| station.running.is_none() && station.start_at.is_none();
        let over = self.stations.iter().all(is_over);
        over.then(|| (Kind::Failed, format!("every node has ended, but {}", self.missing()), Vec::new()))
    }
}
