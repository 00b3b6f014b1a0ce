//! A component that takes from others what it can, or keeps them from running: those beside it print what they print when it
//! does nothing. Times are theirs to lose, what they compute is not.

use std::sync::OnceLock;

use rtcr_tests::{console, run_with};
use tools::{explain::Kind, run::Finished};

fn assert_passed(what: &str, finished: &Finished) {
    let console = String::from_utf8_lossy(&finished.outcome.console);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{what}: {:#?}\n{console}", finished.explanation);
}

fn lines_of<'a>(finished: &'a Finished, name: &str) -> Vec<&'a str> {
    let prefix = format!("[{name}] ");
    console(finished).lines().filter_map(|line| line.strip_prefix(&prefix)).collect()
}

/// All that the victims print, each in its order.
fn victims(finished: &Finished) -> [Vec<String>; 3] {
    ["sheep_counter", "neighbour", "ping"].map(|name| lines_of(finished, name).into_iter().map(str::to_owned).collect())
}

/// What they print beside one that does nothing.
fn alone() -> &'static [Vec<String>; 3] {
    static ALONE: OnceLock<[Vec<String>; 3]> = OnceLock::new();
    ALONE.get_or_init(|| {
        let finished = run_with("attack", &["attack=none"]);
        assert_passed("none", &finished);
        assert!(lines_of(&finished, "attacker").is_empty());
        victims(&finished)
    })
}

/// The victims do not notice, and the attacker came as far as it can: `stopped` is what it says then.
fn assert_harms_nobody(attack: &str, stopped: &str) {
    let finished = attacked(attack, &[]);
    assert_eq!(lines_of(&finished, "attacker"), [stopped], "{attack}");
}

fn attacked(attack: &str, settings: &[&str]) -> Finished {
    let attack = format!("attack={attack}");
    let settings: Vec<_> = [&attack[..]].into_iter().chain(settings.iter().copied()).collect();
    let finished = run_with("attack", &settings);
    assert_passed(&attack, &finished);
    assert_eq!(victims(&finished), *alone(), "{attack}");
    finished
}

macro_rules! attacks {
    ($($(#[$doc:meta])* $name:ident: $attack:literal, $stopped:literal;)*) => { $(
        $(#[$doc])*
        #[test]
        fn $name() {
            assert_harms_nobody($attack, $stopped);
        }
    )* };
}

attacks! {
    taking_all_memory: "ram", "less than a page is left";
    taking_all_capabilities: "caps", "signals: 3487, then Error(Caps)";
    flooding_core_with_requests: "flood_core", "flooding";
    flooding_its_parent_with_requests: "flood_parent", "flooding";
    flooding_a_server_that_others_use: "flood_sibling", "flooding";
    spinning_below_others: "spin", "spinning";
    asking_its_parent_for_more: "request", "refused: 0, then Error(Denied)";
    giving_away_what_it_has: "upgrade", "upgraded some: Error(Ram)";
    announcing_services: "announce", "services: 16, then Error(Occupied)";
    making_endpoints: "endpoints", "endpoints: 2987, then Error(Caps)";
    making_notifications: "notifications", "notifications: 2987, then Error(Caps)";
    raising_signals: "signals", "signals: 2987, then Error(Caps)";
    making_threads: "threads", "threads: 63, then Threads";
    making_region_maps: "region_maps", "region maps: 2987, then Error(Caps)";
    /// What core keeps of regions lies in its heap, of which everybody has a part.
    attaching_everywhere: "regions", "regions: many, then Error(Ram)";
    /// And of page tables.
    mapping_everywhere: "tables", "page tables: many, then Error(Ram)";
    /// And of tables of numbers.
    making_protection_domains: "domains", "protection domains: many, then Error(Ram)";
    interrupting: "interrupts", "160 interrupts refused";
    nesting_region_maps: "nesting", "region maps are nested 4 deep, then Error(Nesting)";
    faulting_where_it_hears_of_it: "waiting_faults", "100 faults";
}

#[test]
fn opening_sessions() {
    let finished = attacked("open", &[]);
    let told = ["asked for 64 sessions, then Error(Caps)", "sessions of core's: 2987, then Error(Caps)"];
    assert_eq!(lines_of(&finished, "attacker"), told);
}

/// All of the shortest period, which would take more time than there is.
#[test]
fn having_timeouts() {
    let finished = attacked("timeouts", &["interval=50000"]);
    assert_eq!(lines_of(&finished, "attacker"), ["timeouts: 2987, then Error(Caps)"]);
}

#[test]
fn faulting_and_being_started_again() {
    let finished = attacked("faults", &[]);
    let instances = lines_of(&finished, "attacker");
    assert!(instances.len() > 20 && instances.iter().all(|line| *line == "faulting"), "{instances:?}");
}

/// At the same priority everybody has a part of the time.
#[test]
fn spinning_beside_others() {
    let settings = ["component.attacker.priority=120", "interval=1000"];
    attacked("spin", &settings);
}

/// Above them nobody else has any: who has which priority is the scenario's to decide.
#[test]
fn spinning_above_others_is_the_scenarios_doing() {
    let finished = run_with("attack", &["attack=spin", "component.attacker.priority=140", "limit=0.1"]);
    assert_eq!(finished.explanation.kind, Kind::TimedOut, "{:#?}", finished.explanation);
    assert!(finished.explanation.details.iter().any(|line| line.contains("attacker")), "{:#?}", finished.explanation);
}

#[test]
fn accounts_of_all_levels_add_up() {
    let finished = run_with("accounts", &[]);
    assert_passed("accounts", &finished);
}
