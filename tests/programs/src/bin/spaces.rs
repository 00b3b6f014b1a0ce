//! Memory by numbers alone: frames of all sizes, region maps in region maps, pages that come when they are touched, faults
//! that wait for somebody to attach, copies, and protection domains that go with everything. After each part the account
//! says what it said before.
#![no_std]
#![no_main]
start::component!(construct);

use core::{ptr, time::Duration};

use base::{
    Env,
    env::slots,
    region::Pieces,
    rpc::Slot,
    session::{
        echo,
        pd::{self, ANY, AT_ONCE, Cache, CopyPages, FrameSize, FreeError, Grant, LookupError, Memory, OWN},
        rm::{FaultAccess, PageFault, Placement},
    },
    thread::ThreadOptions,
};

const PAGE: u32 = 4096;
const SPACE: Slot = slots::ADDRESS_SPACE;
/// Where nothing else is.
const FREE: u32 = 0x9000_0000;

fn put(address: u32, value: u32) {
    // SAFETY: memory that this program has attached there for this, and that Rust knows nothing of.
    unsafe { ptr::write_volatile(address as *mut u32, value) }
}

fn get(address: u32) -> u32 {
    // SAFETY: as in `put`.
    unsafe { ptr::read_volatile(address as *const u32) }
}

/// Asks until nothing is left; tells how often.
fn all<E>(mut ask: impl FnMut() -> Result<u32, E>) -> Result<u32, E> {
    for times in 1.. {
        if ask()? == 0 {
            return Ok(times);
        }
        assert!(times < 10_000, "it goes on for ever");
    }
    Ok(0)
}

