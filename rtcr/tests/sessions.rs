//! Sessions of services that others offer: they outlive the instance, and so do calls that are on their way.

mod support;

use base::{
    env::slots,
    rpc::{Body, Buffer, Call, CallError, Caller, Registers, Reply, Request, Slot, Status, ThreadNumber},
    session::{
        cpu::Activity,
        parent::{self, OpenError, RedeemError, SessionError},
        pd::{ANY, Memory, OWN},
        rm::{self, Placement},
    },
};
use rtcr::{
    checkpoint::CheckpointError,
    child::Child,
    information::Stage,
    object::Info,
    obstacle::Obstacle,
    restore::RestoreError,
    surroundings::{CallInfo, Surroundings},
    table::PRIVATE,
    upstream::Upstream,
};
use support::{
    world::{Kind, World},
    *,
};

#[test]
fn the_component_has_the_sessions_of_the_checkpoint() {
    let world = world();
    let mut pool = pool(&world, 2);
    let with_pool = holding(&world);
    let player = started(&world);
    let parent = player.parent();
    let one = parent.open("service", b"one").unwrap();
    let gap = parent.open("service", b"gap").unwrap();
    let two = parent.open("service", b"two").unwrap();
    parent.close(gap).unwrap();
    let before = snapshot(&world);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    // What happens after the checkpoint is undone.
    parent.close(one).unwrap();
    parent.open("service", b"three").unwrap();
    drop(player);
    assert_eq!(holding(&world), with_pool);
    for restore in WAYS {
        let (child, embedder) = restore(&world, &saved).unwrap();
        assert_same(&before, &snapshot(&world));
        assert_eq!(embedder.sessions.iter().copied().collect::<Vec<_>>(), [1, 3]);
        let player = Player::live(child);
        player.lock().1 = embedder;
        assert_eq!(player.parent().close(gap), Err(SessionError::Nothing.into()));
        assert_eq!((player.parent().close(two), player.parent().close(one)), (Ok(()), Ok(())));
        assert_eq!(player.lock().1.sessions.len(), 0);
    }
    assert_eq!(holding(&world), with_pool);
}

#[test]
fn what_cannot_be_opened_or_closed() {
    let world = world();
    let player = Player::live(start(&world));
    let open = |player: &Player<'_, '_>| player.parent().open("service", b"");
    assert_eq!(open(&player), Err(CallError::Refused), "before the barrier");
    bootstrap(&player);
    let (parent, before) = (player.parent(), snapshot(&world));
    assert_eq!(parent.open("nobody", b""), Err(OpenError::Service.into()));
    assert_eq!(parent.open("service", b"later"), Err(CallError::Pending));
    assert_eq!(parent.open("service", &[0; 161]), Err(OpenError::Refused.into()));
    assert_eq!(parent.close(slots::PD), Err(SessionError::Kind.into()));
    assert_eq!(parent.close(Slot(16)), Err(SessionError::Kind.into()), "memory is no session");
    assert_eq!(parent.close(Slot(60)), Err(SessionError::Nothing.into()));
    assert_eq!(parent.upgrade(Slot(16), 1, 1), Err(SessionError::Kind.into()));
    assert_eq!(parent.redeem(Slot(60), 1, ANY), Err(RedeemError::Nothing.into()));
    assert_same(&before, &snapshot(&world));
    // Each costs the component a capability.
    while open(&player).is_ok() {}
    assert_eq!(open(&player), Err(OpenError::Caps.into()));
    let (_, embedder) = &*player.lock();
    let installed = snapshot(&world).space.values().filter(|(_, badge)| (500..1000).contains(badge)).count();
    assert_eq!(embedder.sessions.len(), installed, "what was not installed is closed");
}

#[test]
fn sessions_that_cannot_be_had_are_told() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = Player::live(start(&world));
    player.parent().open("service", b"").unwrap_err();
    bootstrap(&player);
    player.parent().open("service", b"").unwrap();
    player.lock().1.lost.insert(1);
    let told = player.with(|child, embedder| {
        let mut told = Vec::new();
        child.obstacles(embedder, |obstacle| told.push(obstacle.to_string()));
        told.extend(child.refusals().iter().map(ToString::to_string));
        told
    });
    let expected =
        ["its session of service cannot be had again: the server is gone", "a session of service was refused 1 times"];
    assert_eq!(told, expected);
    // It is dead in a restored instance, as it is in this one.
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    assert_eq!(saved.information().sessions().collect::<Vec<_>>(), [1]);
}

