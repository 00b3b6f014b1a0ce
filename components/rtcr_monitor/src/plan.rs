//! What the scenario wants to happen to the children.

use base::{Env, scenario::Component, session::parent::Value};
use core::{fmt, str::FromStr, time::Duration};
use rtcr::information::AccountInfo;

use crate::{output, policy::Limits, shelf::Back};

/// When a child is checkpointed, and what becomes of it then.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often a child is looked at, whether it could be checkpointed; nothing else is done to it then.
    pub checks: u32,
    /// How many checkpoints are taken.
    pub checkpoints: u32,
    /// From a child's start to its first checkpoint.
    pub after: Duration,
    /// That counts from when the child prints something first.
    pub from_line: bool,
    /// From a restore, or a checkpoint that its instance outlives, to the next checkpoint.
    pub every: Duration,
    /// How many checkpoints are taken of each instance before it is ended; 0 if none is ended on purpose.
    pub each: u32,
    /// How many checkpoints are kept beside each other.
    pub keep: u32,
    /// Which of them is restored.
    pub from: Back,
    /// The priority at which checkpoints and restores are worked at, if it is not to be the keeper's.
    pub priority: u8,
    /// How many of the checkpoints that the child asks for are followed by its end and a restore.
    pub asked: u32,
    /// How long an instance runs on after its checkpoint, before it is ended.
    pub run_on: Duration,
    /// How often a child is looked at again that is busy: it serves a call, or is in one that changes hands.
    pub busy_tries: u32,
    /// From one time to the next.
    pub busy_every: Duration,
    /// How children are restored.
    pub way: Way,
    /// Whether each restore is made in both ways, and what comes of it is compared.
    pub compare: bool,
    /// Whether somebody else decides about the child.
    pub custody: bool,
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
    /// When a child that crashes is recovered.
    pub limits: Limits,
    /// For how long it may run without asking for anything; zero for as long as it likes.
    pub heartbeat: Duration,
    /// What becomes of what it says, and how many bytes of that wait at most.
    pub output: (output::Way, usize),
    /// What becomes of checkpoints and images outside of this system.
    pub archive: Archiving,
    /// Calls of the kernel are refused in place of requests.
    pub kernel: bool,
    /// Whether it is told what is in use after each checkpoint and each restore: with 1 if it is more than ever, with 2
    /// whatever it is.
    pub uses: u32,
    /// Whether each checkpoint tells how every thread stood.
    pub threads: bool,
    /// Whether it is counted how threads stood, and told when the child has ended.
    pub stands: bool,
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
    value: Value,
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
        match self.custody {
            true => 0,
            false if self.checks > 0 => self.checks,
            false => self.checkpoints,
        }
    }

    /// What the scenario says of a child: its own values, and this component's for what they do not say.
    ///
    /// # Errors
    /// A value makes no sense.
    pub fn of(env: &Env, child: &Component) -> Result<Self, Nonsense> {
        let own = |key: &str| child.values.get(key).and_then(|value| Value::try_from(value.text()).ok());
        let find = |key: &str| own(key).or_else(|| env.parent().value(key).ok().flatten());
        let number = |key, default| parse::<u32>(find(key), key, default, "a whole number that is not negative");
        let time = |key, default| number(key, default).map(|micros| Duration::from_micros(micros.into()));
        // One that is kept alive is not ended on purpose, and has a checkpoint from before the newest.
        let recoveries = number("recoveries", 0)?;
        let (all, each, keep) = if recoveries > 0 { (u32::MAX, 0, 2) } else { (1, 1, 1) };
        let every = time("checkpoint_every", 1_000)?;
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let soon = number("crash_soon", u32::try_from(every.as_micros()).unwrap_or(u32::MAX))?;
        let window = nanoseconds(time("recovery_window", 0)?);
        let limits = Limits { recoveries, window, soon: nanoseconds(Duration::from_micros(soon.into())) };
        Ok(Self {
            checks: number("checks", 0)?,
            checkpoints: number("checkpoints", all)?,
            after: time("checkpoint_after", 10_000)?,
            every,
            each: number("checkpoints_each", each)?,
            keep: number("keep", keep)?,
            from_line: number("checkpoint_from_line", 0)? > 0,
            from: parse(find("restore_from"), "restore_from", Back(0), "`newest`, `oldest` or a whole number")?,
            priority: parse(find("checkpoint_priority"), "checkpoint_priority", 0, "a priority")?,
            asked: number("asked_restores", 0)?,
            run_on: time("run_on", 0)?,
            busy_tries: number("busy_tries", 20)?,
            busy_every: time("busy_every", 100)?,
            compare: number("compare", 0)? > 0,
            custody: number("custody", 0)? > 0,
            tries: number("restore_tries", 3)?,
            try_every: time("restore_every", 1_000)?,
            boot_limit: time("boot_limit", 100_000)?,
            reserve: AccountInfo { ram: number("reserve_ram", 0)?, caps: number("reserve_caps", 0)? },
            refused: (number("refuse_checkpoint", 0)?, number("refuse_restore", 0)?),
            refusals: number("refusals", 1)?,
            way: parse(find("restore"), "restore", Way::Replay, "`replay` or `direct`")?,
            limits,
            heartbeat: time("heartbeat", 0)?,
            output: (
                parse(find("output"), "output", output::Way::Now, "`now`, `marked` or `held`")?,
                number("output_room", 16 << 10)? as usize,
            ),
            archive: Archiving {
                saves: parse(find("save"), "save", Save::None, "`none` or `newest`")? == Save::Newest,
                keep: number("save_keep", 1)?.max(1),
                loads: parse(find("load"), "load", Load::None, "`none` or `newest`")? == Load::Newest,
                otherwise: parse(find("load_else"), "load_else", Otherwise::Fail, "`fail` or `fresh`")?,
                refused: number("refuse_store", 0)?,
            },
            kernel: number("refuse_kernel", 0)? > 0,
            uses: number("tell_use", 0)?,
            threads: number("tell_threads", 0)? > 0,
            stands: number("count_threads", 0)? > 0,
        })
    }
}

