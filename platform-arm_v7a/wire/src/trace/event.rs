//! The kinds of events.

use base::{
    rpc::ThreadNumber,
    session::pd::{Note, Shape, Unit},
};

use crate::record::{Access, Cause};

/// What core did, or heard of. Which component it is about says the [`Moment`](super::Moment).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request of the component has arrived.
    Request {
        /// Which of its threads says that it asks.
        thread: u8,
        /// Number of the interface.
        interface: u8,
        /// Number of the operation.
        operation: u8,
        /// The session's number in the component's table.
        session: u32,
    },
    /// It has been served; the answer goes out next.
    Answer {
        /// Which thread is answered.
        thread: u8,
        /// Number of the interface.
        interface: u8,
        /// Number of the operation.
        operation: u8,
        /// Label of the answer; none if nobody is answered.
        status: Option<u32>,
    },
    /// Pages were mapped in a region map that the component has paid for.
    Mapped {
        /// Number of the first page: the address by 4096.
        page: u32,
        /// How many pages.
        pages: u32,
        /// It is no address space: the page is counted from the region map's beginning.
        managed: bool,
    },
    /// Pages were unmapped.
    Unmapped {
        /// Number of the first page.
        page: u32,
        /// How many pages were looked at.
        pages: u32,
        /// As for `Mapped`.
        managed: bool,
    },
    /// A thread touched a page that is not mapped.
    Fault {
        /// Which.
        thread: u8,
        /// How.
        access: Access,
        /// What came of it.
        end: FaultEnd,
        /// Where.
        address: u32,
    },
    /// A thread did what it may not, and stays stopped.
    Exception {
        /// Which.
        thread: u8,
        /// What it was.
        misdeed: Misdeed,
        /// The address, slot or number that the kernel tells.
        value: u32,
    },
    /// A thread that waited for a page goes on.
    Continued {
        /// Which.
        thread: u8,
    },
    /// All threads of the component were stopped, or stopped once more.
    Frozen {
        /// How many there are.
        threads: u8,
        /// How often it is frozen now.
        depth: u32,
    },
    /// One freeze was taken back.
    Thawed {
        /// How many threads there are.
        threads: u8,
        /// How often it is frozen still.
        depth: u32,
    },
    /// A thread was made.
    ThreadMade {
        /// Its number in the component.
        thread: u8,
        /// Number of its name; 0 if it has none.
        name: u8,
        /// Its priority.
        priority: u8,
    },
    /// A thread runs for the first time.
    ThreadStarted {
        /// Which.
        thread: u8,
    },
    /// A thread was stopped, or stopped once more.
    ThreadPaused {
        /// Which.
        thread: u8,
    },
    /// One pause was taken back.
    ThreadResumed {
        /// Which.
        thread: u8,
    },
    /// A thread is gone.
    ThreadEnded {
        /// Which.
        thread: u8,
    },
    /// The component came to be.
    DomainMade {
        /// The place of its parent.
        parent: u16,
    },
    /// Nothing is left of the component.
    DomainFreed,
    /// A signal of the component was raised.
    Signal {
        /// What its maker gave it.
        cookie: u32,
        /// Its doorbell rings; otherwise the signal was pending already.
        rings: bool,
    },
    /// An interrupt has come to core.
    Interrupt {
        /// Bits of the badge, one for each line; bit 0 is the timer.
        lines: u32,
    },
    /// The component says that something has happened.
    Note(Note),
}

/// What came of touching a page that is not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultEnd {
    /// Something is attached there, and is mapped now.
    Cured,
    /// The thread waits until something is attached there.
    Waits,
    /// Nothing is there, or not for that: it is an exception.
    Exception,
}

/// What a thread may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misdeed {
    /// Touch that memory; the value is the address.
    Memory,
    /// Call an empty slot; the value is its number.
    Capability,
    /// Make that system call; the value is its number.
    SystemCall,
    /// Execute that instruction; the value is the exception's number.
    Instruction,
    /// Call the endpoint on which the kernel reports faults; the value is the label.
    Forged,
    /// What the kernel told is not known; the value is the label.
    Unknown,
}

impl Misdeed {
    const ALL: [Self; 6] =
        [Self::Memory, Self::Capability, Self::SystemCall, Self::Instruction, Self::Forged, Self::Unknown];
}

