//! The story of a component that goes back to checkpoints, from what is printed: at no time has it said anything but what it
//! says alone.

/// Follows a component through a console. At each checkpoint what it has said so far is put by, and when an instance goes on
/// from one, that is what it has said.
///
/// # Errors
/// Where it has said something else than `whole`, of which it must have said all in the end.
pub fn follow(text: &str, name: &str, whole: &[&str]) -> Result<(), String> {
    let own = format!("[{name}] ");
    let (taken, restored) = (format!(" of {name}: "), format!("A new {name} goes on from checkpoint "));
    let (mut now, mut saved) = (0, std::collections::BTreeMap::new());
    for (place, line) in text.lines().enumerate() {
        if let Some(said) = line.strip_prefix(&own) {
            match whole.get(now) {
                Some(expected) if *expected == said => now += 1,
                Some(expected) => return Err(format!("line {place} says `{said}`, and alone it says `{expected}`")),
                None => return Err(format!("line {place} says `{said}`, and alone it has said all by then")),
            }
        } else if let Some(number) = number(line, "Checkpoint ", &taken) {
            saved.insert(number, now);
        } else if let Some(number) = number(line, &restored, ":") {
            let before = saved.get(&number);
            now = *before.ok_or_else(|| format!("line {place} goes back to a checkpoint that was not taken"))?;
        }
    }
    match whole.get(now) {
        None => Ok(()),
        Some(missing) => Err(format!("it has not said `{missing}`")),
    }
}

/// A number between two texts of a line.
fn number(line: &str, before: &str, after: &str) -> Option<u32> {
    line.split_once(before)?.1.split_once(after)?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [&str; 3] = ["one", "two", "three"];
    const TAKEN: &str = "[rtcr] Checkpoint 1 of it: stopped for 25.0 us";
    const BACK: &str = "[rtcr] A new it goes on from checkpoint 1: restored";

    fn follow_all(lines: &[&str]) -> Result<(), String> {
        follow(&lines.join("\n"), "it", &WHOLE)
    }

    #[test]
    fn who_goes_back_says_again_what_it_said_since() {
        assert_eq!(follow_all(&["[it] one", TAKEN, "[it] two", BACK, "[it] two", "[other] x", "[it] three"]), Ok(()));
    }

    #[test]
    fn anything_else_is_found() {
        for wrong in [
            &["[it] one", TAKEN, "[it] two", BACK, "[it] three"][..],
            &["[it] one", TAKEN, BACK, "[it] one", "[it] two", "[it] three"],
            &["[it] one", "[it] two"],
            &["[it] one", "[it] two", "[it] three", "[it] three"],
            &["[it] one", BACK, "[it] two", "[it] three"],
        ] {
            assert!(follow_all(wrong).is_err(), "{wrong:?}");
        }
    }
}
