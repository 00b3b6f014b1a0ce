//! What nodes tell each other about a component.

use serde::{Deserialize, Serialize};

use crate::{Epoch, Node, Time};

/// A message. What belongs to an attempt carries its number, so one that comes late belongs to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// May the component move to you? Whoever asks has it since `held`.
    Ask {
        /// The attempt.
        number: Epoch,
        /// The tenure of whoever asks.
        held: Epoch,
    },
    /// It may: what it needs is kept for it.
    Accept(Epoch),
    /// It may not.
    Refuse {
        /// The attempt.
        number: Epoch,
        /// The highest number known to whoever refuses.
        seen: Epoch,
        /// The reason.
        why: Why,
    },
    /// The component's whole state.
    State(Epoch),
    /// It is restored, stands still, and waits for the word.
    Ready {
        /// The attempt.
        number: Epoch,
        /// When this was sent, by the sender's clock; comes back with the word.
        stamp: Time,
    },
    /// The word: it is yours.
    Commit {
        /// The attempt, from now on the tenure.
        number: Epoch,
        /// Of the message that this answers.
        stamp: Time,
    },
    /// There was no such attempt, or it is over.
    Abort(Epoch),
    /// It is taken: yours is to end.
    Taken(Epoch),
    /// It is not here, and never will be under that number.
    Lost(Epoch),
    /// I want the right to run, or to keep it.
    Claim {
        /// Under that number.
        number: Epoch,
        /// When this was sent, by the sender's clock; comes back with the answer.
        stamp: Time,
    },
    /// You have my vote, for the time of a lease.
    Grant {
        /// For that number.
        number: Epoch,
        /// Of the claim.
        stamp: Time,
    },
    /// You do not have my vote.
    Deny {
        /// The number that was claimed.
        number: Epoch,
        /// The highest number known to whoever denies.
        seen: Epoch,
    },
    /// I have just started. What do you know?
    Who {
        /// The how-manieth time that it asks; comes back with the answer.
        round: u32,
    },
    /// That.
    Known {
        /// Of the question.
        round: u32,
        /// What is known.
        report: Report,
    },
    /// A checkpoint of the component has arrived whole, in case I die.
    Copy {
        /// The tenure in which it was taken.
        epoch: Epoch,
        /// The how-manieth of that tenure.
        serial: u32,
    },
}

/// Why a component may not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Why {
    /// Something else is going on with it.
    Busy,
    /// The attempt's number is not new.
    Old,
    /// It cannot live here.
    Unfit,
}

/// What a node tells one that has just started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Report {
    /// The highest number that it has heard of.
    pub seen: Epoch,
    /// Who had its vote last, under which number.
    pub vote: Option<(Epoch, Node)>,
    /// What it has of the component.
    pub standing: Standing,
}

/// What a node has of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// It has just started itself.
    Fresh,
    /// Nothing.
    Nothing,
    /// The right to run it.
    Holds,
    /// It has given it away in that attempt, and waits to hear that it was taken.
    Gives(Epoch),
    /// It has all of its state in that attempt, restores it or has restored it, and waits for the word.
    Ready(Epoch),
    /// A checkpoint, or an instance that stands still.
    Copy,
}