impl Event {
    /// A thread did that.
    #[inline]
    pub fn exception(thread: u8, cause: Cause) -> Self {
        let (misdeed, value) = match cause {
            Cause::Memory { address, .. } => (Misdeed::Memory, address),
            Cause::Capability { slot } => (Misdeed::Capability, slot),
            Cause::SystemCall { number } => (Misdeed::SystemCall, number),
            Cause::Instruction { number, .. } => (Misdeed::Instruction, number),
            Cause::Forged { label } => (Misdeed::Forged, label),
            Cause::Unknown { label } => (Misdeed::Unknown, label),
        };
        Self::Exception { thread, misdeed, value }
    }
}

/// How an event is kept, besides its time and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) kind: u8,
    pub(super) detail: u8,
    pub(super) thread: u8,
    pub(super) value: u32,
}

/// Bits of `value` that hold a page's number, or a status: the rest holds what does not fit elsewhere.
const PAGE_BITS: u32 = 20;
const PAGE_MASK: u32 = (1 << PAGE_BITS) - 1;
/// What is kept of a label for a request that nobody is answered: no label is 0, since that is the kernel's.
const UNANSWERED: u32 = 0;
/// The kind of a note that is an instant; other shapes follow.
const NOTE: u8 = 19;
/// Bits of a thread's number.
const THREAD_BITS: u32 = 6;

impl Event {
    #[inline]
    pub(super) fn parts(self) -> Parts {
        let parts = |kind, detail, thread, value| Parts { kind, detail, thread, value };
        // So many pages and a page's number fit 40 bits.
        let pages = |kind, page: u32, pages: u32, managed: bool| {
            let pages = pages.min(PAGE_MASK);
            parts(kind, (pages >> 12) as u8, managed.into(), page & PAGE_MASK | pages << PAGE_BITS)
        };
        match self {
            Self::Request { thread, interface, operation, session } => {
                parts(1, operation, thread, session & 0xff_ffff | u32::from(interface) << 24)
            }
            Self::Answer { thread, interface, operation, status } => {
                parts(2, operation, thread, status.unwrap_or(UNANSWERED) & 0xff_ffff | u32::from(interface) << 24)
            }
            Self::Mapped { page, pages: count, managed } => pages(3, page, count, managed),
            Self::Unmapped { page, pages: count, managed } => pages(4, page, count, managed),
            Self::Fault { thread, access, end, address } => {
                let access = match access {
                    Access::Read => 0,
                    Access::Write => 1,
                    Access::Execute => 2,
                };
                let end = match end {
                    FaultEnd::Cured => 0,
                    FaultEnd::Waits => 1,
                    FaultEnd::Exception => 2,
                };
                parts(5, access | end << 4, thread, address)
            }
            Self::Exception { thread, misdeed, value } => parts(6, misdeed as u8, thread, value),
            Self::Continued { thread } => parts(7, 0, thread, 0),
            Self::Frozen { threads, depth } => parts(8, threads, 0, depth),
            Self::Thawed { threads, depth } => parts(9, threads, 0, depth),
            Self::ThreadMade { thread, name, priority } => parts(10, name, thread, priority.into()),
            Self::ThreadStarted { thread } => parts(11, 0, thread, 0),
            Self::ThreadPaused { thread } => parts(12, 0, thread, 0),
            Self::ThreadResumed { thread } => parts(13, 0, thread, 0),
            Self::ThreadEnded { thread } => parts(14, 0, thread, 0),
            Self::DomainMade { parent } => parts(15, 0, 0, parent.into()),
            Self::DomainFreed => parts(16, 0, 0, 0),
            Self::Signal { cookie, rings } => parts(17, rings.into(), 0, cookie),
            Self::Interrupt { lines } => parts(18, 0, 0, lines),
            Self::Note(Note { kind, thread, shape, unit, value }) => {
                parts(NOTE + shape as u8, kind, thread.number() | (unit as u8) << THREAD_BITS, value)
            }
        }
    }

