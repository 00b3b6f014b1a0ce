//! PARENT: served by whoever embeds the library.
//!
//! Sessions of siblings would begin here: `open` would make one of ours, with a relay that keeps a book of the calls that
//! are on their way, and put it into the table.

use base::{
    rpc::{Call, CallError, Request, Transport},
    session::{
        parent::call,
        pd::{OWN, TransferError},
    },
};

use crate::child::Child;

/// A request for PARENT that was done before is done again for a new instance, as far as the instance needs it: it gets
/// the quota that it was given.
pub(crate) fn again<T: Transport + Copy>(
    child: &Child<T>,
    request: &Request<'_>,
) -> Result<(), CallError<TransferError>> {
    if request.label.selector() == call::Request::SELECTOR
        && let Some((ram, caps)) = <call::Request as Call>::decode(&request.body)
    {
        child.up.pd().transfer(OWN, child.pd.number, ram, caps)?;
    }
    Ok(())
}
