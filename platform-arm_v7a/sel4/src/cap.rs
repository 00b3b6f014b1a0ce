//! Capabilities by number, typed by what they are taken for.

use core::{fmt, hash, marker::PhantomData};

/// The number of a slot in the calling thread's capability space, and what the program takes its content for.
///
/// Stands for `seL4_CPtr` and the types that C derives from it (manual, chapter 3). It owns nothing: copying it copies the
/// number, dropping it leaves the capability where it is. The number is resolved anew at each call.
pub struct Cap<T> {
    number: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Cap<T> {
    /// Slot 0, which every capability space leaves empty (manual, section 9.1): no capability.
    pub const NULL: Self = Self::new(0);

    /// What lies in slot `number`, taken for a `T`. The kernel finds out at each call whether it is one.
    pub const fn new(number: u32) -> Self {
        Self { number, kind: PhantomData }
    }

    /// The number of the slot.
    pub const fn number(self) -> u32 {
        self.number
    }

    /// The same slot, taken for something else.
    pub const fn cast<U>(self) -> Cap<U> {
        Cap::new(self.number)
    }
}

impl<T> Clone for Cap<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Cap<T> {}

impl<T> PartialEq for Cap<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Cap<T> {}

impl<T> hash::Hash for Cap<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.number.hash(state);
    }
}

impl<T: Kind> fmt::Debug for Cap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", T::NAME, self.number)
    }
}

/// What a capability can be taken for.
pub trait Kind {
    /// Its name, for people.
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {}

        impl Kind for $name {
            const NAME: &'static str = stringify!($name);
        }
    )* };
}

kinds! {
    /// Memory of which objects are made (`seL4_Untyped`; manual, section 2.4).
    Untyped
    /// Slots for capabilities (`seL4_CNode`; manual, section 3.1).
    CNode
    /// A thread (`seL4_TCB`; manual, section 6.1).
    Tcb
    /// Where messages are handed over (manual, section 4.2).
    Endpoint
    /// A word of flags to wait for (manual, chapter 5).
    Notification
    /// The authority to answer one call (manual, section 2.2; made by [`Slot::save_caller`](crate::Slot::save_caller)).
    Reply
    /// An address space (`seL4_ARM_PageDirectory`; manual, section 7.1).
    PageDirectory
    /// The part of an address space that covers 1 MiB with small and large pages (`seL4_ARM_PageTable`).
    PageTable
    /// Memory that can be mapped, of any [`FrameSize`](crate::FrameSize) (`seL4_ARM_Page`).
    Frame
    /// The authority to make [`AsidPool`]s (`seL4_ARM_ASIDControl`).
    AsidControl
    /// Numbers for up to 1024 address spaces, without one of which nothing can be mapped (`seL4_ARM_ASIDPool`).
    AsidPool
    /// The authority over all interrupts (`seL4_IRQControl`; manual, section 8.1).
    IrqControl
    /// The authority over one interrupt (`seL4_IRQHandler`).
    IrqHandler
    /// The authority over the domains of threads (`seL4_DomainSet`; manual, section 6.3).
    DomainControl
}
