//! Faults: each request that a checkpoint or a restore makes, and each call of the kernel that core makes for them, fails
//! once.
//!
//! How many there are is found by running: the monitor has the first one refused, then the second, one later in each checkpoint
//! or restore, until a number is beyond the last. Of each it tells what came of it. A checkpoint that has failed is taken again at the same
//! instant, with nothing refused; a restore likewise. So each must succeed the second time at the latest, the component
//! must say what it says alone, and what is in use must be the same afterwards: in the monitor's account, and in core's
//! census of everything.

use std::collections::BTreeMap;

use super::{
    super::{Error, Options, Tally},
    Board, MONITOR, Ran,
};
use crate::{terminal, workspace::Workspace};

/// Ways to restore.
const WAYS: [&str; 2] = ["replay", "direct"];
/// Most that is tried of each kind: more than there are.
const MOST: u32 = 900;
/// Of a checkpoint and of a restore: the value that says what is refused, and how many there must be at least.
const KINDS: [(&str, &str, usize); 2] = [("checkpoint", "refuse_checkpoint", 12), ("restore", "refuse_restore", 60)];
/// What can be refused: the value that says so, and what one is called.
const WHATS: [(&str, u32); 2] = [("request", 0), ("kernel_call", 1)];
/// The component, whose threads, timeouts and signals need some of everything.
const SCENARIO: &str = "faults";
const CHILD: &str = "worker";

/// One that was refused, as the monitor tells it.
#[derive(Debug)]
struct Refused {
    number: u32,
    /// What was in use afterwards, with an instance.
    used: Option<String>,
    /// Why it failed, if it did.
    reason: Option<String>,
}

/// Refuses one after the other.
pub fn run(workspace: &Workspace, options: &Options, mut tally: Tally) -> Result<Tally, Error> {
    let board = Board { workspace, options };
    let alone = board.run(board.load(SCENARIO, &[format!("component.{MONITOR}.values.checkpoints=0")])?)?;
    let expected: Vec<_> = alone.said(CHILD).map(str::to_owned).collect();
    for (kind, value, least) in KINDS {
        for (what, kernel) in WHATS {
            for way in WAYS {
                let prefix = format!("faults::{kind}::{way}::{what}");
                if !options.only.as_deref().is_none_or(|only| prefix.contains(only)) {
                    continue;
                }
                let settings = [
                    format!("component.{MONITOR}.values.restore={way}"),
                    format!("component.{MONITOR}.values.{value}=1"),
                    format!("component.{MONITOR}.values.refuse_kernel={kernel}"),
                    format!("component.{MONITOR}.values.checkpoints={MOST}"),
                ];
                let ran = board.run(board.load(SCENARIO, &settings)?)?;
                judge(&prefix, least, &expected, &ran, &mut tally);
            }
        }
    }
    Ok(tally)
}

fn judge(prefix: &str, least: usize, expected: &[String], ran: &Ran, tally: &mut Tally) {
    let (refused, whole) = read(ran);
    let said: Vec<_> = ran.said(CHILD).collect();
    let wrong = ran.wrong().or_else(|| {
        let place =
            said.iter().zip(expected).position(|(one, other)| one != other).unwrap_or(said.len().min(expected.len()));
        (said != expected).then(|| {
            format!("its line {} is {:?}, and alone it is {:?}", place + 1, said.get(place), expected.get(place))
        })
    });
    let wrong = wrong.or_else(|| match whole {
        None => Some(format!("{} were refused, and there may be more", refused.len())),
        Some(_) if refused.len() < least => Some(format!("only {} could be refused", refused.len())),
        Some(_) => None,
    });
    let failed = refused.iter().filter(|one| one.reason.is_some()).count();
    terminal::say(format_args!(
        "{prefix}: {} refused, one after the other; {failed} times it failed and succeeded the second time, {} times it did not matter",
        refused.len(),
        refused.len() - failed,
    ));
    // What is in use settles when everything has happened once.
    let usual = most_frequent(refused.iter().filter_map(|one| one.used.as_deref()));
    for one in &refused {
        let failure = match (&one.used, &usual) {
            (None, _) => Some("it did not succeed when nothing was refused".to_owned()),
            (Some(used), Some(usual)) if used != usual => {
                Some(format!("afterwards in use: {used}\nand usually: {usual}"))
            }
            _ => None,
        };
        let reason = one.reason.as_deref().map_or(String::new(), |reason| format!("\nit failed: {reason}"));
        tally.take(&format!("{prefix}_{}", one.number), failure.map(|failure| failure + &reason).as_deref());
    }
    tally.take(&format!("{prefix}s"), wrong.as_deref());
}

fn most_frequent<'a>(all: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut counts = BTreeMap::<&str, u32>::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts.into_iter().max_by_key(|(_, times)| *times).map(|(one, _)| one.to_owned())
}

/// What was refused, and how many there are when nothing is, if a number was beyond the last.
///
/// `worker: 3 of 57 was refused, and it failed: REASON`, `… and it did not matter`, `worker: none of 57 was refused`; then
/// `worker: in use, 17: …`, when there is an instance.
fn read(ran: &Ran) -> (Vec<Refused>, Option<u32>) {
    let (mut all, mut whole, mut before) = (Vec::<Refused>::new(), None, String::new());
    for line in ran.said(MONITOR).filter_map(|line| line.strip_prefix(CHILD)?.strip_prefix(": ")) {
        if let Some((number, rest)) = line.split_once(" of ")
            && let (Ok(number), Some((_, rest))) = (number.parse(), rest.split_once(" was refused, and it "))
        {
            let reason = rest.strip_prefix("failed: ").map(str::to_owned);
            all.push(Refused { number, used: None, reason });
        } else if let Some(count) = line.strip_prefix("none of ").and_then(|rest| rest.split(' ').next()?.parse().ok())
        {
            whole = whole.or(Some(count));
        } else if let Some((_, used)) = line.strip_prefix("in use, ").and_then(|rest| rest.split_once(": ")) {
            if used != "as before" {
                used.clone_into(&mut before);
            }
            if let (Some(last), None) = (all.last_mut(), whole)
                && last.used.is_none()
            {
                last.used = Some(before.clone());
            }
        }
    }
    (all, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_what_comes_most_often() {
        assert_eq!(most_frequent(["a", "b", "b", "a", "b"].into_iter()), Some("b".into()));
        assert_eq!(most_frequent([].into_iter()), None);
    }
}
