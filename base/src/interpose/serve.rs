//! The thread that serves a child.

use super::Ward;
use crate::{
    child::Badge,
    platform::{Machine, Received},
    rpc::{Buffer, Reply, Slot, Status},
};

/// Serves the requests of a child that arrive at `endpoint`, each with the [`Badge`] of its interface, for ever.
pub fn serve(machine: Machine, endpoint: Slot, mut ward: Ward) -> ! {
    let (mut words, mut space) = (Buffer::new(), Buffer::new());
    let mut reply = None::<Reply<'_>>;
    loop {
        let received = match reply.take() {
            Some(reply) => machine.answer_and_receive(endpoint, &reply, &mut words),
            None => machine.receive(endpoint, &mut words),
        };
        reply = match received {
            Received::Ring => {
                ward.quiet(machine);
                None
            }
            Received::Request { badge, request } => match Badge::of(badge) {
                Some(badge) => ward.serve(badge, &request, &mut space),
                // Nobody has such a badge.
                None => Some(Reply::of(Status::Refused)),
            },
        };
    }
}
