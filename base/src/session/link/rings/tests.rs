//! Rings whose other side keeps to the rules, and whose other side does not.

extern crate std;

use super::*;
use proptest::prelude::*;
use std::{collections::VecDeque, vec, vec::Vec};

fn memory() -> Vec<AtomicU32> {
    (0..MEMORY / 4).map(|_| AtomicU32::new(0)).collect()
}

fn frame(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in(steps in prop::collection::vec((any::<bool>(), MIN_FRAME..=MAX_FRAME, any::<u8>()), 0..200)) {
        let memory = memory();
        for ring in [Ring::ToServer, Ring::ToClient] {
            let (mut putter, mut taker) = (Putter::new(ring), Taker::new(ring));
            let mut inside = VecDeque::new();
            let (mut taker_waits, mut putter_waits) = (false, false);
            let mut buffer = [0; MAX_FRAME];
            for (put, length, seed) in &steps {
                if *put {
                    let sent = frame(*length, *seed);
                    match putter.put(&memory, &sent) {
                        Ok(rings) => {
                            prop_assert_eq!(rings, core::mem::take(&mut taker_waits));
                            inside.push_back(sent);
                        }
                        Err(error) => {
                            prop_assert_eq!((error, inside.len()), (RingError::Full, PLACES as usize));
                            putter_waits = true;
                        }
                    }
                } else {
                    match taker.take(&memory, &mut buffer).unwrap() {
                        Some((length, rings)) => {
                            prop_assert_eq!(rings, core::mem::take(&mut putter_waits));
                            prop_assert_eq!(&buffer[..length], &inside.pop_front().unwrap()[..]);
                        }
                        None => {
                            prop_assert!(inside.is_empty());
                            taker_waits = true;
                        }
                    }
                }
                prop_assert_eq!(putter.free(&memory), Ok(PLACES - inside.len() as u32));
            }
        }
    }

    #[test]
    fn nonsense_breaks_the_ring_and_nothing_else(at in 0..40usize, word: u32, length: u32, puts in 0..40usize) {
        let memory = memory();
        let mut putter = Putter::new(Ring::ToServer);
        for seed in 0..puts {
            let _ = putter.put(&memory, &frame(100, seed as u8));
        }
        memory[at].store(word, SeqCst);
        memory[FIRST_PLACE].store(length, SeqCst);
        let mut taker = Taker::new(Ring::ToServer);
        let mut buffer = [0; MAX_FRAME];
        // It ends: at most all places are taken, whatever is in them.
        let taken = (0..=PLACES).take_while(|_| matches!(taker.take(&memory, &mut buffer), Ok(Some((14..=MAX_FRAME, _))))).count();
        prop_assert!(taken <= PLACES as usize);
        let _ = putter.put(&memory, &frame(100, 0));
    }
}

#[test]
fn what_was_broken_stays_so() {
    let (memory, ring) = (memory(), Ring::ToClient);
    let (mut putter, mut taker) = (Putter::new(ring), Taker::new(ring));
    let mut buffer = [0; MAX_FRAME];
    ring.put(&memory).unwrap().store(PLACES + 1, SeqCst);
    assert_eq!(taker.take(&memory, &mut buffer), Err(RingError::Broken));
    ring.put(&memory).unwrap().store(0, SeqCst);
    assert_eq!(taker.take(&memory, &mut buffer), Err(RingError::Broken));
    ring.taken(&memory).unwrap().store(1, SeqCst);
    assert_eq!(putter.put(&memory, &frame(60, 0)), Err(RingError::Broken));
    ring.taken(&memory).unwrap().store(0, SeqCst);
    assert_eq!(putter.room(&memory), Err(RingError::Broken));
    assert!(Putter::new(ring).put(&[], &frame(60, 0)).is_err(), "less memory than the rings have");
}

#[test]
fn lengths_that_no_frame_has_are_refused() {
    let (memory, ring) = (memory(), Ring::ToServer);
    let mut putter = Putter::new(ring);
    for length in [0, MIN_FRAME - 1, MAX_FRAME + 1] {
        assert_eq!(putter.put(&memory, &vec![0; length]), Err(RingError::Length));
    }
    let mut buffer = [0; MAX_FRAME];
    for length in [0, MIN_FRAME as u32 - 1, MAX_FRAME as u32 + 1, u32::MAX] {
        let (mut putter, mut taker) = (Putter::new(ring), Taker::new(ring));
        putter.put(&memory, &frame(60, 0)).unwrap();
        memory[FIRST_PLACE].store(length, SeqCst);
        assert_eq!(taker.take(&memory, &mut buffer), Err(RingError::Broken));
        assert_eq!(taker.take(&memory, &mut buffer), Err(RingError::Broken));
        ring.taken(&memory).unwrap().store(0, SeqCst);
        ring.put(&memory).unwrap().store(0, SeqCst);
    }
}

#[test]
fn a_cable_is_plugged_in_when_the_server_says_so() {
    let memory = memory();
    assert!(!is_up(&memory));
    set_up(&memory, true);
    assert!(is_up(&memory) && !is_up(&[]));
    set_up(&memory, false);
    assert!(!is_up(&memory));
}
