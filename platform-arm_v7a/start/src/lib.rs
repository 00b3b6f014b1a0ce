//! Start-up code and IPC transport of components on this platform.
//!
//! A program is a component's library and one line, `start::component!(name::construct);`. Whoever creates the component
//! sets program counter and stack pointer; `_start` clears the frame chain and goes on in Rust: the logging backend is
//! installed, the heap gets its first memory, what the program names as `before` is called, then the barrier `restore_thread`, then
//! `construct`, and then the component's first thread serves requests and signals. Until the barrier there is one thread,
//! and what it asks for depends on the program, its arguments and the answers alone.
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
    /// What its program does before the barrier; named there too, or nothing.
    fn __initialize(env: &mut Env);
}

extern "C" fn entry() -> ! {
    LOGGER.install();
    HEAP.begin();
    let mut env = environment();
    // SAFETY: defined by `component!` with this very signature.
    unsafe { __initialize(&mut env) };
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
///
/// `component!(construct, before: initialize)` has another one called before it, in each instance, restored ones too: for what a
/// program sets up once and for all, as constructors of static objects do elsewhere. What it asks for must depend on
/// nothing but the program, its arguments and the answers.
#[macro_export]
macro_rules! component {
    ($construct:path) => {
        $crate::component!($construct, before: $crate::__nothing);
    };
    ($construct:path, before: $initialize:path) => {
        // The names are reserved for this macro: two components in one executable do not link.
        #[unsafe(no_mangle)]
        fn __construct(env: &mut $crate::__Env) {
            $construct(env)
        }

        #[unsafe(no_mangle)]
        fn __initialize(env: &mut $crate::__Env) {
            $initialize(env)
        }
    };
}

#[doc(hidden)]
pub fn __nothing(_: &mut Env) {}

#[doc(hidden)]
pub use base::Env as __Env;