#[test]
fn what_is_not_its_own_is_not_handed_over() {
    let world = world();
    let player = started(&world);
    let hand_over = |number| player.parent().hand_over(1, Slot(number), true);
    // The embedder of these tests refuses whatever it is asked; here, that it is asked is what is wanted.
    assert_eq!(hand_over(16), Err(CallError::Refused), "its memory");
    assert!(player.with(|child, _| child.table().get(SLOTS).is_some()), "its program");
    // Another component's, beyond all numbers, a private one, empty ones.
    for number in [SLOTS + 5, SLOTS + PRIVATE, u32::MAX, u32::MAX - BASE, SLOTS, 60, 0] {
        assert_eq!(hand_over(number), Err(SessionError::Nothing.into()), "{number}");
    }
    for number in [OWN, slots::ADDRESS_SPACE, slots::THREAD, slots::PARENT] {
        assert_eq!(hand_over(number.0), Err(SessionError::Kind.into()), "{number:?}");
    }
}

#[test]
fn a_component_that_is_still_booting_has_none() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = Player::live(start(&world));
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    assert_eq!(saved.information().stage, Stage::Booting);
    drop(player);
    let mut embedder = Embedder { sessions: [7].into(), ..Embedder::default() };
    start_replay(&world, &saved).unwrap().finish(&mut embedder).unwrap();
    assert!(embedder.sessions.is_empty());
}

/// The first thread is in a call that somebody has received.
fn calling(world: &World) {
    let mut state = world.state();
    let id = state.table[&(BASE + slots::THREAD.0)];
    let Some(Kind::Thread(thread)) = state.objects.get_mut(&id).map(|object| &mut object.kind) else { panic!() };
    thread.activity = Activity::Calling;
}

#[test]
fn a_call_in_the_book_is_no_obstacle_and_is_made_again() {
    let world = world();
    let mut pool = pool(&world, 2);
    let player = started(&world);
    calling(&world);
    let checkpoint = |player: &Player<'_, '_>, pool: &mut _| {
        player.with(|child, embedder| child.checkpoint::<rtcr::storage::Pool<&World>, _>(pool, embedder))
    };
    let name = "child".try_into().unwrap();
    let error = checkpoint(&player, &mut pool).unwrap_err();
    assert_eq!(error, CheckpointError::Obstacle(Obstacle::Calling(name)));
    let call = CallInfo { session: 4, number: 77 };
    player.lock().1.calls.insert(ThreadNumber::FIRST, call);
    let before = world.state().calls;
    let saved = checkpoint(&player, &mut pool).unwrap();
    let requests = world.state().calls - before;
    assert_eq!(player.lock().1.kept, [call]);
    assert_eq!(saved.information().calls().map(|(_, call)| call).collect::<Vec<_>>(), [call]);
    // One that fails later, wherever, forgets it again.
    let mut failures = 0;
    for request in 1..=requests {
        let calls = world.state().calls;
        world.state().fails_at = Some(calls + request);
        player.lock().1.kept.clear();
        match checkpoint(&player, &mut pool) {
            Err(_) => {
                failures += 1;
                assert_eq!(player.lock().1.kept, [], "request {request}");
            }
            // What only gives something back is asked again.
            Ok(again) => pool.discard(again),
        }
    }
    assert!(failures > requests / 2, "{failures} of {requests}");
    drop(player);
    for restore in WAYS {
        let (_, embedder) = restore(&world, &saved).unwrap();
        assert_eq!(embedder.again, [(ThreadNumber::FIRST, call)]);
    }
}

/// A server outside has handed over memory: the parent's number 600.
struct Sharing<'w>(&'w World, Embedder);

const SHARED: u32 = 600;

