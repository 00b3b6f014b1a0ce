//! The runtime of a component, on a machine in memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use base::{
    Env,
    env::slots,
    memory::MemoryError,
    rpc::{CallError, Connection, Slot, Status},
    service::Refused,
    session::{
        parent::{OpenError, RequestError, TaskKind},
        pd::{self, Account, AllocateError, FrameSize, Memory, PAGE},
        rm::{self, Placement},
    },
    signal::SleepError,
    sync::{Mutex, Semaphore},
    testing::Machine,
    thread::{SpawnError, ThreadOptions},
};

mod counter {
    use base::{ErrorCode, interface};

    /// COUNTER: counts.
    #[interface(id = 1000)]
    pub trait Counter {
        /// Adds; the names are those that generated code could use too.
        #[operation(1)]
        fn add(&mut self, server: u32, space: u32) -> Result<u32, AddError>;

        /// A name.
        #[operation(2, encoded)]
        fn greet(&mut self, request: &str, rest: &[u8]) -> heapless::String<32>;

        /// Everything that generated code could call something.
        #[operation(3, encoded)]
        fn names(&mut self, client: u8, connection: u8, body: u8, arguments: u8, interposer: u8, upstream: u8) -> u8;
    }

    /// Why nothing was added.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
    pub enum AddError {
        /// It is too much.
        Overflow = 1,
    }
}

#[derive(Default)]
struct Count {
    total: u32,
}

impl counter::Counter for Count {
    fn add(&mut self, server: u32, space: u32) -> Result<u32, counter::AddError> {
        let step = server.checked_add(space).ok_or(counter::AddError::Overflow)?;
        self.total = self.total.checked_add(step).ok_or(counter::AddError::Overflow)?;
        Ok(self.total)
    }

    fn greet(&mut self, request: &str, rest: &[u8]) -> heapless::String<32> {
        let mut greeting = heapless::String::new();
        let _ = std::fmt::Write::write_fmt(&mut greeting, format_args!("{request} {}", rest.len()));
        greeting
    }

    fn names(&mut self, client: u8, connection: u8, body: u8, arguments: u8, interposer: u8, upstream: u8) -> u8 {
        client + connection + body + arguments + interposer + upstream
    }
}

fn machine() -> (&'static Machine, Env) {
    let machine = Machine::new();
    (machine, machine.env())
}

fn used(machine: &Machine) -> (Account, usize) {
    let world = machine.world();
    (world.account, world.numbers())
}

#[test]
fn what_the_scenario_says_is_read() {
    let (machine, env) = machine();
    machine.world().name = "sheep".into();
    machine.world().values.insert("rounds".into(), "12".into());
    machine.world().values.insert("word".into(), "many".into());
    assert_eq!(env.name(), "sheep");
    assert_eq!(env.value::<u32>("rounds"), Some(12));
    assert_eq!(env.value::<u32>("word"), None);
    assert_eq!(env.value::<u32>("nothing"), None);
}

#[test]
fn memory_comes_in_parts_and_goes_wholly() {
    let (machine, env) = machine();
    let before = used(machine);
    {
        let dataspace = env.allocate(100 * PAGE as usize - 1).unwrap();
        assert_eq!(dataspace.size(), 100 * PAGE as usize);
        let description = env.pd().describe(dataspace.slot()).unwrap();
        assert_eq!((description.size, description.pages), (100 * PAGE, 100));
        // Of three sections, fifteen large frames and fifteen small ones the last has to be asked for.
        let memory = Memory { largest: FrameSize::Section, ..Memory::default() };
        let pages = (4 << 20) / PAGE - 1;
        let mixed = env.allocate_as((pages * PAGE) as usize, memory).unwrap();
        assert_eq!(env.pd().describe(mixed.slot()).map(|it| (it.memory, it.pages)), Ok((memory, pages)));
        drop(mixed);
        let here = env.attach(&dataspace, Placement::ANYWHERE).unwrap();
        let there = env.attach(&dataspace.slot(), Placement { offset: PAGE, size: PAGE, ..Placement::at(0x4000_0000) });
        let there = there.unwrap();
        assert_eq!((there.address(), there.size(), there.words().len()), (0x4000_0000, 4096, 1024));
        here.words()[1024].store(7, SeqCst);
        assert_eq!(there.words()[0].load(SeqCst), 7);
        assert_eq!(env.rm().map(slots::ADDRESS_SPACE, here.address()), Ok(0));
        let again = env.attach(&dataspace, Placement::at(here.address()));
        assert_eq!(again.unwrap_err(), MemoryError::Attach(CallError::Error(rm::AttachError::Occupied)));
    }
    assert_eq!(used(machine), before);
    assert_eq!(env.rm().detach(slots::ADDRESS_SPACE, 0x4000_0000), Err(CallError::Error(rm::DetachError::Nothing)));
    for size in [0, usize::MAX, u32::MAX as usize, 1 << 30] {
        assert_eq!(env.allocate(size).unwrap_err(), CallError::Error(AllocateError::Size), "{size}");
    }
}

