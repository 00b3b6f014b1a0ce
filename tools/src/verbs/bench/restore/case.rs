//! What is checkpointed and restored to be measured: the four programs of Himmelbauer's thesis, memory in one dataspace and in
//! many, threads. All of it in one scenario, in memory that was used before.

use serde::Serialize;

/// The scenario of all.
pub const SCENARIO: &str = "tests/run/restore.toml";
const MIB: u32 = 1 << 20;
const PAGE: u32 = 4 << 10;
/// Capabilities that a component needs besides those for its memory.
const CAPS: u32 = 300;

/// Cases that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The four programs of the thesis.
    Programs,
    /// 1, 4, 16 and 64 MiB in one dataspace and in dataspaces of 4 KiB.
    Memory,
    /// 1, 8 and 32 threads.
    Threads,
}

impl Group {
    /// All.
    pub const ALL: [Self; 3] = [Self::Programs, Self::Memory, Self::Threads];
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// To which group it belongs.
    pub group: Group,
    /// What it is called.
    pub name: String,
    /// What the scenario is to say.
    pub settings: Vec<String>,
    /// Megabytes that are made of frames of one, besides its small frames.
    pub sections: u32,
}

/// How a new instance is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It boots itself.
    Replay,
    /// It does not.
    Direct,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Replay, Self::Direct];

    /// As scenarios say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Direct => "direct",
        }
    }
}

/// The cases of a group. The programs run `rounds` rounds before they are checkpointed.
pub fn of(group: Group, rounds: u32) -> Vec<Case> {
    match group {
        Group::Programs => ["stack_counter", "large_stack_counter", "small_dataspaces", "large_dataspaces"]
            .map(|name| program(name, rounds))
            .into(),
        Group::Memory => {
            // A component may have 8192 capabilities, those of its children included: not as many as 64 MiB has pages.
            let many = [1, 4, 16].map(in_many);
            [1, 4, 16, 64].map(in_one).into_iter().chain(many).collect()
        }
        Group::Threads => [1, 8, 32].map(threads).into(),
    }
}

fn program(name: &str, rounds: u32) -> Case {
    let settings = vec![
        format!("component.target.binary={name}"),
        format!("rounds={}", rounds + 4),
        // A round is a millisecond; in the middle of the last one.
        format!("checkpoint_after={}", rounds * 1_000 + 400),
        // One of them needs that much, so that all have the same.
        "component.target.stack=64K".into(),
    ];
    Case { group: Group::Programs, name: name.into(), settings, sections: 0 }
}

/// A component that holds so many dataspaces. Whoever restores it has storage, and the books of all its objects.
fn holder(group: Group, name: String, (count, bytes, frames): (u32, u32, u32), threads: u32) -> Case {
    let memory = count * bytes;
    let mib = memory.div_ceil(MIB);
    let own = 4 + mib + mib / 8;
    let mut settings = vec![
        "component.target.binary=holder".into(),
        "checkpoints=0".into(),
        format!("dataspaces={count}"),
        format!("bytes={bytes}"),
        format!("frames={frames}"),
        format!("threads={threads}"),
        format!("component.target.ram={own}M"),
        format!("component.target.caps={}", CAPS + count),
        format!("component.rtcr.ram={}M", 2 * own + 32 + mib),
        format!("component.rtcr.caps={}", 3 * CAPS + count),
        format!("component.before.ram={}M", own + 2),
    ];
    if memory > 0 {
        settings.push(format!("component.before.values.bytes={}", memory.max(4 * MIB)));
        settings.push(format!("component.before.values.frames={frames}"));
    }
    let sections = if frames >= 2 { memory / MIB } else { 0 };
    Case { group, name, settings, sections }
}

fn in_one(mib: u32) -> Case {
    holder(Group::Memory, format!("{mib} MiB in one"), (1, mib * MIB, 2), 1)
}

fn in_many(mib: u32) -> Case {
    let count = mib * (MIB / PAGE);
    holder(Group::Memory, format!("{mib} MiB in {count}"), (count, PAGE, 0), 1)
}

fn threads(count: u32) -> Case {
    let name = if count == 1 { "1 thread".into() } else { format!("{count} threads") };
    holder(Group::Threads, name, (0, PAGE, 0), count)
}
