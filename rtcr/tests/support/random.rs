//! Anything that a component can ask for, in any order.

use base::{
    env::slots,
    rpc::Slot,
    session::{
        pd::{ANY, CopyPages, FrameSize, Memory, OWN},
        rm::Placement,
    },
};
use proptest::prelude::*;

use super::{
    BASE, Player,
    world::{self, World},
};

/// Something that a component does, or that happens to it.
#[derive(Clone, Debug)]
pub enum Act {
    Allocate { at: u32, pages: u32 },
    Populate(u32),
    Free(u32),
    FreeAll(u32),
    Copy { dst: u32, src: u32, page: u16 },
    Map { at: u32, pages: u32 },
    Attach { map: u32, what: u32, page: Option<u32>, offset: u32, count: u32 },
    MapMore { map: u32, page: u32 },
    Detach { map: u32, page: u32 },
    Handle { map: u32, context: u32 },
    Module { at: u32 },
    GiveUp(u32),
    Endpoint(u32),
    Notification(u32),
    Context { at: u32, doorbell: u32, cookie: u32 },
    Raise(u32),
    Fetch(u32),
    EndContext(u32),
    Once { context: u32, after: u64 },
    Periodic { context: u32, period: u64 },
    Cancel(u32),
    Space(u32),
    Thread { slot: u32 },
    ThreadAt { at: u32, map: u32, page: u32 },
    Start(u32),
    Pause(u32),
    Resume(u32),
    Bind { thread: u32, bell: u32 },
    Prioritize { thread: u32, priority: u8 },
    Destroy(u32),
    Open(u8),
    Close(u32),
    Scribble(u32),
    Pass(u64),
}

/// The numbers that are used: few, so that they meet. 12 is the address space, 4 the doorbell, 13 the first thread.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 16..30u32, 1 => Just(slots::DOORBELL.0)]
}

fn map() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(slots::ADDRESS_SPACE.0), 1 => 16..30u32]
}

fn thread() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(slots::THREAD.0), 3 => 16..30u32]
}

fn place() -> impl Strategy<Value = u32> {
    prop_oneof![1 => Just(0), 1 => 16..30u32]
}

pub fn act() -> impl Strategy<Value = Act> {
    let page = || prop_oneof![3 => 0..12u32, 3 => 0x1_0000..0x1_0010u32];
    prop_oneof![
        6 => (place(), 1..70u32).prop_map(|(at, pages)| Act::Allocate { at, pages }),
        2 => number().prop_map(Act::Populate),
        2 => number().prop_map(Act::Free),
        1 => number().prop_map(Act::FreeAll),
        1 => (number(), number(), 0..4u16).prop_map(|(dst, src, page)| Act::Copy { dst, src, page }),
        3 => (place(), 1..20u32).prop_map(|(at, pages)| Act::Map { at, pages }),
        6 => (map(), number(), proptest::option::of(page()), 0..3u32, 0..4u32)
            .prop_map(|(map, what, page, offset, count)| Act::Attach { map, what, page, offset, count }),
        1 => (map(), page()).prop_map(|(map, page)| Act::MapMore { map, page }),
        2 => (map(), page()).prop_map(|(map, page)| Act::Detach { map, page }),
        1 => (map(), prop_oneof![Just(0), number()]).prop_map(|(map, context)| Act::Handle { map, context }),
        1 => place().prop_map(|at| Act::Module { at }),
        1 => number().prop_map(Act::GiveUp),
        1 => place().prop_map(Act::Endpoint),
        2 => place().prop_map(Act::Notification),
        3 => (place(), number(), any::<u32>()).prop_map(|(at, doorbell, cookie)| Act::Context { at, doorbell, cookie }),
        3 => number().prop_map(Act::Raise),
        1 => number().prop_map(Act::Fetch),
        1 => number().prop_map(Act::EndContext),
        2 => (number(), 1_000..1_000_000u64).prop_map(|(context, after)| Act::Once { context, after }),
        2 => (number(), 10_000..1_000_000u64).prop_map(|(context, period)| Act::Periodic { context, period }),
        1 => number().prop_map(Act::Cancel),
        3 => (1..4u32).prop_map(|slot| Act::Thread { slot }),
        1 => place().prop_map(Act::Space),
        2 => (place(), map(), page()).prop_map(|(at, map, page)| Act::ThreadAt { at, map, page }),
        3 => thread().prop_map(Act::Start),
        2 => thread().prop_map(Act::Pause),
        1 => thread().prop_map(Act::Resume),
        1 => (thread(), number()).prop_map(|(thread, bell)| Act::Bind { thread, bell }),
        1 => (thread(), 1..120u8).prop_map(|(thread, priority)| Act::Prioritize { thread, priority }),
        1 => thread().prop_map(Act::Destroy),
        2 => any::<u8>().prop_map(Act::Open),
        2 => number().prop_map(Act::Close),
        3 => any::<u32>().prop_map(Act::Scribble),
        2 => (1..2_000_000u64).prop_map(Act::Pass),
    ]
}

