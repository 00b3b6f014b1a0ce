//! What a parent gives to a component, held against what an image of it asks for: an image grants nothing.

use core::fmt;

use base::{child::MAX_OPEN, session::pd::PAGE};

use super::Identity;
use crate::{
    information::{AccountInfo, Information, Need, Stage},
    journal::MAX_JOURNAL,
    object::{Info, ModuleName, ObjectInfo, SessionInfo, ThreadName},
    start::numbers,
};

/// Most sessions of its own services.
const MAX_SERVED: usize = 1 << 12;
/// Most regions for a page of quota: what is known of a region is paid for by more than that.
const REGIONS_A_PAGE: usize = 2;

/// What a component may have.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Its program.
    pub module: &'a str,
    /// What the program's content is known by.
    pub fingerprint: u64,
    /// Numbers that it has room for.
    pub slots: u32,
    /// The most that it is ever given.
    pub account: AccountInfo,
    /// Priority of its first thread, which none of its others exceeds.
    pub priority: u8,
}

/// Why an image is not taken for the component. It may be in order otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is of another component.
    Component {
        /// The image's.
        saved: ThreadName,
    },
    /// It is of another program.
    Program {
        /// The image's.
        saved: ModuleName,
    },
    /// It is of another version of the program.
    Fingerprint,
    /// It has another number of numbers.
    Slots {
        /// The image's.
        saved: u32,
        /// The component's.
        given: u32,
    },
    /// It has more bytes than the component is given.
    Ram {
        /// The image's.
        saved: u32,
        /// The component's.
        given: u32,
    },
    /// It has more capabilities than the component is given.
    Caps {
        /// The image's.
        saved: u32,
        /// The component's.
        given: u32,
    },
    /// There is more of something than the component can have.
    Size {
        /// The image's.
        saved: Need,
        /// The component's.
        given: Need,
    },
    /// A thread has a priority that the component has not.
    Priority {
        /// Number of the thread.
        thread: u32,
        /// Its priority.
        saved: u8,
        /// The component's.
        given: u8,
    },
    /// It has a session that the component may not have.
    Session {
        /// Under this number.
        number: u32,
    },
    /// It has memory that a server had handed over in another run.
    Shared {
        /// Under this number.
        number: u32,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { saved } => write!(f, "it is of another component, {saved}"),
            Self::Program { saved } => write!(f, "it is of another program, {saved}"),
            Self::Fingerprint => write!(f, "it is of another version of its program"),
            Self::Slots { saved, given } => write!(f, "it has {saved} numbers, and the component {given}"),
            Self::Ram { saved, given } => write!(f, "it has a quota of {saved} bytes, and the component {given}"),
            Self::Caps { saved, given } => {
                write!(f, "it has a quota of {saved} capabilities, and the component {given}")
            }
            Self::Size { saved, given } => write!(f, "it needs {saved:?}, and the component can have {given:?}"),
            Self::Priority { thread, saved, given } => {
                write!(f, "its thread {thread} has the priority {saved}, and the component {given}")
            }
            Self::Session { number } => write!(f, "it has a session, {number}, that the component may not have"),
            Self::Shared { number } => {
                write!(f, "it has memory, {number}, that a server had handed over in another run")
            }
        }
    }
}

impl core::error::Error for Refused {}

impl Given<'_> {
    /// What is known of an image when its beginning was read, before there is room for the rest.
    ///
    /// # Errors
    /// It is not taken.
    pub fn admits_beginning(&self, identity: &Identity, need: &Need) -> Result<(), Refused> {
        if identity.name != self.name {
            return Err(Refused::Component { saved: identity.name.clone() });
        }
        if identity.module != self.module {
            return Err(Refused::Program { saved: identity.module.clone() });
        }
        if identity.fingerprint != self.fingerprint {
            return Err(Refused::Fingerprint);
        }
        let pages = self.account.ram / PAGE;
        let given = Need {
            objects: numbers(self.slots) as usize,
            regions: pages as usize * REGIONS_A_PAGE,
            words: MAX_JOURNAL,
            served: MAX_SERVED,
            pages,
        };
        if given.covers(need) { Ok(()) } else { Err(Refused::Size { saved: *need, given }) }
    }

    /// All of it. `may_have` says whether the component may have a session.
    ///
    /// # Errors
    /// It is not taken.
    pub fn admits(
        &self,
        information: &Information,
        mut may_have: impl FnMut(&SessionInfo) -> bool,
    ) -> Result<(), Refused> {
        let AccountInfo { ram, caps } = information.account;
        if information.stage == Stage::Running && information.slots != self.slots {
            return Err(Refused::Slots { saved: information.slots, given: self.slots });
        }
        if ram > self.account.ram {
            return Err(Refused::Ram { saved: ram, given: self.account.ram });
        }
        if caps > self.account.caps {
            return Err(Refused::Caps { saved: caps, given: self.account.caps });
        }
        let mut seen = heapless::Vec::<u32, MAX_OPEN>::new();
        for &ObjectInfo { number, ref info } in &information.objects {
            match info {
                Info::Thread(thread) if thread.priority > self.priority => {
                    let (saved, given) = (thread.priority, self.priority);
                    return Err(Refused::Priority { thread: number, saved, given });
                }
                Info::Session(session) => {
                    let is_second = seen.contains(&session.number);
                    if is_second || !may_have(session) || seen.push(session.number).is_err() {
                        return Err(Refused::Session { number });
                    }
                }
                Info::SharedDataspace(_) => return Err(Refused::Shared { number }),
                _ => {}
            }
        }
        Ok(())
    }
}
