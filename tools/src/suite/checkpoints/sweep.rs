//! The sweep: components are checkpointed at thousands of instants of their lives, ended and restored, and must say from each
//! of them on what they say alone.
//!
//! Instants come from the monitor's timer, so many microseconds after the start or the restore before. Nothing moves them:
//! whatever the component does then, it is stopped, but for the one request that is being served. Each boot takes hundreds of
//! them, each of the instance that was restored from the one before; the steps are prime, so that boots do not meet in the
//! same instants of a component that does something periodically.
//!
//! What a component says must not depend on when its threads run, or it could not be compared. That is tried too: each
//! program runs alone under the monitor and, where it can, under `init`, where every request takes another time, and says
//! the same.

use std::collections::BTreeMap;

use super::{
    super::{Error, Options, Tally},
    Board, MONITOR, Ran,
    stands::{Program, Stands},
    story::follow,
};
use crate::{terminal, workspace::Workspace};

/// Instants that a sweep has at least, unless another number is wanted.
const INSTANTS: u32 = 2000;
/// Instants in each row of the table, at least.
const IN_EACH_ROW: u32 = 20;
/// Most instants in a boot; and where checkpoints are told one by one.
const IN_A_BOOT: u32 = 400;
const IN_A_TOLD_BOOT: u32 = 150;
/// Ways to restore.
const WAYS: [&str; 2] = ["replay", "direct"];
/// Steps that a life is divided by, none a multiple of another.
const STEPS: [u32; 12] = [3, 7, 11, 23, 41, 61, 83, 107, 131, 167, 211, 251];

/// What is swept.
pub(super) struct Swept {
    scenario: &'static str,
    /// Components that are checkpointed, and the program of each.
    children: &'static [(&'static str, &'static str)],
    /// How long its life is, about, in microseconds.
    life: u32,
    settings: &'static [&'static str],
    /// Nobody else knows what it does: it can go back to an older instant, and run under `init`.
    alone: bool,
    /// Components whose lines may come in any order, since they are of threads or clients that do not wait for each other.
    unordered: &'static [&'static str],
}

const fn alone(
    scenario: &'static str,
    children: &'static [(&'static str, &'static str)],
    life: u32,
    settings: &'static [&'static str],
) -> Swept {
    Swept { scenario, children, life, settings, alone: true, unordered: &[] }
}

const fn served(
    scenario: &'static str,
    children: &'static [(&'static str, &'static str)],
    life: u32,
    settings: &'static [&'static str],
    unordered: &'static [&'static str],
) -> Swept {
    Swept { scenario, children, life, settings, alone: false, unordered }
}

/// Whose server says something first does not matter; that it says it for both does.
const BOTH_SERVED: &str = "success.output=[\"[tally] 61 calls, 1830 in all\", \"[tally] 61 calls, 1830 in all\"]";

pub(super) const SWEPT: [Swept; 11] = [
    alone("states", &[("states", "states")], 9_000, &[]),
    alone("calls", &[("calls", "calls")], 45_000, &[]),
    alone("sheep_counter", &[("sheep_counter", "sheep_counter")], 21_000, &["interval=500"]),
    alone("worker", &[("worker", "worker")], 23_000, &["interval=500"]),
    alone("mover", &[("mover", "mover")], 24_000, &[]),
    alone("early", &[("early", "early")], 30_000, &[]),
    alone("small_dataspaces", &[("small_dataspaces", "small_dataspaces")], 24_000, &["interval=500"]),
    served("served_client", &[("customer", "buyer")], 38_000, &[], &[]),
    served("served_threads", &[("customers", "customers")], 30_000, &[], &["customers", "tally"]),
    served("served_server", &[("tally", "tally")], 25_000, &[BOTH_SERVED], &["tally"]),
    served("served_both", &[("customer", "buyer"), ("tally", "tally")], 28_000, &[], &[]),
];

/// One boot.
struct Plan {
    way: &'static str,
    after: u32,
    every: u32,
    run_on: u32,
    most: u32,
}

