//! LOG: text goes on as it is. What a new instance says again in a replay has been said and is not said twice.

use base::{rpc::Transport, session::log};

use super::Asked;
use crate::surroundings::Surroundings;

#[base::interposer(forward(write))]
impl<T: Transport + Copy, P: Surroundings + ?Sized> log::Interposer for Asked<'_, T, P> {}