/// What is told, of all children.
///
/// # Errors
/// The value makes no sense.
pub fn level(env: &Env) -> Result<log::LevelFilter, Nonsense> {
    let value = env.parent().value("log").ok().flatten();
    parse(value, "log", log::LevelFilter::Info, "`off`, `error`, `warn`, `info`, `debug` or `trace`")
}

fn parse<T: FromStr>(
    value: Option<Value>,
    key: &'static str,
    default: T,
    allowed: &'static str,
) -> Result<T, Nonsense> {
    match value {
        Some(value) => value.parse().map_err(|_| Nonsense { key, value, allowed }),
        None => Ok(default),
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

/// What becomes of a child's checkpoints and images outside of this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Archiving {
    /// The newest checkpoint is stored.
    pub saves: bool,
    /// How many images are kept.
    pub keep: u32,
    /// The child starts from its newest image.
    pub loads: bool,
    /// What becomes of it if it cannot.
    pub otherwise: Otherwise,
    /// The first write to the store that fails on purpose, one later in each further checkpoint; 0 for none.
    pub refused: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Save {
    None,
    Newest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    None,
    Newest,
}

/// What becomes of a child that cannot start from an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It is not started.
    Fail,
    /// It starts from its beginning.
    Fresh,
}

macro_rules! words {
    ($($of:ident: $($text:literal $value:ident),*;)*) => { $(
        impl FromStr for $of {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                match text {
                    $($text => Ok(Self::$value),)*
                    _ => Err(()),
                }
            }
        }
    )* };
}

words! {
    Save: "none" None, "newest" Newest;
    Load: "none" None, "newest" Newest;
    Otherwise: "fail" Fail, "fresh" Fresh;
}
