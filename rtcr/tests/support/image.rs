//! Images of the components of these tests.

pub mod bytes;

use rtcr::{
    checkpoint::Checkpoint,
    image::{Identity, Image, MemoryPages, Page},
    information::Information,
    object::Info,
};

use super::{Player, pool, world::World};

pub fn identity() -> Identity {
    Identity {
        name: "child".try_into().unwrap(),
        module: "program".try_into().unwrap(),
        fingerprint: "program".len() as u64,
    }
}

/// What the storage holds of a checkpoint.
pub fn pages(world: &World, saved: &Checkpoint) -> MemoryPages {
    let (mut state, storage) = (world.state(), saved.pages());
    let stored = &state.dataspace_mut(storage.dataspace).expect("the pool is there").pages;
    let mut pages = MemoryPages::new(memory_of(saved.information()).map(|(_, end)| end).max().unwrap_or(0));
    for (first, end) in memory_of(saved.information()) {
        for index in first..end {
            let page: &Page = stored[(storage.first + index) as usize][..].try_into().unwrap();
            pages.set(index, page);
        }
    }
    pages
}

/// Where the content of each dataspace is.
fn memory_of(information: &Information) -> impl Iterator<Item = (u32, u32)> {
    information.objects.iter().filter_map(|object| match &object.info {
        // Of a stack that is not used, only the end is told.
        Info::RamDataspace(info) => Some((info.stored + info.skipped.min(info.pages), info.stored + info.pages)),
        _ => None,
    })
}

pub fn image_of(world: &World, saved: &Checkpoint) -> Image {
    Image::new(identity(), saved.information().clone(), pages(world, saved)).expect("it is a checkpoint")
}

/// The image of a component as it is now.
pub fn image(world: &World, player: &Player<'_, '_>) -> Image {
    let mut pool = pool(world, 1);
    let saved = player.with(|child, embedder| child.checkpoint(&mut pool, embedder)).unwrap();
    image_of(world, &saved)
}
