//! Interrupts, which raise signals.
//!
//! Each number that was ever asked for has a line: a bit of the badge with which core's notification is signalled. The
//! kernel gives out one capability for each number; it is kept when a session ends, for the next.

use alloc::vec::Vec;

use sel4::{Badge, Cap, IrqHandler, Notification, Rights, boot};

use wire::trace::Event;

use super::{CORE, Context, Id, System};
use crate::resources::Resources;

/// Badge of the timer's interrupt, which is core's own.
pub const TIMER: Badge = Badge::new(1).unwrap();
/// Most numbers besides: a badge has 28 bits.
pub const MAX_LINES: usize = 27;

/// An interrupt that a session is about.
pub struct Irq {
    line: usize,
    context: Option<Id<Context>>,
}

/// The lines.
pub struct Lines {
    /// What is bound to core's thread, without a badge.
    notification: Cap<Notification>,
    lines: Vec<Line>,
}

struct Line {
    number: u16,
    handler: Cap<IrqHandler>,
    holder: Option<Id<Irq>>,
}

/// Why there is no session for an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IrqError {
    /// Somebody has it.
    Held,
    /// There is no such interrupt, or too many numbers are in use.
    Number,
}

impl Lines {
    /// None; `notification` is bound to core's thread.
    pub const fn new(notification: Cap<Notification>) -> Self {
        Self { notification, lines: Vec::new() }
    }

    /// Has an interrupt signalled with that badge. Two empty slots are needed for it, which stay empty if it fails.
    ///
    /// # Errors
    /// There is no such interrupt, or somebody has it.
    pub fn connect(&self, slots: [u32; 2], number: u16, badge: Badge) -> Result<Cap<IrqHandler>, sel4::Error> {
        let (handler, badged) = (Cap::<IrqHandler>::new(slots[0]), Cap::<Notification>::new(slots[1]));
        boot::IRQ_CONTROL.get(number, handler.slot(boot::CNODE))?;
        self.notification.slot(boot::CNODE).mint_to(badged.slot(boot::CNODE), Rights::ALL, badge.into())?;
        handler.set_notification(badged)?;
        Ok(handler)
    }

    /// The line of a number, connected if it is new.
    fn line(&mut self, resources: &mut Resources, number: u16) -> Result<usize, IrqError> {
        if let Some(line) = self.lines.iter().position(|line| line.number == number) {
            return Ok(line);
        }
        let line = self.lines.len();
        let badge = Badge::new(TIMER.number() << (line + 1)).filter(|_| line < MAX_LINES).ok_or(IrqError::Number)?;
        let (Ok(handler), Ok(badged)) = (resources.take_slot(), resources.take_slot()) else {
            return Err(IrqError::Number);
        };
        let handler = self.connect([handler, badged], number, badge).map_err(|_| {
            // The kernel knows all numbers up to some, and each is asked for once: it is the first step that fails.
            [handler, badged].into_iter().for_each(|slot| resources.give_slot(slot));
            IrqError::Number
        })?;
        self.lines.push(Line { number, handler, holder: None });
        Ok(line)
    }
}

impl System {
    /// An interrupt for one holder. It is off until it is acknowledged, which [`handle_irq`](Self::handle_irq) does.
    ///
    /// # Errors
    /// See [`IrqError`].
    pub fn open_irq(&mut self, number: u16) -> Result<Id<Irq>, IrqError> {
        let line = self.lines.line(&mut self.resources, number)?;
        if self.lines.lines[line].holder.is_some() {
            return Err(IrqError::Held);
        }
        let id = self.irqs.insert(Irq { line, context: None }).ok_or(IrqError::Number)?;
        self.lines.lines[line].holder = Some(id);
        Ok(id)
    }

    /// The interrupt raises that signal from now on.
    pub fn handle_irq(&mut self, id: Id<Irq>, context: Id<Context>) {
        let Some(irq) = self.irqs.get_mut(id) else { return };
        if irq.context.replace(context).is_none() {
            self.acknowledge_irq(id);
        }
    }

    /// The interrupt may come again.
    pub fn acknowledge_irq(&mut self, id: Id<Irq>) {
        if let Some(irq) = self.irqs.get(id) {
            // The handler is core's own, so this cannot fail.
            let _ = self.lines.lines[irq.line].handler.acknowledge();
        }
    }

    /// Another may have the interrupt. It stays masked if it has come, and comes at most once more if it has not.
    pub fn close_irq(&mut self, id: Id<Irq>) {
        if let Some(irq) = self.irqs.remove(id) {
            self.lines.lines[irq.line].holder = None;
        }
    }

    /// Core's notification was signalled with that badge: raises what is about interrupts of others than the timer.
    pub fn interrupted(&mut self, badge: Badge) {
        self.trace(CORE, Event::Interrupt { lines: badge.number() });
        let mut bits = badge.number() & !TIMER.number();
        while bits != 0 {
            let line = bits.trailing_zeros() as usize - 1;
            bits &= bits - 1;
            let holder = self.lines.lines.get(line).and_then(|line| line.holder);
            if let Some(context) = holder.and_then(|id| self.irqs.get(id)).and_then(|irq| irq.context) {
                self.raise(context, 1);
            }
        }
    }
}
