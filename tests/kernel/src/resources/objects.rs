//! Kernel objects that come and go.

use alloc::vec::Vec;

use base::session::pd::FrameSize;
use ground::{Outcome, ensure, ensure_eq};
use rtcr_core::resources::Pooled;
use sel4::{Cap, Endpoint, Error, Notification, Rights, Tcb, VmAttributes, boot};

use crate::{Bench, exhausted};

/// Far above what was ever mapped in a space of a test's.
const ADDRESS: u32 = 0x1000_0000;

fn some<T: Pooled>(bench: &mut Bench, count: usize) -> Result<Vec<Cap<T>>, ground::Failure> {
    let mut objects = Vec::new();
    for _ in 0..count {
        objects.push(bench.resources.make::<T>()?);
    }
    Ok(objects)
}

fn end<T: Pooled>(bench: &mut Bench, objects: Vec<Cap<T>>) {
    for object in objects {
        // SAFETY: threads of these tests never run.
        unsafe { bench.resources.unmake(object) };
    }
}

/// Thousands of each kind, all at once and one after the other; what was made once suffices.
pub fn thousands_come_and_go(bench: &mut Bench) -> Outcome {
    let mut made = None;
    for round in 0..3 {
        let threads = some::<Tcb>(bench, 1_000)?;
        let endpoints = some::<Endpoint>(bench, 1_000)?;
        let notifications = some::<Notification>(bench, 1_000)?;
        for (thread, notification) in threads.iter().zip(&notifications) {
            thread.suspend()?;
            thread.bind_notification(*notification)?;
        }
        end(bench, notifications);
        end(bench, threads);
        end(bench, endpoints);
        let counts = bench.resources.counts();
        let now = (counts.threads.made, counts.endpoints.made, counts.notifications.made, counts.bytes);
        ensure_eq!(now, *made.get_or_insert(now), "round {round}");
    }
    for _ in 0..3_000 {
        let thread = some::<Tcb>(bench, 1)?;
        ensure_eq!(thread[0].suspend(), Ok(()));
        end(bench, thread);
    }
    Ok(())
}

/// With an object all its capabilities go, badged ones and copies of copies; their slots are empty.
pub fn copies_go_with_their_object(bench: &mut Bench) -> Outcome {
    let endpoint = bench.resources.make::<Endpoint>()?;
    let other = bench.resources.make::<Endpoint>()?;
    let mut slots = Vec::new();
    for _ in 0..100 {
        slots.push(Cap::<Endpoint>::new(bench.resources.take_slot()?));
    }
    let mut from = endpoint.slot(boot::CNODE);
    for copy in &slots {
        from.copy_to(copy.slot(boot::CNODE), Rights::ALL)?;
        from = copy.slot(boot::CNODE);
    }
    // SAFETY: an endpoint is no thread.
    unsafe { bench.resources.unmake(endpoint) };
    for copy in slots {
        other.slot(boot::CNODE).copy_to(copy.slot(boot::CNODE), Rights::ALL)?;
        // SAFETY: an endpoint is no memory.
        unsafe { copy.slot(boot::CNODE).delete() }?;
        bench.resources.give_slot(copy.number());
    }
    end(bench, [other].into());
    Ok(())
}

/// A directory has a number and nothing in it, also when it comes for the second time; so does a table.
pub fn directories_and_tables_are_recycled(bench: &mut Bench) -> Outcome {
    let frame = bench.resources.take_frame(FrameSize::Small)?;
    let cap = bench.resources.frame_cap(frame);
    let mut seen = None;
    for _ in 0..5 {
        let mut spaces = Vec::new();
        for _ in 0..20 {
            let (space, table) = (bench.resources.take_directory()?, bench.resources.take_table()?);
            // SAFETY: no Rust code runs in these spaces, here and below.
            let map = || unsafe { cap.map(space, ADDRESS, Rights::READ_WRITE, VmAttributes::DATA) };
            ensure_eq!(map(), Err(Error::FailedLookup));
            table.map(space, ADDRESS)?;
            map()?;
            // SAFETY: see above.
            unsafe { cap.unmap() }?;
            spaces.push((space, table));
        }
        for (space, table) in spaces {
            // SAFETY: see above.
            unsafe { table.unmap() }?;
            bench.resources.give_directory(space);
            bench.resources.give_table(table);
        }
        let counts = bench.resources.counts();
        let now = (counts.directories, counts.tables);
        ensure_eq!(now, *seen.get_or_insert(now));
    }
    bench.resources.give_frame(frame);
    Ok(())
}

/// CNodes of every size come empty and are used again.
pub fn cnodes_are_recycled(bench: &mut Bench) -> Outcome {
    let endpoint = bench.resources.make::<Endpoint>()?;
    let mut seen = None;
    for _ in 0..3 {
        for bits in 1..=16 {
            let node = bench.resources.take_cnode(bits)?;
            let last = node.slot_at((1 << bits) - 1, bits);
            endpoint.slot(boot::CNODE).copy_to(last, Rights::ALL)?;
            // SAFETY: an endpoint is no memory.
            unsafe { last.delete() }?;
            bench.resources.give_cnode(node, bits);
        }
        let cnodes = bench.resources.counts().cnodes;
        ensure_eq!(cnodes, *seen.get_or_insert(cnodes));
    }
    ensure!(exhausted(bench.resources.take_cnode(17)));
    end(bench, [endpoint].into());
    Ok(())
}
