//! `cargo rtcr bench restore`: what checkpoints and restores take, part by part, beside what the same work takes at least.
//!
//! Each case runs twice for each way of restoring: untraced, which gives the totals, and traced, which gives the parts. What tracing
//! adds is the difference, and stands in the table.

mod case;
mod floor;
mod measure;
mod show;

use std::{error::Error, fs, path::Path, result::Result as Either};

use serde::Serialize;

pub use case::Group;
use case::{Case, SCENARIO, Way};
use floor::Floor;
use measure::Measured;
pub use show::Tables;

use super::table::Figure;
use crate::{
    explain::Kind,
    file,
    run::{self, Finished, Request},
    scenario::{self, Setting},
    terminal,
    timeline::{Recorded, Timeline, Window, picture},
    workspace::Workspace,
};

/// What is measured.
pub struct Wanted<'a> {
    /// Which groups.
    pub groups: &'a [Group],
    /// Rounds of the programs before the checkpoint.
    pub rounds: u32,
    /// Kernel patches to leave out.
    pub without_patches: &'a [String],
}

/// A case, restored in one way.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// To which group it belongs.
    pub group: Group,
    /// The case.
    pub case: String,
    /// How it was restored.
    pub way: Way,
    /// Without a trace, in nanoseconds: how long the component stood still.
    pub stopped: u64,
    /// How long the restore took.
    pub restored: u64,
    /// The least that both can take.
    pub stop_floor: u64,
    /// See there.
    pub restore_floor: u64,
    /// Copying alone: the checkpoint's bytes.
    pub copying: u64,
    /// What a traced run tells of its parts.
    pub traced: Measured,
}

/// Runs everything; the last run, and what came out, as far as all runs passed.
///
/// # Errors
/// Nothing ran, or a trace does not tell what it must.
pub fn run(workspace: &Workspace, wanted: &Wanted<'_>, kernel: &[Figure]) -> Either<Ran, Box<dyn Error>> {
    let floor = Floor::of(kernel)?;
    let cases: Vec<Case> = wanted.groups.iter().flat_map(|&group| case::of(group, wanted.rounds)).collect();
    let all: Vec<(&Case, Way)> = cases.iter().flat_map(|case| Way::ALL.map(|way| (case, way))).collect();
    let (mut outcomes, mut traces, mut last) = (Vec::new(), Vec::new(), None);
    // Those that are traced need another core; so it is built twice, and not for each case.
    for &(case, way) in &all {
        let finished = boot(workspace, wanted, case, way, true)?;
        if finished.explanation.kind != Kind::Passed {
            return Ok(Ran { last: finished, outcomes: Vec::new(), traces });
        }
        let traced = Measured::new(&finished.outcome.recorded).map_err(|error| format!("{}: {error}", case.name))?;
        let name = format!("{} {}", case.name, way.name());
        traces.push((name, finished.outcome.recorded.clone()));
        outcomes.push(Outcome {
            group: case.group,
            case: case.name.clone(),
            way,
            stopped: 0,
            restored: 0,
            stop_floor: floor.stop(&traced),
            restore_floor: floor.restore(&traced.restore, case.sections),
            copying: floor.copying(traced.checkpoint.copied),
            traced,
        });
    }
    for (index, &(case, way)) in all.iter().enumerate() {
        let finished = boot(workspace, wanted, case, way, false)?;
        let console = String::from_utf8_lossy(&finished.outcome.console).into_owned();
        let passed = finished.explanation.kind == Kind::Passed;
        last = Some(finished);
        if !passed {
            // What there is is no figure.
            outcomes.clear();
            break;
        }
        let outcome = &mut outcomes[index];
        (outcome.stopped, outcome.restored) =
            told(&console).ok_or_else(|| format!("{}: nobody tells how long it took", case.name))?;
    }
    let last = last.ok_or("there is nothing to measure")?;
    Ok(Ran { last, outcomes, traces })
}

/// What came of it.
pub struct Ran {
    /// The last run.
    pub last: Finished,
    /// What was measured.
    pub outcomes: Vec<Outcome>,
    /// The traces, by name.
    pub traces: Vec<(String, Recorded)>,
}

/// A picture of each trace, from the beginning of its checkpoint to the end of its restore.
///
/// # Errors
/// It cannot be written.
pub fn draw(directory: &Path, outcomes: &[Outcome], traces: &[(String, Recorded)]) -> Either<(), Box<dyn Error>> {
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for (outcome, (name, recorded)) in outcomes.iter().zip(traces) {
        let (from, to) = outcome.traced.extent;
        let timeline = Timeline::new(recorded, Window { from, to });
        let path = directory.join(format!("{}.svg", name.replace(' ', "_")));
        let mut file = file::Pending::create(&path)?;
        file.write(picture::svg(&timeline, name).as_bytes())?;
        file.keep()?;
    }
    Ok(())
}

fn boot(
    workspace: &Workspace,
    wanted: &Wanted<'_>,
    case: &Case,
    way: Way,
    traced: bool,
) -> Either<Finished, Box<dyn Error>> {
    let traced_how = if traced { "traced" } else { "untraced" };
    let step = terminal::step(format!("{}, {}, {traced_how}", case.name, way.name()));
    let mut settings = case.settings.iter().map(|text| text.parse()).collect::<Either<Vec<Setting>, _>>()?;
    settings.push(format!("restore={}", way.name()).parse()?);
    settings.extend(traced.then(Setting::trace));
    let path = workspace.root().join(SCENARIO);
    let loaded = scenario::load(workspace, &path.display().to_string(), &settings)?;
    let request = Request { without_patches: wanted.without_patches.to_vec(), ..Request::new(loaded) };
    let finished = run::run(workspace, request, |_| {})?;
    drop(step);
    Ok(finished)
}

/// For how long the component stood still, and how long the restore took, as the monitor says it, in nanoseconds.
fn told(console: &str) -> Option<(u64, u64)> {
    let micros = |from: &str, to: &str| {
        let text = console.lines().find_map(|line| line.split_once(from)?.1.split_once(to).map(|(text, _)| text))?;
        // `by replay in 208.2`, or only the number.
        let text = text.rsplit(' ').next()?;
        let (whole, tenths) = text.split_once('.')?;
        Some(whole.parse::<u64>().ok()? * 1_000 + tenths.parse::<u64>().ok()? * 100)
    };
    Some((micros(": stopped for ", " us")?, micros(": restored ", " us")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_monitor_says_is_read() {
        let console = "[rtcr] Checkpoint 1 of target: stopped for 33.6 us, 19 pages and 8 objects saved.\n\
                       [rtcr] A new target goes on from checkpoint 1: restored by replay in 1208.2 us, 3 requests.\n";
        assert_eq!(told(console), Some((33_600, 1_208_200)));
        assert_eq!(told(&console.replace("by replay", "directly")), Some((33_600, 1_208_200)));
        assert_eq!(told("nothing"), None);
    }
}
