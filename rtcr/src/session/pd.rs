//! PD: memory, endpoints, notifications.

use base::{
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::pd::{
        self, Account, AllocateError, CopyError, CopyPages, Description, FreeError, InstallError, LookupError, Memory,
        OWN, TraceError, call,
    },
};

use super::{Asked, because};
use crate::{
    object::{Endpoint, Notification, Object, RamDataspace},
    surroundings::{Edge, Scope, Surroundings},
};

#[base::interposer(refuse(create, install, share, connect, transfer, hang_up))]
impl<T: Transport + Copy, P: Surroundings + ?Sized> pd::Interposer for Asked<'_, T, P> {
    fn restore_thread(&mut self, (): Arguments<'_, call::RestoreThread>) -> Decision<call::RestoreThread> {
        Decision::Answer(Ok(()))
    }

    fn allocate(&mut self, (at, account, size, memory): Arguments<'_, call::Allocate>) -> Decision<call::Allocate> {
        self.surroundings.scope(Scope::Allocation, Edge::Begin);
        let allocated = allocate(self, at, account, size, memory);
        self.surroundings.scope(Scope::Allocation, Edge::End);
        allocated.into()
    }

    /// None: they are asked for one by one.
    fn several(&mut self, _: Arguments<'_, call::Several>) -> Decision<call::Several> {
        Decision::Answer(Ok(0))
    }

    fn populate(&mut self, (dataspace,): Arguments<'_, call::Populate>) -> Decision<call::Populate> {
        self.surroundings.scope(Scope::Allocation, Edge::Begin);
        let populated = populate(self, dataspace);
        self.surroundings.scope(Scope::Allocation, Edge::End);
        populated.into()
    }

    fn free(&mut self, (number,): Arguments<'_, call::Free>) -> Decision<call::Free> {
        free(self, number).into()
    }

    fn describe(&mut self, (dataspace,): Arguments<'_, call::Describe>) -> Decision<call::Describe> {
        describe(self, dataspace).into()
    }

    fn copy(&mut self, (dst, src, pages): Arguments<'_, call::Copy>) -> Decision<call::Copy> {
        copy(self, dst, src, pages).into()
    }

    fn account(&mut self, (pd,): Arguments<'_, call::Account>) -> Decision<call::Account> {
        account(self, pd).into()
    }

    fn remove(&mut self, (pd, slot): Arguments<'_, call::Remove>) -> Decision<call::Remove> {
        remove(self, pd, slot).into()
    }

    fn create_endpoint(
        &mut self,
        (at, account): Arguments<'_, call::CreateEndpoint>,
    ) -> Decision<call::CreateEndpoint> {
        create_endpoint(self, at, account).into()
    }

    fn create_notification(
        &mut self,
        (at, account): Arguments<'_, call::CreateNotification>,
    ) -> Decision<call::CreateNotification> {
        create_notification(self, at, account).into()
    }

    /// The numbers of kinds are a run's own, and would be in the memory of what is restored in another one.
    fn trace_kind(&mut self, _: Arguments<'_, call::TraceKind>) -> Decision<call::TraceKind> {
        Decision::Answer(Err(TraceError::Off.into()))
    }

    fn note(&mut self, _: Arguments<'_, call::Note>) -> Decision<call::Note> {
        Decision::Answer(Err(TraceError::Off.into()))
    }
}

fn allocate<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    account: Slot,
    size: u32,
    memory: Memory,
) -> Result<Slot, CallError<AllocateError>> {
    let account = asked.own(account).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let made = RamDataspace::allocate(asked.child.up, table.outward(number), account, size, memory)?;
    table.insert(number, Object::RamDataspace(made));
    Ok(Slot(number))
}

fn populate<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    number: Slot,
) -> Result<u32, CallError<AllocateError>> {
    let up = asked.child.up;
    let object = asked.child.table.named_mut(number).map_err(because)?;
    let dataspace = object.ram_dataspace_mut().map_err(because)?;
    let left = up.pd().populate(dataspace.number())?;
    dataspace.pages = dataspace.all().saturating_sub(left);
    Ok(left)
}

/// One step. At the last one the number goes too.
fn free<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    number: Slot,
) -> Result<u32, CallError<FreeError>> {
    let (up, table) = (asked.child.up, &mut asked.child.table);
    let object = table.named_mut(number).map_err(because)?;
    match object {
        // Of a module only the number goes.
        Object::Remnant | Object::RomDataspace(_) => {
            drop(table.take(number.0));
            return Ok(0);
        }
        Object::Endpoint(endpoint) => endpoint.take_out(),
        Object::Notification(notification) => notification.take_out(),
        _ => {}
    }
    let owned = object.owned_mut().ok_or(FreeError::Kind)?;
    let left = up.pd().free(owned.number)?;
    (owned.ending, owned.gone) = (true, left == 0);
    if left == 0 {
        drop(table.take(number.0));
    }
    Ok(left)
}

/// The parent's number for any dataspace.
fn dataspace<T: Transport + Copy, P: ?Sized, E: From<crate::table::Missing>>(
    asked: &Asked<'_, T, P>,
    number: Slot,
) -> Result<Slot, CallError<E>> {
    let object = asked.child.table.named(number).map_err(because)?;
    object.attachable().map_err(because)?;
    Ok(asked.child.table.outward(number.0))
}

fn describe<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    number: Slot,
) -> Result<Description, CallError<LookupError>> {
    asked.child.up.pd().describe(dataspace(asked, number)?)
}

fn copy<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    dst: Slot,
    src: Slot,
    pages: CopyPages,
) -> Result<u32, CallError<CopyError>> {
    let (dst, src) = (dataspace(asked, dst)?, dataspace(asked, src)?);
    asked.child.up.pd().copy(dst, src, pages)
}

fn account<T: Transport + Copy, P: ?Sized>(
    asked: &Asked<'_, T, P>,
    pd: Slot,
) -> Result<Account, CallError<LookupError>> {
    asked.child.up.pd().account(asked.own(pd).map_err(because)?)
}

/// Only the number of a module, or of what a server has handed over, can be given up so.
fn remove<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    pd: Slot,
    slot: Slot,
) -> Result<(), CallError<InstallError>> {
    if pd != OWN {
        return Err(InstallError::Kind.into());
    }
    match asked.child.table.named(slot).map_err(because)? {
        Object::RomDataspace(_) | Object::SharedDataspace(_) => {
            drop(asked.child.table.take(slot.0));
            Ok(())
        }
        _ => Err(InstallError::Kind.into()),
    }
}

fn create_endpoint<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    account: Slot,
) -> Result<Slot, CallError<AllocateError>> {
    let pd = asked.own(account).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let made = Endpoint::create(asked.child.up, table.outward(number), pd, number)?;
    table.insert(number, Object::Endpoint(made));
    Ok(Slot(number))
}

fn create_notification<T: Transport + Copy, P: ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    account: Slot,
) -> Result<Slot, CallError<AllocateError>> {
    let pd = asked.own(account).map_err(because)?;
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let made = Notification::create(asked.child.up, table.outward(number), pd, number)?;
    table.insert(number, Object::Notification(made));
    Ok(Slot(number))
}
