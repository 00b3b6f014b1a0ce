//! The rows of the table, each tried in three ways: [`suspended`], [`fresh`], [`frozen`].

mod calling;
mod receiving;
mod sending;
mod user_code;

use ground::{Ground, Outcome, Test};

use self::{
    calling::{Answered, CallNotReceived, CallWaitingForReply},
    receiving::{MessageDelivered, Recv, ReplyRecv, SignalDelivered, Wait},
    sending::{Sent, Signalled},
    user_code::{MemoryFault, UserCode},
};
use super::row;

row::rows! {
    /// In user code: the pc is exact, and it goes on.
    user_code: UserCode;
    /// In a call that nobody has received: pc = A, and it sends once.
    call_not_received: CallNotReceived;
    /// In a call that was received: the registers are the same. Frozen and thawed, it gets its answer. Suspended, or
    /// started anew, it asks again, and an answer to the first question goes nowhere.
    call_waiting_for_reply: CallWaitingForReply;
    /// In Recv: pc = A, and it receives again.
    recv: Recv;
    /// In Wait: pc = A, and it waits again.
    wait: Wait;
    /// In ReplyRecv, receiving: pc = A; the answer is not sent again, and it receives again.
    reply_recv: ReplyRecv;
    /// Stopped by a memory fault: pc is that of the instruction, which is made again.
    memory_fault: MemoryFault;
    /// Answered, not run since: pc = A + 4, the answer in its registers, and it goes on.
    answered: Answered;
    /// Given a message, not run since: pc = A + 4, the message in its registers, and it goes on.
    message_delivered: MessageDelivered;
    /// Signalled, not run since: pc = A + 4, the badge in r0, and it goes on.
    signal_delivered: SignalDelivered;
    /// Sent to a thread of higher priority, not run since: pc = A + 4, and it does not send again.
    sent: Sent;
    /// Signalled a thread of higher priority, not run since: pc = A + 4, and it does not signal again.
    signalled: Signalled;
}

/// Names and tests.
pub const TESTS: &[Test] = ROWS;
