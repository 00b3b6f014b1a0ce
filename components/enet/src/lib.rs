//! Driver of the i.MX6's Ethernet device, ENET. It offers LINK, of one port, to one client.
//!
//! It needs the device's registers and interrupt, and to know where its memory lies:
//! `devices = { io_mem = [0x02188000], irq = [150], dma = true }`. The device reads and writes memory by itself, wherever it
//! is told to: so this component is trusted with the whole system. It stops the device before it exits; should it end otherwise, the device
//! goes on writing frames into memory that others may have by then, until the next instance resets it.
//!
//! | value | says | else |
//! |---|---|---|
//! | `mac` | the port's address | what the device has been given before |
//! | `registers` | where the registers are, in hexadecimal | `02188000` |
//! | `interrupt` | the interrupt's number | `150` |
//!
//! Frames that the device marks as damaged or that have a length that no frame has are passed over and counted, and so is what
//! arrives when the client's ring is full. On a board, clocks, pads and the PHY's negotiation are as the boot loader has left them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod descriptors;
mod driver;
pub mod registers;

use alloc::sync::Arc;

use base::{
    Env,
    service::Opening,
    session::{
        link::{Address, Server},
        parent::Value,
    },
    sync::Mutex,
};
use driver::{Driver, Seat};

/// The service: what the link in memory is called too, so that the scenario alone says which it is.
const SERVICE: &str = "link";
/// How often it is looked whether a cable is plugged in, in nanoseconds.
const LOOK_EVERY: u64 = 250_000_000;

/// Called once, with everything that the component has.
pub fn construct(env: &mut Env) {
    let env = *env;
    if let Err(missing) = serve(env) {
        log::error!("the device cannot be driven: no {missing}");
        env.exit(1)
    }
}

fn serve(env: Env) -> Result<(), driver::Failure> {
    let text = |key, other: &str| -> Value {
        env.parent().value(key).ok().flatten().unwrap_or_else(|| other.try_into().unwrap_or_default())
    };
    let address = match text("mac", "").as_str() {
        "" => None,
        given => {
            let address = given.parse().ok().filter(Address::is_single);
            Some(address.ok_or("address like 02:00:00:00:00:01 in the value `mac`")?)
        }
    };
    let (registers, interrupt) = (text("registers", "02188000"), text("interrupt", "150"));
    let driver = Driver::start(env, address, [&registers, &interrupt])?;
    log::info!("Port {}.", driver.address());
    let driver = Arc::new(Mutex::new(env, driver));
    let called = Arc::clone(&driver);
    let signal = env.on_signal(move |_| called.lock().pump()).map_err(|_| "signal")?;
    driver.lock().call_by(signal.slot())?;
    let looking = Arc::clone(&driver);
    let look = env.on_signal(move |_| looking.lock().look()).map_err(|_| "signal")?;
    env.timer().periodic(look.slot(), LOOK_EVERY).map_err(|_| "time")?;
    let stopped = Arc::clone(&driver);
    env.on_exit(move || {
        stopped.lock().stop();
        0
    });
    let open = move |opening: &Opening<'_>| Seat::take(&driver, opening).map(Server);
    env.serve(SERVICE, open).map_err(|_| "service")
}
