//! Programs that this one starts, and ends again: always exactly those, by their own process group.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::interrupt;

/// A running program in a process group of its own. It is killed when this is dropped, and on Ctrl-C.
#[derive(Debug)]
pub struct Process {
    child: Arc<Mutex<Child>>,
    _cleanup: interrupt::Registration,
}

impl Process {
    /// Starts `command`. Its pipes are taken out with `pipes` before anything can wait for it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start<T>(command: &mut Command, pipes: impl FnOnce(&mut Child) -> T) -> io::Result<(Self, T)> {
        let mut child = command.process_group(0).spawn()?;
        let taken = pipes(&mut child);
        let child = Arc::new(Mutex::new(child));
        let other = child.clone();
        let cleanup = interrupt::on_interrupt(move || kill(&mut lock(&other)));
        Ok((Self { child, _cleanup: cleanup }, taken))
    }

    /// Its exit status, if it has ended.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn poll(&self) -> io::Result<Option<ExitStatus>> {
        lock(&self.child).try_wait()
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.wait_for(Duration::from_secs(3600))? {
                return Ok(status);
            }
        }
    }

    /// Waits until it ends, but not longer than that.
    ///
    /// # Errors
    /// As of the operating system.
    pub fn wait_for(&self, longest: Duration) -> io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        // The lock is not held meanwhile: the handler of Ctrl-C needs it.
        let mut pause = Duration::from_millis(1);
        loop {
            let status = self.poll()?;
            if status.is_some() || begun.elapsed() > longest {
                return Ok(status);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// Ends it and what it has started.
    pub fn kill(&self) {
        kill(&mut lock(&self.child));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills the group of a child that has not been waited for, and waits for it: until then its number is its own.
fn kill(child: &mut Child) {
    if let Ok(None) = child.try_wait() {
        if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
}

/// A command that dies with this process even if that is killed outright, where the system has `setpriv` for it.
pub fn mortal(program: &OsStr) -> Command {
    // A program that is not there has to be missed here: setpriv would only exit.
    let there = Path::new(program).is_file() || program.to_str().is_some_and(|name| find_program(name).is_some());
    match find_program("setpriv").filter(|_| there) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Where a program lies, by PATH.
fn find_program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, process::Stdio};

    #[test]
    fn what_was_started_is_ended_with_its_children() {
        let mut command = mortal(OsStr::new("sh"));
        command.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let (process, mut stdout) = Process::start(&mut command, |child| child.stdout.take().unwrap()).unwrap();
        let mut first = [0; 1];
        stdout.read_exact(&mut first).unwrap();
        assert!(process.poll().unwrap().is_none());
        let started = Instant::now();
        drop(process);
        // The pipe ends only when the sleeping grandchild is gone too.
        stdout.read_to_end(&mut Vec::new()).unwrap();
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn an_exit_status_is_told() {
        let (process, ()) = Process::start(Command::new("sh").args(["-c", "exit 3"]), |_| ()).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(3));
        let (process, ()) = Process::start(Command::new("sh").args(["-c", "sleep 60"]), |_| ()).unwrap();
        assert_eq!(process.wait_for(Duration::from_millis(10)).unwrap(), None);
    }
}
