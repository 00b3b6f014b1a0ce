//! Copying and filling memory, as the compiler calls it: every alignment, every short length, and nothing besides.

use core::ffi::c_void;

use ground::{Ground, Outcome, Test, ensure_eq, tests};

/// Their list.
pub const TESTS: &[Test] = tests! { blocks:
    what_is_copied_is_the_same_and_nothing_else_changes,
    what_is_filled_is_filled_and_nothing_else,
};

unsafe extern "C" {
    fn memcpy(dst: *mut c_void, src: *const c_void, bytes: usize) -> *mut c_void;
    fn memset(dst: *mut c_void, byte: i32, bytes: usize) -> *mut c_void;
}

/// More than two blocks of eight words, and what is left over of each kind.
const LONGEST: usize = 90;
const ROOM: usize = LONGEST + 16;

#[repr(align(8))]
struct Bytes([u8; ROOM]);

/// Alike in `before` and `after` but for the bytes from `start` on.
fn only(before: &Bytes, after: &Bytes, start: usize, expected: impl Iterator<Item = u8>) -> Option<usize> {
    let mut all = before.0;
    for (place, byte) in all[start..].iter_mut().zip(expected) {
        *place = byte;
    }
    (0..ROOM).find(|&index| all[index] != after.0[index])
}

fn what_is_copied_is_the_same_and_nothing_else_changes(_: &mut Ground) -> Outcome {
    let src = Bytes(core::array::from_fn(|index| index as u8));
    let before = Bytes([0xee; ROOM]);
    for (to, from) in (0..8).flat_map(|to| (0..8).map(move |from| (to, from))) {
        for bytes in 0..=LONGEST {
            let mut after = Bytes(before.0);
            let start = after.0[to..].as_mut_ptr().cast();
            // SAFETY: both have that many bytes there.
            let returned = unsafe { memcpy(start, src.0[from..].as_ptr().cast(), bytes) };
            ensure_eq!(returned, start);
            let wrong = only(&before, &after, to, src.0[from..from + bytes].iter().copied());
            ensure_eq!((to, from, bytes, wrong), (to, from, bytes, None));
        }
    }
    Ok(())
}

fn what_is_filled_is_filled_and_nothing_else(_: &mut Ground) -> Outcome {
    let before = Bytes(core::array::from_fn(|index| index as u8));
    for to in 0..8 {
        for bytes in 0..=LONGEST {
            let mut after = Bytes(before.0);
            let start = after.0[to..].as_mut_ptr().cast();
            // SAFETY: it has that many bytes there. Only the lowest byte of the value counts.
            let returned = unsafe { memset(start, 0x1ab, bytes) };
            ensure_eq!(returned, start);
            let wrong = only(&before, &after, to, core::iter::repeat_n(0xab, bytes));
            ensure_eq!((to, bytes, wrong), (to, bytes, None));
        }
    }
    Ok(())
}
