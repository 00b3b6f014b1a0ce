//! A parent that stands between: every session of its children ends here, and every request that is passed on is its own.
//!
//! It starts the components of the scenario that name it as their parent, like `init`. Each child has an endpoint and a
//! thread of its own here, just above the child's priority, so that nobody waits for another child's requests; PARENT is
//! served by the first thread, above all of them. What becomes of a request says [`base::interpose`].
#![no_std]
#![forbid(unsafe_code)]

use base::{
    Env,
    child::{ByScenario, Family, NoStart, Room, Settings, Standing, Way, Window, start_all},
    env::slots,
    interpose::{Ward, serve},
    rpc::Slot,
    session::pd::{ANY, OWN},
    thread::ThreadOptions,
};

/// Numbers between the windows of two children, so that what one could reach is nobody's.
const GAP: u32 = 32;
/// Stack of a child's thread.
const STACK: usize = 32 << 10;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    let policy = ByScenario::load(env).unwrap_or_else(|error| ByScenario::failed(env, &error));
    // Windows begin where this component's own numbers end: each of those costs a capability.
    let caps = policy.scenario().components.get(policy.own()).map_or(0, |component| component.caps);
    let mut next = slots::FIRST_FREE.0 + caps;
    // Most systems have none.
    let echo = env.until_answered(|| env.parent().open("echo", b"")).ok();
    let mut family = Family::new(env.platform(), policy);
    start_all(env, &mut family, |settings, _| {
        let room = room(env, next, settings)?;
        next = room.window.end() + GAP;
        watch(env, settings, &room, echo)?;
        let endpoint = room.endpoint;
        Ok((Standing::Between(room), move |_: &_| Way::Own(endpoint)))
    });
    family.serve()
}

/// Numbers, an endpoint and a session that prints for a child.
fn room(env: Env, base: u32, settings: &Settings<'_>) -> Result<Room, NoStart> {
    let window = Window::new(base, settings.slots).ok_or(NoStart::Between("numbers"))?;
    let endpoint = env.pd().create_endpoint(ANY, OWN).map_err(|_| NoStart::Between("endpoint"))?;
    let log = env.until_answered(|| env.parent().open("log", settings.name.as_bytes()));
    let bell = env.pd().create_notification(ANY, OWN).map_err(|_| NoStart::Between("notification"))?;
    Ok(Room::new(window, endpoint, log.map_err(|_| NoStart::Between("LOG session"))?).served_by(bell))
}

/// A thread that serves a child, from before it is there.
fn watch(env: Env, settings: &Settings<'_>, room: &Room, echo: Option<Slot>) -> Result<(), NoStart> {
    let ward = Ward::new(env.platform() as _, room, settings.priority, echo);
    let (endpoint, priority) = (room.endpoint, settings.priority.saturating_add(1));
    let options = ThreadOptions { name: settings.name, priority: Some(priority), stack: STACK };
    let thread = env.spawn(&options, move || serve(env.platform(), endpoint, ward));
    let thread = thread.map_err(|_| NoStart::Between("thread"))?;
    let bell = room.quiet.as_ref().map_or(ANY, |quiet| quiet.bell());
    // It has not run yet, since it is below this one.
    env.cpu().bind(thread.slot(), bell).map_err(|_| NoStart::Between("doorbell"))
}
