//! Figures, and how they are shown.

use std::fmt;

use serde::Serialize;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// What was measured; those whose names begin alike, up to the first `/`, belong together.
    pub name: String,
    /// How long it takes once.
    pub picoseconds: u64,
    /// What the kernel's part of it takes.
    #[serde(rename = "floor_picoseconds", skip_serializing_if = "Option::is_none")]
    pub floor: Option<u64>,
    /// How much more than that it should take at most, in hundredths.
    #[serde(rename = "aim_percent", skip_serializing_if = "Option::is_none")]
    pub aim: Option<u64>,
}

impl Figure {
    /// One that stands alone.
    pub fn new(name: &str, picoseconds: u64) -> Self {
        Self { name: name.to_owned(), picoseconds, floor: None, aim: None }
    }

    /// This and another one after the other.
    pub fn and(&self, other: &Self, name: String, aim: Option<u64>) -> Self {
        let floor = self.floor.zip(other.floor).map(|(own, other)| own.saturating_add(other));
        Self { name, picoseconds: self.picoseconds.saturating_add(other.picoseconds), floor, aim }
    }

    /// How many times its floor it is, in hundredths, rounded up, so that what is shown as reached is reached.
    fn ratio(&self) -> Option<u64> {
        let hundredths = u128::from(self.picoseconds) * 100;
        let ratio = hundredths.div_ceil(self.floor.filter(|&floor| floor > 0)?.into());
        Some(u64::try_from(ratio).unwrap_or(u64::MAX))
    }
}

/// Figures in lines, in the order in which they were measured; those whose names begin alike, up to the first `/`, stand
/// below a heading. Behind the name: what was measured; and if there is a floor, that, how many times that it is, and
/// what is aimed at.
pub struct Table<'a>(pub &'a [Figure]);

struct Row {
    group: String,
    name: String,
    columns: [String; 4],
}

impl Row {
    fn of(figure: &Figure) -> Self {
        let (group, name) = match figure.name.split_once('/') {
            Some((group, name)) => (group.to_owned(), name.to_owned()),
            None => (String::new(), figure.name.clone()),
        };
        let ratio = figure.ratio();
        let aim = figure.aim.map(|aim| match ratio {
            Some(ratio) if ratio > aim => format!("not {}", times(aim)),
            _ => times(aim),
        });
        let columns = [
            format!("{} ns", nanoseconds(figure.picoseconds)),
            figure.floor.map(|floor| format!("{} ns", nanoseconds(floor))).unwrap_or_default(),
            ratio.map(times).unwrap_or_default(),
            aim.unwrap_or_default(),
        ];
        Self { group, name, columns }
    }
}

/// What the columns are, where there is more than one.
const HEADINGS: [&str; 4] = ["takes", "floor", "times", "aim"];

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> = self.0.iter().map(Row::of).collect();
        let with_floors = self.0.iter().any(|figure| figure.floor.is_some());
        let name_width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let widths: [usize; 4] = std::array::from_fn(|column| {
            let heading = if with_floors { HEADINGS[column].len() } else { 0 };
            rows.iter().map(|row| row.columns[column].len()).max().unwrap_or(0).max(heading)
        });
        let line = |f: &mut fmt::Formatter<'_>, name: &str, columns: [&str; 4]| {
            let mut text = format!("{name:name_width$}");
            for (column, width) in columns.iter().zip(widths) {
                text += &format!("  {column:>width$}");
            }
            writeln!(f, "  {}", text.trim_end())
        };
        if with_floors {
            line(f, "", HEADINGS)?;
        }
        let mut groups: Vec<&str> = Vec::new();
        for row in &rows {
            if !groups.contains(&row.group.as_str()) {
                groups.push(&row.group);
            }
        }
        for group in groups {
            if !group.is_empty() {
                writeln!(f, "{group}")?;
            }
            for row in rows.iter().filter(|row| row.group == group) {
                line(f, &row.name, row.columns.each_ref().map(String::as_str))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Hundredths as a number.
fn times(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// With one decimal, and the thousands apart.
fn nanoseconds(picoseconds: u64) -> String {
    let tenths = picoseconds.saturating_add(50) / 100;
    let digits = (tenths / 10).to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text}.{}", tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_rounded_to_tenths() {
        for (picoseconds, text) in [
            (0, "0.0"),
            (49, "0.0"),
            (50, "0.1"),
            (309_960, "310.0"),
            (1_593_949, "1,593.9"),
            (1_234_567_890, "1,234,567.9"),
            (u64::MAX, "18,446,744,073,709,551.6"),
        ] {
            assert_eq!(nanoseconds(picoseconds), text);
        }
    }

    #[test]
    fn figures_are_aligned_below_their_groups() {
        let figures = [
            Figure::new("ipc/call, 0 words", 310_000),
            Figure::new("memory/map", 590_040),
            Figure::new("ipc/call, 120 words/slow", 2_393_000),
            Figure::new("boot", 1_000),
        ];
        let text = Table(&figures).to_string();
        let expected = [
            "ipc",
            "  call, 0 words           310.0 ns",
            "  call, 120 words/slow  2,393.0 ns",
            "",
            "memory",
            "  map                     590.0 ns",
            "",
            "  boot                      1.0 ns",
            "",
            "",
        ];
        assert_eq!(text.split('\n').collect::<Vec<_>>(), expected);
    }

    #[test]
    fn floors_stand_beside_what_has_them() {
        let figures = [
            Figure::new("kernel/call", 300_000),
            Figure { floor: Some(300_000), aim: Some(150), ..Figure::new("rpc/near", 450_000) },
            Figure { floor: Some(300_000), aim: Some(150), ..Figure::new("rpc/far", 450_001) },
            Figure { floor: Some(300_000), ..Figure::new("rpc/free", 1_200_000) },
            Figure { floor: Some(0), ..Figure::new("rpc/nothing", 1_000) },
        ];
        let text = Table(&figures).to_string();
        let expected = [
            "                takes     floor  times       aim",
            "kernel",
            "  call       300.0 ns",
            "",
            "rpc",
            "  near       450.0 ns  300.0 ns   1.50      1.50",
            "  far        450.0 ns  300.0 ns   1.51  not 1.50",
            "  free     1,200.0 ns  300.0 ns   4.00",
            "  nothing      1.0 ns    0.0 ns",
            "",
            "",
        ];
        assert_eq!(text.split('\n').collect::<Vec<_>>(), expected);
    }
}
