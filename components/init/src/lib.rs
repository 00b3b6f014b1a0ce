//! The first component of the system: starts the components of the scenario that name no other parent, and stands aside.
//!
//! Its children's sessions are core's; it serves their PARENT sessions, routes services between them, and tells core what
//! becomes of them. A component of a scenario that runs this program does the same for the components that name it as
//! their parent, and tells its own parent; so any number of levels are made of the same piece.
#![no_std]
#![forbid(unsafe_code)]

use base::{
    Env,
    child::{ByScenario, Family, Standing, Way, start_all},
};

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |_, _| Ok((Standing::Aside, |_: &_| Way::Core)));
    family.serve()
}
