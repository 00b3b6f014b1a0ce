//! The agent: does what the transitions say, and tells them what happens.

use alloc::{collections::VecDeque, string::String, vec::Vec};

use base::{Env, session::custody::Description};
use ethernet::{
    Stack,
    smoltcp::{
        time::{Duration, Instant},
        wire::IpCidr,
    },
};
use handover::{Action, Body, Epoch, Event, From, Message, Node, Phase, State, step};

use crate::{
    channel::Ends,
    config::Settings,
    line::Line,
    packet::{PIECE, Packet},
    ward::Ward,
};

/// From one look at the clock to the next.
const TICK: Duration = Duration::from_millis(1);

/// What comes from the others and concerns images.
enum Cargo {
    Need(Epoch, Description),
    Piece(Epoch, Vec<u8>),
}

/// An agent.
pub struct Agent {
    env: Env,
    settings: Settings,
    stack: Stack,
    line: Line,
    ward: Ward,
    state: State,
    events: VecDeque<Event>,
    /// What the other has told of an attempt's needs.
    need: Option<(Epoch, Description)>,
    /// The attempt whose image is being sent.
    sending: Option<Epoch>,
    /// A piece of the image that is coming was not taken.
    is_spoilt: bool,
    /// Since when the component runs here.
    since: Option<u64>,
    next_tick: Instant,
}

impl Agent {
    /// # Errors
    /// What is missing, for people.
    pub fn new(env: Env, settings: Settings) -> Result<Self, String> {
        let no = |what: &dyn core::fmt::Debug| alloc::format!("there is no network: {what:?}");
        let address = IpCidr::Ipv4(settings.address);
        let mut stack =
            Stack::open(env, "link", settings.port.as_bytes(), address, settings.seed).map_err(|e| no(&e))?;
        let (own, peer) = (settings.config.own.0, 1 - settings.config.own.0);
        let ends = Ends { nodes: (own, peer), keys: (settings.key, settings.peer_key), begins: own > peer };
        let line = Line::new(&mut stack, settings.peer, ends, settings.seed);
        let ward = Ward::open(env, &settings.component)?;
        Ok(Self {
            env,
            settings,
            stack,
            line,
            ward,
            state: State::new(),
            events: VecDeque::new(),
            need: None,
            sending: None,
            is_spoilt: false,
            since: None,
            next_tick: Instant::ZERO,
        })
    }

    fn now(&self) -> u64 {
        // TIMER's session is this component's own and cannot be gone.
        self.env.timer().now().unwrap_or(0)
    }

    /// For ever.
    pub fn run(&mut self) -> ! {
        loop {
            self.stack.poll();
            self.hear();
            if self.stack.now() >= self.next_tick {
                self.next_tick = self.stack.now() + TICK;
                self.events.push_back(Event::Tick);
                self.plan_move();
            }
            while let Some(event) = self.events.pop_front() {
                self.happens(event);
            }
            let is_busy = self.send_pieces();
            self.stack.poll();
            if !is_busy && let Err(error) = self.stack.wait(Some(self.next_tick)) {
                log::error!("There is no time: {error:?}");
                self.env.exit(1);
            }
        }
    }

    /// The scenario wants it moved away after a while.
    fn plan_move(&mut self) {
        let runs = self.state.phase == Phase::Holder && self.state.body == Body::Runs && self.line.is_open();
        let Some(since) = self.since.filter(|_| runs && self.settings.moves > 0) else { return };
        if self.now().saturating_sub(since) >= self.settings.move_after {
            self.settings.moves -= 1;
            self.since = Some(self.now());
            self.events.push_back(Event::Move);
        }
    }

