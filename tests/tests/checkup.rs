//! What `cargo rtcr check` finds out by running a scenario.

use rtcr_tests::check;
use tools::checkup::Finding;

/// How often a component could have been checkpointed, and what it was refused.
fn ready(scenario: &str, component: &str) -> (u32, Option<String>) {
    match &check(scenario).components[component] {
        Finding::Looked { ready, obstacles, refused, .. } => {
            assert!(obstacles.keys().all(|obstacle| obstacle == "it has ended"), "{obstacles:?}");
            (*ready, refused.clone())
        }
        Finding::Never(reason) => panic!("{reason}"),
    }
}

#[test]
fn an_ordinary_component_can_be_checkpointed_at_all_instants() {
    let (ready, refused) = ready("worker_native", "worker");
    assert!(ready > 5 && refused.is_none(), "{ready} {refused:?}");
}

#[test]
fn clients_and_servers_go_on_when_they_are_looked_at() {
    let checkup = check("ping_pong_native");
    assert!(checkup.is_good(), "{checkup}");
}

#[test]
fn what_is_not_supported_is_named() {
    let (_, refused) = ready("absurd_quotas", "absurd_quotas");
    assert!(refused.as_ref().is_some_and(|refused| refused.contains("Pd.create")), "{refused:?}");
}

/// Of a service that RTCR does not serve, the name; and of a session that is of no use any more, whose.
#[test]
fn sessions_that_cannot_be_had_are_named() {
    let (ready, refused) = ready("second", "second");
    let refused = refused.unwrap_or_default();
    assert!(ready > 0 && refused.contains("a session of io_mem was refused 1 times"), "{refused}");
    let dead = check("served_lost");
    let Finding::Looked { obstacles, .. } = &dead.components["customer"] else { panic!("{dead}") };
    let lost = "its session of tally cannot be had again: the server is gone";
    assert!(obstacles.keys().any(|obstacle| obstacle == lost), "{obstacles:?}");
}

#[test]
fn a_driver_and_a_parent_cannot_be_checkpointed() {
    let driver = check("driver");
    assert!(!driver.is_good() && matches!(driver.components["driver"], Finding::Never(_)), "{driver}");
    let hostile = check("hostile");
    assert!(matches!(hostile.components["start_kill"], Finding::Never(_)), "{hostile}");
}
