//! Calls of the kernel that nothing stands in the way of.
//!
//! What core gives back, and what it does to objects in a state that it knows, the kernel does not refuse: capabilities are core's
//! own, slots are empty or full as core has left them. If it refused all the same, whoever asked could do nothing about it, and core
//! would keep book of something that is not so. So such a call is made again before it is given up. A core that was
//! built for losses has the kernel refuse some of them, and nobody notices.

use sel4::Error;

/// How often.
const TRIES: u32 = 3;

/// Makes a call that cannot be refused; again, if it is.
///
/// # Errors
/// It was refused each time.
#[inline(always)]
pub fn insist<T>(mut call: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    match call() {
        Ok(result) => Ok(result),
        Err(error) => again(error, &mut call),
    }
}

#[cold]
#[inline(never)]
fn again<T>(mut error: Error, call: &mut dyn FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..TRIES {
        match call() {
            Ok(result) => return Ok(result),
            Err(next) => error = next,
        }
    }
    Err(error)
}