impl Plan {
    /// The boots of a round: through the whole life in two ways, then through a part of it going back. Each round begins
    /// elsewhere, and takes other steps.
    fn of_round(swept: &Swept, round: u32) -> Vec<Self> {
        let Swept { life, .. } = swept;
        let step = |shift: u32, most: u32| {
            let least = life / most;
            let fitting = STEPS.iter().position(|step| *step > least).unwrap_or(STEPS.len() - 1) as u32;
            STEPS[((fitting + shift + round) % STEPS.len() as u32) as usize]
        };
        let way = |number: u32| WAYS[((round + number) % 2) as usize];
        // The golden section lays what is added farthest from what is there.
        let after = |number: u32| {
            1 + (f64::from(round * 3 + number) * 0.618_034).fract().mul_add(f64::from(*life) / 2.0, 0.0) as u32
        };
        let mut plans = vec![
            Self { way: way(0), after: 1 + round, every: step(0, IN_A_BOOT), run_on: 0, most: IN_A_BOOT },
            Self { way: way(1), after: after(1), every: step(1, 2 * IN_A_BOOT), run_on: 0, most: IN_A_BOOT },
        ];
        if swept.alone {
            let (every, run_on) = (step(2, IN_A_TOLD_BOOT), step(3, IN_A_BOOT));
            plans.push(Self { way: way(2), after: after(2), every, run_on, most: IN_A_TOLD_BOOT });
        }
        plans
    }

    fn settings(&self) -> Vec<String> {
        let Self { way, after, every, run_on, most } = self;
        // Where it goes back to older instants, the console has to say where to.
        let level = if *run_on > 0 { "info" } else { "warn" };
        vec![
            format!("component.{MONITOR}.values.restore={way}"),
            format!("component.{MONITOR}.values.checkpoints={most}"),
            format!("component.{MONITOR}.values.checkpoint_after={after}"),
            format!("component.{MONITOR}.values.checkpoint_every={every}"),
            format!("component.{MONITOR}.values.run_on={run_on}"),
            format!("component.{MONITOR}.values.log={level}"),
            format!("component.{MONITOR}.values.count_threads=1"),
        ]
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { way, after, every, run_on, .. } = self;
        write!(f, "{way}_after_{after}_every_{every}")?;
        if *run_on > 0 { write!(f, "_run_on_{run_on}") } else { Ok(()) }
    }
}

/// A sweep under way.
struct Sweep<'a> {
    board: Board<'a>,
    options: &'a Options,
    tally: Tally,
    stands: Stands,
}

/// What each component says alone.
type Alone = BTreeMap<String, Vec<String>>;

/// Sweeps, or takes one instant of each program.
pub fn run(workspace: &Workspace, options: &Options, tally: Tally) -> Result<Tally, Error> {
    let board = Board { workspace, options };
    let mut sweep = Sweep { board, options, tally, stands: Stands::default() };
    let mut says = BTreeMap::new();
    for swept in SWEPT.iter().filter(|swept| wants(options, swept)) {
        says.insert(swept.scenario, sweep.alone(swept)?);
    }
    if let Some(after) = options.at {
        for way in WAYS {
            let plan = Plan { way, after, every: 1, run_on: 0, most: 1 };
            sweep.boots(&says, |_| vec![Plan { ..plan }])?;
        }
        return Ok(sweep.tally);
    }
    let wanted = options.instants.unwrap_or(INSTANTS);
    let mut round = 0;
    loop {
        let before = sweep.stands.checkpoints.0;
        sweep.boots(&says, |swept| Plan::of_round(swept, round))?;
        round += 1;
        let now = sweep.stands.checkpoints.0;
        // What fails once would fail again.
        if now >= wanted || now == before || sweep.tally.failures() > 0 {
            break;
        }
    }
    Ok(sweep.judge(wanted))
}

/// Whether a program is to be swept: with `--only`, that names one.
fn wants(options: &Options, swept: &Swept) -> bool {
    options.only.as_deref().is_none_or(|only| format!("sweep::{}", swept.scenario).contains(only))
}

