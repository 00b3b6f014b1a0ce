//! ROM: modules.

use base::{
    rpc::{Arguments, CallError, Decision, Slot, Transport},
    session::rom::{self, OpenError, call},
};

use super::{Asked, because};
use crate::{
    object::{Object, RomDataspace},
    surroundings::Surroundings,
};

#[base::interposer(forward(size))]
impl<T: Transport + Copy, P: Surroundings + ?Sized> rom::Interposer for Asked<'_, T, P> {
    fn open(&mut self, (at, name): Arguments<'_, call::Open>) -> Decision<call::Open> {
        open(self, at, name).into()
    }
}

fn open<T: Transport + Copy, P: Surroundings + ?Sized>(
    asked: &mut Asked<'_, T, P>,
    at: Slot,
    name: &str,
) -> Result<Slot, CallError<OpenError>> {
    let number = asked.place(at).map_err(because)?;
    let table = &mut asked.child.table;
    let mut made = RomDataspace::open(asked.child.up, table.outward(number), name)?;
    made.fingerprint = asked.surroundings.fingerprint(name, made.number());
    table.insert(number, Object::RomDataspace(made));
    Ok(Slot(number))
}
