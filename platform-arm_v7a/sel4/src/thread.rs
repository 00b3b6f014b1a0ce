//! Threads (manual, section 6.1) and their domains (section 6.3).

mod info;

use sel4_raw as raw;

pub use info::{ThreadInfo, ThreadState};

use crate::{
    CNode, Cap, CapData, DomainControl, Error, Frame, Notification, PageDirectory, Priority, Tcb, UserContext,
    message::{self, MessageInfo},
};

/// Where a thread runs and whom its faults go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// The endpoint for its faults: a number in the *thread's* capability space; 0 for none. The capability there needs
    /// the write and grant rights.
    pub fault_endpoint: u32,
    /// The root of its capability space.
    pub root: Cap<CNode>,
    /// A guard that the root gets; `CapData::None` leaves it as it is.
    pub root_data: CapData,
    /// Its address space.
    pub address_space: Cap<PageDirectory>,
}

/// A thread's message buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageBuffer {
    /// Its address in the thread's address space, a multiple of 512.
    pub address: u32,
    /// The frame that is mapped there.
    pub frame: Cap<Frame>,
}

/// What [`copy_registers`](Cap#method.copy_registers) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyRegisters {
    /// Suspend the source first.
    pub suspend_source: bool,
    /// Resume the destination afterwards.
    pub resume_destination: bool,
    /// Copy pc, sp, cpsr, r0, r1 and r8 to r12.
    pub frame: bool,
    /// Copy r2 to r7 and lr.
    pub integer: bool,
}

impl Cap<Tcb> {
    /// Sets all parameters of a thread at once; 1,606 ns. Without a message buffer the thread can only send and receive
    /// up to four words.
    ///
    /// Corresponds to `seL4_TCB_Configure` (manual, "TCB - Configure").
    ///
    /// # Errors
    /// `RangeError`: a priority above what the caller controls. `IllegalOperation`: a capability is not what it must be, or
    /// the thread's former space cannot be replaced. `InvalidCapability`, `AlignmentError`: the message buffer.
    ///
    /// # Safety
    /// If the thread runs Rust code: its address space is the one that the code is made for, and its message buffer is
    /// mapped there, readable and writable, and used for nothing else.
    #[inline]
    pub unsafe fn configure(
        self,
        space: Space,
        priority: Priority,
        buffer: Option<MessageBuffer>,
    ) -> Result<(), Error> {
        let (address, frame) = buffer.map_or((0, Cap::NULL), |buffer| (buffer.address, buffer.frame));
        // SAFETY: the thread has its message buffer; the caller vouches for the other thread.
        Error::check(unsafe {
            raw::seL4_TCB_Configure(
                self.number(),
                space.fault_endpoint,
                priority.raw(),
                space.root.number(),
                space.root_data.raw(),
                space.address_space.number(),
                CapData::None.raw(),
                address,
                frame.number(),
            )
        })
    }

