//! Round trips of requests.

use alloc::format;
use core::hint::black_box;

use crate::meter::Meter;

const ROUNDS: u32 = 1_000;

/// A text of which postcard makes so many bytes: the length takes one of them, or two from 128 on.
fn message(encoded: usize) -> heapless::String<400> {
    let length = if encoded <= 128 { encoded - 1 } else { encoded - 2 };
    (0..length).map(|_| 'x').collect()
}

/// All of them.
pub fn measure(meter: &Meter<'_>, way: &str) {
    let echo = meter.echo;
    meter.each(&format!("request {way}/0 words"), ROUNDS, || echo.nothing().expect("an answer"));
    meter.each(&format!("request {way}/4 words"), ROUNDS, || {
        let words = [1, 2, 3, 4];
        black_box(echo.words(black_box(words)).expect("an answer"));
    });
    // With the word that says how many bytes they are, 20 words.
    let messages = [("20 words", message(19 * 4)), ("256 bytes", message(256))];
    for (what, message) in messages {
        meter.each(&format!("request {way}/{what}"), ROUNDS, || {
            let answer = echo.message(black_box(&message)).expect("an answer");
            assert_eq!(black_box(&answer).len(), message.len());
        });
    }
    // What LOG and the like send: bytes that are not encoded, and a short answer.
    let bytes = [b'x'; 256];
    meter.each(&format!("request {way}/256 bytes not encoded, and a word back"), ROUNDS, || {
        assert_eq!(echo.bytes(black_box(&bytes)), Ok(256));
    });
}
