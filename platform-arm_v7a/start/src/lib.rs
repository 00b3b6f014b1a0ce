//! Start-up code and IPC transport of components on this platform.
//!
//! A program is a component's library and one line, `start::component!(name::construct);`. Whoever creates the component
//! sets program counter and stack pointer; `_start` clears the frame chain and goes on in Rust: the logging backend is
//! installed, the barrier `restore_thread` called, then `construct`, and then the component's first thread serves requests
//! and signals. Until the barrier there is one thread, and what it asks for depends on the program alone.
#![no_std]

// For the heap, which is this crate's to define.
extern crate alloc;
// For copying and filling memory, which the compiler calls.
use blocks as _;

mod panic;
mod platform;
mod transport;

use core::arch::global_asm;

use base::{Env, entrypoint::Entrypoint, env::Logger, heap::Heap, runtime::Runtime};

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

// What a thread other than the first begins with: the word that it was started with is in r0.
global_asm!(
    r#"
    .section .text.start, "ax"
    .arm
    .global _start_thread
_start_thread:
    mov     r11, #0
    mov     lr, #0
    b       {thread}
    "#,
    thread = sym thread,
);

static PLATFORM: Kernel = Kernel;
static RUNTIME: Runtime = Runtime::new();
static LOGGER: Logger = Logger::new(environment());

const fn environment() -> Env {
    Env::new(&PLATFORM, &RUNTIME)
}

#[global_allocator]
static HEAP: Heap = Heap::new(environment());

unsafe extern "Rust" {
    /// The component itself; named by [`component`].
    fn __construct(env: &mut Env);
}

extern "C" fn entry() -> ! {
    LOGGER.install();
    let mut env = environment();
    // A parent that knows nothing of it answers so, and nothing depends on it.
    let _ = env.pd().restore_thread();
    // SAFETY: defined by `component!` with this very signature.
    unsafe { __construct(&mut env) };
    Entrypoint::new(env).run()
}

extern "C" fn thread(argument: u32) -> ! {
    base::thread::begin(environment(), argument)
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