#[test]
fn private_memory_is_bytes_and_values() {
    let (machine, env) = machine();
    let before = used(machine);
    let mut memory = env.memory(5000).unwrap();
    assert_eq!(memory.len(), 8192);
    assert!(memory.iter().all(|byte| *byte == 0));
    memory[4] = 1;
    assert_eq!(memory.as_slice::<u32>()[1], 1);
    memory.as_mut_slice::<u64>()[1023] = u64::MAX;
    assert_eq!(memory[8191], 255);
    // 8192 is no multiple of 12.
    assert_eq!(memory.as_slice::<[u32; 3]>().len(), 682);
    drop(memory);
    assert_eq!(used(machine), before);
}

#[test]
fn small_memory_is_one_request_each() {
    let (machine, env) = machine();
    let memory = env.allocate(32 * PAGE as usize).unwrap();
    let attached = env.attach(&memory, Placement::ANYWHERE).unwrap();
    let large = Memory { largest: pd::FrameSize::Section, ..Memory::default() };
    env.allocate_as(1 << 20, large).unwrap().leak();
    assert_eq!(machine.world().calls, [(slots::PD, 2), (slots::RM, 3), (slots::PD, 2)]);
    drop(attached);
}

#[test]
fn views_are_as_large_as_what_is_attached() {
    use rm::AttachError::{Misaligned, Range};
    let (machine, env) = machine();
    let dataspace = env.allocate(4 * PAGE as usize).unwrap();
    let numbers = machine.world().numbers();
    let part = |offset, size| Placement { offset, size, ..Placement::ANYWHERE };
    let wrong = [
        (part(0, 1), Misaligned),
        (part(8, 0), Misaligned),
        (Placement::at(0x4000_0004), Misaligned),
        // What is left of these in 16 bits of pages would be attached.
        (part(0, (1 << 28) + PAGE), Range),
        (part((1 << 28) + PAGE, PAGE), Range),
        (part(0, 5 * PAGE), Range),
        (part(4 * PAGE, 0), Range),
        (part(5 * PAGE, 0), Range),
    ];
    for (placement, error) in wrong {
        let expected = MemoryError::Attach(CallError::Error(error));
        assert_eq!(env.attach(&dataspace, placement).unwrap_err(), expected, "{placement:?}");
        assert_eq!(env.attach(&dataspace.slot(), placement).unwrap_err(), expected, "{placement:?}");
    }
    assert_eq!(env.attach(&dataspace, part(PAGE, 0)).unwrap().size(), 3 * PAGE as usize);
    let sent = env.rm().attach(slots::ADDRESS_SPACE, dataspace.slot(), part(0, (1 << 28) + PAGE));
    assert_eq!(sent, Err(CallError::Malformed));
    assert_eq!(machine.world().numbers(), numbers);
}

#[test]
fn a_region_map_shows_what_is_in_it() {
    let (_, env) = machine();
    let map = env.region_map(16 * PAGE as usize).unwrap();
    let dataspace = env.allocate(1).unwrap();
    let region = map.attach(&dataspace, Placement::at(3 * PAGE)).unwrap();
    assert_eq!((region.address(), region.size()), (3 * PAGE, 4096));
    let outer = env.attach(&map, Placement::ANYWHERE).unwrap();
    assert_eq!(outer.size(), 16 * PAGE as usize);
    let inner = env.attach(&dataspace, Placement::ANYWHERE).unwrap();
    inner.words()[5].store(9, SeqCst);
    // The machine in memory shows one dataspace at a time.
    let seen = env.platform().memory(outer.address() + 3 * PAGE + 20);
    assert_eq!(seen.cast_const().cast(), inner.words()[5].as_ptr().cast_const());
}

