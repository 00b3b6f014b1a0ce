//! The component on a machine in memory: three rounds.

use base::{env::Logger, testing::Machine};

#[test]
fn every_round_is_counted() {
    let machine = Machine::new();
    machine.world().values.insert("rounds".into(), "3".into());
    Box::leak(Box::new(Logger::new(machine.env()))).install();
    machine.run(stack_counter::construct);
    assert_eq!(machine.ended(), Some(0));
    let expected = ["counter 1", "counter 2", "counter 3", "Every round was counted."];
    assert_eq!(machine.printed().lines().collect::<Vec<_>>(), expected);
}
