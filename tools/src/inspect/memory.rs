//! What a component has at an address.

use std::fmt;

use rtcr::{
    image::Image,
    object::{Info, MapKind, RegionInfo},
};

/// Bytes of a line.
const LINE: u32 = 16;
/// Bytes that are shown.
const SHOWN: u32 = 256;
/// Region maps lie no deeper in each other.
const DEEPEST: usize = 16;
const PAGE: u32 = 4096;

/// Why there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThere {
    /// Nothing is attached there.
    #[error("nothing is attached at {0:#010x}")]
    Nothing(u32),
    /// What is attached there is not in the image.
    #[error("what is attached at {0:#010x}, object {1}, has its content elsewhere")]
    Elsewhere(u32, u32),
    /// Its page did not exist, or is no state.
    #[error("the page at {0:#010x} is not in the checkpoint: it did not exist, or lies below the stack pointer")]
    NotSaved(u32),
}

/// Some bytes of a component's memory, from an address to the end of its page at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    address: u32,
    bytes: Vec<u8>,
}

impl Dump {
    /// What its first address space shows.
    ///
    /// # Errors
    /// It shows nothing that is in the image.
    pub fn new(image: &Image, address: u32) -> Result<Self, NotThere> {
        let (dataspace, offset) = resolve(image, address).ok_or(NotThere::Nothing(address))?;
        let Some(Info::RamDataspace(info)) = image.information.object(dataspace) else {
            return Err(NotThere::Elsewhere(address, dataspace));
        };
        let page = offset / PAGE;
        if !(info.skipped..info.pages).contains(&page) {
            return Err(NotThere::NotSaved(address));
        }
        let rest = &image.pages.get(info.stored + page)[(offset % PAGE) as usize..];
        Ok(Self { address, bytes: rest[..rest.len().min(SHOWN as usize)].to_vec() })
    }
}

/// The object that an address shows, and which byte of it.
fn resolve(image: &Image, address: u32) -> Option<(u32, u32)> {
    let information = &image.information;
    let mut map = information.objects.iter().find_map(|object| match &object.info {
        Info::RegionMap(map) if map.kind == MapKind::Space => Some(*map),
        _ => None,
    })?;
    let mut at = address;
    for _ in 0..DEEPEST {
        let holds = |region: &&RegionInfo| at >= region.address && at - region.address < region.size;
        let region = information.regions_of(&map).iter().find(holds)?;
        let what = region.what?;
        at = at - region.address + region.offset;
        match information.object(what)? {
            Info::RegionMap(inner) => map = *inner,
            _ => return Some((what, at)),
        }
    }
    None
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, bytes) in self.bytes.chunks(LINE as usize).enumerate() {
            write!(f, "{:08x} ", self.address + line as u32 * LINE)?;
            bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
            let text: String =
                bytes.iter().map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' }).collect();
            writeln!(f, "{:gap$}  {text}", "", gap = (LINE as usize - bytes.len()) * 3)?;
        }
        Ok(())
    }
}
