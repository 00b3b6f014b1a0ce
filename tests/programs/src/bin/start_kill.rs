//! Starts its children and kills them, each at another instant, `kills` times; then everything that core counts, and every
//! account, must be as it was before. With `lose`, core is told to lose one thing of each kind, and what the census says of
//! that is printed. With `guests` the children may end as they like, and have core make what it then keeps.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{string::String, vec::Vec};
use core::fmt::Write;

use base::{
    Env,
    child::{ByScenario, Family, Standing, Way, start_all},
    client::Session,
    env::slots,
    rpc::Slot,
    session::{
        census::{self, Counts, KINDS, Sums},
        cpu::Activity,
        pd::{ANY, Account, Cache, FrameSize, Memory, OWN},
    },
};

/// Cookie of the signal that it is time to kill; no child's number.
const ALARM: u32 = 0xffff;
/// Kills before the first census: by then core has made ahead what it makes ahead.
const WARM_UP: u32 = 300;

/// Marsaglia's generator of 32 bits (xorshift).
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit
    }
}

/// Who starts and kills.
struct Killer {
    env: Env,
    family: Family<ByScenario>,
    census: Session<census::Client>,
    alarm: Slot,
    children: usize,
    random: Random,
    /// By how many children had been killed.
    kills: Vec<u32>,
    /// What their first threads were at, by [`ACTIVITIES`].
    found: [u32; 7],
}

/// What a child can be killed at.
const ACTIVITIES: [&str; 7] =
    ["inactive", "running", "calling, not heard", "calling", "serving or idle", "waiting", "faulted"];

const fn place(activity: Activity) -> usize {
    match activity {
        Activity::Inactive => 0,
        Activity::Running => 1,
        Activity::Sending { .. } => 2,
        Activity::Calling => 3,
        Activity::Receiving => 4,
        Activity::Waiting => 5,
        Activity::Faulted => 6,
    }
}

/// What is compared.
#[derive(PartialEq)]
struct Books {
    counts: Counts,
    account: Account,
    sums: Sums,
}

fn construct(env: &mut Env) {
    let env = *env;
    let kills = env.value("kills").unwrap_or(1000);
    let guests = env.value("guests").unwrap_or(false);
    let seed = env.value("seed").unwrap_or(1u32).max(1);
    let census = env.open::<census::Client>("census", b"").expect("the scenario says so");
    let alarm = env.signal().create(ANY, OWN, slots::DOORBELL, ALARM).expect("there is room");
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |_, _| Ok((Standing::Aside, |_: &_| Way::Core)));
    let children = usize::from(family.next());
    assert!(children > 0, "the scenario gives it children");
    let random = Random(seed.wrapping_mul(0x9e37_79b9) | 1);
    let mut killer =
        Killer { env, family, census, alarm, children, random, kills: alloc::vec![0; children], found: [0; 7] };

    killer.kill(WARM_UP);
    killer.all_down();
    // What this component's own heap needs for it is there then.
    _ = killer.books();
    let before = killer.books();
    killer.all_up();
    killer.kill(kills);
    killer.all_down();
    let mut after = killer.books();
    if guests {
        // They have core make whatever they like; what counts is that it is given back.
        after.counts.free = before.counts.free;
        for (now, then) in after.counts.kinds.iter_mut().zip(&before.counts.kinds) {
            now.made = if now.used == then.used { then.made } else { now.made };
        }
    }
    let equal = report(&before, &after);
    for (number, &kills) in killer.kills.iter().enumerate() {
        let instances = killer.family.instances(number);
        // Guests may end as they like.
        assert!(instances == kills + 1 || guests, "a child has ended by itself");
        log::info!("{instances} instances of the {number}. child");
    }
    for (name, times) in ACTIVITIES.iter().zip(killer.found) {
        log::info!("killed while {name}: {times}");
    }
    log::info!("{kills} kills, {}", if equal { "and nothing was lost" } else { "and the books differ" });
    if env.value("lose").unwrap_or(false) {
        killer.lose();
    }
    env.exit(if equal { 0 } else { 1 })
}