/// What it is about, and what does it.
type Part = (&'static str, fn(Env));

fn construct(env: &mut Env) {
    // What the framework keeps for sleeping is made before anything is counted.
    env.sleep(Duration::from_micros(1)).expect("sleep");
    let parts: [Part; 7] = [
        ("frames of all sizes", frames),
        ("one frame more than come at once", many_frames),
        ("pages when they are touched", touched),
        ("region maps in region maps", nested),
        ("copies", copies),
        ("protection domains", domains),
        ("faults that wait", faults),
    ];
    for (name, part) in parts {
        // Once for what is kept, such as a heap that has grown; then nothing may be left.
        part(*env);
        let before = env.pd().account(OWN);
        part(*env);
        assert_eq!(env.pd().account(OWN), before, "{name}");
        log::info!("{name}");
    }
    env.exit(0)
}

fn frames(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let memory = Memory { cache: Cache::Cached, largest: FrameSize::SuperSection };
    let size = (1 << 20) + 3 * (64 << 10) + 5 * PAGE;
    let dataspace = pd.allocate(ANY, OWN, size, memory).expect("memory");
    let here = rm.attach(SPACE, dataspace, Placement::ANYWHERE).expect("a place");
    assert!(here.is_multiple_of(1 << 20));
    for address in (here..here + size).step_by(PAGE as usize) {
        assert_eq!(get(address), 0, "{address:#x}");
        put(address, address);
    }
    // The part behind the section, a second time, at an address that suits it.
    let part = Placement { offset: 1 << 20, address: Some(FREE), ..Placement::ANYWHERE };
    assert_eq!(rm.attach(SPACE, dataspace, part), Ok(FREE));
    assert_eq!(get(FREE + (64 << 10)), here + (1 << 20) + (64 << 10));
    assert!(rm.attach(SPACE, dataspace, Placement { offset: PAGE, ..Placement::ANYWHERE }).is_err());
    assert!(rm.attach(SPACE, dataspace, Placement::at(FREE + (1 << 24) + PAGE)).is_err());
    all(|| pd.free(dataspace)).expect("freed");
    assert_eq!(pd.free(dataspace), Err(FreeError::Nothing.into()));
    // The addresses are free, and the memory is nobody's.
    let again = pd.allocate(ANY, OWN, size, memory).expect("memory");
    assert_eq!(rm.attach(SPACE, again, Placement::ANYWHERE), Ok(here));
    assert!((here..here + size).step_by(PAGE as usize).all(|address| get(address) == 0));
    all(|| rm.detach(SPACE, here)).expect("detached");
    all(|| pd.free(again)).expect("freed");
}

/// Three sections, fifteen large frames, fifteen small ones: the last comes only when it is asked for.
fn many_frames(env: Env) {
    let memory = Memory { cache: Cache::Cached, largest: FrameSize::Section };
    let size = (4 << 20) - PAGE;
    assert_eq!(Pieces::new(size / PAGE, memory.largest).count(), AT_ONCE + 1);
    let dataspace = env.allocate_as(size as usize, memory).expect("memory");
    assert_eq!(env.pd().describe(dataspace.slot()).map(|it| it.pages), Ok(size / PAGE));
    let here = env.attach(&dataspace, Placement::ANYWHERE).expect("a place");
    let last = here.address() + size - PAGE;
    assert_eq!(get(last), 0);
    put(last, 3);
    assert_eq!(get(last), 3);
}

fn touched(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let pages = 150;
    let dataspace = pd.allocate(ANY, OWN, pages * PAGE, Memory::default()).expect("memory");
    assert_eq!(pd.describe(dataspace).map(|it| it.pages), Ok(32));
    assert_eq!(rm.attach(SPACE, dataspace, Placement::at(FREE)), Ok(FREE));
    all(|| pd.populate(dataspace)).expect("pages");
    put(FREE + 140 * PAGE, 7);
    assert_eq!((get(FREE + 139 * PAGE), get(FREE + 140 * PAGE)), (0, 7));
    let times = all(|| rm.map(SPACE, FREE)).expect("mapped");
    assert!((3..=5).contains(&times), "{times}");
    let times = all(|| rm.detach(SPACE, FREE)).expect("detached");
    assert!((4..=6).contains(&times), "{times}");
    all(|| pd.free(dataspace)).expect("freed");
}

fn nested(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let (outer, inner) =
        (rm.create(ANY, OWN, 64 * PAGE).expect("outer"), rm.create(ANY, OWN, 16 * PAGE).expect("inner"));
    let dataspace = pd.allocate(ANY, OWN, 8 * PAGE, Memory::default()).expect("memory");
    rm.attach(SPACE, outer, Placement::at(FREE)).expect("outer");
    rm.attach(outer, inner, Placement::at(32 * PAGE)).expect("inner");
    // Again, only a part, and only for reading.
    let window = Placement { offset: 36 * PAGE, size: 4 * PAGE, writable: false, ..Placement::at(FREE + (1 << 20)) };
    rm.attach(SPACE, outer, window).expect("window");
    rm.attach(inner, dataspace, Placement::at(2 * PAGE)).expect("dataspace");
    put(FREE + 36 * PAGE, 5);
    put(FREE + 34 * PAGE, 6);
    assert_eq!(get(FREE + (1 << 20)), 5);
    // It goes from everywhere at once, and comes back.
    all(|| rm.detach(inner, 2 * PAGE)).expect("detached");
    rm.attach(inner, dataspace, Placement::at(4 * PAGE)).expect("dataspace");
    assert_eq!((get(FREE + 36 * PAGE), get(FREE + (1 << 20))), (6, 6));
    // What is freed is freed with all of its places, in any order.
    all(|| pd.free(inner)).expect("freed");
    all(|| pd.free(dataspace)).expect("freed");
    all(|| pd.free(outer)).expect("freed");
}

fn copies(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let allocate = || pd.allocate(ANY, OWN, 32 * PAGE, Memory::default()).expect("memory");
    let (from, to) = (allocate(), allocate());
    rm.attach(SPACE, from, Placement::at(FREE)).expect("attached");
    (0..32).for_each(|page| put(FREE + page * PAGE + 8, page));
    assert_eq!(pd.copy(to, from, CopyPages { dst: 1, src: 0, count: 31 }), Ok(31));
    rm.attach(SPACE, to, Placement::at(FREE + (1 << 20))).expect("attached");
    let at = |page| get(FREE + (1 << 20) + page * PAGE + 8);
    assert!((1..32).all(|page| at(page) == page - 1) && at(0) == 0);
    [from, to].into_iter().for_each(|dataspace| _ = all(|| pd.free(dataspace)).expect("freed"));
}

/// A protection domain with something of everything in it, one of it known to this component by a second number.
fn domains(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let child = pd.create(ANY, 100, "child").expect("child");
    pd.transfer(OWN, child, 400 << 10, 40).expect("quota");
    let dataspace = pd.allocate(ANY, child, 40 * PAGE, Memory::default()).expect("memory");
    all(|| pd.populate(dataspace)).expect("pages");
    let space = rm.create_space(ANY, child).expect("space");
    rm.attach(space, dataspace, Placement::at(0x10_0000)).expect("attached");
    rm.attach(SPACE, dataspace, Placement::at(FREE)).expect("attached here");
    put(FREE + 39 * PAGE, 1);
    let endpoint = pd.create_endpoint(ANY, child).expect("endpoint");
    let notification = pd.create_notification(ANY, child).expect("notification");
    let context = env.signal().create(ANY, child, notification, 3).expect("context");
    for (number, slot) in [(dataspace, 20), (space, 21), (endpoint, 22), (notification, 23), (context, 24)] {
        assert_eq!(pd.install(number, child, Slot(slot), Grant::OWN), Ok(Slot(slot)));
    }
    assert_eq!(pd.connect(child, slots::PD, pd::INTERFACE.id, ""), Ok(slots::PD));
    assert_eq!(pd.connect(child, ANY, echo::INTERFACE.id, ""), Ok(Slot(16)));
    let used = pd.account(child).expect("account");
    assert_eq!((used.ram, used.caps, used.caps_used), (400 << 10, 40, 7));
    // Dataspace, page directory and one page table, endpoint and notification.
    assert_eq!(used.ram_used, 40 * PAGE + (17 << 10) + 2 * 16);
    pd.remove(child, Slot(16)).expect("removed");
    assert_eq!(pd.account(child).map(|account| account.caps_used), Ok(6));
    let times = all(|| pd.free(child)).expect("freed");
    assert!(times < 40, "{times}");
    // Its numbers here name nothing; they are free for others.
    assert_eq!(pd.describe(dataspace), Err(LookupError::Nothing.into()));
    for number in [dataspace, space, endpoint, notification] {
        assert_eq!(pd.free(number), Err(FreeError::Nothing.into()));
    }
    let again = pd.allocate(dataspace, OWN, PAGE, Memory::default()).expect("at a number that names nothing");
    assert_eq!(again, dataspace);
    all(|| pd.free(again)).expect("freed");
    // And so are its addresses.
    let page = pd.allocate(ANY, OWN, PAGE, Memory::default()).expect("memory");
    assert_eq!(rm.attach(SPACE, page, Placement::at(FREE)), Ok(FREE));
    all(|| pd.free(page)).expect("freed");
}

fn faults(env: Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let map = rm.create(ANY, OWN, 16 * PAGE).expect("map");
    rm.attach(SPACE, map, Placement::at(FREE)).expect("attached");
    let signal = env.own_signal().expect("signal");
    rm.handle_faults(map, signal.slot()).expect("handler");
    let thread = env.spawn(&ThreadOptions::default(), || {
        put(FREE + 3 * PAGE, 9);
        get(FREE + 3 * PAGE)
    });
    let thread = thread.expect("thread");
    signal.wait();
    let fault = PageFault { address: 3 * PAGE, access: FaultAccess::Write };
    assert_eq!(rm.fault(map), Ok(Some(fault)));
    let page = pd.allocate(ANY, OWN, PAGE, Memory::default()).expect("memory");
    // Not where it waits: it goes on waiting.
    rm.attach(map, page, Placement::at(5 * PAGE)).expect("elsewhere");
    assert_eq!(rm.fault(map), Ok(Some(fault)));
    rm.attach(map, page, Placement::at(3 * PAGE)).expect("there");
    assert_eq!(rm.fault(map), Ok(None));
    assert_eq!(thread.join(), 9);
    assert_eq!(get(FREE + 5 * PAGE), 9);
    all(|| pd.free(map)).expect("freed");
    all(|| pd.free(page)).expect("freed");
    drop(signal);
}
