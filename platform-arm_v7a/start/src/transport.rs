//! Requests as calls on endpoints.

use base::rpc::{MAX_WORDS, Slot, Status, Transport};
use sel4::{Cap, Endpoint, Message, Notification};

/// The kernel as a transport: a slot is a capability to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Kernel;

impl Transport for Kernel {
    fn call(&self, to: Slot, operation: u32, request: &[u32], reply: &mut [u32]) -> (Status, usize) {
        let request = &request[..request.len().min(MAX_WORDS)];
        let Some(message) = Message::long(operation, request) else { return (Status::Malformed, 0) };
        let answer = Cap::<Endpoint>::new(to.0).call(message);
        (Status::from_label(answer.label()), answer.read(reply))
    }
}

/// Waits until somebody rings, and returns; without anybody who could, it never does.
pub(crate) fn wait(doorbell: Slot) {
    Cap::<Notification>::new(doorbell.0).wait();
}
