//! A program that sets up much before the barrier: what it allocates, attaches, moves, nests, detaches and frees there, and what
//! it makes of everything else, uses few numbers and addresses again and again. Shared by programs that do
//! so alike, and one thing otherwise ([`Way`]).
#![allow(dead_code, reason = "each program does one thing otherwise")]

use core::sync::atomic::{AtomicU32, Ordering::SeqCst};

use base::{
    Env,
    env::slots,
    memory::{Attachment, Dataspace},
    rpc::Slot,
    session::{
        parent::Value,
        pd::{ANY, CopyPages, Memory, OWN},
        rm::Placement,
    },
};

/// How often everything is done.
const ROUNDS: u32 = 24;
/// In which of these something is done otherwise.
const ODD_ROUND: u32 = 13;
const PAGE: usize = 4096;
/// Every so many rounds, memory stays: detached, where it was, or moved.
const STAYS: u32 = 4;
const KEPT: usize = (ROUNDS / STAYS) as usize;
/// Where memory is moved to.
const ELSEWHERE: u32 = 0x5000_0000;
/// Where nothing is ever attached.
const NOWHERE: usize = 0x4000_0000;
/// Between two lines.
const INTERVAL: core::time::Duration = core::time::Duration::from_micros(500);

/// What is done otherwise in one round before the barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nothing.
    Same,
    /// A larger dataspace.
    OtherArguments,
    /// Two requests in another order.
    OtherOrder,
    /// It is over after this round.
    Less,
    /// Another request, last of all.
    More,
    /// It touches what is not there.
    Faults,
    /// It exits.
    Exits,
    /// It does nothing any more.
    Hangs,
}

/// The memory that stays: its numbers, and where it is, 0 for nowhere.
static NUMBERS: [AtomicU32; KEPT] = [const { AtomicU32::new(0) }; KEPT];
static PLACES: [AtomicU32; KEPT] = [const { AtomicU32::new(0) }; KEPT];

fn word(mark: u32, place: usize) -> u32 {
    mark.wrapping_mul(0x9e37_79b9) ^ place as u32
}

fn fill(attachment: &Attachment, mark: u32) {
    attachment.words().iter().enumerate().for_each(|(place, w)| w.store(word(mark, place), SeqCst));
}

fn check(words: &[AtomicU32], mark: u32) {
    for (place, w) in words.iter().enumerate() {
        assert_eq!(w.load(SeqCst), word(mark, place), "dataspace {mark}, word {place}");
    }
}

fn allocated(env: Env, pages: usize) -> Dataspace {
    env.allocate(pages * PAGE).expect("the scenario gives enough memory")
}

fn attached(env: Env, dataspace: &Dataspace, placement: Placement) -> Attachment {
    env.attach(dataspace, placement).expect("there is room")
}

/// What is done before the barrier.
pub fn before(env: Env, way: Way) {
    for round in 0..ROUNDS {
        let way = if round == ODD_ROUND { way } else { Way::Same };
        memory(env, round, way);
        others(env, way);
        match way {
            Way::Less => break,
            // SAFETY: none: this is the mistake that the program is for.
            Way::Faults => _ = unsafe { core::ptr::without_provenance::<u32>(NOWHERE).read_volatile() },
            Way::Exits => env.exit(0),
            Way::Hangs => loop {
                core::hint::spin_loop();
            },
            _ => {}
        }
    }
    if way == Way::More {
        let _ = env.pd().account(OWN);
    }
}

/// Memory that comes, moves and goes.
fn memory(env: Env, round: u32, way: Way) {
    // One that goes at once, so that its number and its addresses are another's.
    let passing = allocated(env, 1);
    drop(attached(env, &passing, Placement::ANYWHERE));
    let pages = if way == Way::OtherArguments { 3 } else { 2 };
    let stays = allocated(env, pages);
    drop(passing);
    let attachment = attached(env, &stays, Placement::ANYWHERE);
    fill(&attachment, round);
    // The half of it is copied from elsewhere and back.
    let copy = allocated(env, 1);
    let page = |dst, src| CopyPages { dst, src, count: 1 };
    env.pd().copy(copy.slot(), stays.slot(), page(0, 1)).expect("both are there");
    env.pd().copy(stays.slot(), copy.slot(), page(1, 0)).expect("both are there");
    // It is seen in a region map, too, for a while.
    let map = env.region_map(8 * PAGE).expect("the scenario gives enough memory");
    let inner = map.attach(&stays, Placement::at(4096)).expect("the map is empty");
    let outer = env.attach(&map, Placement::ANYWHERE).expect("there is room");
    check(&outer.words()[PAGE / 4..3 * PAGE / 4], round);
    drop(outer);
    drop(inner);
    drop(map);
    // It is moved.
    drop(attachment);
    let place = ELSEWHERE + round * 0x1_0000;
    let moved = attached(env, &stays, Placement::at(place));
    check(&moved.words()[..2 * PAGE / 4], round);
    if !round.is_multiple_of(STAYS) {
        return;
    }
    let kept = (round / STAYS) as usize;
    NUMBERS[kept].store(stays.slot().0, SeqCst);
    if kept.is_multiple_of(2) {
        PLACES[kept].store(place, SeqCst);
        moved.leak();
    }
    stays.leak();
}

