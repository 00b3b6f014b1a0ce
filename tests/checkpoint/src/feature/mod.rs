//! The features, by their names; `tests/checkpoint/features.toml` says of each what it shows.

pub mod maps;
pub mod memory;
pub mod rest;
pub mod signals;
pub mod threads;

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use base::{
    Env,
    memory::{Attachable, Attachment, Dataspace},
    session::rm::Placement,
};

/// What is done in a round, told its number; returns something that follows from that.
pub type Step = Box<dyn FnMut(u32) -> u32 + Send>;

/// How a feature is tried.
pub enum Feature {
    /// Built in its construction, which never ends; then rounds.
    Rounds(fn(Env) -> Step),
    /// Built in its construction, which returns; rounds are done when a signal says so.
    Signals(fn(Env) -> Step),
}

use Feature::{Rounds, Signals};

/// All of them.
pub const ALL: &[(&str, Feature)] = &[
    ("cached", Rounds(memory::cached)),
    ("uncached", Rounds(memory::uncached)),
    ("frames_64k", Rounds(memory::frames_64k)),
    ("frames_1m", Rounds(memory::frames_1m)),
    ("frames_16m", Rounds(memory::frames_16m)),
    ("frames_mixed", Rounds(memory::frames_mixed)),
    ("many_pages", Rounds(memory::many_pages)),
    ("grows", Rounds(memory::grows)),
    ("shrinks", Rounds(memory::shrinks)),
    ("copies", Rounds(memory::copies)),
    ("module", Rounds(memory::module)),
    ("heap_churn", Rounds(memory::heap_churn)),
    ("pointers", Rounds(memory::pointers)),
    ("statics", Rounds(memory::statics)),
    ("stack_full", Rounds(memory::stack_full)),
    ("recursion_deep", Rounds(memory::recursion_deep)),
    ("detached", Rounds(maps::detached)),
    ("attached_twice", Rounds(maps::attached_twice)),
    ("attached_part", Rounds(maps::attached_part)),
    ("read_only", Rounds(maps::read_only)),
    ("address_holes", Rounds(maps::address_holes)),
    ("moves", Rounds(maps::moves)),
    ("map_nested", Rounds(maps::map_nested)),
    ("map_in_map", Rounds(maps::map_in_map)),
    ("map_shared", Rounds(maps::map_shared)),
    ("demand_filled", Rounds(maps::demand_filled)),
    ("fault_waits", Rounds(maps::fault_waits)),
    ("freed_while_attached", Rounds(maps::freed_while_attached)),
    ("thread_waits", Rounds(threads::thread_waits)),
    ("threads_many", Rounds(threads::threads_many)),
    ("thread_paused", Rounds(threads::thread_paused)),
    ("thread_paused_twice", Rounds(threads::thread_paused_twice)),
    ("priorities", Rounds(threads::priorities)),
    ("priority_changes", Rounds(threads::priority_changes)),
    ("threads_end", Rounds(threads::threads_end)),
    ("thread_joined", Rounds(threads::thread_joined)),
    ("mutex_contended", Rounds(threads::mutex_contended)),
    ("call_in_flight", Rounds(threads::call_in_flight)),
    ("calls_queued", Rounds(threads::calls_queued)),
    ("calls_chained", Rounds(threads::calls_chained)),
    ("computes", Rounds(threads::computes)),
    ("signal_pending", Rounds(signals::signal_pending)),
    ("signals_in_order", Rounds(signals::signals_in_order)),
    ("signals_given_up", Rounds(signals::signals_given_up)),
    ("one_shot", Rounds(signals::one_shot)),
    ("periodic", Rounds(signals::periodic)),
    ("timer_cancelled", Rounds(signals::timer_cancelled)),
    ("clock", Rounds(signals::clock)),
    ("sleepers", Rounds(signals::sleepers)),
    ("late_handler", Signals(signals::late_handler)),
    ("late_memory", Signals(memory::grows)),
    ("quota_exhausted", Rounds(rest::quota_exhausted)),
    ("caps_exhausted", Rounds(rest::caps_exhausted)),
    ("quota_raised", Rounds(rest::quota_raised)),
    ("number_holes", Rounds(rest::number_holes)),
    ("account", Rounds(rest::account)),
    ("refused", Rounds(rest::refused)),
    ("parent_asked", Rounds(rest::parent_asked)),
    ("half_lines", Rounds(rest::half_lines)),
    ("before_barrier", Rounds(rest::before_barrier)),
];

pub const PAGE: usize = 4096;
pub const ENOUGH: &str = "the scenario gives enough";

/// What a word holds.
pub fn word(mark: u32, place: usize) -> u32 {
    (mark ^ place as u32).wrapping_mul(0x9e37_79b9).rotate_left(9)
}

/// Some of the words of memory: those of which each page has a few, at other places.
fn places(words: &[AtomicU32]) -> impl Iterator<Item = usize> {
    let pages = words.len() * 4 / PAGE;
    (0..pages).flat_map(|page| [0, 1, (page * 37 + 11) % 1024, 1023].map(|place| page * PAGE / 4 + place))
}

pub fn fill(words: &[AtomicU32], mark: u32) {
    places(words).for_each(|place| words[place].store(word(mark, place), SeqCst));
}

pub fn check(words: &[AtomicU32], mark: u32) {
    for place in places(words) {
        assert_eq!(words[place].load(SeqCst), word(mark, place), "word {place} of what was filled with {mark}");
    }
}

pub fn allocated(env: Env, pages: usize) -> Dataspace {
    env.allocate(pages * PAGE).expect(ENOUGH)
}

pub fn attached(env: Env, dataspace: &impl Attachable) -> Attachment {
    env.attach(dataspace, Placement::ANYWHERE).expect("there is room")
}

/// Memory that is checked and filled anew in each round.
pub fn refilled(attachment: Attachment) -> Step {
    let words = attachment.leak();
    fill(words, 0);
    Box::new(move |round| {
        check(words, round - 1);
        fill(words, round);
        word(round, words.len())
    })
}
