//! The component on a machine in memory, with two clients.

use base::{env::Logger, rpc::Slot, session::parent::TaskKind, testing::Machine};
use pong::session::Client;

#[test]
fn each_client_has_its_own_table() {
    let machine = Machine::new();
    Box::leak(Box::new(Logger::new(machine.env()))).install();
    machine.run(pong::construct);
    let open = |client: &str| TaskKind::Open {
        service: "pong".try_into().unwrap(),
        client: client.try_into().unwrap(),
        argument: Default::default(),
    };
    assert!(machine.task(5, open("ping")));
    assert!(machine.task(6, open("pang")));
    let client = |session| Client::new(machine.caller(session), Slot(0));
    assert_eq!(client(5).hit(1), Ok(2));
    assert_eq!(client(5).hit(u32::MAX), Ok(0));
    assert_eq!(client(6).hit(7), Ok(8));
    assert_ne!(client(5).table().unwrap(), client(6).table().unwrap());
    assert!(machine.task(5, TaskKind::Close));
    let expected = ["A table for ping.", "A table for pang.", "ping has left after 2 hits."];
    assert_eq!(machine.printed().lines().collect::<Vec<_>>(), expected);
}
