//! The one that sends back.

use alloc::vec;

use ethernet::{
    Stack,
    smoltcp::socket::{
        tcp::{self, State},
        udp,
    },
};

use crate::{DATAGRAM, ECHO, ROOM};

/// Sends back all that comes, until it is asked to exit.
pub fn run(stack: &mut Stack) -> ! {
    let metadata = || vec![udp::PacketMetadata::EMPTY; 8];
    let packets = || udp::PacketBuffer::new(metadata(), vec![0; ROOM]);
    let mut datagrams = udp::Socket::new(packets(), packets());
    // A port that is not 0, and a socket that nobody has bound.
    let _ = datagrams.bind(ECHO);
    let stream = tcp::Socket::new(tcp::SocketBuffer::new(vec![0; ROOM]), tcp::SocketBuffer::new(vec![0; ROOM]));
    let (datagrams, stream) = (stack.sockets.add(datagrams), stack.sockets.add(stream));
    let mut space = vec![0; DATAGRAM];
    log::info!("Here.");
    loop {
        stack.poll();
        let socket = stack.sockets.get_mut::<udp::Socket>(datagrams);
        while socket.can_send() {
            let Ok((length, from)) = socket.recv_slice(&mut space) else { break };
            // There is room; who cannot be reached gets nothing.
            let _ = socket.send_slice(space.get(..length).unwrap_or_default(), from.endpoint);
        }
        let socket = stack.sockets.get_mut::<tcp::Socket>(stream);
        match socket.state() {
            State::Closed => _ = socket.listen(ECHO),
            State::CloseWait if !socket.can_recv() => socket.close(),
            _ => {}
        }
        while socket.can_recv() && socket.can_send() {
            let room = socket.send_capacity() - socket.send_queue();
            let wanted = room.min(space.len());
            let Some(part) = space.get_mut(..wanted) else { break };
            let Ok(length) = socket.recv_slice(part) else { break };
            // As much as there is room for.
            let _ = socket.send_slice(part.get(..length).unwrap_or_default());
        }
        // What was put into sockets goes before it waits.
        stack.poll();
        if let Err(error) = stack.wait(None) {
            log::error!("no time: {error:?}");
        }
    }
}
