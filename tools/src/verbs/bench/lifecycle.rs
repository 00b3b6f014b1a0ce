//! What the kernel's part of starting and killing a component costs: the sum of figures of `bench kernel` that were measured in
//! the same call of the tool, on the same kernel.
//!
//! A part's name says how many requests it is, short and long ones, and of how many pages: `program: copying it (1+0 requests, 1
//! pages)`. Behind that stands how many pages are zero or shared. Its floor is their round trips, those with few words and those with more, and what the kernel must do for it: capabilities,
//! mappings, threads, copying and clearing. Frames, page directories, page tables and CNodes are kept and used again; threads
//! and notifications are made anew.

use super::{floor::Missing, table::Figure};

const SHORT: &str = "call/4 words/rising priorities, other address space";
const LONG: &str = "call/20 words/rising priorities, other address space";
const MAP: &str = "page/map 4 KiB in another address space";
const UNMAP: &str = "page/unmap 4 KiB";
const SHARE: &str = "cnode/copy of a frame";
const UNSHARE: &str = "cnode/delete of a frame's copy mapped in another address space";
const LOOK: &str = "thread/read registers and what it does";
const TABLE: &str = "page/map a page table";
const CLEAR: &str = "memory/clear 4 KiB with stm";
const COPY: &str = "memory/copy 4 KiB with ldm and stm";
const GIVE: &str = "cnode/mint of an endpoint";
const TAKE: &str = "cnode/delete of an endpoint's copy";
const THREAD: &str = "retype/thread, used memory";
const CONFIGURE: &str = "thread/configure";
const RUN: &str = "thread/write registers and resume, suspended before";
const END: &str = "cnode/delete of a thread";
const NOTIFICATION: &str = "retype/notification";
const FORGET: &str = "cnode/delete of a notification";

const USED: [&str; 18] = [
    SHORT,
    LONG,
    MAP,
    UNMAP,
    SHARE,
    UNSHARE,
    LOOK,
    TABLE,
    CLEAR,
    COPY,
    GIVE,
    TAKE,
    THREAD,
    CONFIGURE,
    RUN,
    END,
    NOTIFICATION,
    FORGET,
];

/// What a part needs of the kernel besides its requests: so often once, and once for each page, and for each of the others.
struct Need {
    part: &'static str,
    once: &'static [(&'static str, u64)],
    each: &'static [&'static str],
    other: &'static [&'static str],
}

const fn need(
    part: &'static str,
    once: &'static [(&'static str, u64)],
    each: &'static [&'static str],
    other: &'static [&'static str],
) -> Need {
    Need { part, once, each, other }
}

/// Sessions that a component starts with, PARENT included; and with its doorbell, its endpoint and where its faults are told,
/// the capabilities of its own.
const SESSIONS: u64 = 8;
const CAPABILITIES: u64 = SESSIONS + 3;

/// A frame's capability maps it once, so that what is shown to several needs one for each.
const NEEDS: [Need; 13] = [
    need("start/program: attaching what is not written", &[(TABLE, 1)], &[SHARE, MAP], &[]),
    need("start/program: copying it", &[], &[COPY], &[]),
    need("start/program: attaching it", &[], &[MAP], &[CLEAR]),
    need("start/stack: memory, attaching", &[(TABLE, 1)], &[MAP, CLEAR], &[]),
    need("start/doorbell and endpoint", &[(NOTIFICATION, 1), (GIVE, 2)], &[], &[]),
    need("start/sessions", &[(GIVE, SESSIONS)], &[], &[]),
    need("start/first thread", &[(THREAD, 1), (CONFIGURE, 1), (GIVE, 1)], &[], &[]),
    need("start/letting it run", &[(RUN, 1)], &[], &[]),
    need("start/start-up code and heap, until its first instruction in construct", &[(TABLE, 1)], &[MAP, CLEAR], &[]),
    need("kill/answering clients", &[(LOOK, 1)], &[], &[]),
    need("kill/ending threads", &[(END, 1)], &[], &[]),
    need("kill/freeing frames and other objects", &[(FORGET, 1)], &[UNMAP], &[UNSHARE]),
    need("kill/emptying its capability space", &[(TAKE, CAPABILITIES)], &[], &[]),
];

