//! What the kernel's part of a request, or of an operation on memory, costs: the sum of figures of `bench kernel` that were
//! measured in the same call of the tool, on the same kernel.
//!
//! A floor holds what cannot be left out: the round trips between component and core at their priorities, and for each
//! frame what the kernel, and clearing, take. It holds none of core's own work, and no entry of a table.

use super::table::Figure;

/// `bench kernel` does not measure what a floor is made of.
#[derive(Debug, thiserror::Error)]
#[error("the floor needs `{0}`, which the kernel's benchmark does not measure")]
pub struct Missing(pub &'static str);

/// Round trips with 0, 4, 20 and 120 words.
const CALLS: [&str; 4] = [
    "call/0 words/rising priorities, other address space",
    "call/4 words/rising priorities, other address space",
    "call/20 words/rising priorities, other address space",
    "call/120 words/rising priorities, other address space",
];
/// By frame size. Those of 16 MiB are not measured; they take sixteen entries of a table like those of 64 KiB.
const RETYPE: [&str; 4] = [
    "retype/4 KiB frame, 256 at once, fresh memory",
    "retype/64 KiB frame",
    "retype/1 MiB frame",
    "retype/1 MiB frame",
];
/// By frame size.
const MAP: [&str; 4] =
    ["page/map 4 KiB in another address space", "page/map 64 KiB", "page/map 1 MiB", "page/map 64 KiB"];
/// By frame size.
const UNMAP: [&str; 4] = ["page/unmap 4 KiB", "page/unmap 64 KiB", "page/unmap 1 MiB", "page/unmap 64 KiB"];
const COPY: &str = "cnode/copy of a frame";
const CLEAR: &str = "memory/clear 4 KiB with stm";
const TABLE: [&str; 2] = ["retype/page table", "page/map a page table"];

/// Bytes of the frame sizes.
const FRAMES: [u64; 4] = [4 << 10, 64 << 10, 1 << 20, 16 << 20];
const PAGE: u64 = 4 << 10;
/// Bytes for which a page table is needed.
const SPAN: u64 = 1 << 20;
/// Frames that one request is for, at most.
const AT_ONCE: u64 = 32;

/// Names of the sums.
const BOTH: &str = "allocate and attach";

/// Primitives, in picoseconds.
struct Costs {
    calls: [u64; 4],
    retype: [u64; 4],
    map: [u64; 4],
    unmap: [u64; 4],
    copy: u64,
    clear: u64,
    table: u64,
}

impl Costs {
    fn of(figures: &[Figure]) -> Result<Self, Missing> {
        let of = |name: &'static str| {
            figures.iter().find(|figure| figure.name == name).map(|figure| figure.picoseconds).ok_or(Missing(name))
        };
        let all = |[a, b, c, d]: [&'static str; 4]| Ok([of(a)?, of(b)?, of(c)?, of(d)?]);
        Ok(Self {
            calls: all(CALLS)?,
            retype: all(RETYPE)?,
            map: all(MAP)?,
            unmap: all(UNMAP)?,
            copy: of(COPY)?,
            clear: of(CLEAR)?,
            table: of(TABLE[0])? + of(TABLE[1])?,
        })
    }

    /// A round trip with so many words there and back. Beyond four it grows with each by the same.
    fn call(&self, words: u64) -> u64 {
        let [none, fast, twenty, most] = self.calls;
        match words {
            0 => none,
            1..=4 => fast,
            words => (twenty + most.saturating_sub(twenty) * words.max(20) / 100)
                .saturating_sub(most.saturating_sub(twenty) / 5),
        }
    }

    /// What each step with a dataspace costs; none for others.
    fn step(&self, shape: Shape, step: &str) -> Option<u64> {
        let Shape { size, frame, fresh } = shape;
        let frames = size / FRAMES[frame];
        let requests = frames.div_ceil(AT_ONCE) * self.call(4);
        let each = match (step, fresh) {
            // A capability for core's window, one for the component, and the window's mapping.
            ("allocate", true) => frames * (self.retype[frame] + self.copy + self.map[frame]),
            ("attach", true) if FRAMES[frame] < SPAN => frames * self.map[frame] + self.table * size / SPAN,
            ("attach", true) => frames * self.map[frame],
            ("attach", false) => frames * self.map[frame] + size / PAGE * self.clear,
            ("detach", _) => frames * self.unmap[frame],
            // What is given back is kept, and cleared when it is used again.
            ("allocate", false) | ("free", _) => 0,
            _ => return None,
        };
        Some(requests + each)
    }
}

/// What a figure's heading says of a dataspace: `64 KiB in frames of 4 KiB, fresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    size: u64,
    /// Which of the frame sizes.
    frame: usize,
    fresh: bool,
}

impl Shape {
    fn of(heading: &str) -> Option<Self> {
        let (size, rest) = heading.split_once(" in frames of ")?;
        let (frame, memory) = rest.split_once(", ")?;
        let (size, frame) = (bytes(size)?, bytes(frame)?);
        let frame = FRAMES.iter().position(|&bytes| bytes == frame)?;
        let fresh = match memory {
            "fresh" => true,
            "used before" => false,
            _ => return None,
        };
        Some(Self { size, frame, fresh })
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "KiB" => Some(number << 10),
        "MiB" => Some(number << 20),
        _ => None,
    }
}