#[test]
fn modules_are_read() {
    let (machine, env) = machine();
    let text: Vec<u8> = (0..10_001).map(|at| at as u8).collect();
    machine.world().modules.insert("text".into(), text.clone());
    let numbers = machine.world().numbers();
    assert_eq!(env.rom_module("text").unwrap().bytes(), text);
    assert_eq!(machine.world().numbers(), numbers);
    assert!(env.rom_module("other").is_err());
}

#[test]
fn the_parent_is_asked_for_more_once() {
    let (machine, env) = machine();
    machine.world().account = Account { ram: 10_000, ram_used: 0, caps: 1, caps_used: 0 };
    assert_eq!(env.allocate(20_000).unwrap_err(), CallError::Error(AllocateError::Ram));
    machine.world().reserve = Account { ram: 30_000, caps: 16, ..Account::default() };
    let first = env.allocate(20_000).unwrap();
    let second = env.allocate(1).unwrap();
    assert_eq!(env.request_more(100_000, 0), Err(CallError::Error(RequestError::Denied)));
    drop((first, second));
}

#[test]
fn sleeping_takes_time_and_keeps_other_signals() {
    let (machine, env) = machine();
    let early = env.own_signal().unwrap();
    env.timer().once(early.slot(), 1_000).unwrap();
    env.sleep(Duration::from_millis(5)).unwrap();
    assert_eq!(machine.world().now, 5_000_000);
    assert_eq!(early.wait(), 1);
    let numbers = machine.world().numbers();
    env.sleep(Duration::from_millis(5)).unwrap();
    assert_eq!(machine.world().now, 10_000_000);
    assert_eq!(machine.world().numbers(), numbers);
    drop(early);
    assert_eq!(machine.world().numbers(), numbers - 1);
    assert!(matches!(env.sleep(Duration::MAX), Err(SleepError::Timeout(_))));
    env.sleep(Duration::ZERO).unwrap();
}

#[test]
fn threads_run_and_return_and_leave_nothing() {
    let (machine, env) = machine();
    // A thread's notification stays with its number.
    env.spawn(&ThreadOptions::default(), || {}).unwrap().join();
    let before = used(machine);
    for round in 0..100 {
        let thread = env.spawn(&ThreadOptions::default(), move || {
            assert_eq!(env.platform().thread().number(), 1);
            round
        });
        assert_eq!(thread.unwrap().join(), round);
    }
    assert_eq!(used(machine), before);
}

#[test]
fn a_thread_that_cannot_be_is_not() {
    let (machine, env) = machine();
    let before = used(machine);
    let spawn = |options: ThreadOptions<'static>| env.spawn(&options, || {}).map(|_| ()).unwrap_err();
    assert_eq!(spawn(ThreadOptions { stack: 1 << 20, ..ThreadOptions::default() }), SpawnError::Stack);
    assert!(matches!(spawn(ThreadOptions { priority: Some(200), ..ThreadOptions::default() }), SpawnError::Create(_)));
    let (account, numbers) = used(machine);
    // But its number has its notification now.
    assert_eq!((account.caps_used, numbers), (before.0.caps_used + 1, before.1 + 1));
    machine.world().account.ram = 5000;
    assert!(matches!(spawn(ThreadOptions::default()), SpawnError::Memory(_)));
    assert_eq!(used(machine).1, numbers);
}

#[test]
fn sixty_three_threads_and_no_more() {
    let (_, env) = machine();
    let go = Arc::new(Semaphore::new(env, 0));
    let options = ThreadOptions { stack: 4096, ..ThreadOptions::default() };
    let threads: Vec<_> = (1..64)
        .map(|number| {
            let go = Arc::clone(&go);
            env.spawn(&options, move || {
                go.acquire();
                assert_eq!(env.platform().thread().number(), number);
                env.sleep(Duration::from_micros(number.into())).unwrap();
            })
        })
        .collect();
    assert!(matches!(env.spawn(&options, || {}), Err(SpawnError::Threads)));
    threads.iter().for_each(|_| go.release());
    threads.into_iter().for_each(|thread| thread.unwrap().join());
    env.spawn(&options, || {}).unwrap().join();
}

