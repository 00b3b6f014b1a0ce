//! Names what is not there, and what is something else, in every operation that takes a number; each is refused with the
//! error that says so.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    env::slots,
    rpc::Slot,
    session::{
        cpu::{CreateError as ThreadCreateError, ThreadError},
        parent::SessionError,
        pd::TransferError,
        pd::{
            self, ANY, Access, AllocateError, CopyError, CopyPages, FreeError, Grant, InstallError, LookupError,
            Memory, OWN,
        },
        rm::{self, AttachError, DetachError, Placement},
        signal::{CreateError as ContextError, SignalError},
        timer::TimeoutError,
    },
};

/// Numbers under which there is nothing: inside the component's space, behind it, and as far as numbers go.
const NOTHING: [Slot; 3] = [Slot(60), Slot(1 << 14), Slot(u32::MAX)];
/// What is granted, if anything is.
const GRANT: Grant = Grant { access: Access::Use, badge: 0 };
/// Every page, from the first one to the first one.
const PAGES: CopyPages = CopyPages { dst: 0, src: 0, count: 1 };

fn construct(env: &mut Env) {
    for number in NOTHING {
        nothing(env, number);
    }
    let dataspace = env.pd().allocate(ANY, OWN, 4096, Memory::default()).expect("a page");
    something_else(env, dataspace);
    assert_eq!(env.pd().free(dataspace), Ok(0));
    log::info!("all refused");
    env.exit(0)
}

