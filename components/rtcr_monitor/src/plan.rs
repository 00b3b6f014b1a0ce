//! What the scenario wants to happen to the children.

use base::Env;
use core::{fmt, str::FromStr, time::Duration};
use rtcr::information::AccountInfo;

/// When children are checkpointed, and what becomes of them then.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often a child is looked at, whether it could be checkpointed; nothing else is done to it then.
    pub checks: u32,
    /// How many checkpoints are taken, each of the instance that the one before was restored to.
    pub checkpoints: u32,
    /// From a child's start to its first checkpoint.
    pub after: Duration,
    /// From a restore to the next checkpoint.
    pub every: Duration,
    /// How long an instance runs on after its checkpoint, before it is ended.
    pub run_on: Duration,
    /// How often a child is looked at again that is busy: it serves a call, or is in one that changes hands.
    pub busy_tries: u32,
    /// From one time to the next.
    pub busy_every: Duration,
    /// How children are restored.
    pub way: Way,
    /// How often a restore is tried.
    pub tries: u32,
    /// From one try to the next.
    pub try_every: Duration,
    /// How long a new instance may take to its barrier.
    pub boot_limit: Duration,
    /// Quota that a restore leaves to this component.
    pub reserve: AccountInfo,
    /// The first request of a checkpoint, of a restore that is refused, to try out what happens then; 0 for none. One
    /// later in each further checkpoint or restore.
    pub refused: (u32, u32),
    /// In how many tries of one restore a request is refused.
    pub refusals: u32,
    /// Whether each checkpoint tells how every thread stood.
    pub threads: bool,
    /// What is told.
    pub level: log::LevelFilter,
}

/// How a child is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A new instance boots itself, and is answered from the journal.
    Replay,
    /// No instruction of the new instance runs before it goes on.
    Direct,
}

/// A value that cannot be obeyed.
#[derive(Debug)]
pub struct Nonsense {
    key: &'static str,
    value: base::session::parent::Value,
    allowed: &'static str,
}

impl fmt::Display for Nonsense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the value `{}` is `{}`, and can be {}", self.key, self.value, self.allowed)
    }
}

impl Plan {
    /// How often something is done to a child.
    pub const fn instants(&self) -> u32 {
        if self.checks > 0 { self.checks } else { self.checkpoints }
    }

    /// What the scenario says.
    ///
    /// # Errors
    /// A value makes no sense.
    pub fn of(env: &Env) -> Result<Self, Nonsense> {
        let number = |key, default| read::<u32>(env, key, default, "a whole number that is not negative");
        let time = |key, default| number(key, default).map(|micros| Duration::from_micros(micros.into()));
        Ok(Self {
            checks: number("checks", 0)?,
            checkpoints: number("checkpoints", 1)?,
            after: time("checkpoint_after", 10_000)?,
            every: time("checkpoint_every", 1_000)?,
            run_on: time("run_on", 0)?,
            busy_tries: number("busy_tries", 20)?,
            busy_every: time("busy_every", 100)?,
            tries: number("restore_tries", 3)?,
            try_every: time("restore_every", 1_000)?,
            boot_limit: time("boot_limit", 100_000)?,
            reserve: AccountInfo { ram: number("reserve_ram", 0)?, caps: number("reserve_caps", 0)? },
            refused: (number("refuse_checkpoint", 0)?, number("refuse_restore", 0)?),
            refusals: number("refusals", 1)?,
            way: read(env, "restore", Way::Replay, "`replay` or `direct`")?,
            threads: number("tell_threads", 0)? > 0,
            level: read(env, "log", log::LevelFilter::Info, "`off`, `error`, `warn`, `info`, `debug` or `trace`")?,
        })
    }
}

fn read<T: FromStr>(env: &Env, key: &'static str, default: T, allowed: &'static str) -> Result<T, Nonsense> {
    match env.parent().value(key) {
        Ok(Some(value)) => value.parse().map_err(|_| Nonsense { key, value, allowed }),
        _ => Ok(default),
    }
}

impl FromStr for Way {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "replay" => Ok(Self::Replay),
            "direct" => Ok(Self::Direct),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replay => "by replay",
            Self::Direct => "directly",
        })
    }
}
