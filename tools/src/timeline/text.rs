//! A timeline as text: a line for each request and event.
//!
//! Lines that begin with `#` are about the others.

use std::fmt;

use super::{Entry, Timeline, What, model::End, words};

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.overwritten {
            0 => {}
            1 => writeln!(f, "# 1 earlier event is lost")?,
            lost => writeln!(f, "# {lost} earlier events are lost")?,
        }
        if self.entries.is_empty() {
            return writeln!(f, "# nothing happened in core");
        }
        let rows: Vec<_> = self.entries.iter().map(|entry| self.row(entry)).collect();
        let who = rows.iter().map(|row| row.who.chars().count()).max().unwrap_or(0).max(3);
        let what = rows
            .iter()
            .filter(|row| !row.took.is_empty() || !row.result.is_empty())
            .map(|row| row.what.chars().count());
        let what = what.max().unwrap_or(0);
        writeln!(f, "# {:<9}  {:<who$}  {:<what$}  took      result", "seconds", "who", "what")?;
        for Row { time, who: name, what: happened, took, result } in rows {
            let (seconds, nanos) = (time / 1_000_000_000, time % 1_000_000_000);
            let line = format!("{seconds}.{nanos:09}  {name:<who$}  {happened:<what$}  {took:>8}  {result}");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

struct Row {
    time: u64,
    who: String,
    what: String,
    took: String,
    result: String,
}

impl Timeline {
    fn row(&self, entry: &Entry) -> Row {
        let &Entry { time, lane, within, ref what } = entry;
        let (took, result) = match *what {
            What::Request { interface, operation, end: Some(End { time: end, status }), .. } => {
                (words::duration(end.saturating_sub(time)), words::status(interface, operation, status))
            }
            What::Request { end: None, .. } => (String::new(), "the run ended".into()),
            What::Answer { interface, operation, status, .. } => {
                (String::new(), words::status(interface, operation, status))
            }
            What::Span { end, .. } => (end.map_or(String::new(), |end| words::duration(end - time)), String::new()),
            What::Event(_) => Default::default(),
        };
        let indent = if within { "  " } else { "" };
        Row { time, who: self.who(lane, what), what: format!("{indent}{}", self.what(lane, what)), took, result }
    }
}