/// The figures of the component beside their floors, with sums, and above them those of the kernel that these are made of.
///
/// # Errors
/// A figure of the kernel is not there.
pub fn beside(figures: Vec<Figure>) -> Result<Vec<Figure>, Missing> {
    let cost = |name: &'static str| {
        figures.iter().find(|figure| figure.name == name).map(|figure| figure.picoseconds).ok_or(Missing(name))
    };
    let mut all: Vec<_> = figures.iter().filter(|figure| USED.contains(&figure.name.as_str())).cloned().collect();
    let mut floors = Vec::new();
    for of in ["start", "kill"] {
        let (mut sum, mut floor) = (0, 0);
        let begins = format!("{of}/");
        for figure in figures.iter().filter(|figure| figure.name.starts_with(&begins)) {
            let Some((part, work)) =
                figure.name.split_once(" (").and_then(|(part, work)| Some((part, Work::of(work)?)))
            else {
                continue;
            };
            let mut least = work.short * cost(SHORT)? + work.long * cost(LONG)?;
            if let Some(need) = NEEDS.iter().find(|need| need.part == part) {
                for &(name, times) in need.once {
                    least += times * cost(name)?;
                }
                for (pages, names) in [(work.pages, need.each), (work.others, need.other)] {
                    for &name in names {
                        least += pages * cost(name)?;
                    }
                }
            }
            (sum, floor) = (sum + figure.picoseconds, floor + least);
            all.push(Figure { floor: Some(least), ..figure.clone() });
        }
        all.push(Figure { floor: Some(floor), ..Figure::new(&format!("{of}/sum of these parts"), sum) });
        floors.push(floor);
        all.extend(at_once(&figures, of, floor));
    }
    all.extend(at_once(&figures, "restart", floors.iter().sum()));
    Ok(all)
}

fn at_once(figures: &[Figure], of: &str, floor: u64) -> Option<Figure> {
    let name = format!("{of}/at once");
    let whole = figures.iter().find(|figure| figure.name == name)?;
    Some(Figure { floor: Some(floor), ..whole.clone() })
}

/// What a part's name says behind the parenthesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    short: u64,
    long: u64,
    pages: u64,
    others: u64,
}

impl Work {
    fn of(text: &str) -> Option<Self> {
        let (requests, rest) = text.split_once(" requests")?;
        let (short, long) = requests.split_once('+')?;
        let mut counts =
            rest.trim_end_matches(')').split(", ").skip(1).map(|count| count.split(' ').next()?.parse().ok());
        let mut next = || counts.next().unwrap_or(Some(0));
        let (pages, others) = (next()?, next()?);
        Some(Self { short: short.parse().ok()?, long: long.parse().ok()?, pages, others })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> Vec<Figure> {
        let mut figures = vec![Figure::new("boot/not needed", 9)];
        figures.extend(USED.iter().zip(0..).map(|(name, digit)| Figure::new(name, 1_000 + digit)));
        figures
    }

    /// What a primitive costs there.
    fn cost(name: &str) -> u64 {
        1_000 + USED.iter().position(|used| *used == name).unwrap() as u64
    }

    #[test]
    fn a_part_is_compared_with_its_requests_and_what_the_kernel_does_for_it() {
        let mut figures = kernel();
        figures.push(Figure::new("start/protection domain with its quota (1+1 requests)", 5_000));
        figures.push(Figure::new("start/stack: memory, attaching (4+0 requests, 5 pages)", 30_000));
        figures.push(Figure::new("start/at once", 36_000));
        figures.push(Figure::new("kill/ending threads (1+0 requests)", 4_000));
        figures.push(Figure::new("kill/freeing frames and other objects (7+0 requests, 6 pages, 10 shared)", 20_000));
        figures.push(Figure::new("kill/at once", 24_100));
        figures.push(Figure::new("restart/at once", 40_100));
        let all = beside(figures).unwrap();
        let all: Vec<_> =
            all[USED.len()..].iter().map(|f| (f.name.as_str(), f.picoseconds, f.floor.unwrap())).collect();
        let domain = cost(SHORT) + cost(LONG);
        let stack = 4 * cost(SHORT) + cost(TABLE) + 5 * (cost(MAP) + cost(CLEAR));
        let thread = cost(SHORT) + cost(END);
        let frames = 7 * cost(SHORT) + cost(FORGET) + 6 * cost(UNMAP) + 10 * cost(UNSHARE);
        assert_eq!(
            all,
            [
                ("start/protection domain with its quota (1+1 requests)", 5_000, domain),
                ("start/stack: memory, attaching (4+0 requests, 5 pages)", 30_000, stack),
                ("start/sum of these parts", 35_000, domain + stack),
                ("start/at once", 36_000, domain + stack),
                ("kill/ending threads (1+0 requests)", 4_000, thread),
                ("kill/freeing frames and other objects (7+0 requests, 6 pages, 10 shared)", 20_000, frames),
                ("kill/sum of these parts", 24_000, thread + frames),
                ("kill/at once", 24_100, thread + frames),
                ("restart/at once", 40_100, domain + stack + thread + frames),
            ]
        );
    }

    #[test]
    fn what_a_name_says_is_read() {
        let work = |short, long, pages, others| Some(Work { short, long, pages, others });
        assert_eq!(Work::of("3+1 requests)"), work(3, 1, 0, 0));
        assert_eq!(Work::of("2+0 requests, 3 pages, 1 zero)"), work(2, 0, 3, 1));
        assert_eq!(
            (Work::of("requests"), Work::of("1 requests"), Work::of("1+1 requests, x pages")),
            (None, None, None)
        );
    }

    #[test]
    fn a_floor_without_its_parts_is_an_error() {
        let mut figures = kernel();
        figures.retain(|figure| figure.name != END);
        figures.push(Figure::new("kill/ending threads (1+0 requests)", 4_000));
        assert!(beside(figures).unwrap_err().to_string().contains(END));
    }
}
