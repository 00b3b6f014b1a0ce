//! Several short requests in one: what a parent asks for that makes hundreds of small things.
//!
//! They are done in order, up to the first that cannot be done; whoever asked asks for that one alone, and is told why. So
//! nobody is told less than without. Only a few kinds of requests can be asked for like this, those whose results are known
//! beforehand, and together for no more pages than one request of its own.

use super::{
    pd::{self, CopyPages, MAX_COPY, Memory, PAGE, Pd},
    rm::{self, Placement, Rm},
};
use crate::rpc::{Call, Registers, Slot, Words};

/// Most requests in one.
pub const MOST: usize = 16;
/// Most pages that they are for, together.
pub const PAGES: u32 = MAX_COPY;
/// Bytes of a request: the number of its operation, and four words.
const BYTES: usize = 20;

/// Requests to be made together.
#[derive(Clone, Debug, Default)]
pub struct Several {
    bytes: heapless::Vec<u8, { MOST * BYTES }>,
    pages: u32,
}

impl Several {
    /// None yet.
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new(), pages: 0 }
    }

    /// One more, for so many pages; not if there is no room for it.
    pub fn push<C: Call>(&mut self, arguments: impl Words, pages: u32) -> bool {
        if self.bytes.len() == MOST * BYTES || self.pages + pages > PAGES {
            return false;
        }
        self.pages += pages;
        let words = Registers::of(arguments).all();
        // There is room for all of them.
        for word in [C::OPERATION.number.into()].into_iter().chain(words) {
            let _ = self.bytes.extend_from_slice(&word.to_le_bytes());
        }
        true
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bytes.len() / BYTES
    }

    /// As they are sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Takes them apart; counts those that `one` has done, up to the first that it has not. It is told the operation, the words, and
/// how many pages are left.
fn each(bytes: &[u8], mut one: impl FnMut(u8, Registers, &mut u32) -> Option<()>) -> u32 {
    let (mut done, mut pages) = (0, PAGES);
    for request in bytes.as_chunks::<BYTES>().0.iter().take(MOST) {
        let mut words = [0; BYTES / 4];
        for (word, bytes) in words.iter_mut().zip(request.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [operation, arguments @ ..] = words;
        let registers = Registers::received(arguments.len(), arguments);
        let operation = u8::try_from(operation).ok();
        let is_done = operation.zip(registers).and_then(|(number, registers)| one(number, registers, &mut pages));
        if is_done.is_none() {
            break;
        }
        done += 1;
    }
    done
}

/// So many pages fewer, if there are as many.
fn take(pages: &mut u32, count: u32) -> Option<()> {
    *pages = pages.checked_sub(count)?;
    Some(())
}

/// Answers `several` of PD: memory is allocated under numbers that are given, and copied.
pub fn of_pd(server: &mut impl Pd, requests: &[u8]) -> u32 {
    each(requests, |operation, words, pages| match operation {
        number if number == pd::call::Allocate::OPERATION.number => {
            let (at, account, size, memory) = words.value::<(Slot, Slot, u32, Memory)>()?;
            take(pages, size.div_ceil(PAGE))?;
            if at == pd::ANY {
                return None;
            }
            server.allocate(at, account, size, memory).ok().map(drop)
        }
        number if number == pd::call::Copy::OPERATION.number => {
            let (dst, src, what) = words.value::<(Slot, Slot, CopyPages)>()?;
            take(pages, what.count)?;
            server.copy(dst, src, what).ok().filter(|copied| *copied == what.count).map(drop)
        }
        _ => None,
    })
}

/// Answers `several` of RM: dataspaces are attached at addresses that are given.
pub fn of_rm(server: &mut impl Rm, requests: &[u8]) -> u32 {
    each(requests, |operation, words, pages| {
        let (map, dataspace, placement) = words.value::<(Slot, Slot, Placement)>()?;
        if operation != rm::call::Attach::OPERATION.number || placement.size == 0 || placement.address.is_none() {
            return None;
        }
        take(pages, placement.size / PAGE)?;
        server.attach(map, dataspace, placement).ok().map(drop)
    })
}
