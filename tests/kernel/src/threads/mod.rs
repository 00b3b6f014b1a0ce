//! What becomes of a thread that is stopped, read, and let go on.
//!
//! A checkpoint reads threads that it did not ask to stop, and a restore lets others go on from what was read. So for
//! every state that a thread can be in, these tests show where its registers say it is, what it does when it goes on, and
//! that the system call that it was in is made once: counted at the server, and by the results at the caller.
//!
//! The threads are assembly ([`step`]): they load all 17 registers with values of their own, make one system call, and
//! store all registers. The test is the peer. It runs above them, so a thread to which something was delivered has not
//! run since.
//!
//! | module | shows |
//! |---|---|
//! | [`rows`] | each row of the table in `sel4::registers`, in three ways: suspended and resumed; read while frozen, and another thread started with what was read; frozen and thawed |
//! | [`registers`] | the names of the registers, and what reading, writing and copying them does |
//! | [`while_frozen`] | answers, messages, signals that reach a frozen thread |
//! | [`calls`] | calls answered by hand, dropped, rebuilt between two threads |
//! | [`waiting`] | who waits for whom, and those told that their peer is gone |
//! | [`patches`] | what the kernel's patches mend beyond that |
//!
//! # Which tests need which patch
//! `cargo rtcr test kernel --without-patch N` shows it; this is what it showed. Other tests of these modules need none.
//!
//! | without | fail |
//! |---|---|
//! | 0001 | `answered`, `message_delivered`, `signal_delivered`, `sent` and `signalled` of `suspended`, `fresh` and `frozen`; `read_and_suspended_in_one` and `copied_to_a_fresh_thread` of `registers`; all of `while_frozen` but `answered_unread` and `fault_answered` |
//! | 0002 | `answer_to_a_lower_priority_is_short` of `patches` |
//! | 0003 | `suspending_forgets_a_queued_fault` and `writing_registers_forgets_a_queued_fault` of `patches` |
//! | 0004 | all of `waiting` but `untold_client_waits_for_ever` and `told_client_ignores_a_late_answer` |
//!
//! Patch 0005 is about memory; its tests are in the module `boot`.

pub mod calls;
pub mod patches;
pub mod registers;
mod row;
pub mod rows;
mod step;
pub mod waiting;
pub mod while_frozen;
