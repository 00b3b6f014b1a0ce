//! Uses a port of a network as nobody should: writes nonsense where both sides write, lends what is no signal, ends signals that
//! the other side raises. It harms its own session and nothing else.
#![no_std]
#![no_main]
start::component!(construct);

use core::sync::atomic::Ordering::SeqCst;

use base::{
    Env,
    client::Session,
    env::slots,
    memory::Attachment,
    rpc::Slot,
    session::{
        link::{
            Client, LinkError,
            rings::{Putter, Ring},
        },
        pd::{ANY, OWN},
        rm::Placement,
    },
};

/// Words of the rings' memory that say how many frames were put in, and how long the first one is.
const PUT: usize = 16;
const LENGTH: usize = 1024;

fn construct(env: &mut Env) {
    let env = *env;
    let port = || {
        let session = env.open::<Client>("link", b"c").expect("nobody else has the port");
        let memory = session.redeem(session.memory().expect("there is memory")).expect("it is for this client");
        (env.attach(&memory, Placement::ANYWHERE).expect("there is room"), session)
    };
    let bell = |session: &Session<Client>| {
        session.redeem_slot(session.bell().expect("there is a bell")).expect("it is for this client")
    };
    let raise = |session: &Session<Client>| _ = env.signal().raise(bell(session));

    // Nonsense in all words; then a frame that is longer than any can be.
    for (first, word, put) in [(0, u32::MAX, 1000), (LENGTH, 5000, 1)] {
        let (memory, session) = port();
        memory.words().iter().skip(first).for_each(|place| place.store(word, SeqCst));
        memory.words()[PUT].store(put, SeqCst);
        raise(&session);
        close(memory, session);
    }
    // What is no signal, and what was lent to nobody.
    let (memory, session) = port();
    for lent in [slots::PD, slots::ENDPOINT, slots::ADDRESS_SPACE, Slot(9999)] {
        let handle = session.lend(lent).expect("the parent looks when it is borrowed");
        let _ = session.listen(handle);
    }
    for handle in [0, 77, u32::MAX] {
        assert_eq!(session.listen(handle), Err(LinkError::Nothing.into()));
    }
    close(memory, session);
    // A signal that is gone when the server raises it, and one of the server's that is gone.
    let (memory, session) = port();
    let signal = env.signal().create(ANY, OWN, slots::DOORBELL, 1).expect("there is a signal");
    session.listen(session.lend(signal).expect("it can be lent")).expect("it is a signal");
    env.signal().destroy(signal).expect("it is there");
    let mut putter = Putter::new(Ring::ToServer);
    for _ in 0..100 {
        // To all, from nobody.
        let _ = putter.put(memory.words(), &[0xff; 60]);
        raise(&session);
    }
    env.signal().destroy(bell(&session)).expect("it can be ended by whoever has it");
    close(memory, session);
    log::info!("Nothing is left to break.");
    env.exit(0)
}

/// Before that the server has looked at it: what it does is done before the next request.
fn close(memory: Attachment, session: Session<Client>) {
    let _ = session.state();
    drop(memory);
    drop(session);
}