impl Killer {
    /// Starts and kills.
    fn kill(&mut self, times: u32) {
        for _ in 0..times {
            // Often while it starts, and sometimes long after.
            let most = [150, 600, 2500][self.random.below(3) as usize];
            let after = u64::from(self.random.below(most * 1000));
            self.env.timer().once(self.alarm, after).expect("it is a signal");
            self.family.serve_until(Some(ALARM));
            let number = self.random.below(self.children as u32) as usize;
            let thread = self.family.child(number).expect("whenever it ends it is started again").thread();
            // A hostile one may have given it up.
            if let Ok(state) = self.env.cpu().read(thread) {
                self.found[place(state.activity)] += 1;
            }
            self.family.take_down(number);
            assert!(self.family.bring_up(number), "it was brought up before");
            self.kills[number] += 1;
        }
    }

    fn all_down(&mut self) {
        (0..self.children).for_each(|number| self.family.take_down(number));
    }

    fn all_up(&mut self) {
        for number in 0..self.children {
            assert!(self.family.bring_up(number), "it was brought up before");
            self.kills[number] += 1;
        }
    }

    fn books(&self) -> Books {
        Books {
            counts: self.census.count().expect("core answers"),
            account: self.env.pd().account(OWN).expect("its own"),
            sums: self.census.accounts().expect("core answers"),
        }
    }

    /// Has one thing of each kind lost.
    fn lose(&mut self) {
        for (number, kind) in KINDS.iter().enumerate() {
            self.exercise();
            let before = self.books();
            if self.census.lose(number as u32).is_err() {
                continue;
            }
            self.exercise();
            let after = self.books();
            let mut text = String::new();
            for (kind, more) in after.counts.since(&before.counts) {
                let bytes = i64::from(kind.bytes) * more;
                _ = write!(text, " {more} {} of {bytes} bytes,", kind.name);
            }
            let free = before.counts.free as i64 - after.counts.free as i64;
            log::info!("lost a {}:{text} {free} bytes less are free", kind.name);
        }
    }

    /// Uses and gives back some of every kind.
    fn exercise(&mut self) {
        for largest in FrameSize::ALL {
            let memory = Memory { cache: Cache::Cached, largest };
            drop(self.env.allocate_as(largest.bytes() as usize, memory).expect("the scenario gives enough"));
        }
        for bits in 6..=14 {
            let domain = self.env.pd().create(ANY, 1 << bits, "empty").expect("the scenario gives enough");
            while let Ok(1..) = self.env.pd().free(domain) {}
        }
        let endpoint = self.env.pd().create_endpoint(ANY, OWN).expect("the scenario gives enough");
        while let Ok(1..) = self.env.pd().free(endpoint) {}
        self.all_up();
        self.env.timer().once(self.alarm, 3_000_000).expect("it is a signal");
        self.family.serve_until(Some(ALARM));
        self.all_down();
    }
}

/// Says what differs; tells whether nothing does.
fn report(before: &Books, after: &Books) -> bool {
    for (kind, more) in after.counts.since(&before.counts) {
        log::warn!("{more} more in use: {}, {} bytes", kind.name, i64::from(kind.bytes) * more);
    }
    for ((now, then), kind) in after.counts.kinds.iter().zip(&before.counts.kinds).zip(KINDS) {
        if now.made != then.made {
            log::warn!("{} made instead of {}: {}", now.made, then.made, kind.name);
        }
    }
    if after.counts.free != before.counts.free {
        log::warn!("{} bytes free instead of {}", after.counts.free, before.counts.free);
    }
    if after.account != before.account {
        log::warn!("{:?} instead of {:?}", after.account, before.account);
    }
    if after.sums != before.sums || after.sums.all_ram != after.sums.ram {
        log::warn!("{:?} instead of {:?}", after.sums, before.sums);
    }
    before == after && after.sums.all_ram == after.sums.ram && after.sums.all_caps == after.sums.caps
}
