//! Attaches over what exists, beyond what there is and too deep, and detaches what is not there; each is refused with its
//! error, and what was attached stays as it was.
#![no_std]
#![no_main]
start::component!(construct);

use base::{
    Env,
    env::slots,
    memory::MemoryError,
    rpc::{CallError, Slot},
    session::{
        pd::{ANY, AllocateError, CopyError, CopyPages, Memory, OWN},
        rm::{AttachError, CreateError, DetachError, Placement},
    },
};

const SPACE: Slot = slots::ADDRESS_SPACE;
/// Nothing is there.
const FREE: u32 = 0x8000_0000;
/// The first byte that is not the component's.
const KERNEL: u32 = 0xe000_0000;

fn construct(env: &mut Env) {
    let (pd, rm) = (env.pd(), env.rm());
    let page = pd.allocate(ANY, OWN, 4096, Memory::default()).expect("a page");
    let pages = pd.allocate(ANY, OWN, 4 * 4096, Memory::default()).expect("four pages");

    // Over what exists: the same place, its end, its beginning, and the program itself.
    assert_eq!(rm.attach(SPACE, pages, Placement::at(FREE)), Ok(FREE));
    for address in [FREE, FREE + 3 * 4096, FREE - 3 * 4096] {
        assert_eq!(rm.attach(SPACE, pages, Placement::at(address)), Err(AttachError::Occupied.into()));
    }
    assert_eq!(rm.attach(SPACE, page, Placement::at(0x0100_0000)), Err(AttachError::Occupied.into()));

    // Beyond what there is.
    let size = |size| Placement { size, ..Placement::ANYWHERE };
    let offset = |offset| Placement { offset, ..Placement::ANYWHERE };
    for placement in [size(2 * 4096), offset(4096), offset(0xffff << 12), size(0xffff << 12), Placement::at(KERNEL)] {
        assert_eq!(rm.attach(SPACE, page, placement), Err(AttachError::Range.into()), "{placement:?}");
    }
    assert_eq!(rm.attach(SPACE, pages, Placement::at(KERNEL - 4096)), Err(AttachError::Range.into()));
    assert_eq!(rm.attach(SPACE, page, Placement::at(0xffff_f000)), Err(AttachError::Range.into()));

    // What the words of a request cannot carry is not cut to what they can: neither by the framework, nor by the session.
    let page_of = |placement| env.attach(&page, placement).map(|view| view.size());
    let beyond = (1 << 28) + 4096;
    for (placement, error) in [
        (size(beyond), AttachError::Range),
        (offset(beyond), AttachError::Range),
        (size(1), AttachError::Misaligned),
        (Placement::at(FREE + (1 << 20) + 4), AttachError::Misaligned),
    ] {
        assert_eq!(page_of(placement), Err(MemoryError::Attach(error.into())), "{placement:?}");
        assert_eq!(rm.attach(SPACE, page, placement), Err(CallError::Malformed), "{placement:?}");
    }
    assert_eq!(page_of(Placement::ANYWHERE), Ok(4096));

    // Memory that is to be written and executed.
    let both = Placement { executable: true, ..Placement::ANYWHERE };
    assert_eq!(rm.attach(SPACE, page, both), Err(AttachError::WritableCode.into()));

    // What is not there: never was, begins elsewhere, was detached before, lies in another region map.
    for address in [0, FREE + 4096, FREE - 4096, KERNEL, u32::MAX] {
        assert_eq!(rm.detach(SPACE, address), Err(DetachError::Nothing.into()));
    }
    for address in [0, FREE + 4 * 4096, FREE - 4096, KERNEL, u32::MAX] {
        assert_eq!(rm.map(SPACE, address), Err(AttachError::Nothing.into()));
    }
    assert_eq!(rm.detach(SPACE, FREE), Ok(0));
    assert_eq!(rm.detach(SPACE, FREE), Err(DetachError::Nothing.into()));

    // What the thread's messages are in stays.
    nesting(env, page);

    // Copies beyond what there is.
    let copy = |dst, src, count| pd.copy(page, pages, CopyPages { dst, src, count });
    assert_eq!(copy(0, 4, 1), Err(CopyError::Range.into()));
    assert_eq!(copy(1, 0, 1), Err(CopyError::Range.into()));
    assert_eq!(copy(0, 0, u32::MAX), Err(CopyError::Range.into()));
    assert_eq!(copy(u16::MAX, u16::MAX, 32), Err(CopyError::Range.into()));

    // Sizes that no dataspace and no region map has.
    for size in [0, u32::MAX] {
        assert_eq!(pd.allocate(ANY, OWN, size, Memory::default()), Err(AllocateError::Size.into()));
        assert_eq!(rm.create(ANY, OWN, size), Err(CreateError::Size.into()));
    }

    assert_eq!(pd.free(page), Ok(0));
    assert_eq!(pd.free(pages), Ok(0));
    log::info!("all refused");
    env.exit(0)
}

/// Region maps in region maps: four deep is allowed, five is not, and none can be in itself.
fn nesting(env: &Env, page: Slot) {
    let (pd, rm) = (env.pd(), env.rm());
    let maps = [(); 5].map(|()| rm.create(ANY, OWN, 8 * 4096).expect("a region map"));
    assert_eq!(rm.attach(maps[0], maps[0], Placement::ANYWHERE), Err(AttachError::Nesting.into()));
    for pair in maps.windows(2).take(3) {
        assert_eq!(rm.attach(pair[0], pair[1], Placement::at(0)), Ok(0));
    }
    assert_eq!(rm.attach(maps[3], maps[4], Placement::at(0)), Err(AttachError::Nesting.into()));
    assert_eq!(rm.attach(maps[3], maps[0], Placement::at(0)), Err(AttachError::Nesting.into()));
    // Over what is attached inside a region map, and beyond it.
    assert_eq!(rm.attach(maps[0], page, Placement::at(7 * 4096)), Err(AttachError::Occupied.into()));
    assert_eq!(rm.attach(maps[4], page, Placement::at(8 * 4096)), Err(AttachError::Range.into()));
    assert_eq!(rm.detach(maps[4], 0), Err(DetachError::Nothing.into()));
    for map in maps {
        assert_eq!(pd.free(map), Ok(0));
        assert_eq!(rm.fault(map), Err(DetachError::Nothing.into()));
    }
}
