//! What a component has from its first instruction.

use core::fmt::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::{platform::Machine, session};

/// Numbers that every component starts with. Sessions are kernel capabilities; the others are known by number only.
pub mod slots {
    use crate::rpc::Slot;

    /// Its own protection domain: its PD session.
    pub const PD: Slot = Slot(1);
    /// Its LOG session.
    pub const LOG: Slot = Slot(2);
    /// Where the kernel reports faults; of no use to the component.
    pub const FAULT: Slot = Slot(3);
    /// Its doorbell, a notification: rung for signals and for answers that took longer. Bound to its first thread.
    pub const DOORBELL: Slot = Slot(4);
    /// Its CPU session.
    pub const CPU: Slot = Slot(5);
    /// Its RM session.
    pub const RM: Slot = Slot(6);
    /// Its ROM session.
    pub const ROM: Slot = Slot(7);
    /// Its TIMER session.
    pub const TIMER: Slot = Slot(8);
    /// Its SIGNAL session.
    pub const SIGNAL: Slot = Slot(9);
    /// Its PARENT session.
    pub const PARENT: Slot = Slot(10);
    /// The endpoint at which requests for its services arrive.
    pub const ENDPOINT: Slot = Slot(11);
    /// Its address space, a region map.
    pub const ADDRESS_SPACE: Slot = Slot(12);
    /// Its first thread.
    pub const THREAD: Slot = Slot(13);
    /// The REPORT session of the first component of the system; nobody else has one.
    pub const REPORT: Slot = Slot(14);
    /// Free for the component's own use from here on.
    pub const FIRST_FREE: Slot = Slot(16);
}

/// A component's environment: its sessions, and the way to them.
#[derive(Clone, Copy)]
pub struct Env {
    platform: Machine,
}

impl Env {
    /// The environment on a platform.
    pub const fn new(platform: Machine) -> Self {
        Self { platform }
    }

    /// What it runs on.
    pub const fn platform(&self) -> Machine {
        self.platform
    }

    /// The component's own protection domain.
    pub fn pd(&self) -> session::pd::Client {
        session::pd::Client::new(self.platform, slots::PD)
    }

    /// The session that prints. Most components use the macros of the crate `log` instead, which end here.
    pub fn log(&self) -> session::log::Client {
        session::log::Client::new(self.platform, slots::LOG)
    }

    /// Threads.
    pub fn cpu(&self) -> session::cpu::Client {
        session::cpu::Client::new(self.platform, slots::CPU)
    }

    /// Region maps.
    pub fn rm(&self) -> session::rm::Client {
        session::rm::Client::new(self.platform, slots::RM)
    }

    /// Modules.
    pub fn rom(&self) -> session::rom::Client {
        session::rom::Client::new(self.platform, slots::ROM)
    }

    /// The time.
    pub fn timer(&self) -> session::timer::Client {
        session::timer::Client::new(self.platform, slots::TIMER)
    }

    /// Signals.
    pub fn signal(&self) -> session::signal::Client {
        session::signal::Client::new(self.platform, slots::SIGNAL)
    }

    /// Whoever made the component.
    pub fn parent(&self) -> session::parent::Client {
        session::parent::Client::new(self.platform, slots::PARENT)
    }

    /// Ends the component with `code`; 0 means that it did what it should.
    pub fn exit(&self, code: i32) -> ! {
        loop {
            // Never answered: whoever serves the request takes the component down. Asked again should a parent answer
            // all the same.
            let _ = self.parent().exit(code);
        }
    }

    /// Ends the component after a panic, whose message has been printed.
    pub fn panicked(&self) -> ! {
        loop {
            // As in `exit`.
            let _ = self.parent().panicked();
        }
    }
}

/// Backend of the crate `log`: a line per message, in the LOG session.
///
/// [`Level::Info`] is what a component has to say, and stands alone; other levels stand before their message.
#[derive(Clone, Copy)]
pub struct Logger {
    env: Env,
}

impl Logger {
    /// Prints through `env`.
    pub const fn new(env: Env) -> Self {
        Self { env }
    }

    /// Makes it the backend of this component's `log` macros, once.
    pub fn install(&'static self) {
        // Only the first counts, which is what "once" asks for.
        if log::set_logger(self).is_ok() {
            log::set_max_level(LevelFilter::Info);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let client = self.env.log();
        let mut writer = session::log::Writer::new(&client);
        // The writer never fails; a message's own Display may, and then the line ends there.
        let _ = match record.level() {
            Level::Info => write!(writer, "{}", record.args()),
            level => write!(writer, "{level}: {}", record.args()),
        };
        let _ = writer.write_str("\n");
    }

    fn flush(&self) {}
}
