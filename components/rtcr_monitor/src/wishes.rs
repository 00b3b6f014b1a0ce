//! Checkpoints that the child asks for itself.
//!
//! A thread that asks is told to ask again; its keeper is rung, and takes the checkpoint before it serves anything else. The
//! checkpoint knows which threads have asked and have not got their answer, so each instance that goes on from it has one for
//! them.

use alloc::{collections::BTreeMap, vec::Vec};

use base::{
    Env,
    rpc::{Buffer, CallError, Reply, Request, Slot, ThreadNumber},
    session::checkpoint::{self, Checkpoint, TakeError, Taken},
};

/// Which of a child's threads have asked, and what they are told.
pub struct Wishes {
    env: Env,
    /// Raised when there is a wish.
    context: Slot,
    waiting: Vec<ThreadNumber>,
    answers: BTreeMap<ThreadNumber, Result<Taken, TakeError>>,
    /// Whose request is served.
    asking: ThreadNumber,
    /// Number of the checkpoint that the instance goes on from.
    restored: u32,
}

impl Wishes {
    /// None yet; what raises that context wakes the keeper.
    pub const fn new(env: Env, context: Slot) -> Self {
        Self { env, context, waiting: Vec::new(), answers: BTreeMap::new(), asking: ThreadNumber::FIRST, restored: 0 }
    }

    /// Answers a request.
    pub fn serve<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        self.asking = request.label.thread();
        checkpoint::dispatch(self, request, space)
    }

    /// Whether somebody waits for a checkpoint.
    pub const fn is_any(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whoever has asked and has no answer yet, a bit each.
    pub fn threads(&self) -> u64 {
        self.waiting.iter().chain(self.answers.keys()).fold(0, |all, thread| all | 1 << thread.number())
    }

    /// Those who wait are told that.
    pub fn settle(&mut self, answer: Result<Taken, TakeError>) {
        self.answers.extend(self.waiting.drain(..).map(|thread| (thread, answer)));
    }

    /// A new instance is to go on from the checkpoint of that number.
    pub fn goes_back_to(&mut self, number: u32) {
        self.restored = number;
        self.waiting.clear();
        self.answers.clear();
    }

    /// It does, and those of its threads had asked then.
    pub fn are_restored(&mut self, threads: u64) {
        let number = self.restored;
        let threads = (0..u64::BITS as u8).filter(|thread| threads & 1 << thread != 0).filter_map(ThreadNumber::new);
        self.answers = threads.map(|thread| (thread, Ok(Taken { number, restored: true }))).collect();
    }

    /// Looks again after so many nanoseconds; whether there is a timeout for that.
    pub fn later(&self, after: u64) -> bool {
        self.env.timer().once(self.context, after).is_ok()
    }
}

impl Checkpoint for Wishes {
    fn take(&mut self) -> Result<Taken, CallError<TakeError>> {
        if let Some(answer) = self.answers.remove(&self.asking) {
            return answer.map_err(CallError::Error);
        }
        if !self.waiting.contains(&self.asking) {
            self.waiting.push(self.asking);
            // The context is this component's own.
            let _ = self.env.signal().raise(self.context);
        }
        Err(CallError::Pending)
    }
}
