//! The tables: the thesis's, with its formulas; how totals come about; and everything beside its floor.

use std::fmt::{self, Display};

use super::{
    Group, Outcome,
    case::Way,
    measure::{Phase, Work},
};

/// Everything that was measured, for people.
pub struct Tables<'a>(pub &'a [Outcome]);

/// Lines with a name and a cell for each column.
struct Grid {
    title: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl Grid {
    fn new(title: impl Into<String>, columns: impl IntoIterator<Item = String>) -> Self {
        Self { title: title.into(), columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            self.rows.push((name.into(), cells));
        }
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name_width = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|(_, cells)| cells.get(column));
                cells.chain([&self.columns[column]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, name: &str, cells: &[String]| {
            let mut text = format!("  {name:name_width$}");
            for (cell, width) in cells.iter().zip(&widths) {
                text += &format!("  {cell:>width$}");
            }
            writeln!(f, "{}", text.trim_end())
        };
        writeln!(f, "{}", self.title)?;
        line(f, "", &self.columns)?;
        self.rows.iter().try_for_each(|(name, cells)| line(f, name, cells))?;
        writeln!(f)
    }
}

/// Microseconds with two decimals.
fn us(nanoseconds: u64) -> String {
    let hundredths = (nanoseconds + 5) / 10;
    let digits = (hundredths / 100).to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{:02}", hundredths % 100)
}

fn difference(more: u64, less: u64) -> String {
    if more >= less { us(more - less) } else { format!("-{}", us(less - more)) }
}

/// In tenths of a percent, rounded.
fn percent(part: i64, of: i64) -> String {
    if of == 0 {
        return String::new();
    }
    let tenths = (part * 2_000 + of).div_euclid(of * 2);
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{} %", tenths.abs() / 10, tenths.abs() % 10)
}

/// How many times its floor something is, rounded up.
fn times(nanoseconds: u64, floor: u64) -> String {
    if floor == 0 {
        return String::new();
    }
    let hundredths = (nanoseconds * 100).div_ceil(floor);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// What the thesis's tables are made of, without what recording adds.
struct Thesis {
    allocation: u64,
    allocation_and_restore: u64,
    memcpy: u64,
    repair: u64,
    repair_memcpy: u64,
    total: u64,
    bootstrap: u64,
}

/// Phases of a restore that are the making of an instance, up to its barrier.
const BOOTSTRAP: [&str; 2] = ["new instance", "bootstrap"];

impl Thesis {
    fn of(outcome: &Outcome) -> Self {
        let traced = &outcome.traced;
        let (work, note) = (&traced.restore, traced.empty_scope);
        let without = |phase: &Phase| phase.time.saturating_sub(phase.notes * note);
        let all = |names: &[&str]| -> u64 {
            work.phases.iter().filter(|phase| names.contains(&phase.name.as_str())).map(without).sum()
        };
        let scopes = |scopes: super::measure::Scopes| scopes.time.saturating_sub(scopes.count * note);
        let repair = scopes(work.repairs);
        let copies = work.core("memory", "Pd.copy") + work.core("memory", "Pd.several");
        let memcpy = copies.saturating_sub(work.repair_copies);
        Self {
            allocation: scopes(traced.allocations),
            allocation_and_restore: scopes(work.allocations) + all(&["memory"]).saturating_sub(repair),
            memcpy,
            repair,
            repair_memcpy: work.repair_copies,
            total: work.phases.iter().map(without).sum(),
            bootstrap: all(&BOOTSTRAP),
        }
    }

    /// What (AR - M - A) is.
    fn surcharge(&self) -> i64 {
        self.allocation_and_restore as i64 - self.memcpy as i64 - self.allocation as i64
    }
}

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for way in Way::ALL {
            let programs: Vec<&Outcome> = self.of(Group::Programs, way).collect();
            if !programs.is_empty() {
                thesis(f, way, &programs)?;
            }
        }
        for group in Group::ALL {
            for way in Way::ALL {
                let all: Vec<&Outcome> = self.of(group, way).collect();
                if !all.is_empty() {
                    restores(f, way, &all)?;
                }
            }
            // Both ways begin with the same checkpoint.
            let all: Vec<&Outcome> = self.of(group, Way::Direct).collect();
            if !all.is_empty() {
                checkpoints(f, &all)?;
            }
        }
        Ok(())
    }
}

impl Tables<'_> {
    fn of(&self, group: Group, way: Way) -> impl Iterator<Item = &Outcome> {
        self.0.iter().filter(move |outcome| outcome.group == group && outcome.way == way)
    }
}

