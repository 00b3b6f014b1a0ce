//! What joins the nodes' Ethernets: each frame that one sends reaches all others.
//!
//! Each node has two sockets in a private folder, one that its QEMU makes and one here; nothing of it can be reached from
//! outside, and a node that is not there, or not any more, just does not get what is sent to it.

use std::{
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Longest frame that is passed on; a board sends none as long.
const LONGEST: usize = 4096;
/// How soon its threads see that it has ended.
const TICK: Duration = Duration::from_millis(100);

/// The hub; its threads end with it.
pub struct Hub {
    ends: Vec<(PathBuf, PathBuf)>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hub {
    /// For so many nodes, with its sockets in that folder.
    ///
    /// # Errors
    /// A socket cannot be made.
    pub fn new(folder: &Path, nodes: usize) -> io::Result<Self> {
        let path = |what: &str, node: usize| folder.join(format!("{what}{node}"));
        let ends: Vec<_> = (0..nodes).map(|node| (path("board", node), path("hub", node))).collect();
        let ended = Arc::new(AtomicBool::new(false));
        let mut hub = Self { ends: ends.clone(), ended, threads: Vec::new() };
        for (number, (_, own)) in ends.iter().enumerate() {
            let socket = UnixDatagram::bind(own)?;
            socket.set_read_timeout(Some(TICK))?;
            let others = ends.iter().enumerate().filter(|(other, _)| *other != number);
            let others: Vec<_> = others.map(|(_, (board, _))| board.clone()).collect();
            let ended = Arc::clone(&hub.ended);
            hub.threads.push(thread::spawn(move || pass_on(&socket, &others, &ended)));
        }
        Ok(hub)
    }

    /// A node's cable: the board's end, which must not be there when QEMU makes it, and the hub's.
    pub fn cable(&self, node: usize) -> Option<(PathBuf, PathBuf)> {
        self.ends.get(node).cloned()
    }
}

fn pass_on(from: &UnixDatagram, others: &[PathBuf], ended: &AtomicBool) {
    // Who is slow loses frames, as on a wire; nobody waits for it.
    let Ok(to) = UnixDatagram::unbound().and_then(|to| to.set_nonblocking(true).map(|()| to)) else { return };
    let mut frame = [0; LONGEST];
    while !ended.load(Ordering::Acquire) {
        if let Ok(length) = from.recv(&mut frame) {
            others.iter().for_each(|other| _ = to.send_to(&frame[..length], other));
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.threads.drain(..).for_each(|thread| _ = thread.join());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_reach_all_others_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let hub = Hub::new(folder.path(), 3).unwrap();
        let node = |number| {
            let (board, other) = hub.cable(number).unwrap();
            let socket = UnixDatagram::bind(board).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            (socket, other)
        };
        let send = |(socket, other): &(UnixDatagram, PathBuf), frame: &[u8]| _ = socket.send_to(frame, other).unwrap();
        let (a, b) = (node(0), node(1));
        let heard = |(socket, _): &(UnixDatagram, PathBuf)| {
            let mut frame = [0; 10];
            loop {
                match socket.recv(&mut frame) {
                    Ok(length) => return frame[..length].to_vec(),
                    // Other tests are about signals.
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        send(&a, b"first");
        assert_eq!(heard(&b), b"first");
        let c = node(2);
        send(&a, b"second");
        assert_eq!([heard(&b), heard(&c)], [b"second", b"second"]);
        send(&b, b"third");
        assert_eq!([heard(&a), heard(&c)], [b"third", b"third"], "nothing has come back");
    }
}