/// Does it. Most of what is asked for at random is refused; that is as good.
pub fn perform(world: &World, player: &Player<'_, '_>, act: &Act) {
    let (pd, rm, cpu, signal, timer) = (player.pd(), player.rm(), player.cpu(), player.signal(), player.timer());
    match *act {
        Act::Allocate { at, pages } => {
            let largest = if pages > 40 { FrameSize::Large } else { FrameSize::Small };
            let memory = Memory { largest, ..Memory::default() };
            _ = pd.allocate(Slot(at), OWN, pages * 4096, memory);
        }
        Act::Populate(number) => _ = pd.populate(Slot(number)),
        Act::Free(number) => _ = pd.free(Slot(number)),
        Act::FreeAll(number) => while pd.free(Slot(number)).is_ok_and(|left| left > 0) {},
        Act::Copy { dst, src, page } => {
            _ = pd.copy(Slot(dst), Slot(src), CopyPages { dst: page, src: 0, count: 2 });
        }
        Act::Map { at, pages } => _ = rm.create(Slot(at), OWN, pages * 4096),
        Act::Attach { map, what, page, offset, count } => {
            let address = page.map(|page| page * 4096);
            let writable = what % 2 == 0;
            let placement =
                Placement { address, offset: offset * 4096, size: count * 4096, writable, executable: false };
            _ = rm.attach(Slot(map), Slot(what), placement);
        }
        Act::MapMore { map, page } => _ = rm.map(Slot(map), page * 4096),
        Act::Detach { map, page } => _ = rm.detach(Slot(map), page * 4096),
        Act::Handle { map, context } => _ = rm.handle_faults(Slot(map), Slot(context)),
        Act::Module { at } => _ = player.rom().open(Slot(at), "other"),
        Act::GiveUp(number) => _ = pd.remove(OWN, Slot(number)),
        Act::Endpoint(at) => _ = pd.create_endpoint(Slot(at), OWN),
        Act::Notification(at) => _ = pd.create_notification(Slot(at), OWN),
        Act::Context { at, doorbell, cookie } => _ = signal.create(Slot(at), OWN, Slot(doorbell), cookie),
        Act::Raise(number) => _ = signal.raise(Slot(number)),
        Act::Fetch(number) => _ = signal.fetch(Slot(number)),
        Act::EndContext(number) => _ = signal.destroy(Slot(number)),
        Act::Once { context, after } => _ = timer.once(Slot(context), after),
        Act::Periodic { context, period } => _ = timer.periodic(Slot(context), period),
        Act::Cancel(number) => _ = timer.cancel(Slot(number)),
        Act::Thread { slot } => {
            // Its stack as the framework makes it.
            let top = 0x0c00_0000 + (slot + 1) * 0x10_0000 - 4096;
            if let Ok(stack) = pd.allocate(ANY, OWN, 4 * 4096, Memory::default()) {
                _ = rm.attach(slots::ADDRESS_SPACE, stack, Placement::at(top - 3 * 4096));
                _ = cpu.create(ANY, OWN, slots::ADDRESS_SPACE, 50, top, "another");
            }
        }
        Act::Space(at) => _ = rm.create_space(Slot(at), OWN),
        Act::ThreadAt { at, map, page } => {
            _ = cpu.create(Slot(at), OWN, Slot(map), 60, page * 4096, "anywhere");
        }
        Act::Start(number) => {
            let stack = world.state().object(Slot(BASE + number)).and_then(|object| match &object.kind {
                world::Kind::Thread(thread) => Some(thread.buffer),
                _ => None,
            });
            _ = cpu.start(Slot(number), 0x0100_0000, stack.unwrap_or(0), number);
        }
        Act::Pause(number) => _ = cpu.pause(Slot(number)),
        Act::Resume(number) => _ = cpu.resume(Slot(number)),
        Act::Bind { thread, bell } => _ = cpu.bind(Slot(thread), Slot(bell)),
        Act::Prioritize { thread, priority } => _ = cpu.prioritize(Slot(thread), priority),
        // A component whose first thread is gone has no say any more.
        Act::Destroy(number) if number != slots::THREAD.0 => _ = cpu.destroy(Slot(number)),
        Act::Destroy(_) => {}
        Act::Open(argument) => _ = player.parent().open("service", &[argument]),
        Act::Close(number) => _ = player.parent().close(Slot(number)),
        Act::Scribble(seed) => scribble(world, seed),
        Act::Pass(time) => world.state().advance(time),
    }
}

/// The component's threads run: memory and registers change.
pub fn scribble(world: &World, seed: u32) {
    let mut state = world.state();
    let state = &mut *state;
    let numbers: Vec<(u32, u32)> = state.table.range(BASE..BASE + 200).map(|(n, id)| (*n, *id)).collect();
    for (number, id) in numbers {
        match state.objects.get_mut(&id).map(|object| &mut object.kind) {
            Some(world::Kind::Dataspace(dataspace)) if dataspace.module.is_none() => {
                for (at, page) in dataspace.pages.iter_mut().enumerate() {
                    page[at * 13 % 4096] = seed.wrapping_mul(number) as u8;
                    page[0] = seed as u8;
                    page[4095] = (seed >> 8) as u8;
                }
            }
            Some(world::Kind::Thread(thread)) if thread.started => {
                thread.registers = core::array::from_fn(|at| seed.wrapping_mul(number + at as u32));
                // Mostly in its stack, sometimes elsewhere.
                let below = seed % 0x5000;
                thread.registers[1] = thread.buffer - (below & !3);
            }
            _ => {}
        }
    }
}
