//! Where the crate `log` prints.

use core::fmt::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::Env;
use crate::session;

/// Backend of the crate `log`: a line per message, in the LOG session.
///
/// [`Level::Info`] is what a component has to say, and stands alone; other levels stand before their message, with the place
/// in the source: `[WARN] components/hello/src/lib.rs:9 message`.
#[derive(Clone, Copy)]
pub struct Logger {
    env: Env,
}

impl Logger {
    /// Prints through `env`.
    pub const fn new(env: Env) -> Self {
        Self { env }
    }

    /// Makes it the backend of this component's `log` macros, once.
    pub fn install(&'static self) {
        // Only the first counts, which is what "once" asks for.
        if log::set_logger(self).is_ok() {
            log::set_max_level(LevelFilter::Info);
        }
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let client = self.env.log();
        let mut writer = session::log::Writer::new(&client);
        // The writer never fails; a message's own Display may, and then the line ends there.
        let _ = match record.level() {
            Level::Info => write!(writer, "{}", record.args()),
            level => {
                let (file, line) = (record.file().unwrap_or("?"), record.line().unwrap_or(0));
                write!(writer, "[{level}] {file}:{line} {}", record.args())
            }
        };
        let _ = writer.write_str("\n");
    }

    fn flush(&self) {}
}
