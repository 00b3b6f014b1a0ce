//! Asks for more than there is, of everything; each is refused, and the account is as it was.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    env::slots,
    rpc::{CallError, Slot},
    session::{
        cpu::{CreateError as ThreadError, MAX_PRIORITY},
        parent::{OpenError, RequestError, SessionError},
        pd::{self, ANY, AllocateError, MAX_PAGES, Memory, OWN, TransferError},
        timer::{SHORTEST_PERIOD, TimeoutError},
    },
};

/// More notifications than the scenario has capabilities for.
const MOST: usize = 1024;

fn construct(env: &mut Env) {
    let (pd, parent) = (env.pd(), env.parent());
    let before = pd.account(OWN).expect("an account");

    // Memory: more than the account has, up to the largest dataspace; and quota for a component that has none.
    for pages in [(before.ram >> 12) + 1, MAX_PAGES] {
        let size = pages << 12;
        assert_eq!(pd.allocate(ANY, OWN, size, Memory::default()), Err(AllocateError::Ram.into()), "{pages} pages");
    }
    let child = pd.create(ANY, 64, "child").expect("a protection domain");
    assert_eq!(pd.transfer(OWN, child, u32::MAX, 0), Err(TransferError::Ram.into()));
    assert_eq!(pd.transfer(OWN, child, 0, u32::MAX), Err(TransferError::Caps.into()));
    assert_eq!(pd.transfer(child, OWN, 1, 0), Err(TransferError::Ram.into()));
    assert_eq!(pd.allocate(ANY, child, 4096, Memory::default()), Err(AllocateError::Ram.into()));
    free(env, child);

    // Numbers and names.
    for slots in [0, (1 << 14) + 1, u32::MAX] {
        assert_eq!(pd.create(ANY, slots, "child"), Err(pd::CreateError::Size.into()), "{slots} slots");
    }
    for name in ["", "a name that is much longer than names of components are", "\u{1b}[2J"] {
        assert_eq!(pd.create(ANY, 64, name), Err(pd::CreateError::Name.into()), "{name:?}");
    }

    // From the parent.
    assert_eq!(settled(env, || parent.request(u32::MAX, 0)), Err(RequestError::Denied.into()));
    assert_eq!(settled(env, || parent.request(0, u32::MAX)), Err(RequestError::Denied.into()));
    assert_eq!(settled(env, || parent.open("nobody_offers_this", &[])), Err(OpenError::Service.into()));
    assert_eq!(settled(env, || parent.open("", &[0xff; 160])), Err(OpenError::Service.into()));
    assert_eq!(settled(env, || parent.upgrade(Slot(60), u32::MAX, u32::MAX)), Err(SessionError::Nothing.into()));

    // Times and priorities.
    let context = env.signal().create(ANY, OWN, slots::DOORBELL, 0).expect("a signal context");
    for period in [0, SHORTEST_PERIOD - 1, u64::MAX] {
        assert_eq!(env.timer().periodic(context, period), Err(TimeoutError::Time.into()));
    }
    assert_eq!(env.timer().once(context, u64::MAX), Err(TimeoutError::Time.into()));
    assert_eq!(env.signal().destroy(context), Ok(()));
    for priority in [0, MAX_PRIORITY + 1, u8::MAX] {
        let made = env.cpu().create(ANY, OWN, slots::ADDRESS_SPACE, priority, 0, "x");
        assert_eq!(made, Err(ThreadError::Priority.into()));
    }

    // Capabilities: as many as there are, and not one more.
    let mut made = [slots::PD; MOST];
    let mut count = 0;
    let refused = loop {
        match pd.create_notification(ANY, OWN) {
            Ok(number) => made[count] = number,
            Err(error) => break error,
        }
        count += 1;
    };
    assert!(count > 0);
    assert_eq!(refused, AllocateError::Caps.into());
    made[..count].iter().for_each(|number| free(env, *number));
    assert_eq!(pd.account(OWN), Ok(before));
    log::info!("all refused");
    env.exit(0)
}

/// Asks until whoever is asked has decided; what takes longer is asked again when the doorbell has rung.
fn settled<T, E>(env: &Env, mut ask: impl FnMut() -> Result<T, CallError<E>>) -> Result<T, CallError<E>> {
    loop {
        match ask() {
            Err(CallError::Pending) => env.platform().wait(slots::DOORBELL),
            settled => return settled,
        }
    }
}

fn free(env: &Env, number: Slot) {
    while env.pd().free(number).expect("it is there") > 0 {}
}
