//! A part of a run's time.

use std::str::FromStr;

/// From when to when, in nanoseconds; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From then.
    pub from: u64,
    /// Until then.
    pub to: u64,
}

impl Window {
    /// All of it.
    pub const ALL: Self = Self { from: 0, to: u64::MAX };
}

impl FromStr for Window {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write seconds, as in 0.25..0.26, 0.25.. or ..0.26";
        let (from, to) = text.split_once("..").ok_or(FORM)?;
        let seconds = |text: &str, open: u64| match text {
            "" => Ok(open),
            _ => nanoseconds(text).ok_or(FORM),
        };
        let window = Self { from: seconds(from, 0)?, to: seconds(to, u64::MAX)? };
        if window.from >= window.to { Err("the window ends before it begins") } else { Ok(window) }
    }
}

/// Seconds with up to nine decimals, exactly.
fn nanoseconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 9 || !digits(whole) || !digits(part) {
        return None;
    }
    let part = format!("{part:0<9}").parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_exactly() {
        let read = |text: &str| text.parse::<Window>();
        assert_eq!(read("0.25..0.260000001"), Ok(Window { from: 250_000_000, to: 260_000_001 }));
        assert_eq!(read("1.."), Ok(Window { from: 1_000_000_000, to: u64::MAX }));
        assert_eq!(read("..2"), Ok(Window { from: 0, to: 2_000_000_000 }));
        assert_eq!(read(".."), Ok(Window::ALL));
        for wrong in ["", "1", "1..0", "1..1", "-1..2", "1e3..2", "..0.0000000001", "99999999999..", ".5.."] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
