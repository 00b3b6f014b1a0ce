//! The component on a machine in memory: three rounds.

use base::{env::Logger, testing::Machine};

#[test]
fn every_round_is_counted() {
    let machine = Machine::new();
    machine.world().values.insert("rounds".into(), "3".into());
    Box::leak(Box::new(Logger::new(machine.env()))).install();
    machine.run(small_dataspaces::construct);
    assert_eq!(machine.ended(), Some(0));
    let expected =
        ["100 dataspaces of 4096 bytes.", "counters 1", "counters 2", "counters 3", "Every counter is equal."];
    assert_eq!(machine.printed().lines().collect::<Vec<_>>(), expected);
}
