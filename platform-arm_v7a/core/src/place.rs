//! Where a stopped thread was: its registers, and the return addresses that its frame pointers lead to.
//!
//! Every function that is not a leaf begins with `push {r11, lr}; mov r11, sp`, so r11 points to the caller's r11, and
//! the word above it is the return address. A frame pointer is believed only while it grows, is aligned, and points into
//! memory that `read` knows: the thread may have been anywhere.

use wire::record::Place;

/// Makes the report of a thread; `read` gives a word of its memory, if it has one there.
pub fn place(pc: u32, sp: u32, lr: u32, frame_pointer: u32, mut read: impl FnMut(u32) -> Option<u32>) -> Place {
    let mut place = Place { pc, sp, lr, ..Place::default() };
    let mut frame = frame_pointer;
    while frame != 0 && frame.is_multiple_of(4) && !place.backtrace.is_full() {
        let (Some(caller), Some(back)) = (read(frame), frame.checked_add(4).and_then(&mut read)) else { break };
        if back == 0 {
            break;
        }
        let _ = place.backtrace.push(back);
        if caller <= frame {
            break;
        }
        frame = caller;
    }
    place
}
