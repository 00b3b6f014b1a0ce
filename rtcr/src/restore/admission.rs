//! What a restore takes, held against what the parent has: asked before the component is ended that makes room for it.

use core::fmt;

use base::{
    rpc::{CallError, Transport},
    session::{
        pd::{LookupError, OWN},
        rom,
    },
};

use crate::{
    checkpoint::Checkpoint,
    child::Child,
    information::{AccountInfo, Stage},
    object::{Info, ModuleName},
    start::Settings,
};

/// What a parent does not have that a restore needs. Nothing was touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A place with as many numbers as the checkpoint's.
    Slots {
        /// Of the checkpoint's.
        saved: u32,
        /// Of the new one.
        given: u32,
    },
    /// Bytes.
    Ram {
        /// That the new instance needs.
        needed: u32,
        /// That there are.
        available: u32,
    },
    /// Capabilities.
    Caps {
        /// That the new instance needs.
        needed: u32,
        /// That there are.
        available: u32,
    },
    /// A session of ROM for a module that the component has open, or that is its program.
    Module(ModuleName, CallError<rom::OpenError>),
    /// Its books.
    Account(CallError<LookupError>),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slots { saved, given } => write!(f, "there are {given} numbers for it, and it had {saved}"),
            Self::Ram { needed, available } => write!(f, "it needs {needed} bytes, and there are {available}"),
            Self::Caps { needed, available } => write!(f, "it needs {needed} capabilities, and there are {available}"),
            Self::Module(name, error) => write!(f, "the module {name} cannot be had: {error:?}"),
            Self::Account(error) => write!(f, "what there is is not told: {error:?}"),
        }
    }
}

impl core::error::Error for Lack {}

impl<T: Transport + Copy> Child<T> {
    /// Whether a checkpoint can be restored in this component's place, with what the component gives back when it ends, and so that
    /// `reserve` is left to the parent. `module` is the program that the new instance runs.
    ///
    /// What is found may change until then, if others have a share in it.
    ///
    /// # Errors
    /// What is missing; the component is untouched.
    pub fn makes_room(
        &self,
        saved: &Checkpoint,
        settings: &Settings<'_>,
        module: &str,
        reserve: AccountInfo,
    ) -> Result<(), Lack> {
        let information = saved.information();
        if information.stage == Stage::Running && information.slots != settings.slots {
            return Err(Lack::Slots { saved: information.slots, given: settings.slots });
        }
        let parent = self.up.pd().account(OWN).map_err(Lack::Account)?;
        let live = self.up.pd().account(self.pd.number).map_err(Lack::Account)?;
        let left = |quota: u32, used: u32, back: u32, reserve: u32| {
            quota.saturating_sub(used).saturating_add(back).saturating_sub(reserve)
        };
        let available = left(parent.ram, parent.ram_used, live.ram, reserve.ram);
        if information.account.ram > available {
            return Err(Lack::Ram { needed: information.account.ram, available });
        }
        let available = left(parent.caps, parent.caps_used, live.caps, reserve.caps);
        if information.account.caps > available {
            return Err(Lack::Caps { needed: information.account.caps, available });
        }
        let open = information.objects.iter().filter_map(|object| match &object.info {
            Info::RomDataspace(info) => Some(info.name.as_str()),
            _ => None,
        });
        for name in core::iter::once(module).chain(open) {
            if let Err(error) = self.up.rom().size(name) {
                return Err(Lack::Module(ModuleName::try_from(name).unwrap_or_default(), error));
            }
        }
        Ok(())
    }
}
