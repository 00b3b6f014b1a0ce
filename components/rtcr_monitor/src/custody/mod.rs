//! CUSTODY: a child that somebody else decides about.
//!
//! With `custody = 1` a child has no instance until its session of CUSTODY says so. Three threads meet here: the first one, which serves
//! the session; the child's keeper, which alone touches the child and is rung for an [`Order`]; and a carrier, which
//! writes and reads images, a [window](transfer) at a time, while the keeper serves the child.

pub mod keep;
mod serve;
mod transfer;

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use base::{
    Env,
    memory::MemoryError,
    rpc::{Shared, Slot},
    session::custody::{CustodyError, Description},
    sync::{Mutex, Semaphore},
    thread::ThreadOptions,
};
use rtcr::{checkpoint::Checkpoint, image::Identity, storage::Pool};

pub use serve::offer;
use transfer::Transfer;

/// Stack of a carrier.
const STACK: usize = 32 << 10;

/// A checkpoint and where it is.
pub struct Stored {
    /// Whose it is.
    pub identity: Identity,
    pub checkpoint: Checkpoint,
    pub pool: Pool<Shared>,
}

/// What a keeper is told to do.
pub enum Order {
    Describe,
    Begin,
    /// Checkpoint it, and then keep it stopped or not.
    Take {
        stop: bool,
    },
    Hold,
    Resume,
    End,
    Accept(Description),
    Restore(Box<Stored>),
}

/// What a keeper answers.
pub enum Answer {
    Done,
    Description(Description),
    /// A checkpoint.
    Taken(Box<Stored>),
    /// Room for one.
    Room(Pool<Shared>),
}

type Answered = Result<Answer, CustodyError>;

/// Where orders for a keeper are put down, and its answers.
pub struct Desk {
    /// What rings the keeper.
    context: Slot,
    env: Env,
    order: Mutex<Option<Order>>,
    answer: Mutex<Option<Answered>>,
    answered: Semaphore,
    /// The child has ended for good.
    is_closed: AtomicBool,
    transfer: Transfer,
}

impl Desk {
    /// For a child whose keeper is rung by that context. Its carrier gets that priority.
    ///
    /// # Errors
    /// What there is not enough of.
    pub fn new(env: Env, name: &'static str, context: Slot, priority: u8) -> Result<Arc<Self>, &'static str> {
        let transfer = Transfer::new(env).map_err(|_: MemoryError| "memory")?;
        let desk = Arc::new(Self {
            context,
            env,
            order: Mutex::new(env, None),
            answer: Mutex::new(env, None),
            answered: Semaphore::new(env, 0),
            is_closed: AtomicBool::new(false),
            transfer,
        });
        let own = Arc::clone(&desk);
        let options = ThreadOptions { name, priority: Some(priority), stack: STACK };
        // It is there for as long as this component is.
        env.spawn(&options, move || own.transfer.carry()).map(core::mem::forget).map_err(|_| "thread")?;
        Ok(desk)
    }

    /// Has the keeper do something, and waits for it.
    fn ask(&self, order: Order) -> Answered {
        if self.is_closed.load(SeqCst) {
            return Err(CustodyError::Gone);
        }
        *self.order.lock() = Some(order);
        // It was made for this.
        let _ = self.env.signal().raise(self.context);
        self.answered.acquire();
        self.answer.lock().take().unwrap_or(Err(CustodyError::Gone))
    }

    /// For the keeper: what is to be done, if there is something.
    pub fn order(&self) -> Option<Order> {
        self.order.lock().take()
    }

    /// For the keeper: it is done, or not.
    pub fn answer(&self, answer: Answered) {
        *self.answer.lock() = Some(answer);
        self.answered.release();
    }

    /// For the keeper: there will be no more answers.
    pub fn close(&self) {
        self.is_closed.store(true, SeqCst);
        if self.order().is_some() {
            self.answer(Err(CustodyError::Gone));
        }
    }
}
