//! What the sweep needs of the kernel: without the patch that tells where threads go on that were answered, they repeat their calls
//! in a restored instance.

use rtcr_tests::{run_with, run_without_patch};
use tools::explain::Kind;

const SETTINGS: [&str; 4] = ["checkpoints=40", "checkpoint_after=2900", "checkpoint_every=131", "restore=direct"];

#[test]
fn without_the_restart_patch_a_restored_component_fails() {
    let finished = run_with("states", &SETTINGS);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}", finished.explanation);
    let finished = run_without_patch("states", "0001", &SETTINGS);
    assert_eq!(finished.explanation.kind, Kind::Failed, "{:#?}", finished.explanation);
    assert!(finished.explanation.reason.contains("states"), "{:#?}", finished.explanation);
}