/// `restored by replay`, `restored directly`.
const fn how(way: Way) -> &'static str {
    match way {
        Way::Replay => "restored by replay",
        Way::Direct => "restored directly",
    }
}

fn names(all: &[&Outcome]) -> Vec<String> {
    all.iter().map(|outcome| outcome.case.clone()).collect()
}

fn thesis(f: &mut fmt::Formatter<'_>, way: Way, all: &[&Outcome]) -> fmt::Result {
    let parts: Vec<Thesis> = all.iter().map(|outcome| Thesis::of(outcome)).collect();
    let cells = |of: fn(&Thesis) -> u64| parts.iter().map(|thesis| us(of(thesis))).collect::<Vec<_>>();
    let mut grid = Grid::new(format!("As in the thesis's tables 6.2 and 6.3, {}, us", how(way)), names(all));
    grid.row("dataspace allocation (A)", cells(|it| it.allocation));
    grid.row("allocation and restore (AR)", cells(|it| it.allocation_and_restore));
    grid.row("memcpy (M)", cells(|it| it.memcpy));
    grid.row("stack repair", cells(|it| it.repair));
    grid.row("total restore", cells(|it| it.total));
    grid.row("thread restore", cells(|it| it.total - it.bootstrap));
    let boots = if way == Way::Replay { "bootstrap" } else { "new instance, not booted" };
    grid.row(boots, cells(|it| it.bootstrap));
    grid.fmt(f)?;

    let mut grid = Grid::new(format!("As in its table 6.4, {}, us", how(way)), names(all));
    grid.row("stack repair", cells(|it| it.repair));
    grid.row("memcpy within it", cells(|it| it.repair_memcpy));
    grid.row("look-ups and requests", cells(|it| it.repair.saturating_sub(it.repair_memcpy)));
    let bytes = all.iter().map(|outcome| outcome.traced.restore.stack_bytes.to_string());
    grid.row("stack, bytes", bytes);
    grid.fmt(f)?;

    let mut grid = Grid::new(format!("As in its table 6.5, {}", how(way)), names(all));
    let share =
        |of: fn(&Thesis) -> (i64, i64)| parts.iter().map(&of).map(|(part, of)| percent(part, of)).collect::<Vec<_>>();
    grid.row(
        "relative overhead, (AR - A) / AR",
        share(|it| (it.allocation_and_restore as i64 - it.allocation as i64, it.allocation_and_restore as i64)),
    );
    grid.row(
        "without memcpy, (AR - M - A) / (AR - M)",
        share(|it| (it.surcharge(), it.allocation_and_restore as i64 - it.memcpy as i64)),
    );
    grid.row("the same as a surcharge, (AR - M - A) / A", share(|it| (it.surcharge(), it.allocation as i64)));
    grid.fmt(f)
}

fn restores(f: &mut fmt::Formatter<'_>, way: Way, all: &[&Outcome]) -> fmt::Result {
    let works: Vec<&Work> = all.iter().map(|outcome| &outcome.traced.restore).collect();
    let mut grid = Grid::new(format!("How it is {}, us", how(way)), names(all));
    phases(&mut grid, &works);
    totals(&mut grid, all, &works, |outcome| (outcome.restored, outcome.restore_floor));
    grid.row("times copying alone", all.iter().map(|outcome| times(outcome.restored, outcome.copying)));
    counts(&mut grid, &works);
    grid.fmt(f)
}

