//! Threads come, and get the checkpoint's registers.

use alloc::vec::Vec;

use base::rpc::Transport;

use super::{RestoreError, difference::Difference};
use crate::object::{Info, Object, Thread};

impl<T: Transport + Copy> Difference<'_, T> {
    /// Makes the threads that are missing. The protection domain is frozen, so they do not run.
    pub fn make_threads(&mut self) -> Result<(), RestoreError> {
        for object in &self.saved.objects {
            let (Info::Thread(info), false) = (&object.info, self.is_kept(object.number)) else { continue };
            // Of an address space that is gone, or will be in a moment, there is no thread.
            let map = info.map.ok_or(RestoreError::Broken { number: object.number })?;
            let (up, pd, table) = (self.child.up, self.child.pd.number, &self.child.table);
            let (space, at) = ((self.link(map)?, table.outward(map)), table.outward(object.number));
            let made = Thread::create(up, at, pd, space, (info.priority, info.buffer), &info.name);
            self.child.table.insert(object.number, Object::Thread(made.map_err(RestoreError::Thread)?));
        }
        Ok(())
    }

    /// Every thread gets what it had; tells how many were started.
    ///
    /// Registers are written so that a call which the thread is in is given up: at the barrier it is in one, whose
    /// answer would overwrite the registers.
    pub fn write_threads(&mut self) -> Result<u32, RestoreError> {
        let mut started = 0;
        for object in &self.saved.objects {
            let Info::Thread(info) = &object.info else { continue };
            let bound = match info.bound {
                Some(bell) => Some((self.link(bell)?, self.child.table.outward(bell))),
                None => None,
            };
            let cpu = self.child.up.cpu();
            let Some(Object::Thread(thread)) = self.child.table.get_mut(object.number) else {
                return Err(RestoreError::Broken { number: object.number });
            };
            let number = thread.number();
            if let (Some((link, bell)), None) = (bound, thread.bound) {
                cpu.bind(number, bell).map_err(RestoreError::State)?;
                thread.bound = Some(link);
            }
            if thread.priority != info.priority {
                cpu.prioritize(number, info.priority).map_err(RestoreError::State)?;
                thread.priority = info.priority;
            }
            if info.started {
                cpu.write(number, info.registers, true).map_err(RestoreError::State)?;
                thread.started = true;
                started += 1;
            }
            while thread.paused < info.paused {
                cpu.pause(number).map_err(RestoreError::State)?;
                thread.paused += 1;
            }
            while thread.paused > info.paused {
                cpu.resume(number).map_err(RestoreError::State)?;
                thread.paused -= 1;
            }
        }
        Ok(started)
    }
    /// Threads wait for each other's answers again: those that have their registers are linked, and each that owes an
    /// answer gets its own registers once more. That does not end what it owes.
    ///
    /// Who owes an answer can wait for one itself: it is linked to who waits for it before, since afterwards it stands in
    /// a call. Looks at each pair for each, and there are 64 threads at most.
    pub fn link_threads(&mut self) -> Result<(), RestoreError> {
        let objects = self.saved.objects.iter();
        let mut left: Vec<_> = objects
            .filter_map(|object| match &object.info {
                Info::Thread(info) => Some((object.number, info, info.owes?)),
                _ => None,
            })
            .collect();
        while let Some(&(number, ..)) = left.first() {
            // In a circle everybody waits for ever, so nobody has called: no component was like that.
            let next = left.iter().position(|&(.., client)| left.iter().all(|&(server, ..)| server != client));
            let (server, info, client) = left.swap_remove(next.ok_or(RestoreError::Broken { number })?);
            let (cpu, table) = (self.child.up.cpu(), &self.child.table);
            let server = table.outward(server);
            cpu.link(server, table.outward(client)).map_err(RestoreError::Link)?;
            cpu.write(server, info.registers, true).map_err(RestoreError::State)?;
        }
        Ok(())
    }
}