#[test]
fn a_mutex_lets_one_in() {
    let (machine, env) = machine();
    let count = Arc::new(Mutex::new(env, 0_u32));
    drop(count.lock());
    assert_eq!(machine.world().calls, []);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let count = Arc::clone(&count);
            env.spawn(&ThreadOptions::default(), move || {
                for _ in 0..2000 {
                    let mut guard = count.lock();
                    let value = *guard;
                    std::hint::black_box(&guard);
                    *guard = value + 1;
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.unwrap().join());
    assert_eq!(*count.lock(), 16_000);
    let guard = count.lock();
    assert!(count.try_lock().is_none());
    drop(guard);
}

#[test]
fn permits_are_neither_lost_nor_made() {
    let (_, env) = machine();
    let (full, empty) = (Arc::new(Semaphore::new(env, 0)), Arc::new(Semaphore::new(env, 3)));
    let taken = Arc::new(AtomicU32::new(0));
    let consumers: Vec<_> = (0..4)
        .map(|_| {
            let (full, empty, taken) = (Arc::clone(&full), Arc::clone(&empty), Arc::clone(&taken));
            env.spawn(&ThreadOptions::default(), move || {
                for _ in 0..500 {
                    full.acquire();
                    taken.fetch_add(1, SeqCst);
                    empty.release();
                }
            })
        })
        .collect();
    for _ in 0..2000 {
        empty.acquire();
        full.release();
    }
    consumers.into_iter().for_each(|thread| thread.unwrap().join());
    assert_eq!(taken.load(SeqCst), 2000);
    assert!(!full.try_acquire());
}

#[test]
fn signals_that_come_during_construction_are_handled_after_it() {
    let machine = Machine::new();
    machine.run(|env| {
        let env = *env;
        let handler = env
            .on_signal(move |count| {
                log_line(env, &format!("raised {count}"));
                env.exit(0);
            })
            .unwrap();
        env.timer().periodic(handler.slot(), 20_000).unwrap();
        env.sleep(Duration::from_nanos(50_000)).unwrap();
        log_line(env, "constructed");
    });
    assert_eq!(machine.ended(), Some(0));
    assert_eq!(machine.printed(), "constructed\nraised 2\n");
}

fn log_line(env: Env, line: &str) {
    env.log().print(line.as_bytes());
    env.log().print(b"\n");
}

#[test]
fn a_handler_can_end_itself_and_start_others() {
    let machine = Machine::new();
    machine.run(|env| {
        let env = *env;
        let itself = Arc::new(Mutex::new(env, None));
        let place = Arc::clone(&itself);
        let first = env.on_signal(move |_| {
            let handler: base::signal::SignalHandler = place.lock().take().unwrap();
            handler.remove();
            let second = env.on_signal(move |_| env.exit(7)).unwrap();
            env.signal().raise(second.slot()).unwrap();
        });
        let first = first.unwrap();
        env.timer().once(first.slot(), 1).unwrap();
        *itself.lock() = Some(first);
    });
    assert_eq!(machine.ended(), Some(7));
}

fn open(service: &str) -> TaskKind {
    let (service, client) = (service.parse().unwrap(), "client".parse().unwrap());
    TaskKind::Open { service, client, argument: heapless::Vec::from_slice(b"argument").unwrap() }
}

#[test]
fn a_service_serves_each_client_its_own_session() {
    let machine = Machine::new();
    machine.run(|env| {
        env.serve("counter", |opening| {
            assert_eq!((opening.client, opening.argument), ("client", &b"argument"[..]));
            if opening.session == 66 { Err(Refused) } else { Ok(counter::Server(Count::default())) }
        })
        .unwrap();
        assert!(env.serve("counter", |_| Ok(counter::Server(Count::default()))).is_err());
    });
    let client = |badge| counter::Client::new(machine.caller(badge), Slot(0));
    assert_eq!(client(5).add(1, 1), Err(CallError::Refused));
    assert!(machine.task(5, open("counter")));
    assert!(machine.task(9, open("counter")));
    assert!(!machine.task(66, open("counter")));
    assert!(!machine.task(10, open("other")));
    assert_eq!(client(5).add(1, 1), Ok(2));
    assert_eq!(client(9).add(10, 0), Ok(10));
    assert_eq!(client(5).add(u32::MAX, 1), Err(CallError::Error(counter::AddError::Overflow)));
    assert_eq!(client(5).add(3, 0), Ok(5));
    assert_eq!(client(9).greet("hello", &[1, 2, 3]).unwrap(), "hello 3");
    assert_eq!(client(9).names(1, 2, 3, 4, 5, 6), Ok(21));
    machine.ring(slots::DOORBELL);
    assert!(machine.task(5, TaskKind::Upgrade { ram: 1, caps: 1 }));
    assert!(!machine.task(7, TaskKind::Upgrade { ram: 1, caps: 1 }));
    // Told again: the session is the same.
    assert!(machine.task(5, open("counter")));
    assert_eq!(client(5).add(0, 0), Ok(5));
    assert!(machine.task(5, TaskKind::Close));
    assert_eq!(client(5).add(1, 1), Err(CallError::Refused));
    assert!(machine.task(5, open("counter")));
    assert_eq!(client(5).add(1, 1), Ok(2));
}

#[test]
fn a_session_is_opened_when_its_server_is_there_and_closed_when_dropped() {
    let (machine, env) = machine();
    machine.offer("counter", counter::Server(Count::default()), 3);
    let session = env.open::<counter::Client>("counter", b"").unwrap();
    assert_eq!(session.add(1, 2), Ok(3));
    let dataspace = env.allocate(PAGE as usize).unwrap();
    let handle = env.hand_over(1, dataspace.slot(), false).unwrap();
    let shared = session.redeem(handle).unwrap();
    assert_eq!(shared.size(), PAGE as usize);
    let error = env.attach(&shared, Placement::ANYWHERE).unwrap_err();
    assert_eq!(error, MemoryError::Attach(CallError::Error(rm::AttachError::ReadOnly)));
    let placement = Placement { writable: false, ..Placement::ANYWHERE };
    assert_eq!(env.attach(&shared, placement).unwrap().size(), PAGE as usize);
    assert!(session.redeem(77).is_err());
    session.upgrade(1, 1).unwrap();
    let slot = session.slot();
    drop(session);
    assert_eq!(machine.world().closed, [slot]);
    let error = env.open::<counter::Client>("nothing", b"").map(|_| ()).unwrap_err();
    assert_eq!(error, CallError::Error(OpenError::Service));
}

#[test]
fn another_thread_can_wait_for_the_parent_while_the_first_one_waits() {
    let (machine, env) = machine();
    machine.offer("counter", counter::Server(Count::default()), 3);
    let thread = env.spawn(&ThreadOptions::default(), move || {
        let session = env.open::<counter::Client>("counter", b"").unwrap();
        session.add(20, 1).unwrap()
    });
    // The first thread hears the doorbell in `join`.
    assert_eq!(thread.unwrap().join(), 21);
    let _ = machine;
}

#[test]
fn rings_for_nothing_change_nothing() {
    let (machine, env) = machine();
    machine.offer("counter", counter::Server(Count::default()), 100);
    let over = Arc::new(AtomicU32::new(0));
    let noise = {
        let over = Arc::clone(&over);
        // Whatever is a notification among these numbers rings again and again.
        std::thread::spawn(move || {
            while over.load(SeqCst) == 0 {
                (0..64).map(Slot).for_each(|slot| machine.ring(slot));
                std::thread::yield_now();
            }
        })
    };
    let (taken, given) = (Arc::new(Semaphore::new(env, 0)), Arc::new(Semaphore::new(env, 0)));
    let thread = {
        let (taken, given) = (Arc::clone(&taken), Arc::clone(&given));
        env.spawn(&ThreadOptions::default(), move || {
            for _ in 0..100 {
                given.acquire();
                env.sleep(Duration::from_micros(1)).unwrap();
                taken.release();
            }
            env.open::<counter::Client>("counter", b"").unwrap().add(40, 2).unwrap()
        })
    };
    let started = machine.world().now;
    for _ in 0..100 {
        given.release();
        env.sleep(Duration::from_micros(1)).unwrap();
        taken.acquire();
    }
    assert!(machine.world().now - started >= 100_000);
    assert_eq!(thread.unwrap().join(), 42);
    assert!(!taken.try_acquire() && !given.try_acquire());
    over.store(1, SeqCst);
    noise.join().unwrap();
}

#[test]
fn a_call_of_nothing_is_foreign() {
    let (_, env) = machine();
    let client = counter::Client::from(Connection { transport: env.platform(), slot: Slot(999) });
    assert_eq!(client.add(1, 1), Err(CallError::Foreign(Status::Foreign(2).label())));
}
