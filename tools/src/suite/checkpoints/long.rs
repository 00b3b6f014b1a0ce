//! Long runs: a thousand checkpoints and restores in a row, of one component and of eight at once, each with a period of its own.
//! What is in use does not grow, neither in the monitor's account nor in core's census; and what is printed is what
//! is printed alone.

use super::{
    super::{Error, Options, Tally},
    Board, MONITOR, Ran,
};
use crate::{terminal, workspace::Workspace};

/// Restores of each component, unless another number is wanted.
const TIMES: u32 = 1000;
/// In this part of a run what is in use may grow: when room is made that stays.
const SETTLING: u32 = 10;
/// Bytes by which two moments differ in which others come and go: less than a page for each hundred restores.
const CHANCE: u32 = 16 << 12;
/// The scenarios, with the components in each.
const SCENARIOS: [(&str, &[&str]); 2] = [
    ("long_one", &["worker"]),
    ("long_eight", &["large", "large_stack", "others", "sheep", "small", "stack", "thousand", "worker"]),
];
/// Ways to restore.
const WAYS: [&str; 2] = ["replay", "direct"];

/// Runs both, in both ways.
pub fn run(workspace: &Workspace, options: &Options, mut tally: Tally) -> Result<Tally, Error> {
    let board = Board { workspace, options };
    let times = options.instants.unwrap_or(TIMES);
    for (scenario, children) in SCENARIOS {
        for way in WAYS {
            let name = |child: &str| format!("long::{scenario}::{way}::{child}");
            if !children.iter().any(|child| options.wants(&name(child))) {
                continue;
            }
            let settings = [
                format!("component.{MONITOR}.values.restore={way}"),
                format!("component.{MONITOR}.values.checkpoints={times}"),
            ];
            let ran = board.run(board.load(scenario, &settings)?)?;
            let wrong = ran.wrong();
            for child in children {
                let failure = wrong.clone().or_else(|| failure(child, times, children.len() == 1, &ran));
                tally.take(&name(child), failure.as_deref());
            }
        }
    }
    Ok(tally)
}

/// What is wrong with one of them, if anything.
fn failure(child: &str, times: u32, is_alone: bool, ran: &Ran) -> Option<String> {
    let own = || ran.said(MONITOR).filter_map(|line| line.strip_prefix(child)?.strip_prefix(": "));
    let looked = own().find_map(|line| line.strip_prefix("looked ")?.split(' ').next()?.parse::<u32>().ok());
    // Each checkpoint and each restore looks.
    if looked != Some(2 * times) {
        return Some(format!("{looked:?} checkpoints and restores instead of {}", 2 * times));
    }
    let grown: Vec<_> = own()
        .filter_map(|line| line.strip_prefix("in use, ")?.split_once(": "))
        .filter_map(|(time, what)| Some((time.parse::<u32>().ok()?, what)))
        .collect();
    let (last, what) = grown.last()?;
    terminal::say(format_args!(
        "{child}: {times} checkpoints and restores; more was in use than ever {} times, at last after {last}",
        grown.len()
    ));
    if is_alone {
        let late = *last > 2 * times / SETTLING;
        return late.then(|| format!("it grows: after {last} of {} there is more than ever: {what}", 2 * times));
    }
    // How many of the others there are at that moment is different each time, but for the first half, by which all have met.
    let bytes = |what: &str| what.split(' ').next().and_then(|bytes| bytes.parse::<u32>().ok()).unwrap_or(0);
    let most = |late: bool| grown.iter().filter(|(time, _)| (*time > times) == late).map(|(_, what)| bytes(what)).max();
    let (before, after) = (most(false)?, most(true)?);
    (after > before + CHANCE)
        .then(|| format!("it grows: {before} bytes in the first half, {after} in the second: {what}"))
}
