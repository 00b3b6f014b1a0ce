//! PD of a child.

use super::{Ward, ward::MAX_PDS};
use crate::{
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::pd::{
        self, AllocateError, CopyError, CreateError, FreeError, InstallError, LookupError, OWN, TraceError,
        TransferError, call,
    },
};

impl<T: Transport + Copy> Ward<T> {
    /// A protection domain of the child's is freed, perhaps in several steps: what it may use is the child's.
    fn note_quota(&mut self, number: Slot, outside: Slot) {
        let Some(None) = self.pds.get(&number) else { return };
        let quota = self.pd().account(outside).ok().map(|account| (account.ram, account.caps));
        self.pds.insert(number, quota);
    }

    /// It is gone. Whoever serves the parent knows it as the parent's, and has given its quota to the parent.
    fn give_back_quota(&self, number: Slot) {
        if let Some(Some((ram, caps))) = self.pds.get(&number) {
            // The parent has got it a moment ago.
            let _ = self.pd().transfer(OWN, self.window.pd(), *ram, *caps);
        }
    }

    /// An endpoint or notification, which lies in the child's capability space too.
    fn make_kernel_object(
        &mut self,
        at: Slot,
        account: Slot,
        make: impl FnOnce(&pd::Client<T>, Slot, Slot) -> Result<Slot, CallError<AllocateError>>,
    ) -> Result<Slot, CallError<AllocateError>> {
        let account = self.out(account).ok_or(AllocateError::Nothing)?;
        let number = self.make(at, |ward, outside| make(&ward.pd(), outside, account).map(|_| ()))?;
        match self.put(number) {
            Ok(()) => Ok(number),
            Err(error) => {
                if let Some(outside) = self.out(number) {
                    // Made a moment ago, of one step.
                    let _ = self.pd().free(outside);
                }
                self.forget(number);
                Err(match error {
                    CallError::Error(InstallError::Caps) => AllocateError::Caps.into(),
                    CallError::Error(InstallError::Occupied) => AllocateError::Occupied.into(),
                    _ => AllocateError::Range.into(),
                })
            }
        }
    }
}

/// Copying is what most of the calls on a hot path do; it costs two additions more than without.
#[crate::interposer(refuse(connect))]
impl<T: Transport + Copy> pd::Interposer for Ward<T> {
    fn restore_thread(&mut self, (): Arguments<'_, call::RestoreThread>) -> Decision<call::RestoreThread> {
        Decision::Answer(Ok(()))
    }

    fn allocate(&mut self, (at, account, size, memory): Arguments<'_, call::Allocate>) -> Decision<call::Allocate> {
        let Some(account) = self.out(account) else { return Decision::Answer(Err(AllocateError::Nothing.into())) };
        self.make(at, |ward, outside| ward.pd().allocate(outside, account, size, memory).map(|_| ())).into()
    }

    /// None: they are asked for one by one.
    fn several(&mut self, _: Arguments<'_, call::Several>) -> Decision<call::Several> {
        Decision::Answer(Ok(0))
    }

    fn populate(&mut self, (dataspace,): Arguments<'_, call::Populate>) -> Decision<call::Populate> {
        let Some(dataspace) = self.out(dataspace) else {
            return Decision::Answer(Err(AllocateError::Nothing.into()));
        };
        self.pd().populate(dataspace).into()
    }

    fn free(&mut self, (number,): Arguments<'_, call::Free>) -> Decision<call::Free> {
        let Some(outside) = self.out(number).filter(|_| !Self::is_own(number)) else {
            return Decision::Answer(Err(FreeError::Nothing.into()));
        };
        self.note_quota(number, outside);
        let left = self.pd().free(outside);
        if left == Ok(0) {
            self.give_back_quota(number);
            self.forget(number);
        }
        left.into()
    }

    fn describe(&mut self, (dataspace,): Arguments<'_, call::Describe>) -> Decision<call::Describe> {
        let Some(dataspace) = self.out(dataspace) else { return Decision::Answer(Err(LookupError::Nothing.into())) };
        self.pd().describe(dataspace).into()
    }

    fn copy(&mut self, (dst, src, pages): Arguments<'_, call::Copy>) -> Decision<call::Copy> {
        let (Some(dst), Some(src)) = (self.out(dst), self.out(src)) else {
            return Decision::Answer(Err(CopyError::Nothing.into()));
        };
        self.pd().copy(dst, src, pages).into()
    }

    fn account(&mut self, (pd,): Arguments<'_, call::Account>) -> Decision<call::Account> {
        let Some(pd) = self.out(pd) else { return Decision::Answer(Err(LookupError::Nothing.into())) };
        self.pd().account(pd).into()
    }