/// Everything else that can be asked for and given back.
fn others(env: Env, way: Way) {
    let (pd, signal, timer) = (env.pd(), env.signal(), env.timer());
    let expect = "the scenario gives enough capabilities";
    let make_bell = || pd.create_notification(ANY, OWN).expect(expect);
    let make_endpoint = || pd.create_endpoint(ANY, OWN).expect(expect);
    let (bell, endpoint) = if way == Way::OtherOrder {
        let endpoint = make_endpoint();
        (make_bell(), endpoint)
    } else {
        (make_bell(), make_endpoint())
    };
    let context = signal.create(ANY, OWN, bell, 7).expect(expect);
    signal.raise(context).expect("it is there");
    assert!(matches!(signal.fetch(bell), Ok(Some(pending)) if pending.cookie == 7));
    timer.once(context, 1_000_000_000).expect("it is there");
    assert!(matches!(timer.cancel(context), Ok(Some(_))));
    let module = env.rom().open(ANY, "scenario").expect("every image has one");
    let _ = env.rom().size("scenario").expect("every image has one");
    let _ = pd.describe(module).expect("it is there");
    let _ = pd.account(OWN).expect("that is its own");
    let _ = timer.now().expect("there is a clock");
    let _ = env.name();
    let _ = env.value::<Value>("restore");
    // Refused: what failed then does nothing again.
    assert!(pd.allocate(bell, OWN, 4096, Memory::default()).is_err());
    free(env, module);
    signal.destroy(context).expect("it is there");
    free(env, endpoint);
    free(env, bell);
}

fn free(env: Env, number: Slot) {
    while env.pd().free(number).expect("it is there") > 0 {}
}

/// Memory that stays is what it was.
fn seen(kept: usize, place: u32) {
    // SAFETY: two pages are attached there for good, and all that is made of them is atomic words.
    let words = unsafe { core::slice::from_raw_parts(place as *const AtomicU32, 2 * PAGE / 4) };
    check(words, kept as u32 * STAYS);
}

/// What is done after it: all is there, and what is made now has the numbers and addresses that it would have had.
pub fn construct(env: &mut Env) {
    let env = *env;
    let mut detached = [None; KEPT];
    for (kept, place) in detached.iter_mut().enumerate() {
        *place = Some(Slot(NUMBERS[kept].load(SeqCst))).filter(|_| PLACES[kept].load(SeqCst) == 0);
    }
    for round in 1..=40_u32 {
        if round == 20 {
            // Attached for the first time since before the barrier.
            for (kept, number) in detached.iter_mut().enumerate() {
                if let Some(number) = number.take() {
                    let attachment = env.attach(&number, Placement::ANYWHERE).expect("there is room");
                    check(&attachment.words()[..2 * PAGE / 4], kept as u32 * STAYS);
                    PLACES[kept].store(attachment.address(), SeqCst);
                    attachment.leak();
                }
            }
        }
        for (kept, place) in PLACES.iter().enumerate() {
            let place = place.load(SeqCst);
            if place != 0 {
                seen(kept, place);
            }
        }
        let new = allocated(env, 1);
        let attachment = attached(env, &new, Placement::ANYWHERE);
        log::info!("round {round}: {} at {:#x}", new.slot().0, attachment.address());
        if round.is_multiple_of(8) {
            attachment.leak();
            new.leak();
        }
        env.sleep(INTERVAL).expect("TIMER wakes whoever sleeps");
    }
    let _ = env.rm().detach(slots::ADDRESS_SPACE, ELSEWHERE).expect("that was moved there");
    log::info!("all is there");
    env.exit(0)
}
