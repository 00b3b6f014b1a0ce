//! Start-up code and IPC transport of components on this platform.
//!
//! A program is a component's library and one line, `start::component!(name::construct);`. Whoever creates the component
//! sets program counter and stack pointer; `_start` clears the frame chain and goes on in Rust: the logging backend is
//! installed, `construct` called, and then the component's first thread waits at its doorbell.
#![no_std]

mod panic;
mod transport;

use core::arch::global_asm;

use base::{Env, env::Logger};

pub use transport::Kernel;

// A zero frame pointer and return address end backtraces.
global_asm!(
    r#"
    .section .text.start, "ax"
    .arm
    .global _start
_start:
    mov     r11, #0
    mov     lr, #0
    b       {entry}
    "#,
    entry = sym entry,
);

static TRANSPORT: Kernel = Kernel;
static LOGGER: Logger = Logger::new(environment());

const fn environment() -> Env {
    Env::new(&TRANSPORT)
}

unsafe extern "Rust" {
    /// The component itself; named by [`component`].
    fn __construct(env: &mut Env);
}

extern "C" fn entry() -> ! {
    LOGGER.install();
    let mut env = environment();
    // SAFETY: defined by `component!` with this very signature.
    unsafe { __construct(&mut env) };
    loop {
        transport::wait(base::env::DOORBELL);
    }
}

/// Makes a function `fn(&mut base::Env)` the component of an executable.
#[macro_export]
macro_rules! component {
    ($construct:path) => {
        // The name is reserved for this macro: two components in one executable do not link.
        #[unsafe(no_mangle)]
        fn __construct(env: &mut $crate::__Env) {
            $construct(env)
        }
    };
}

#[doc(hidden)]
pub use base::Env as __Env;