fn checkpoints(f: &mut fmt::Formatter<'_>, all: &[&Outcome]) -> fmt::Result {
    let works: Vec<&Work> = all.iter().map(|outcome| &outcome.traced.checkpoint).collect();
    let mut grid = Grid::new("Checkpoints, us", names(all));
    phases(&mut grid, &works);
    grid.row("sum", works.iter().map(|work| us(work.total)));
    grid.row("of that, the component stands still", all.iter().map(|outcome| us(outcome.traced.stopped)));
    let stop = ["freeze", "registers", "signals", "pages", "thaw"];
    let notes = |work: &&Work| -> u64 {
        work.phases.iter().filter(|phase| stop.contains(&phase.name.as_str())).map(|phase| phase.notes).sum()
    };
    grid.row(
        "recording in that, by this run",
        all.iter().zip(&works).map(|(outcome, work)| us(notes(work) * outcome.traced.empty_scope)),
    );
    grid.row("stands still, untraced", all.iter().map(|outcome| us(outcome.stopped)));
    grid.row("floor of that", all.iter().map(|outcome| us(outcome.stop_floor)));
    grid.row("times", all.iter().map(|outcome| times(outcome.stopped, outcome.stop_floor)));
    grid.row("times copying alone", all.iter().map(|outcome| times(outcome.stopped, outcome.copying)));
    counts(&mut grid, &works);
    grid.fmt(f)
}

/// Each phase, and how much of it core takes.
fn phases(grid: &mut Grid, works: &[&Work]) {
    let mut names: Vec<&str> = Vec::new();
    for phase in works.iter().flat_map(|work| &work.phases) {
        if !names.contains(&phase.name.as_str()) {
            names.push(&phase.name);
        }
    }
    for name in names {
        grid.row(name, works.iter().map(|work| us(work.phase(name))));
        let core = |work: &&Work| work.phases.iter().find(|phase| phase.name == name).map_or(0, |phase| phase.core);
        grid.row("  of that, core", works.iter().map(|work| us(core(work))));
    }
}

fn totals(grid: &mut Grid, all: &[&Outcome], works: &[&Work], of: fn(&Outcome) -> (u64, u64)) {
    grid.row("sum", works.iter().map(|work| us(work.total)));
    let recorded = all.iter().zip(works).map(|(outcome, work)| us(work.notes() * outcome.traced.empty_scope));
    grid.row("events left in it, by this run", recorded);
    let rest = all
        .iter()
        .zip(works)
        .map(|(outcome, work)| difference(work.total, work.notes() * outcome.traced.empty_scope + of(outcome).0));
    grid.row("core's recording, by both runs", rest);
    grid.row("untraced", all.iter().map(|outcome| us(of(outcome).0)));
    grid.row("floor", all.iter().map(|outcome| us(of(outcome).1)));
    grid.row("times", all.iter().map(|outcome| times(of(outcome).0, of(outcome).1)));
}

fn counts(grid: &mut Grid, works: &[&Work]) {
    let mut row = |name: &str, of: &dyn Fn(&Work) -> u64| {
        if works.iter().any(|work| of(work) > 0) {
            grid.row(name, works.iter().map(|work| of(work).to_string()));
        }
    };
    row("requests to core", &Work::requests);
    row("pages mapped", &|work| work.mapped.own + work.mapped.shared);
    row("pages copied", &|work| (work.copied + work.stack_bytes) / 4096);
    row("kernel objects made anew", &|work| {
        ["Cpu.create", "Pd.create_notification", "Pd.create_endpoint"].iter().map(|what| work.count(what)).sum()
    });
    row("capabilities made", &|work| work.count("Pd.install"));
    row("faults", &|work| work.faults);
    row("threads", &|work| work.threads);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded() {
        assert_eq!((us(4), us(5), us(1_234_567)), ("0.00".into(), "0.01".into(), "1,234.57".into()));
        assert_eq!(
            (percent(1, 3), percent(-1, 3), percent(2, 1)),
            ("33.3 %".into(), "-33.3 %".into(), "200.0 %".into())
        );
        assert_eq!((times(100, 100), times(101, 100), times(1, 0)), ("1.00".into(), "1.01".into(), String::new()));
        assert_eq!((difference(5, 3_000), difference(3_000, 0)), ("-3.00".into(), "3.00".into()));
    }

    #[test]
    fn cells_stand_below_their_columns() {
        let mut grid = Grid::new("Title", ["a".to_owned(), "long".to_owned()]);
        grid.row("row", ["123".to_owned(), "4".to_owned()]);
        grid.row("empty", [String::new(), String::new()]);
        assert_eq!(grid.to_string(), "Title\n         a  long\n  row  123     4\n\n");
    }
}