impl Sweep<'_> {
    /// What the components say if nothing happens to them, whenever their threads run.
    fn alone(&mut self, swept: &Swept) -> Result<Alone, Error> {
        let settings = |more: &[String]| {
            swept.settings.iter().map(|&it| it.to_owned()).chain(more.iter().cloned()).collect::<Vec<_>>()
        };
        let never = format!("component.{MONITOR}.values.checkpoints=0");
        let ran = self.board.run(self.board.load(swept.scenario, &settings(&[never]))?)?;
        let says: Alone = owned(swept, &ran);
        let mut failure = ran.wrong();
        if swept.alone {
            let (child, _) = swept.children[0];
            let native = self
                .board
                .run(self.board.load(swept.scenario, &settings(&[format!("component.{child}.parent=init")]))?)?;
            failure = failure.or(native.wrong()).or((owned(swept, &native) != says)
                .then(|| "what it says depends on when its threads run: under init it says something else".into()));
        }
        self.tally.take(&format!("sweep::{}::alone", swept.scenario), failure.as_deref());
        Ok(says)
    }

    fn boots(&mut self, says: &BTreeMap<&str, Alone>, plans: impl Fn(&Swept) -> Vec<Plan>) -> Result<(), Error> {
        for swept in &SWEPT {
            let Some(alone) = says.get(swept.scenario) else { continue };
            for plan in plans(swept) {
                let name = format!("sweep::{}::{plan}", swept.scenario);
                let settings: Vec<_> = swept.settings.iter().map(|&it| it.to_owned()).chain(plan.settings()).collect();
                let ran = self.board.run(self.board.load(swept.scenario, &settings)?)?;
                let failure = self.failure(swept, &plan, alone, &ran);
                self.tally.take(&name, failure.as_deref());
            }
        }
        Ok(())
    }

    /// What is wrong with a boot, if anything; its instants are counted.
    fn failure(&mut self, swept: &Swept, plan: &Plan, alone: &Alone, ran: &Ran) -> Option<String> {
        let programs = &ran.finished.programs;
        let read: Result<Vec<_>, _> = swept
            .children
            .iter()
            .map(|(name, program)| {
                let file = programs.get(*program).ok_or_else(|| format!("the image has no {program}"))?;
                Ok::<_, String>((*name, Program::new(file)?))
            })
            .collect();
        let read = match read {
            Ok(read) => read,
            Err(reason) => return Some(reason),
        };
        let programs: BTreeMap<_, _> = read.iter().map(|(name, program)| (*name, program)).collect();
        let before = self.stands.checkpoints.0;
        ran.said(MONITOR).for_each(|line| self.stands.take(line, &programs));
        let taken = self.stands.checkpoints.0 - before;
        if let Some(wrong) = ran.wrong() {
            return Some(wrong);
        }
        if taken == 0 {
            return Some("no checkpoint was taken".into());
        }
        let not_busy = ran.said(MONITOR).find(|line| line.contains("runs on without") && !line.contains("it is busy"));
        if let Some(line) = not_busy {
            return Some(line.to_owned());
        }
        if plan.run_on > 0 {
            let (name, _) = swept.children[0];
            let whole: Vec<_> = alone.get(name).into_iter().flatten().map(String::as_str).collect();
            return follow(&ran.text, name, &whole).err();
        }
        let said = owned(swept, ran);
        let (name, _) = alone.iter().find(|(name, lines)| said.get(*name) != Some(lines))?;
        Some(format!("{name} says something else than alone:\n{}", difference(&alone[name], said.get(name))))
    }

    /// Prints the table, and judges what all boots together must have reached.
    fn judge(mut self, wanted: u32) -> Tally {
        let (checkpoints, early) = self.stands.checkpoints;
        terminal::say(format_args!("{checkpoints} instants, {early} of them before the barrier"));
        terminal::say(format_args!("{:>8} {:>6}  the thread", "instants", "pcs"));
        for (_, row, instants, places) in self.stands.rows() {
            terminal::say(format_args!("{instants:>8} {places:>6}  {row}"));
        }
        let failure = (checkpoints < wanted).then(|| format!("only {checkpoints} instants, and {wanted} were wanted"));
        self.take("sweep::instants", failure);
        let rows: Vec<_> = self.stands.rows().collect();
        for (test, row, instants, _) in rows {
            let failure = (instants < IN_EACH_ROW).then(|| format!("a thread that {row} was found {instants} times"));
            self.take(&format!("sweep::rows::{test}"), failure);
        }
        self.tally
    }

    /// What only all programs together can reach is not asked of some of them.
    fn take(&mut self, name: &str, failure: Option<String>) {
        if self.options.only.is_none() {
            self.tally.take(name, failure.as_deref());
        }
    }
}

/// What each component has said, to be compared.
fn owned(swept: &Swept, ran: &Ran) -> Alone {
    let owned = |(name, said): (&str, Vec<&str>)| {
        let mut lines: Vec<_> = said.into_iter().map(str::to_owned).collect();
        if swept.unordered.contains(&name) {
            lines.sort_unstable();
        }
        (name.to_owned(), lines)
    };
    ran.components().into_iter().map(owned).collect()
}

fn difference(alone: &[String], said: Option<&Vec<String>>) -> String {
    let said = said.map_or(&[][..], Vec::as_slice);
    let place = alone.iter().zip(said).position(|(one, other)| one != other).unwrap_or(alone.len().min(said.len()));
    let line = |lines: &[String]| lines.get(place).map_or("nothing".to_owned(), |line| format!("`{line}`"));
    format!("its line {} is {}, and was {}", place + 1, line(said), line(alone))
}
