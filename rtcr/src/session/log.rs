//! LOG: text goes on as it is, unless whoever embeds the library shows it. What a new instance says again in a replay has been
//! said and is not said twice.

use base::{
    rpc::{Arguments, Decision, Transport},
    session::log::{self, call},
};

use super::Asked;
use crate::surroundings::Surroundings;

#[base::interposer(refuse())]
impl<T: Transport + Copy, P: Surroundings + ?Sized> log::Interposer for Asked<'_, T, P> {
    fn write(&mut self, (text,): Arguments<'_, call::Write>) -> Decision<call::Write> {
        match self.surroundings.says(text) {
            true => Decision::Forward,
            false => Decision::Answer(Ok(())),
        }
    }
}
