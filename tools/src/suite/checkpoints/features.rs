//! One small program for each feature that a component can have, after the model of CRIU's ZDTM: the program builds it up and
//! looks itself whether all is as it should be; the monitor and this suite look from outside.
//!
//! Each is tried in four modes: restored by replay and directly, once and ten times in a row. From outside is seen that
//!
//! * each checkpoint was taken, and each restore succeeded at once;
//! * a checkpoint of the new instance before it has run says the same as the one that it comes from: memory, registers, numbers,
//!   objects, regions, quota (the monitor's value `compare`, which restores in both ways each time);
//! * what a new instance costs the monitor is the same each time;
//! * all that is printed is what is printed if nothing happens.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use serde::Deserialize;

use super::{
    super::{Error, Options, Tally},
    Board, MONITOR, Ran,
};
use crate::{
    scenario::{self, Loaded},
    workspace::Workspace,
};

/// Where the features are.
pub const FILE: &str = "tests/checkpoint/features.toml";
/// Ways to restore, and how often in a row.
pub(super) const MODES: [(&str, u32); 4] = [("replay", 1), ("direct", 1), ("replay", 10), ("direct", 10)];
/// From a restore to the next checkpoint, in microseconds: prime, and about a round.
const EVERY: u32 = 397;
/// Mebibytes of what is large.
const LARGE: u32 = 16;
/// Microseconds to a new instance's barrier: others are compared meanwhile.
const BOOT_LIMIT: u32 = 10_000_000;
/// Quotas of the ordinary ones.
const RAM: &str = "1536K";
const CAPS: u32 = 200;
const STACK: &str = "16K";

/// What is to be tried.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// The program's name for it.
    pub name: String,
    /// Those of a group are booted together.
    pub group: String,
    /// What the program has while it is checkpointed.
    pub about: String,
    ram: Option<String>,
    caps: Option<u32>,
    ram_max: Option<String>,
    caps_max: Option<u32>,
    stack: Option<String>,
}

#[derive(Deserialize)]
struct File {
    feature: Vec<Feature>,
}

