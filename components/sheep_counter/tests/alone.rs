//! The component on a machine in memory: three rounds.

use base::{env::Logger, testing::Machine};

#[test]
fn every_round_is_counted() {
    let machine = Machine::new();
    machine.world().values.insert("rounds".into(), "3".into());
    Box::leak(Box::new(Logger::new(machine.env()))).install();
    machine.run(sheep_counter::construct);
    assert_eq!(machine.ended(), Some(0));
    let expected =
        ["Stack|Heap|Dataspace", "1|1|1 sheep. zzZ", "2|2|2 sheep. zzZ", "3|3|3 sheep. zzZ", "All counters are equal."];
    assert_eq!(machine.printed().lines().collect::<Vec<_>>(), expected);
}
