//! The sessions of the parent itself, at the numbers that every component starts with.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use base::{
    env::slots,
    rpc::{Answer, CallError, Long, Registers, Selector, Slot, Transport},
    session::{
        cpu, pd,
        pd::{AllocateError, CopyError, CopyPages, FreeError, InstallError, MAX_COPY, OWN},
        rm, rom,
        several::{MOST, PAGES, Several},
        signal, timer,
    },
};

/// How often something is tried that cannot fail for good, so that a failure in between leaves nothing behind.
const PATIENCE: u32 = 3;

/// Whom the library asks.
#[derive(Clone, Copy, Debug)]
pub struct Upstream<T> {
    transport: T,
}

impl<T: Transport + Copy> Upstream<T> {
    /// The parent's own sessions over that transport.
    pub const fn new(transport: T) -> Self {
        Self { transport }
    }

    /// What carries the requests.
    pub const fn transport(&self) -> T {
        self.transport
    }

    /// PD.
    #[inline]
    pub const fn pd(&self) -> pd::Client<T> {
        pd::Client::new(self.transport, slots::PD)
    }

    /// RM.
    #[inline]
    pub const fn rm(&self) -> rm::Client<T> {
        rm::Client::new(self.transport, slots::RM)
    }

    /// CPU.
    #[inline]
    pub const fn cpu(&self) -> cpu::Client<T> {
        cpu::Client::new(self.transport, slots::CPU)
    }

    /// ROM.
    #[inline]
    pub const fn rom(&self) -> rom::Client<T> {
        rom::Client::new(self.transport, slots::ROM)
    }

    /// TIMER.
    #[inline]
    pub const fn timer(&self) -> timer::Client<T> {
        timer::Client::new(self.transport, slots::TIMER)
    }

    /// SIGNAL.
    #[inline]
    pub const fn signal(&self) -> signal::Client<T> {
        signal::Client::new(self.transport, slots::SIGNAL)
    }

    /// Gives up something, however many steps that takes.
    pub(crate) fn free(&self, number: Slot) {
        let gone = CallError::Error(FreeError::Nothing);
        if !self.until_gone(gone, || self.pd().free(number)) {
            self.forget(number);
        }
    }

    /// Ends a thread.
    pub(crate) fn destroy(&self, thread: Slot) {
        let gone = CallError::Error(cpu::ThreadError::Nothing);
        if !self.until_gone(gone, || self.cpu().destroy(thread).map(|()| 0)) {
            self.forget(thread);
        }
    }

    /// Ends a signal context.
    pub(crate) fn destroy_context(&self, context: Slot) {
        let gone = CallError::Error(signal::SignalError::Nothing);
        if !self.until_gone(gone, || self.signal().destroy(context).map(|()| 0)) {
            self.forget(context);
        }
    }

    /// Takes back what was made known to a protection domain.
    pub(crate) fn remove(&self, pd: Slot, slot: Slot) {
        let gone = CallError::Error(InstallError::Nothing);
        self.until_gone(gone, || self.pd().remove(pd, slot).map(|()| 0));
    }

    /// Gives up a number of the parent's own, which may stand for something that is gone.
    pub(crate) fn forget(&self, number: Slot) {
        self.remove(OWN, number);
    }

    /// Asks until nothing is left to do; tells whether that was done here, or it was gone already. Nobody could be told
    /// of another error, so it is tried again a few times.
    pub(crate) fn until_gone<E: PartialEq>(
        &self,
        gone: CallError<E>,
        mut step: impl FnMut() -> Result<u32, CallError<E>>,
    ) -> bool {
        let mut patience = PATIENCE;
        while patience > 0 {
            match step() {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error == gone => return false,
                Err(_) => patience -= 1,
            }
        }
        true
    }

    /// Gives a dataspace all its pages, or at least `pages`; tells how many are still missing of `all`.
    pub(crate) fn populate(&self, dataspace: Slot, all: u32, pages: u32) -> Result<u32, CallError<AllocateError>> {
        loop {
            let left = self.pd().populate(dataspace)?;
            if all.saturating_sub(left) >= pages {
                return Ok(left);
            }
        }
    }

    /// Copies `count` pages between dataspaces.
    pub(crate) fn copy(
        &self,
        (dst, first_dst): (Slot, u32),
        (src, first_src): (Slot, u32),
        count: u32,
    ) -> Result<(), CallError<CopyError>> {
        let mut done = 0;
        while done < count {
            let page = |first: u32| u16::try_from(first + done).map_err(|_| CopyError::Range);
            let pages = CopyPages { dst: page(first_dst)?, src: page(first_src)?, count: (count - done).min(MAX_COPY) };
            match self.pd().copy(dst, src, pages)? {
                0 => return Err(CopyError::Range.into()),
                copied => done += copied,
            }
        }
        Ok(())
    }
}

/// A page of a dataspace.
type Page = (Slot, u32);

/// Copies between dataspaces, small ones together.
pub(crate) struct Copies<T> {
    up: Upstream<T>,
    several: Several,
    waiting: heapless::Vec<(Page, Page, u32), MOST>,
}

impl<T: Transport + Copy> Copies<T> {
    /// None yet.
    pub(crate) const fn new(up: Upstream<T>) -> Self {
        Self { up, several: Several::new(), waiting: heapless::Vec::new() }
    }

    /// Copies `count` pages, now or with the next ones.
    pub(crate) fn copy(&mut self, dst: Page, src: Page, count: u32) -> Result<(), CallError<CopyError>> {
        if count == 0 {
            return Ok(());
        }
        if count > PAGES {
            return self.up.copy(dst, src, count);
        }
        let page = |first: u32| u16::try_from(first).map_err(|_| CopyError::Range);
        let what = (dst.0, src.0, CopyPages { dst: page(dst.1)?, src: page(src.1)?, count });
        if !self.several.push::<pd::call::Copy>(what, count) {
            self.finish()?;
            self.several.push::<pd::call::Copy>(what, count);
        }
        // There are never more than in the other.
        let _ = self.waiting.push((dst, src, count));
        Ok(())
    }

    /// Copies what waits.
    pub(crate) fn finish(&mut self) -> Result<(), CallError<CopyError>> {
        let several = core::mem::take(&mut self.several);
        let mut done = 0;
        if self.waiting.len() > 1 {
            done = self.up.pd().several(several.bytes()).map_err(|error| CallError::of(error.status()))? as usize;
        }
        for &(dst, src, count) in self.waiting.iter().skip(done) {
            self.up.copy(dst, src, count)?;
        }
        self.waiting.clear();
        Ok(())
    }
}

/// A transport that counts what goes over it, for whoever wants to know.
#[derive(Debug)]
pub struct Counted<T> {
    inner: T,
    requests: AtomicU32,
}

impl<T: Transport> Counted<T> {
    /// Nothing counted yet.
    pub const fn new(inner: T) -> Self {
        Self { inner, requests: AtomicU32::new(0) }
    }

    /// How many requests there were, modulo 2^32.
    pub fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }
}

impl<T: Transport> Transport for Counted<T> {
    fn call(&self, to: Slot, selector: Selector, request: Registers) -> Answer {
        self.requests.fetch_add(1, Relaxed);
        self.inner.call(to, selector, request)
    }

    fn call_long(&self, to: Slot, selector: Selector, request: Long<'_>, reply: &mut [u32]) -> Answer {
        self.requests.fetch_add(1, Relaxed);
        self.inner.call_long(to, selector, request, reply)
    }
}