/// What a request's round trip is compared with, and what is aimed at, in hundredths of it.
fn request(costs: &Costs, heading: &str, name: &str) -> Option<(u64, Option<u64>)> {
    let aim = match heading {
        "request to core" => Some(150),
        "request through one parent" => Some(350),
        "request through two parents" => None,
        _ => return None,
    };
    let (number, unit) = name.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let words = match unit {
        "words" => number,
        // A word says how many they are.
        "bytes" => 1 + number.div_ceil(4),
        _ => return None,
    };
    Some((costs.call(words), aim))
}

/// The figures of components beside their floors, and above them those of the kernel that these are made of.
///
/// # Errors
/// A figure of the kernel is not there.
pub fn beside(figures: Vec<Figure>) -> Result<Vec<Figure>, Missing> {
    let costs = Costs::of(&figures)?;
    let parts = [&CALLS[..], &RETYPE, &MAP, &UNMAP, &[COPY, CLEAR], &TABLE].concat();
    let mut all = Vec::new();
    let mut allocated = None;
    for mut figure in figures {
        let Some((heading, name)) = figure.name.split_once('/') else { continue };
        if parts.contains(&figure.name.as_str()) {
            all.push(figure);
        } else if let Some((floor, aim)) = request(&costs, heading, name) {
            (figure.floor, figure.aim) = (Some(floor), aim);
            all.push(figure);
        } else if let Some(shape) = Shape::of(heading) {
            figure.floor = costs.step(shape, name);
            let both = format!("{heading}/{BOTH}");
            let step = name.to_owned();
            all.push(figure.clone());
            match (step.as_str(), allocated.take()) {
                ("allocate", _) => allocated = Some(figure),
                ("attach", Some(allocated)) => all.push(figure.and(&allocated, both, Some(130))),
                _ => {}
            }
        } else if heading.starts_with("request") {
            // Measured for its breakdown.
            all.push(figure);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each primitive costs something else, so that a sum tells what it is made of.
    fn kernel() -> Vec<Figure> {
        let mut figures = vec![Figure::new("boot/not needed", 9)];
        let named = |names: &[&str], costs: &[u64]| {
            names.iter().zip(costs).map(|(name, &cost)| Figure::new(name, cost)).collect::<Vec<_>>()
        };
        figures.extend(named(&CALLS, &[300, 400, 1_700, 2_700]));
        figures.extend(named(&RETYPE[..3], &[70, 800, 801]));
        figures.extend(named(&MAP[..3], &[600, 700, 650]));
        figures.extend(named(&UNMAP[..3], &[500, 550, 501]));
        figures.extend(named(&[COPY, CLEAR], &[900, 390]));
        figures.extend(named(&TABLE, &[10_000, 20_000]));
        figures
    }

    fn floor(name: &str) -> (Option<u64>, Option<u64>) {
        let mut figures = kernel();
        figures.push(Figure::new(name, 1_000));
        let figure = beside(figures).unwrap().pop().unwrap();
        assert_eq!((figure.name.as_str(), figure.picoseconds), (name, 1_000));
        (figure.floor, figure.aim)
    }

    #[test]
    fn a_request_is_compared_with_the_round_trip_of_as_many_words() {
        assert_eq!(floor("request to core/0 words"), (Some(300), Some(150)));
        assert_eq!(floor("request through one parent/4 words"), (Some(400), Some(350)));
        assert_eq!(floor("request through two parents/20 words"), (Some(1_700), None));
        assert_eq!(floor("request to core/256 bytes"), (Some(1_700 + 45 * 10), Some(150)));
        assert_eq!(floor("request to core/something else"), (None, None));
    }

    #[test]
    fn memory_is_compared_with_requests_and_what_each_frame_needs() {
        let of = |name| floor(name).0;
        assert_eq!(of("4 KiB in frames of 4 KiB, fresh/allocate"), Some(400 + 70 + 900 + 600));
        assert_eq!(of("4 KiB in frames of 4 KiB, fresh/attach"), Some(400 + 600 + 30_000 / 256));
        assert_eq!(of("1 MiB in frames of 4 KiB, used before/allocate"), Some(8 * 400));
        assert_eq!(of("1 MiB in frames of 4 KiB, used before/attach"), Some(8 * 400 + 256 * (600 + 390)));
        assert_eq!(of("16 MiB in frames of 16 MiB, used before/attach"), Some(400 + 700 + 4_096 * 390));
        assert_eq!(of("1 MiB in frames of 1 MiB, fresh/attach"), Some(400 + 650));
        assert_eq!(of("64 KiB in frames of 64 KiB, used before/detach"), Some(400 + 550));
        assert_eq!(of("64 KiB in frames of 4 KiB, used before/free"), Some(400));
    }

    #[test]
    fn allocating_and_attaching_stand_as_one() {
        let mut figures = kernel();
        figures.push(Figure::new("4 KiB in frames of 4 KiB, used before/allocate", 500));
        figures.push(Figure::new("4 KiB in frames of 4 KiB, used before/attach", 1_000));
        figures.push(Figure::new("4 KiB in frames of 4 KiB, used before/detach", 700));
        let all = beside(figures).unwrap();
        let both = &all[all.len() - 2];
        assert_eq!(both.name, "4 KiB in frames of 4 KiB, used before/allocate and attach");
        assert_eq!((both.picoseconds, both.floor, both.aim), (1_500, Some(400 + 400 + 600 + 390), Some(130)));
        assert!(all.iter().all(|figure| figure.name != "boot/not needed"));
    }

    #[test]
    fn a_floor_without_its_parts_is_an_error() {
        let mut figures = kernel();
        figures.retain(|figure| figure.name != COPY);
        assert!(beside(figures).unwrap_err().to_string().contains(COPY));
    }
}
