//! What a component author sees first: the sessions. What is made with them is in the modules [`memory`](crate::memory),
//! [`thread`](crate::thread), [`signal`](crate::signal), [`client`](crate::client) and [`entrypoint`](crate::entrypoint),
//! which add their own methods.

use core::{any::type_name, str::FromStr};

use super::slots;
use crate::{
    platform::Machine,
    runtime::Runtime,
    session::{self, parent::Name},
};

/// A component's environment: its sessions, and the way to them. It is small, and can be copied and given to threads.
#[derive(Clone, Copy)]
pub struct Env {
    platform: Machine,
    runtime: &'static Runtime,
}

impl Env {
    /// The environment on a platform, with the component's one runtime.
    pub const fn new(platform: Machine, runtime: &'static Runtime) -> Self {
        Self { platform, runtime }
    }

    pub(crate) const fn runtime(&self) -> &'static Runtime {
        self.runtime
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

    /// What the component is called; empty if its parent does not say.
    pub fn name(&self) -> Name {
        self.parent().name().unwrap_or_default()
    }

    /// A value that the scenario gives the component; none if it gives none of that name, or none of that type.
    pub fn value<T: FromStr>(&self, key: &str) -> Option<T> {
        let text = self.parent().value(key).ok()??;
        let value = text.parse().ok();
        if value.is_none() {
            log::warn!("the value `{key}` is `{text}`, which cannot be read as {}", type_name::<T>());
        }
        value
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

impl core::fmt::Debug for Env {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Env")
    }
}
