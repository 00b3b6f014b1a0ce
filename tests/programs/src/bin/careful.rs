//! Asks for a checkpoint of itself before each of three sections, in two threads at the same time before the second. If nobody
//! takes checkpoints it says so, and does its work all the same.
#![no_std]
#![no_main]
start::component!(construct);

use core::time::Duration;

use base::{
    Env,
    rpc::CallError,
    session::{
        checkpoint::{Client, SERVICE, TakeError, Taken},
        parent::OpenError,
    },
    thread::ThreadOptions,
};

fn construct(env: &mut Env) {
    let env = *env;
    let session = match env.open::<Client>(SERVICE, b"") {
        Ok(session) => Some(session),
        Err(CallError::Error(OpenError::Service)) => {
            log::info!("nobody takes checkpoints");
            None
        }
        Err(error) => panic!("{error:?}"),
    };
    for section in 1..=3 {
        log::info!("before section {section}");
        if let Some(client) = session.as_deref() {
            let client = *client;
            let other = (section == 2).then(|| {
                let options = ThreadOptions { name: "other", stack: 16 << 10, ..ThreadOptions::default() };
                env.spawn(&options, move || ask(env, &client)).expect("there is memory")
            });
            tell(section, ask(env, &client));
            if let Some(other) = other {
                tell(section, other.join());
            }
        }
        env.sleep(Duration::from_millis(2)).expect("TIMER wakes whoever sleeps");
        log::info!("section {section} is done");
    }
    env.exit(0)
}

fn ask(env: Env, client: &Client) -> Result<Taken, CallError<TakeError>> {
    env.until_answered(|| client.take())
}

fn tell(section: u32, answer: Result<Taken, CallError<TakeError>>) {
    match answer {
        Ok(Taken { number, restored: false }) => log::info!("section {section}: checkpoint {number} is taken"),
        Ok(Taken { number, restored: true }) => log::info!("section {section}: restored from checkpoint {number}"),
        Err(error) => log::info!("section {section}: no checkpoint: {error:?}"),
    }
}
