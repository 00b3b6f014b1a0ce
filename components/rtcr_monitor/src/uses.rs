//! What is in use: here, and of everything that core counts, if the scenario lets this component see that. Told where nothing of
//! it should have changed, so that whoever reads it sees what was lost.

use alloc::{string::String, vec::Vec};
use core::{fmt::Write, time::Duration};

use base::{
    Env,
    client::Session,
    session::{
        census::{self, KINDS},
        pd::OWN,
    },
};

use crate::stands::say;

/// Those of the child come and go, and so do the monitor's own.
const TIMEOUT: &str = "timeout";

/// Who tells.
pub struct Uses {
    env: Env,
    census: Option<Session<census::Client>>,
    /// Also what has not grown.
    all: bool,
    /// How often it was looked at.
    times: u32,
    /// The most of everything so far.
    most: Vec<u32>,
    /// What was told last.
    last: String,
}

impl Uses {
    /// For a component that may open CENSUS, or may not. What is in use is told when there is more of anything than there
    /// ever was, or each time.
    pub fn new(env: Env, all: bool) -> Self {
        // What the first sleep of a thread takes stays.
        let _ = env.sleep(Duration::from_micros(1));
        Self { env, census: env.open("census", b"").ok(), all, times: 0, most: Vec::new(), last: String::new() }
    }

    /// Where the kernel is made to refuse something.
    pub const fn census(&self) -> Option<&Session<census::Client>> {
        self.census.as_ref()
    }

    /// Tells what is in use now.
    pub fn tell(&mut self, name: &str) {
        self.times += 1;
        let (mut text, mut all) = (String::new(), Vec::new());
        if let Ok(account) = self.env.pd().account(OWN) {
            all.extend([account.ram_used, account.caps_used]);
            // Into a string, which never fails.
            let _ = write!(text, "{} bytes and {} capabilities", account.ram_used, account.caps_used);
        }
        let counts = self.census.as_ref().and_then(|census| census.count().ok());
        for (count, kind) in counts.iter().flat_map(|counts| counts.kinds.iter().zip(KINDS)) {
            if kind.name != TIMEOUT {
                all.push(count.used);
                let _ = if count.used > 0 { write!(text, ", {}: {}", kind.name, count.used) } else { Ok(()) };
            }
        }
        self.most.resize(all.len(), 0);
        let mut has_grown = false;
        for (most, now) in self.most.iter_mut().zip(all) {
            has_grown |= now > *most;
            *most = now.max(*most);
        }
        if self.all && text == self.last {
            say(format_args!("{name}: in use, {}: as before", self.times));
        } else if self.all || has_grown {
            say(format_args!("{name}: in use, {}: {text}", self.times));
            self.last = text;
        }
    }

    /// How often it was looked at.
    pub fn tell_times(&self, name: &str) {
        say(format_args!("{name}: looked {} times at what is in use", self.times));
    }
}