    /// Moves the thread to other spaces; 1,700 ns. A call that the thread is in goes on.
    ///
    /// Corresponds to `seL4_TCB_SetSpace` (manual, "TCB - Set Space").
    ///
    /// # Errors
    /// `IllegalOperation`: a capability is not what it must be.
    ///
    /// # Safety
    /// If the thread runs Rust code: the new address space has everything where that code expects it, the message buffer
    /// included.
    #[inline]
    pub unsafe fn set_space(self, space: Space) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; the caller vouches for the other thread.
        Error::check(unsafe {
            raw::seL4_TCB_SetSpace(
                self.number(),
                space.fault_endpoint,
                space.root.number(),
                space.root_data.raw(),
                space.address_space.number(),
                CapData::None.raw(),
            )
        })
    }

    /// Gives the thread another message buffer, or none. It takes effect when the kernel next switches to the thread.
    ///
    /// Corresponds to `seL4_TCB_SetIPCBuffer` (manual, "TCB - Set IPC Buffer").
    ///
    /// # Errors
    /// `IllegalOperation`: no frame, or device memory. `AlignmentError`.
    ///
    /// # Safety
    /// If the thread runs Rust code: the buffer is mapped in its address space at this address, readable and writable, and
    /// used for nothing else.
    #[inline]
    pub unsafe fn set_message_buffer(self, buffer: Option<MessageBuffer>) -> Result<(), Error> {
        let (address, frame) = buffer.map_or((0, Cap::NULL), |buffer| (buffer.address, buffer.frame));
        // SAFETY: the thread has its message buffer; the caller vouches for the other thread.
        Error::check(unsafe { raw::seL4_TCB_SetIPCBuffer(self.number(), address, frame.number()) })
    }

    /// Sets the priority, at most what the caller controls.
    ///
    /// Corresponds to `seL4_TCB_SetPriority` (manual, "TCB - Set Priority").
    ///
    /// # Errors
    /// `RangeError`.
    #[inline]
    pub fn set_priority(self, priority: u8) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_TCB_SetPriority(self.number(), priority) })
    }

    /// Sets the highest priority that the thread may give, at most what the caller controls.
    ///
    /// Corresponds to `seL4_TCB_SetMCPriority` (manual, "TCB - Set Maximum Controlled Priority").
    ///
    /// # Errors
    /// `RangeError`.
    #[inline]
    pub fn set_controlled_priority(self, priority: u8) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_TCB_SetMCPriority(self.number(), priority) })
    }

    /// Lets the thread run: from its pc if it is new, else on. A thread that was suspended in a system call makes it anew.
    ///
    /// Corresponds to `seL4_TCB_Resume` (manual, "TCB - Resume").
    ///
    /// # Errors
    /// The slot holds something else.
    #[inline]
    pub fn resume(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer. A thread goes on where it was, or where its registers were set to.
        Error::check(unsafe { raw::seL4_TCB_Resume(self.number()) })
    }

    /// Stops the thread until it is resumed; 409 ns. A call that it waits in is cancelled: its answer, if one comes, goes
    /// nowhere, and resuming makes the call anew. To stop a thread without that, move it to another
    /// [domain](Cap#method.set).
    ///
    /// Corresponds to `seL4_TCB_Suspend` (manual, "TCB - Suspend").
    ///
    /// # Errors
    /// The slot holds something else.
    #[inline]
    pub fn suspend(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_TCB_Suspend(self.number()) })
    }

    /// The registers of the thread, which is not the caller; 609 ns. With `suspend` it is suspended first. What
    /// they mean in which state: [`registers`](crate::registers).
    ///
    /// Corresponds to `seL4_TCB_ReadRegisters` (manual, "TCB - Read Registers").
    ///
    /// # Errors
    /// `IllegalOperation`: the caller itself.
    #[inline]
    pub fn read_registers(self, suspend: bool) -> Result<UserContext, Error> {
        let mut registers = raw::seL4_UserContext::default();
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe {
            raw::seL4_TCB_ReadRegisters(self.number(), suspend, 0, UserContext::WORDS as u32, &mut registers)
        })?;
        let raw::seL4_UserContext { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, r14: lr } =
            registers;
        Ok(UserContext { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr })
    }

    /// [Reads the registers](Self::read_registers), and what the thread does, if the kernel tells; 651 ns.
    ///
    /// Corresponds to `seL4_TCB_ReadRegisters`, of which a kernel without this project's patch returns 17 words only.
    ///
    /// # Errors
    /// As [`read_registers`](Self::read_registers). `Foreign` also: the kernel tells a state that it does not have.
    pub fn read_registers_and_info(self, suspend: bool) -> Result<(UserContext, Option<ThreadInfo>), Error> {
        let info = MessageInfo::new(raw::TCBReadRegisters, 2);
        let words = [suspend.into(), UserContext::WORDS as u32, 0, 0];
        // SAFETY: the thread has its message buffer; memory is not touched. The message is laid out as in
        // `seL4_TCB_ReadRegisters`, which cannot be used since it drops the length of the answer.
        let (info, words) = unsafe { raw::invoke(self.number(), info.raw(), words) };
        let info = MessageInfo::from_word(info.words[0]);
        Error::check(info.label())?;

        const REST: usize = UserContext::WORDS - message::REGISTER_WORDS;
        let [pc, sp, cpsr, r0] = words;
        let rest = message::buffer().wrapping_add(message::REGISTER_WORDS);
        // SAFETY: the thread has its message buffer, which is longer than all registers.
        let [r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr] = unsafe { rest.cast::<[u32; REST]>().read() };
        let registers = UserContext { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, lr };
        match info.length() {
            UserContext::WORDS => Ok((registers, None)),
            ThreadInfo::LENGTH => {
                let behind = message::buffer().wrapping_add(UserContext::WORDS);
                // SAFETY: the thread has its message buffer, which is longer than `LENGTH`.
                let [thread, state, blocking_object, badge, caller] =
                    unsafe { behind.cast::<[u32; ThreadInfo::WORDS]>().read() };
                let state = ThreadState::new(state).ok_or(Error::Foreign)?;
                let caller = (caller != 0).then_some(caller);
                Ok((registers, Some(ThreadInfo { thread, state, blocking_object, badge, caller })))
            }
            _ => Err(Error::Foreign),
        }
    }

    /// Sets the registers of the thread, which is not the caller; 713 ns. With `resume` a call that it waits in is
    /// cancelled and it runs from the new pc; 954 ns. Without, an answer that comes later overwrites r0 to r5.
    ///
    /// Corresponds to `seL4_TCB_WriteRegisters` (manual, "TCB - Write Registers").
    ///
    /// # Errors
    /// `IllegalOperation`: the caller itself.
    ///
    /// # Safety
    /// If the thread runs Rust code: it can go on with these registers, on a stack that no other thread uses.
    #[inline]
    pub unsafe fn write_registers(self, resume: bool, registers: &UserContext) -> Result<(), Error> {
        let [pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, r14] = registers.to_words();
        let registers =
            raw::seL4_UserContext { pc, sp, cpsr, r0, r1, r8, r9, r10, r11, r12, r2, r3, r4, r5, r6, r7, r14 };
        // SAFETY: the thread has its message buffer; the caller vouches for the other thread.
        Error::check(unsafe {
            raw::seL4_TCB_WriteRegisters(self.number(), resume, 0, UserContext::WORDS as u32, &registers)
        })
    }

    /// Copies registers of `source` into this thread.
    ///
    /// Corresponds to `seL4_TCB_CopyRegisters` (manual, "TCB - Copy Registers").
    ///
    /// # Errors
    /// `InvalidCapability`: `source` is no thread.
    ///
    /// # Safety
    /// As [`write_registers`](Self::write_registers).
    #[inline]
    pub unsafe fn copy_registers(self, source: Cap<Tcb>, what: CopyRegisters) -> Result<(), Error> {
        let CopyRegisters { suspend_source, resume_destination, frame, integer } = what;
        // SAFETY: the thread has its message buffer; the caller vouches for the other thread.
        Error::check(unsafe {
            raw::seL4_TCB_CopyRegisters(
                self.number(),
                source.number(),
                suspend_source,
                resume_destination,
                frame,
                integer,
                0,
            )
        })
    }

    /// Lets the thread get the signals of `notification` when it receives from an endpoint. One of each at most.
    ///
    /// Corresponds to `seL4_TCB_BindNotification` (manual, "TCB - Bind Notification").
    ///
    /// # Errors
    /// `IllegalOperation`: one of the two is bound, somebody waits for the notification, or the right to read is missing.
    #[inline]
    pub fn bind_notification(self, notification: Cap<Notification>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_TCB_BindNotification(self.number(), notification.number()) })
    }

    /// Undoes [`bind_notification`](Self::bind_notification).
    ///
    /// Corresponds to `seL4_TCB_UnbindNotification` (manual, "TCB - Unbind Notification").
    ///
    /// # Errors
    /// `IllegalOperation`: none is bound.
    #[inline]
    pub fn unbind_notification(self) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_TCB_UnbindNotification(self.number()) })
    }
}

/// How many domains the kernel has.
pub const DOMAINS: u8 = raw::CONFIG_NUM_DOMAINS as u8;

impl Cap<DomainControl> {
    /// Moves a thread to a domain; 530 ns. The kernel's schedule visits only domain 0: in another a thread stands still
    /// exactly where it is, while answers and signals still reach it.
    ///
    /// Corresponds to `seL4_DomainSet_Set` (manual, "Domain Set - Set").
    ///
    /// # Errors
    /// `InvalidArgument`: no such domain, or no thread.
    #[inline]
    pub fn set(self, domain: u8, thread: Cap<Tcb>) -> Result<(), Error> {
        // SAFETY: the thread has its message buffer; memory is not touched.
        Error::check(unsafe { raw::seL4_DomainSet_Set(self.number(), domain, thread.number()) })
    }
}
