//! How QEMU is called.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::{Command, Stdio},
};

use crate::{process, setup};

/// Names another QEMU than the one on the path, or the private copy.
pub const OVERRIDE: &str = "RTCR_QEMU";

/// The QEMU to use: the one that is named, the one on the path, or the private copy that set-up has made. A private copy
/// is a script, which sets what it takes for itself only and then becomes QEMU.
pub fn program() -> OsString {
    let named = env::var_os(OVERRIDE).filter(|program| !program.is_empty());
    let there = || setup::emulator().map(Into::into);
    named.or_else(there).unwrap_or_else(|| "qemu-system-arm".into())
}

/// Whether another QEMU is named.
pub fn is_overridden() -> bool {
    env::var_os(OVERRIDE).is_some_and(|program| !program.is_empty())
}

/// What QEMU says about its version.
///
/// # Errors
/// It cannot be started.
pub fn version(program: &OsStr) -> io::Result<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned())
}

/// Where virtual time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// One nanosecond per instruction, idle time skipped: equal runs are equal to the last byte.
    #[default]
    Instructions,
    /// The host's clock.
    Real,
}

/// A file that tells everything that came to a machine from outside, so that the run can be repeated exactly.
#[derive(Clone, Copy, Debug)]
pub enum Log<'a> {
    /// To be written; it is whole only when QEMU was asked to quit.
    Record(&'a Path),
    /// To be followed.
    Replay(&'a Path),
}

/// How a debugger comes to a machine, which does not begin without it.
#[derive(Clone, Copy, Debug)]
pub enum Gdb<'a> {
    /// It will connect to this socket.
    Awaited(&'a Path),
    /// It listens on this socket.
    Listening(&'a Path),
}

/// Files of one run, in a folder of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sockets<'a> {
    /// UART1.
    pub control: &'a Path,
    /// The monitor.
    pub monitor: &'a Path,
    /// The debugger, if there is one.
    pub gdb: Option<Gdb<'a>>,
    /// The RAM, of [`RAM`] bytes, if it is to outlive the machine. Not with a log: that begins with the RAM as it was.
    pub memory: Option<&'a Path>,
    /// The Ethernet's cable, if one is plugged in.
    pub cable: Option<Cable<'a>>,
}

/// Two sockets that carry a frame in each datagram. The other end is to be there first.
#[derive(Clone, Copy, Debug)]
pub struct Cable<'a> {
    /// The board's end, which QEMU makes.
    pub board: &'a Path,
    /// Where it sends to.
    pub other: &'a Path,
}

/// Bytes of RAM.
pub const RAM: u64 = 1 << 30;

/// The sabrelite board with its first serial line (UART1) on the control socket and its second (UART2) on standard input
/// and output. QEMU connects to the control and monitor sockets, so they must be listened on before.
///
/// A log needs [`Clock::Instructions`], and is left out without.
pub fn command(program: &OsStr, image: &Path, clock: Clock, sockets: Sockets<'_>, log: Option<Log<'_>>) -> Command {
    // A comma separates options; two stand for one.
    let escaped = |path: &Path| path.display().to_string().replace(',', ",,");
    let socket = |id: &str, path: &Path, more: &str| format!("socket,id={id},path={}{more}", escaped(path));
    let mut command = process::mortal(program);
    let machine = if sockets.memory.is_some() { "sabrelite,memory-backend=ram" } else { "sabrelite" };
    command.args(["-M", machine, "-m", "1G", "-nodefaults", "-display", "none"]);
    if let Some(file) = sockets.memory {
        let backend = format!("memory-backend-file,id=ram,size={RAM},mem-path={},share=on", escaped(file));
        command.arg("-object").arg(backend);
    }
    if clock == Clock::Instructions {
        let log = match log {
            None => String::new(),
            Some(Log::Record(file)) => format!(",rr=record,rrfile={}", escaped(file)),
            Some(Log::Replay(file)) => format!(",rr=replay,rrfile={}", escaped(file)),
        };
        command.arg("-icount").arg(format!("shift=0,sleep=off{log}"));
    }
    if let Some(Cable { board, other }) = sockets.cable {
        let (board, other) = (escaped(board), escaped(other));
        let ends = format!("local.type=unix,local.path={board},remote.type=unix,remote.path={other}");
        command.arg("-netdev").arg(format!("dgram,id=cable,{ends}"));
        command.args(["-net", "nic,model=imx.enet,netdev=cable"]);
    }
    command.arg("-chardev").arg(socket("control", sockets.control, ""));
    // Signals are not QEMU's business: it is ended from here.
    command.args(["-chardev", "stdio,id=console,signal=off"]);
    command.args(["-serial", "chardev:control", "-serial", "chardev:console"]);
    command.arg("-chardev").arg(socket("monitor", sockets.monitor, ""));
    command.args(["-mon", "chardev=monitor,mode=control"]);
    if let Some(gdb) = sockets.gdb {
        command.arg("-chardev").arg(match gdb {
            Gdb::Awaited(path) => socket("gdb", path, ",server=on,wait=off"),
            Gdb::Listening(path) => socket("gdb", path, ""),
        });
        command.args(["-gdb", "chardev:gdb", "-S"]);
    }
    command.arg("-kernel").arg(image);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_line_is_the_first_serial_line() {
        let (control, monitor) = (Path::new("/t/a,b"), Path::new("/t/m"));
        let cable = Some(Cable { board: Path::new("/t/b"), other: Path::new("/t/o,o") });
        let sockets = Sockets { control, monitor, gdb: None, memory: None, cable };
        let text = |log| {
            let command = command(OsStr::new("qemu"), Path::new("/t/image"), Clock::Instructions, sockets, log);
            let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
            arguments.join(" ")
        };
        let replay = text(Some(Log::Replay(Path::new("/t/r,r"))));
        assert!(replay.contains("-icount shift=0,sleep=off,rr=replay,rrfile=/t/r,,r -"), "{replay}");
        let text = text(None);
        assert!(text.contains("-serial chardev:control -serial chardev:console"), "{text}");
        assert!(text.contains("path=/t/a,,b"), "{text}");
        assert!(text.contains("local.path=/t/b,remote.type=unix,remote.path=/t/o,,o -net nic"), "{text}");
        assert!(text.contains("-icount shift=0,sleep=off -") && !text.contains("-gdb"), "{text}");
    }
}
