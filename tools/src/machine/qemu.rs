//! How QEMU is called.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::{Command, Stdio},
};

use crate::process;

/// Names another QEMU than the one on the path.
pub const OVERRIDE: &str = "RTCR_QEMU";

/// The QEMU to use.
pub fn program() -> OsString {
    env::var_os(OVERRIDE).filter(|program| !program.is_empty()).unwrap_or_else(|| "qemu-system-arm".into())
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

/// Files of one run, in a folder of its own.
#[derive(Clone, Copy, Debug)]
pub struct Sockets<'a> {
    /// UART1.
    pub control: &'a Path,
    /// The monitor.
    pub monitor: &'a Path,
    /// Where a debugger will connect; the machine waits for it.
    pub gdb: Option<&'a Path>,
}

/// The sabrelite board with its first serial line (UART1) on the control socket and its second (UART2) on standard input
/// and output. QEMU connects to the control and monitor sockets, so they must be listened on before.
pub fn command(program: &OsStr, image: &Path, clock: Clock, sockets: Sockets<'_>) -> Command {
    let socket = |id: &str, path: &Path, more: &str| {
        let mut option = OsString::from(format!("socket,id={id},path="));
        // A comma separates options; two stand for one.
        option.push(path.display().to_string().replace(',', ",,"));
        option.push(more);
        option
    };
    let mut command = process::mortal(program);
    command.args(["-M", "sabrelite", "-m", "1G", "-nodefaults", "-display", "none"]);
    if clock == Clock::Instructions {
        command.args(["-icount", "shift=0,sleep=off"]);
    }
    command.arg("-chardev").arg(socket("control", sockets.control, ""));
    // Signals are not QEMU's business: it is ended from here.
    command.args(["-chardev", "stdio,id=console,signal=off"]);
    command.args(["-serial", "chardev:control", "-serial", "chardev:console"]);
    command.arg("-chardev").arg(socket("monitor", sockets.monitor, ""));
    command.args(["-mon", "chardev=monitor,mode=control"]);
    if let Some(path) = sockets.gdb {
        command.arg("-chardev").arg(socket("gdb", path, ",server=on,wait=off"));
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
        let sockets = Sockets { control: Path::new("/t/a,b"), monitor: Path::new("/t/m"), gdb: None };
        let command = command(OsStr::new("qemu"), Path::new("/t/image"), Clock::Instructions, sockets);
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
        let text = arguments.join(" ");
        assert!(text.contains("-serial chardev:control -serial chardev:console"), "{text}");
        assert!(text.contains("path=/t/a,,b"), "{text}");
        assert!(text.contains("-icount shift=0,sleep=off") && !text.contains("-gdb"), "{text}");
    }
}
