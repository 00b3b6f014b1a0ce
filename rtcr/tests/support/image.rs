//! Images of the components of these tests; and what is done to images.

use std::ops::Range;

use rtcr::{
    checkpoint::Checkpoint,
    image::{Identity, Image, MemoryPages, Page},
    information::{Information, Need},
    object::Info,
};

use super::{Player, pool, world::World};

/// Room that is enough for every image here.
pub const ENOUGH: Need = Need { objects: 4096, regions: 4096, words: 16 << 10, pages: 4096 };

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

/// Where the entries of the directory are, and the bodies, as far as they are in the file.
pub fn parts(bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
    let Some(&[low, high]) = bytes.get(14..16) else { return Vec::new() };
    let count = usize::from(u16::from_le_bytes([low, high]));
    let mut at = 32 + 16 * count;
    let mut parts = Vec::new();
    for entry in (0..count).map(|place| 32 + 16 * place) {
        let Some(length) = bytes.get(entry + 8..entry + 16) else { break };
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let Some(end) = usize::try_from(length).ok().and_then(|length| at.checked_add(length)) else { break };
        if end > bytes.len() {
            break;
        }
        parts.push((entry, at..end));
        at = end;
    }
    parts
}

/// Makes all checksums right, as somebody would who means harm.
pub fn mend(bytes: &mut [u8]) {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    for (entry, body) in parts(bytes) {
        let checksum = crc.checksum(&bytes[body]);
        bytes[entry + 4..entry + 8].copy_from_slice(&checksum.to_le_bytes());
    }
    let Some(&[low, high]) = bytes.get(14..16) else { return };
    let end = 32 + 16 * usize::from(u16::from_le_bytes([low, high]));
    if end <= bytes.len() {
        let checksum = crc.checksum(&[&bytes[..20], &bytes[24..end]].concat());
        bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Whatever these bytes are: they are refused, or an image whose bytes they are. Told is which.
pub fn fuzz(bytes: &[u8]) -> Result<Image, rtcr::image::Fault> {
    let image = Image::decode(bytes, &ENOUGH)?;
    if image.header.version == rtcr::image::VERSION {
        assert_eq!(image.encode().expect("what was read can be written"), bytes, "there is one form only");
    }
    let again = Image::new(image.identity.clone(), image.information.clone(), image.pages.clone());
    assert_eq!(again.expect("what was read can be written").information, image.information);
    Ok(image)
}

/// The same with the checksums made right before.
pub fn fuzz_behind_checksum(bytes: &[u8]) -> Result<Image, rtcr::image::Fault> {
    let mut bytes = bytes.to_vec();
    mend(&mut bytes);
    fuzz(&bytes)
}
