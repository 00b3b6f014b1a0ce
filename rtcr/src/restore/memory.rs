//! All memory gets the checkpoint's content, once.

use base::{rpc::Transport, session::pd::PAGE};

use super::{RestoreError, difference::Difference};
use crate::{
    object::{Info, Object},
    surroundings::{Edge, Scope, Surroundings},
    upstream::Copies,
};

impl<T: Transport + Copy> Difference<'_, T> {
    /// Copies every page of every dataspace from the storage; of a stack those from its pointer's page to its top.
    /// Tells how many pages of other memory that were, and how many bytes of stacks.
    pub fn copy_memory<P: Surroundings + ?Sized>(&mut self, surroundings: &mut P) -> Result<(u32, u32), RestoreError> {
        let (mut pages, mut bytes) = (0, 0);
        let storage = self.checkpoint.pages();
        let mut copies = Copies::new(self.child.up);
        for object in &self.saved.objects {
            let Info::RamDataspace(info) = &object.info else { continue };
            if info.stack {
                surroundings.scope(Scope::Repair, Edge::Begin);
            }
            let Some(Object::RamDataspace(live)) = self.child.table.get_mut(object.number) else {
                return Err(RestoreError::Broken { number: object.number });
            };
            live.populate(info.pages).map_err(RestoreError::Allocate)?;
            let saved = (storage.dataspace, storage.first + info.stored + info.skipped);
            let live = (live.number(), info.skipped);
            match info.stack {
                // It has a scope of its own.
                true => self.child.up.copy(live, saved, info.saved()),
                false => copies.copy(live, saved, info.saved()),
            }
            .map_err(RestoreError::Copy)?;
            match info.stack {
                true => {
                    surroundings.scope(Scope::Repair, Edge::End);
                    bytes += info.saved() * PAGE;
                }
                false => pages += info.saved(),
            }
        }
        copies.finish().map_err(RestoreError::Copy)?;
        Ok((pages, bytes))
    }
}