/// There is nothing under that number, whatever is asked for.
fn nothing(env: &Env, number: Slot) {
    let pd = env.pd();
    assert_eq!(pd.allocate(ANY, number, 4096, Memory::default()), Err(AllocateError::Nothing.into()));
    assert_eq!(pd.populate(number), Err(AllocateError::Nothing.into()));
    assert_eq!(pd.free(number), Err(FreeError::Nothing.into()));
    assert_eq!(pd.describe(number), Err(LookupError::Nothing.into()));
    assert_eq!(pd.copy(number, number, PAGES), Err(CopyError::Nothing.into()));
    assert_eq!(pd.account(number), Err(LookupError::Nothing.into()));
    assert_eq!(pd.transfer(OWN, number, 0, 0), Err(TransferError::Nothing.into()));
    assert_eq!(pd.transfer(number, OWN, 0, 0), Err(TransferError::Nothing.into()));
    assert_eq!(pd.install(number, OWN, ANY, GRANT), Err(InstallError::Nothing.into()));
    assert_eq!(pd.install(slots::ADDRESS_SPACE, number, ANY, GRANT), Err(InstallError::Nothing.into()));
    assert_eq!(pd.remove(number, slots::LOG), Err(InstallError::Nothing.into()));
    // Slots are told apart from numbers here: those behind the table are none.
    let none = if number == NOTHING[0] { InstallError::Nothing } else { InstallError::Range };
    assert_eq!(pd.remove(OWN, number), Err(none.into()));
    assert_eq!(pd.share(number, slots::LOG, OWN, ANY), Err(InstallError::Nothing.into()));
    assert_eq!(pd.connect(number, ANY, 2, "log"), Err(InstallError::Nothing.into()));
    assert_eq!(pd.create_endpoint(ANY, number), Err(AllocateError::Nothing.into()));
    assert_eq!(pd.create_notification(ANY, number), Err(AllocateError::Nothing.into()));
    assert_eq!(pd.hang_up(number, OWN), Err(LookupError::Nothing.into()));
    let rm = env.rm();
    assert_eq!(rm.create(ANY, number, 4096), Err(rm::CreateError::Nothing.into()));
    assert_eq!(rm.create_space(ANY, number), Err(rm::CreateError::Nothing.into()));
    assert_eq!(rm.attach(number, number, Placement::ANYWHERE), Err(AttachError::Nothing.into()));
    assert_eq!(rm.attach(slots::ADDRESS_SPACE, number, Placement::ANYWHERE), Err(AttachError::Nothing.into()));
    assert_eq!(rm.map(number, 0), Err(AttachError::Nothing.into()));
    assert_eq!(rm.detach(number, 0), Err(DetachError::Nothing.into()));
    assert_eq!(rm.handle_faults(number, Slot(0)), Err(DetachError::Nothing.into()));
    assert_eq!(rm.handle_faults(slots::ADDRESS_SPACE, number), Err(DetachError::Nothing.into()));
    assert_eq!(rm.fault(number), Err(DetachError::Nothing.into()));
    let cpu = env.cpu();
    assert_eq!(cpu.create(ANY, number, slots::ADDRESS_SPACE, 1, 0, "x"), Err(ThreadCreateError::Nothing.into()));
    assert_eq!(cpu.create(ANY, OWN, number, 1, 0, "x"), Err(ThreadCreateError::Nothing.into()));
    assert_eq!(cpu.start(number, 0, 0, 0), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.pause(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.resume(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.read(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.write(number, [0; 17], true), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.freeze(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.thaw(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.handle_exceptions(number, Slot(0)), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.exception(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.bind(slots::THREAD, number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.place(number), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.prioritize(number, 1), Err(ThreadError::Nothing.into()));
    assert_eq!(cpu.destroy(number), Err(ThreadError::Nothing.into()));
    let signal = env.signal();
    assert_eq!(signal.create(ANY, number, slots::DOORBELL, 0), Err(ContextError::Nothing.into()));
    assert_eq!(signal.create(ANY, OWN, number, 0), Err(ContextError::Nothing.into()));
    assert_eq!(signal.raise(number), Err(SignalError::Nothing.into()));
    assert_eq!(signal.fetch(number), Err(SignalError::Nothing.into()));
    assert_eq!(signal.destroy(number), Err(SignalError::Nothing.into()));
    let timer = env.timer();
    assert_eq!(timer.once(number, 1), Err(TimeoutError::Nothing.into()));
    assert_eq!(timer.periodic(number, 1 << 20), Err(TimeoutError::Nothing.into()));
    assert_eq!(timer.cancel(number), Err(TimeoutError::Nothing.into()));
    assert_eq!(timer.remaining(number), Err(TimeoutError::Nothing.into()));
    let parent = env.parent();
    assert_eq!(parent.close(number), Err(SessionError::Nothing.into()));
    assert_eq!(parent.upgrade(number, 0, 0), Err(SessionError::Nothing.into()));
    assert_eq!(parent.done(number.0, true), Err(SessionError::Nothing.into()));
    assert_eq!(parent.hand_over(number.0, slots::ADDRESS_SPACE, false), Err(SessionError::Nothing.into()));
}

/// There is a dataspace under that number, and something else where a dataspace is asked for.
fn something_else(env: &Env, dataspace: Slot) {
    let thread = slots::THREAD;
    let pd = env.pd();
    assert_eq!(pd.allocate(ANY, dataspace, 4096, Memory::default()), Err(AllocateError::Kind.into()));
    assert_eq!(pd.populate(thread), Err(AllocateError::Kind.into()));
    assert_eq!(pd.free(thread), Err(FreeError::Kind.into()));
    assert_eq!(pd.free(OWN), Err(FreeError::Kind.into()));
    assert_eq!(pd.describe(thread), Err(LookupError::Kind.into()));
    assert_eq!(pd.copy(dataspace, thread, PAGES), Err(CopyError::Kind.into()));
    assert_eq!(pd.copy(thread, dataspace, PAGES), Err(CopyError::Kind.into()));
    assert_eq!(pd.account(dataspace), Err(LookupError::Kind.into()));
    assert_eq!(pd.transfer(OWN, dataspace, 0, 0), Err(TransferError::Kind.into()));
    assert_eq!(pd.install(dataspace, thread, ANY, GRANT), Err(InstallError::Kind.into()));
    assert_eq!(pd.create_endpoint(ANY, dataspace), Err(AllocateError::Kind.into()));
    assert_eq!(pd.hang_up(dataspace, OWN), Err(LookupError::Kind.into()));
    let rm = env.rm();
    assert_eq!(rm.create(ANY, dataspace, 4096), Err(rm::CreateError::Kind.into()));
    assert_eq!(rm.attach(dataspace, dataspace, Placement::ANYWHERE), Err(AttachError::Kind.into()));
    assert_eq!(rm.attach(slots::ADDRESS_SPACE, thread, Placement::ANYWHERE), Err(AttachError::Kind.into()));
    assert_eq!(rm.map(dataspace, 0), Err(AttachError::Kind.into()));
    assert_eq!(rm.detach(dataspace, 0), Err(DetachError::Kind.into()));
    assert_eq!(rm.handle_faults(dataspace, Slot(0)), Err(DetachError::Kind.into()));
    assert_eq!(rm.fault(dataspace), Err(DetachError::Kind.into()));
    let cpu = env.cpu();
    assert_eq!(cpu.create(ANY, dataspace, slots::ADDRESS_SPACE, 1, 0, "x"), Err(ThreadCreateError::Kind.into()));
    assert_eq!(cpu.create(ANY, OWN, dataspace, 1, 0, "x"), Err(ThreadCreateError::Kind.into()));
    assert_eq!(cpu.start(dataspace, 0, 0, 0), Err(ThreadError::Kind.into()));
    assert_eq!(cpu.pause(dataspace), Err(ThreadError::Kind.into()));
    assert_eq!(cpu.freeze(dataspace), Err(ThreadError::Kind.into()));
    assert_eq!(cpu.bind(thread, dataspace), Err(ThreadError::Kind.into()));
    assert_eq!(cpu.destroy(dataspace), Err(ThreadError::Kind.into()));
    let signal = env.signal();
    assert_eq!(signal.create(ANY, dataspace, slots::DOORBELL, 0), Err(ContextError::Kind.into()));
    assert_eq!(signal.create(ANY, OWN, dataspace, 0), Err(ContextError::Kind.into()));
    assert_eq!(signal.raise(dataspace), Err(SignalError::Kind.into()));
    assert_eq!(signal.fetch(dataspace), Err(SignalError::Kind.into()));
    assert_eq!(env.timer().once(dataspace, 1), Err(TimeoutError::Kind.into()));
    // Numbers that are taken, by what is made.
    assert_eq!(pd.allocate(dataspace, OWN, 4096, Memory::default()), Err(AllocateError::Occupied.into()));
    assert_eq!(pd.allocate(slots::PD, OWN, 4096, Memory::default()), Err(AllocateError::Occupied.into()));
    assert_eq!(pd.create(dataspace, 64, "x"), Err(pd::CreateError::Occupied.into()));
    assert_eq!(rm.create(dataspace, OWN, 4096), Err(rm::CreateError::Occupied.into()));
    assert_eq!(signal.create(dataspace, OWN, slots::DOORBELL, 0), Err(ContextError::Occupied.into()));
    let behind = Slot(1 << 14);
    assert_eq!(pd.allocate(behind, OWN, 4096, Memory::default()), Err(AllocateError::Range.into()));
}