    fn transfer(&mut self, (from, to, ram, caps): Arguments<'_, call::Transfer>) -> Decision<call::Transfer> {
        let (Some(from), Some(to)) = (self.out(from), self.out(to)) else {
            return Decision::Answer(Err(TransferError::Nothing.into()));
        };
        self.pd().transfer(from, to, ram, caps).into()
    }

    fn create(&mut self, (at, slots, name): Arguments<'_, call::Create>) -> Decision<call::Create> {
        if self.pds.len() == MAX_PDS {
            return Decision::Answer(Err(CreateError::Exhausted.into()));
        }
        let made = self.make(at, |ward, outside| ward.pd().create(outside, slots, name).map(|_| ()));
        self.pds.extend(made.map(|number| (number, None)));
        made.into()
    }

    fn install(&mut self, (number, pd, slot, grant): Arguments<'_, call::Install>) -> Decision<call::Install> {
        let (Some(number), Some(domain)) = (self.out(number), self.out(pd)) else {
            return Decision::Answer(Err(InstallError::Nothing.into()));
        };
        if !Self::is_own(pd) {
            return self.pd().install(number, domain, slot, grant).into();
        }
        // What the child itself knows, the parent knows under the number that stands for the child's.
        self.make(slot, |ward, outside| {
            ward.pd().install(number, pd::OWN, outside, grant)?;
            let Some(inside) = ward.window.inward(outside) else { return Ok(()) };
            let installed = ward.pd().install(number, ward.window.pd(), inside, grant);
            if installed.is_err() {
                // It was put there a moment ago.
                let _ = ward.pd().remove(pd::OWN, outside);
            } else {
                ward.installed.insert(inside);
            }
            installed.map(|_| ())
        })
        .into()
    }

    fn remove(&mut self, (pd, slot): Arguments<'_, call::Remove>) -> Decision<call::Remove> {
        let Some(domain) = self.out(pd) else { return Decision::Answer(Err(InstallError::Nothing.into())) };
        if !Self::is_own(pd) {
            return self.pd().remove(domain, slot).into();
        }
        let Some(outside) = self.out(slot) else { return Decision::Answer(Err(InstallError::Nothing.into())) };
        let removed = self.pd().remove(pd::OWN, outside);
        if removed.is_ok() {
            self.forget(slot);
        }
        removed.into()
    }

    fn share(&mut self, (from, number, to, at): Arguments<'_, call::Share>) -> Decision<call::Share> {
        let (Some(source), Some(target)) = (self.out(from), self.out(to)) else {
            return Decision::Answer(Err(InstallError::Nothing.into()));
        };
        // What the child itself knows, it knows by the parent's numbers.
        let (source, number) = match Self::is_own(from) {
            true => match self.out(number) {
                Some(number) => (pd::OWN, number),
                None => return Decision::Answer(Err(InstallError::Nothing.into())),
            },
            false => (source, number),
        };
        match Self::is_own(to) {
            true => self.make(at, |ward, at| ward.pd().share(source, number, pd::OWN, at).map(|_| ())).into(),
            false => self.pd().share(source, number, target, at).into(),
        }
    }

    fn create_endpoint(
        &mut self,
        (at, account): Arguments<'_, call::CreateEndpoint>,
    ) -> Decision<call::CreateEndpoint> {
        self.make_kernel_object(at, account, |pd, at, account| pd.create_endpoint(at, account)).into()
    }

    fn create_notification(
        &mut self,
        (at, account): Arguments<'_, call::CreateNotification>,
    ) -> Decision<call::CreateNotification> {
        self.make_kernel_object(at, account, |pd, at, account| pd.create_notification(at, account)).into()
    }

    fn hang_up(&mut self, (endpoint, pd): Arguments<'_, call::HangUp>) -> Decision<call::HangUp> {
        let (Some(endpoint), Some(pd)) = (self.out(endpoint), self.out(pd)) else {
            return Decision::Answer(Err(LookupError::Nothing.into()));
        };
        self.pd().hang_up(endpoint, pd).into()
    }

    fn trace_kind(&mut self, (name,): Arguments<'_, call::TraceKind>) -> Decision<call::TraceKind> {
        self.pd().trace_kind(name).into()
    }

    fn note(&mut self, (pd, note): Arguments<'_, call::Note>) -> Decision<call::Note> {
        let Some(pd) = self.out(pd) else { return Decision::Answer(Err(TraceError::Nothing.into())) };
        self.pd().note(pd, note).into()
    }
}
