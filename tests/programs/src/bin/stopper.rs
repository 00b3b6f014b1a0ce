//! Starts children and asks them to exit, several times; tells how each has ended, and whether everything that core counts, and
//! every account, is as it was before.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::{boxed::Box, string::String, vec::Vec};

use base::{
    Env,
    child::{ChildPolicy, Family, Program, Route, Settings, Standing, Way},
    env::slots,
    executable::Layout,
    rpc::Slot,
    session::{
        census::{self, Counts, Sums},
        parent::{Event, Value},
        pd::{ANY, Account, OWN},
    },
};

/// Cookie of the signal that no child is left, and of the one that it is time to ask; no child's numbers.
const NO_CHILD: u32 = 0xffff;
const ASK: u32 = 0xfffe;
/// One hears nothing at all, so it is below the others.
const CHILDREN: [(&str, u8); 5] = [("plain", 90), ("polite", 90), ("sleeper", 90), ("spinner", 80), ("stubborn", 90)];
const ROUNDS: usize = 5;
/// The first rounds fill what is kept for later.
const WARM_UP: usize = 2;

/// What the children may do, and what has become of them.
struct Policy {
    env: Env,
    no_child: Slot,
    told: Vec<(String, Event)>,
}

impl ChildPolicy for Policy {
    fn route(&self, _: &str, _: &str) -> Route {
        Route::Nobody
    }

    fn may_connect(&self, _: &str, _: &str, _: &str) -> bool {
        false
    }

    fn value(&self, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn grants(&self, _: &str, _: u32, _: u32) -> bool {
        false
    }

    fn granted(&mut self, _: &str, _: u32, _: u32) {}

    fn is_below(&self, _: &str, _: &str) -> bool {
        false
    }

    fn grace(&self, _: &str) -> u64 {
        5_000_000
    }

    fn event(&mut self, component: &str, event: Event) {
        self.told.push((component.into(), event));
    }

    fn all_ended(&mut self) {
        self.env.signal().raise(self.no_child).expect("it is there");
    }
}

#[derive(PartialEq, Debug)]
struct Books {
    counts: Counts,
    account: Account,
    sums: Sums,
}

fn construct(env: &mut Env) {
    let env = *env;
    let census = env.open::<census::Client>("census", b"").expect("the scenario says so");
    let context = |cookie| env.signal().create(ANY, OWN, slots::DOORBELL, cookie).expect("there is room");
    let (no_child, ask) = (context(NO_CHILD), context(ASK));
    let module = env.rom_module("asked").expect("a component of the scenario runs it");
    let file = module.bytes();
    let layout = Layout::new(file, file.len() as u32, env.platform().elf_machine()).expect("it is a program");
    let (module, layout) = (module.dataspace().slot(), Box::leak(Box::new(layout)));
    let program = Program { dataspace: module, layout };
    let mut family = Family::new(env.platform(), Policy { env, no_child, told: Vec::with_capacity(64) });
    let books = || Books {
        counts: census.count().expect("core answers"),
        account: env.pd().account(OWN).expect("its own"),
        sums: census.accounts().expect("core answers"),
    };
    let mut before = None;
    for round in 0..ROUNDS {
        for (name, priority) in CHILDREN {
            let number = family.next();
            let settings = Settings { name, number, ram: 512 << 10, caps: 100, slots: 128, priority, stack: 16 << 10 };
            family.start(&settings, program, Standing::Aside, |_| Way::Core).expect("the scenario gives enough");
        }
        env.timer().once(ask, 10_000_000).expect("it is a signal");
        family.serve_until(Some(ASK));
        let begun = env.timer().now().expect("there is a clock");
        family.ask_all_to_exit();
        family.serve_until(Some(NO_CHILD));
        let took = env.timer().now().expect("there is a clock") - begun;
        assert!((5_000_000..6_000_000).contains(&took), "grace takes 5 ms, not {took} ns");
        let told = core::mem::take(&mut family.policy().told);
        assert_eq!(told.len(), CHILDREN.len());
        match round {
            WARM_UP => before = Some(books()),
            0 => told.iter().for_each(|(name, event)| log::info!("{name}: {event:?}")),
            _ => {}
        }
    }
    let (before, after) = (before.expect("there were rounds"), books());
    let is_equal = before == after && after.sums.all_ram == after.sums.ram && after.sums.all_caps == after.sums.caps;
    if !is_equal {
        log::warn!("{after:?} instead of {before:?}");
    }
    log::info!("{ROUNDS} rounds, {}", if is_equal { "and nothing was lost" } else { "and the books differ" });
    env.exit(i32::from(!is_equal))
}