    fn hear(&mut self) {
        let (mut messages, mut cargo) = (Vec::new(), Vec::new());
        self.line.work(&mut self.stack, &mut |packet| match packet {
            Packet::Message(message) => messages.push((cargo.len(), message)),
            Packet::Need(number, description) => cargo.push(Cargo::Need(number, description)),
            Packet::Piece(number, bytes) => cargo.push(Cargo::Piece(number, bytes.to_vec())),
        });
        // In the order in which they have come.
        let mut cargo = cargo.into_iter().enumerate().peekable();
        for (place, message) in messages {
            while let Some((_, cargo)) = cargo.next_if(|(number, _)| *number < place) {
                self.unload(cargo);
            }
            let peer = Node(1 - self.settings.config.own.0);
            self.happens(Event::Received(peer, message));
        }
        cargo.for_each(|(_, cargo)| self.unload(cargo));
    }

    fn unload(&mut self, cargo: Cargo) {
        match cargo {
            Cargo::Need(number, description) => self.need = Some((number, description)),
            Cargo::Piece(number, bytes) => {
                let is_wanted = matches!(self.state.phase, Phase::Accepted(accepted, _) if accepted == number);
                if is_wanted && !self.is_spoilt {
                    let written = self.ward.write(&bytes);
                    if let Err(error) = written {
                        log::warn!("The image is not taken: {error:?}");
                        self.is_spoilt = true;
                    }
                }
            }
        }
    }

    fn happens(&mut self, event: Event) {
        let state = core::mem::take(&mut self.state);
        let (state, actions) = step(&self.settings.config, state, self.now(), event);
        self.state = state;
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            // It follows the image.
            Action::Send(_, Message::State(number)) if self.sending == Some(number) => {}
            Action::Send(_, message) => {
                if let Message::Ask { number, .. } = message {
                    match self.ward.describe() {
                        Some(description) => self.line.say(&mut self.stack, &Packet::Need(number, description)),
                        None => {
                            log::info!("{}: it has ended, and is not moved.", self.settings.component);
                            self.settings.moves = 0;
                        }
                    }
                }
                self.line.say(&mut self.stack, &Packet::Message(message));
            }
            Action::Check(number) => {
                self.is_spoilt = false;
                let need = self.need.take().filter(|(of, _)| *of == number);
                let fits = need.is_some_and(|(_, description)| self.ward.accept(&description));
                self.events.push_back(Event::Checked(number, fits));
            }
            Action::Drop(_) => {
                self.ward.cancel();
                self.ward.end();
            }
            Action::Stop(number) => {
                let is_stopped = self.ward.stop();
                self.sending = is_stopped.then_some(number);
                self.events.push_back(Event::Stopped(number, is_stopped));
            }
            Action::Restore(number) => {
                let done = !self.is_spoilt && self.ward.restore();
                self.events.push_back(Event::Restored(number, done));
            }
            Action::Run(_, from) => {
                if self.sending.take().is_some() {
                    // Nobody wants the rest of its image.
                    self.ward.cancel();
                }
                let _ = match from {
                    From::Beginning => self.ward.begin(),
                    From::Copy => false,
                    From::Standing => self.ward.resume(),
                };
                self.since = Some(self.now());
            }
            Action::Hold => _ = self.ward.hold(),
            Action::End => {
                self.sending = None;
                self.ward.end();
            }
            Action::Tell(tale) => log::info!("{}: {tale}", self.settings.component),
        }
    }

    /// Sends the next piece of an image, if there is one and what was said before has left. Whether there is more to do at once.
    fn send_pieces(&mut self) -> bool {
        let Some(number) = self.sending else { return false };
        if !matches!(self.state.phase, Phase::Sending(sending, _) if sending == number) {
            return false;
        }
        if !self.line.is_open() || !self.line.is_empty() {
            return false;
        }
        let mut bytes = Vec::new();
        match self.ward.read(&mut bytes) {
            Ok(0) => {
                self.sending = None;
                self.line.say(&mut self.stack, &Packet::Message(Message::State(number)));
            }
            Ok(_) => {
                for piece in bytes.chunks(PIECE) {
                    self.line.say(&mut self.stack, &Packet::Piece(number, piece));
                }
            }
            Err(error) => {
                log::warn!("The image cannot be read: {error:?}");
                self.sending = None;
            }
        }
        // It leaves.
        self.hear();
        true
    }
}