/// The features that the file names.
///
/// # Errors
/// It is not as it should be.
pub fn read(workspace: &Workspace) -> Result<Vec<Feature>, String> {
    let text = std::fs::read_to_string(workspace.root().join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
    let file: File = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
    Ok(file.feature)
}

/// Tries all of them, in all modes.
pub fn run(workspace: &Workspace, options: &Options, mut tally: Tally) -> Result<Tally, Error> {
    let board = Board { workspace, options };
    let mut groups = BTreeMap::<String, Vec<Feature>>::new();
    for feature in read(workspace).map_err(Error::Setting)? {
        groups.entry(feature.group.clone()).or_default().push(feature);
    }
    for (group, mut features) in groups {
        features.retain(|feature| MODES.iter().any(|mode| options.wants(&name(feature, *mode))));
        if features.is_empty() {
            continue;
        }
        let boot = |mode: (&str, u32)| -> Result<Ran, Error> {
            let name = format!("feature_{group}");
            let text = scenario(&features, mode);
            let scenario = scenario::parse(&text, Path::new(&name), &[])?;
            board.run(Loaded { name, scenario })
        };
        let alone = boot((MODES[0].0, 0))?;
        for mode in MODES.into_iter().filter(|mode| features.iter().any(|feature| options.wants(&name(feature, *mode))))
        {
            let ran = boot(mode)?;
            for feature in &features {
                let compared = is_compared(&features, mode.1);
                let failure = failure(feature, mode, compared, (&alone, &ran));
                tally.take(&name(feature, mode), failure.as_deref());
            }
        }
    }
    Ok(tally)
}

fn name(feature: &Feature, (way, times): (&str, u32)) -> String {
    format!("checkpoint::{}::{}_{way}", feature.name, if times == 1 { "once" } else { "ten_times" })
}

/// All features of a group, each a child of one monitor.
fn scenario(features: &[Feature], (way, times): (&str, u32)) -> String {
    let sizes =
        features.iter().map(|feature| mebibytes(feature.ram_max.as_deref().or(feature.ram.as_deref()).unwrap_or(RAM)));
    // What a child may have, as much again for its checkpoint, twice for the comparison, and the monitor's own.
    let ram = 16 + sizes.map(|size| size * 5).sum::<u32>();
    let caps = 500 + features.iter().map(|feature| 2 * feature.caps_max.or(feature.caps).unwrap_or(CAPS)).sum::<u32>();
    let mut text = format!(
        "about = 'Features of components, each restored {times} times.'\nlimit = 60\n\
         [component.{MONITOR}]\nbinary = 'rtcr_monitor'\npriority = 150\nram = '{ram}M'\ncaps = {}\n\
         values = {{ checkpoints = {times}, restore = '{way}', checkpoint_every = {EVERY}, compare = {}, checkpoint_from_line = 1, restore_tries = 1, boot_limit = {BOOT_LIMIT} }}\n",
        caps.min(8192),
        u32::from(times > 0 && is_compared(features, times)),
    );
    for (place, feature) in features.iter().enumerate() {
        let Feature { name, ram, caps, ram_max, caps_max, stack, .. } = feature;
        let ram = ram.as_deref().unwrap_or(RAM);
        // Never fails: it is a string.
        let _ = write!(
            text,
            "[component.{name}]\nbinary = 'feature'\nparent = '{MONITOR}'\nram = '{ram}'\ncaps = {}\nstack = '{}'\n\
             values = {{ checkpoint_after = {} }}\n",
            caps.unwrap_or(CAPS),
            stack.as_deref().unwrap_or(STACK),
            first_instant(place),
        );
        ram_max.iter().for_each(|most| _ = writeln!(text, "ram_max = '{most}'"));
        caps_max.iter().for_each(|most| _ = writeln!(text, "caps_max = {most}"));
    }
    text.push_str("[success]\nexit = { ");
    features.iter().for_each(|feature| _ = write!(text, "{} = 0, ", feature.name));
    text.push_str(&format!("{MONITOR} = 0 }}\n"));
    text
}

/// Whether each restore of a boot is made in both ways and compared: of what is large only where there is one, since the
/// board looks at a word at a time.
fn is_compared(features: &[Feature], times: u32) -> bool {
    let size = |feature: &Feature| mebibytes(feature.ram.as_deref().unwrap_or(RAM));
    times == 1 || features.iter().all(|feature| size(feature) < LARGE)
}

/// In microseconds from when it says that it is built: each of a group at another part of its rounds.
const fn first_instant(place: usize) -> usize {
    100 + 397 * place
}

/// A size such as `1536K`, rounded up.
fn mebibytes(size: &str) -> u32 {
    let (digits, unit) = size.split_at(size.len().saturating_sub(1));
    let number: u32 = digits.parse().unwrap_or(0);
    if unit == "M" { number } else { number.div_ceil(1024) }
}

/// What is wrong with one of a boot, if anything.
fn failure(feature: &Feature, (_, times): (&str, u32), compared: bool, (alone, ran): (&Ran, &Ran)) -> Option<String> {
    let name = feature.name.as_str();
    let own = |ran: &Ran| ran.said(name).map(str::to_owned).collect::<Vec<_>>();
    let (expected, said) = (own(alone), own(ran));
    let about = |line: &&str| {
        line.contains(&format!(" {name} "))
            || line.contains(&format!(" of {name}: "))
            || line.starts_with(&format!("{name} "))
    };
    if expected.last().map(String::as_str) != Some("it is as it was") {
        let wrong = alone.wrong().unwrap_or_default();
        return Some(format!("it does not pass alone: {:?}\n{wrong}", expected.last()));
    }
    if said != expected {
        let lines: Vec<_> = ran.said(MONITOR).filter(about).collect();
        let tail = lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("\n");
        let wrong = ran.wrong().unwrap_or_default();
        return Some(format!(
            "it says {:?} at last, and {} lines instead of {}\n{tail}\n{wrong}",
            said.last(),
            said.len(),
            expected.len()
        ));
    }
    let count = |what: String| ran.said(MONITOR).filter(|line| line.contains(&what)).count() as u32;
    let taken = count(format!(" of {name}: stopped for "));
    let gone_on = count(format!("A new {name} goes on from checkpoint "));
    let same = format!("{name} is the same restored directly and by replay");
    let equal = ran.said(MONITOR).filter(|line| line.starts_with(&same)).count() as u32;
    let expected = if compared { times } else { 0 };
    (taken != times || gone_on != times || equal != expected).then(|| {
        let lines: Vec<_> = ran.said(MONITOR).filter(about).collect();
        let tail = lines.iter().rev().take(3).rev().copied().collect::<Vec<_>>().join("\n");
        format!("{taken} checkpoints, {gone_on} restores and {equal} equal ones instead of {times} each\n{tail}")
    })
}