impl Surroundings for Sharing<'_> {
    fn parent<'s>(&mut self, request: &Request<'_>, space: &'s mut Buffer) -> Option<Reply<'s>> {
        self.1.parent(request, space)
    }

    fn ring(&mut self, _: Slot) {}

    fn fingerprint(&mut self, name: &str, number: Slot) -> u64 {
        self.1.fingerprint(name, number)
    }

    fn open(&mut self, service: &str, argument: &[u8]) -> Result<rtcr::surroundings::Opened, CallError<OpenError>> {
        self.1.open(service, argument)
    }

    fn reopen(
        &mut self,
        session: &rtcr::object::SessionInfo,
    ) -> Result<rtcr::surroundings::Opened, CallError<OpenError>> {
        self.1.reopen(session)
    }

    fn is_lost(&mut self, session: u32) -> bool {
        self.1.is_lost(session)
    }

    fn close(&mut self, session: u32) {
        self.1.close(session);
    }

    fn redeem(&mut self, session: u32, handle: u32, at: Slot) -> Result<(), CallError<RedeemError>> {
        let mut state = self.0.state();
        match (session, handle, state.table.get(&SHARED).copied()) {
            (_, 9, Some(id)) => _ = state.table.insert(at.0, id),
            _ => return Err(RedeemError::Nothing.into()),
        }
        Ok(())
    }
}

/// A request of the component's.
fn ask<C: Call>(child: &mut Child<&World>, around: &mut Sharing<'_>, interface: u16, words: &[u32]) -> (Status, u32) {
    let request = Request { label: Caller::default().label(C::SELECTOR), body: Body::Long(words) };
    let mut space = Buffer::new();
    let reply = child.serve(interface, &request, &mut space, around).unwrap();
    (reply.status, reply.body.words().first().copied().unwrap_or(0))
}

#[test]
fn memory_of_a_server_is_attached_again_and_not_copied() {
    let world = world();
    let server = base::session::pd::Client::new(&world, slots::PD);
    server.allocate(Slot(SHARED), OWN, 0x3000, Memory::default()).unwrap();
    let id = world.state().table[&SHARED];
    world.state().shared.insert(id);
    let mut pool = pool(&world, 2);
    let with_pool = holding(&world);

    let player = started(&world);
    let session = player.parent().open("service", b"").unwrap().0;
    let (mut child, mut around) = (player.into_child(), Sharing(&world, Embedder::default()));
    let parent = parent::INTERFACE.id;
    assert_ne!(ask::<parent::call::Redeem>(&mut child, &mut around, parent, &[session, 8, 0]).0, Status::Done);
    let (status, number) = ask::<parent::call::Redeem>(&mut child, &mut around, parent, &[session, 9, 0]);
    assert_eq!(status, Status::Done);
    let placement = Registers::of(Placement::at(0x3000_0000));
    let attach = [&[slots::ADDRESS_SPACE.0, number], placement.words()].concat();
    let (status, address) = ask::<rm::call::Attach>(&mut child, &mut around, rm::INTERFACE.id, &attach);
    assert_eq!((status, address), (Status::Done, 0x3000_0000));
    world.state().dataspace_mut(Slot(SHARED)).unwrap().pages[1][5] = 42;
    let before = snapshot(&world);
    let saved = child.checkpoint(&mut pool, &mut around).unwrap();
    let shared = saved.information().objects.iter().filter(|object| matches!(object.info, Info::SharedDataspace(_)));
    assert_eq!(shared.count(), 1);
    // Of a server that is gone, and for a session that is closed, nobody could hand it over again.
    let orphaned = Err(CheckpointError::Obstacle(Obstacle::Orphaned { number }));
    around.1.lost.insert(1);
    assert_eq!(child.checkpoint(&mut pool, &mut around).map(drop), orphaned);
    around.1.lost.clear();
    around.1.sessions.insert(1);
    child.checkpoint(&mut pool, &mut around).map(|same| pool.discard(same)).unwrap();
    assert_eq!(ask::<parent::call::Close>(&mut child, &mut around, parent, &[session]).0, Status::Done);
    assert_eq!(child.checkpoint(&mut pool, &mut around).map(drop), orphaned);
    drop(child);
    assert_eq!(holding(&world), with_pool, "the server's memory stays");
    let restored = Child::restore_directly(Upstream::new(&world), &settings(), &saved, &mut around).unwrap();
    assert_same(&before, &snapshot(&world));
    drop(restored);
    // It is gone: that is said, and nothing is left over.
    server.free(Slot(SHARED)).unwrap();
    let with_pool = holding(&world);
    let error = Child::restore_directly(Upstream::new(&world), &settings(), &saved, &mut around).map(drop);
    assert_eq!(error, Err(RestoreError::Shared(RedeemError::Nothing.into())));
    assert_eq!(holding(&world), with_pool);
}
