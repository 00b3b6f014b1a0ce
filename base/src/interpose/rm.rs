//! RM of a child.

use super::Ward;
use crate::{
    rpc::{Arguments, Decision, Transport},
    session::rm::{self, AttachError, CreateError, DetachError, call},
};

#[crate::interposer()]
impl<T: Transport + Copy> rm::Interposer for Ward<T> {
    fn create(&mut self, (at, account, size): Arguments<'_, call::Create>) -> Decision<call::Create> {
        let Some(account) = self.out(account) else { return Decision::Answer(Err(CreateError::Nothing.into())) };
        self.make(at, |ward, outside| ward.rm().create(outside, account, size).map(|_| ())).into()
    }

    fn create_space(&mut self, (at, pd): Arguments<'_, call::CreateSpace>) -> Decision<call::CreateSpace> {
        let Some(pd) = self.out(pd) else { return Decision::Answer(Err(CreateError::Nothing.into())) };
        self.make(at, |ward, outside| ward.rm().create_space(outside, pd).map(|_| ())).into()
    }

    fn attach(&mut self, (map, dataspace, placement): Arguments<'_, call::Attach>) -> Decision<call::Attach> {
        let (Some(map), Some(dataspace)) = (self.out(map), self.out(dataspace)) else {
            return Decision::Answer(Err(AttachError::Nothing.into()));
        };
        self.rm().attach(map, dataspace, placement).into()
    }

    /// None: they are asked for one by one.
    fn several(&mut self, _: Arguments<'_, call::Several>) -> Decision<call::Several> {
        Decision::Answer(Ok(0))
    }

    fn map(&mut self, (map, address): Arguments<'_, call::Map>) -> Decision<call::Map> {
        let Some(map) = self.out(map) else { return Decision::Answer(Err(AttachError::Nothing.into())) };
        self.rm().map(map, address).into()
    }

    fn detach(&mut self, (map, address): Arguments<'_, call::Detach>) -> Decision<call::Detach> {
        let Some(map) = self.out(map) else { return Decision::Answer(Err(DetachError::Nothing.into())) };
        self.rm().detach(map, address).into()
    }

    fn handle_faults(&mut self, (map, context): Arguments<'_, call::HandleFaults>) -> Decision<call::HandleFaults> {
        let (Some(map), Some(context)) = (self.out(map), self.out_or_none(context)) else {
            return Decision::Answer(Err(DetachError::Nothing.into()));
        };
        self.rm().handle_faults(map, context).into()
    }

    fn fault(&mut self, (map,): Arguments<'_, call::Fault>) -> Decision<call::Fault> {
        let Some(map) = self.out(map) else { return Decision::Answer(Err(DetachError::Nothing.into())) };
        self.rm().fault(map).into()
    }
}
