//! ROM: boot modules, whose pages are core's image. There are few, so they are searched one after the other.

use base::{
    rpc::Slot,
    session::rom::{OpenError, Rom},
};

use super::Call;
use crate::system::{Known, Module};

impl Call<'_> {
    fn module(&self, name: &str) -> Result<&Module, OpenError> {
        self.system.modules.iter().find(|module| module.name == name).ok_or(OpenError::Nothing)
    }
}

impl Rom for Call<'_> {
    fn open(&mut self, at: Slot, name: &str) -> Result<Slot, OpenError> {
        let dataspace = self.module(name)?.dataspace;
        let number = self.free_number(at)?;
        // The dataspace is everybody's: who opens it pays for knowing it.
        let paid = self.system.pay_entry(self.holder, number, Known::Dataspace(dataspace), false);
        paid.map(|()| number).map_err(|_| OpenError::Caps)
    }

    fn size(&mut self, name: &str) -> Result<u32, OpenError> {
        self.module(name).map(|module| module.size)
    }
}
