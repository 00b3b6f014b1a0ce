//! Asks for accounts at each level: of all protection domains together, its own, those of two below it. Whatever is moved, paid
//! for and given back, the levels add up to what core began with.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    client::Session,
    rpc::Slot,
    session::{
        census::{self, Sums},
        pd::{ANY, Account, Memory, OWN},
    },
};

/// What is moved.
const RAM: u32 = 1 << 20;
const CAPS: u32 = 50;
/// What is paid for.
const SIZE: u32 = 64 << 10;

/// What all levels say.
struct Levels {
    all: Sums,
    own: Account,
    below: [Account; 2],
}

fn ask(env: Env, census: &Session<census::Client>, below: [Slot; 2]) -> Levels {
    let all = census.accounts().expect("the scenario says so");
    // Whatever was moved, it is all there.
    assert_eq!((all.all_ram, all.all_caps), (all.ram, all.caps), "something was lost");
    let account = |pd| env.pd().account(pd).expect("its own, or below it");
    Levels { all, own: account(OWN), below: below.map(account) }
}

/// `more` of what is used, by both sides.
fn assert_used(now: &Levels, before: &Levels, own: u32, below: [u32; 2]) {
    assert_eq!(now.own.ram_used - before.own.ram_used, own);
    for (level, more) in below.into_iter().enumerate() {
        assert_eq!(now.below[level].ram_used - before.below[level].ram_used, more, "level {level}");
    }
    let sum = u64::from(own) + below.into_iter().map(u64::from).sum::<u64>();
    assert_eq!(now.all.used_ram - before.all.used_ram, sum, "core counts something else");
}

fn construct(env: &mut Env) {
    let env = *env;
    let pd = env.pd();
    let census = env.open::<census::Client>("census", b"").expect("the scenario says so");
    let first = pd.create(ANY, 64, "first").expect("the scenario gives enough");
    let second = pd.create(ANY, 64, "second").expect("the scenario gives enough");
    let below = [first, second];
    let freed = |number: Slot| while pd.free(number).expect("its own") > 0 {};

    let before = ask(env, &census, below);
    assert_eq!(before.below, [Account::default(); 2], "nothing comes with a protection domain");

    // Down, and across: what one level has less, the next has more.
    pd.transfer(OWN, first, 2 * RAM, 2 * CAPS).expect("the scenario gives enough");
    pd.transfer(first, second, RAM, CAPS).expect("it has that");
    let moved = ask(env, &census, below);
    let part = Account { ram: RAM, caps: CAPS, ..Account::default() };
    assert_eq!(moved.below, [part; 2]);
    assert_eq!((before.own.ram - moved.own.ram, before.own.caps - moved.own.caps), (2 * RAM, 2 * CAPS));
    assert_used(&moved, &before, 0, [0, 0]);

    // Whoever pays, it is counted once.
    let memory = [OWN, first, second]
        .map(|account| pd.allocate(ANY, account, SIZE, Memory::default()).expect("the account has that"));
    let paid = ask(env, &census, below);
    assert_used(&paid, &moved, SIZE, [SIZE; 2]);
    assert_eq!(paid.all.used_caps - moved.all.used_caps, 3);
    memory.into_iter().for_each(freed);
    assert_used(&ask(env, &census, below), &moved, 0, [0, 0]);

    // From above: what init gives, this component has more.
    env.request_more(RAM, CAPS).expect("the scenario allows it");
    let more = ask(env, &census, below);
    assert_eq!((more.own.ram - moved.own.ram, more.own.caps - moved.own.caps), (RAM, CAPS));
    assert_eq!(more.all, moved.all);

    // What ends gives back all that it was given.
    below.into_iter().for_each(freed);
    let after = ask(env, &census, [OWN; 2]);
    assert_eq!((after.own.ram, after.own.caps), (before.own.ram + RAM, before.own.caps + CAPS));
    assert_eq!(after.own.caps_used, before.own.caps_used - 2);
    log::info!("all levels add up");
    env.exit(0)
}