    pub(super) fn from_parts(parts: Parts) -> Option<Self> {
        let Parts { kind, detail, thread, value } = parts;
        let (low, high) = (value & 0xff_ffff, (value >> 24) as u8);
        let (page, pages) = (value & PAGE_MASK, value >> PAGE_BITS | u32::from(detail) << 12);
        let flag = |byte: u8| match byte {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        let event = match kind {
            1 => Self::Request { thread, interface: high, operation: detail, session: low },
            2 => {
                let status = (low != UNANSWERED).then_some(low);
                Self::Answer { thread, interface: high, operation: detail, status }
            }
            3 => Self::Mapped { page, pages, managed: flag(thread)? },
            4 => Self::Unmapped { page, pages, managed: flag(thread)? },
            5 => {
                let access = [Access::Read, Access::Write, Access::Execute].get(usize::from(detail & 0xf)).copied()?;
                let ends = [FaultEnd::Cured, FaultEnd::Waits, FaultEnd::Exception];
                Self::Fault { thread, access, end: *ends.get(usize::from(detail >> 4))?, address: value }
            }
            6 => Self::Exception { thread, misdeed: *Misdeed::ALL.get(usize::from(detail))?, value },
            7 => Self::Continued { thread },
            8 => Self::Frozen { threads: detail, depth: value },
            9 => Self::Thawed { threads: detail, depth: value },
            10 => Self::ThreadMade { thread, name: detail, priority: u8::try_from(value).ok()? },
            11 => Self::ThreadStarted { thread },
            12 => Self::ThreadPaused { thread },
            13 => Self::ThreadResumed { thread },
            14 => Self::ThreadEnded { thread },
            15 => Self::DomainMade { parent: u16::try_from(value).ok()? },
            16 => Self::DomainFreed,
            17 => Self::Signal { cookie: value, rings: flag(detail)? },
            18 => Self::Interrupt { lines: value },
            NOTE.. => Self::Note(Note {
                kind: detail,
                thread: ThreadNumber::new(thread & ThreadNumber::MAX.number())?,
                shape: *Shape::ALL.get(usize::from(kind - NOTE))?,
                unit: *Unit::ALL.get(usize::from(thread >> THREAD_BITS))?,
                value,
            }),
            _ => return None,
        };
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::session::INTERFACES;

    #[test]
    fn every_event_comes_back() {
        let (thread, page) = (63, PAGE_MASK);
        let note =
            |shape, unit| Event::Note(Note { kind: 63, thread: ThreadNumber::MAX, shape, unit, value: 0xdead_beef });
        for event in [
            Event::Request { thread, interface: 12, operation: 255, session: 0x1_ffff },
            Event::Answer { thread, interface: 1, operation: 3, status: Some(0x81ff) },
            Event::Answer { thread, interface: 1, operation: 3, status: None },
            Event::Mapped { page, pages: 1 << 17, managed: false },
            Event::Unmapped { page: 0, pages: 32, managed: true },
            Event::Fault { thread, access: Access::Execute, end: FaultEnd::Waits, address: !0 },
            Event::exception(thread, Cause::Forged { label: !0 }),
            Event::exception(thread, Cause::Memory { address: !0, access: Access::Write, status: 0 }),
            Event::Continued { thread },
            Event::Frozen { threads: 64, depth: !0 },
            Event::Thawed { threads: 0, depth: 0 },
            Event::ThreadMade { thread, name: 255, priority: 240 },
            Event::ThreadStarted { thread },
            Event::ThreadPaused { thread },
            Event::ThreadResumed { thread },
            Event::ThreadEnded { thread },
            Event::DomainMade { parent: 1023 },
            Event::DomainFreed,
            Event::Signal { cookie: !0, rings: true },
            Event::Interrupt { lines: 1 << 27 },
            note(Shape::Instant, Unit::Nothing),
            note(Shape::End, Unit::Operation),
        ] {
            assert_eq!(Event::from_parts(event.parts()), Some(event));
        }
    }

    #[test]
    fn what_is_more_than_all_pages_is_all() {
        let event = Event::Mapped { page: 1, pages: u32::MAX, managed: false };
        assert_eq!(Event::from_parts(event.parts()), Some(Event::Mapped { page: 1, pages: PAGE_MASK, managed: false }));
    }

    #[test]
    fn the_numbers_of_cores_interfaces_fit() {
        assert!(INTERFACES.iter().all(|interface| u8::try_from(interface.id).is_ok()));
    }
}
