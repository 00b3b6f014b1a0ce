//! How all threads of a component stand: what each does, and which of them waits for which.

use base::session::cpu::{Activity, Debt, MAX_THREADS, ThreadState};

/// How each thread stands. There is room for as many as a component can have, so noting one needs no memory, and nothing is
/// searched.
#[derive(Debug)]
pub(crate) struct Standing {
    all: heapless::Vec<Stand, MAX_THREADS>,
    /// Which object a thread of the protection domain is.
    objects: [u32; MAX_THREADS],
    /// Threads of the protection domain to which one of them owes an answer, a bit each.
    creditors: u64,
}

const _: () = assert!(MAX_THREADS == u64::BITS as usize);

/// How a thread stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stand {
    /// Which object it is.
    pub number: u32,
    /// What it does.
    pub activity: Activity,
    /// Whom it owes an answer.
    pub owes: Debt,
    /// Which thread of the protection domain it is.
    thread: u32,
}

impl Standing {
    /// Nothing is known yet.
    pub const fn new() -> Self {
        Self { all: heapless::Vec::new(), objects: [0; MAX_THREADS], creditors: 0 }
    }

    /// How the thread stands that is the object of that number.
    pub fn note(&mut self, number: u32, state: &ThreadState) {
        let &ThreadState { thread, activity, owes, .. } = state;
        if let Some(object) = self.objects.get_mut(thread as usize) {
            *object = number;
        }
        if let Debt::Thread(creditor) = owes {
            self.creditors |= bit(creditor);
        }
        // There are never more.
        let _ = self.all.push(Stand { number, activity, owes, thread });
    }

    /// All of them, in the order in which they were noted.
    pub fn iter(&self) -> impl Iterator<Item = &Stand> {
        self.all.iter()
    }

    /// Whether a thread of the component owes that one an answer.
    pub fn is_owed(&self, stand: &Stand) -> bool {
        self.creditors & bit(stand.thread) != 0
    }

    /// The object that is the thread of the component which waits for the answer of that one.
    pub fn creditor(&self, stand: &Stand) -> Option<u32> {
        match stand.owes {
            Debt::Thread(creditor) => self.objects.get(creditor as usize).copied(),
            Debt::Nobody | Debt::Outside => None,
        }
    }
}

/// Threads of a protection domain are numbered from 0; there are [`MAX_THREADS`] at most.
const fn bit(thread: u32) -> u64 {
    match 1u64.checked_shl(thread) {
        Some(bit) => bit,
        None => 0,
    }
}
