//! The kernel: which source, how configured, how patched, and how built. Runs on the host.
//!
//! The kernel is seL4 5.0.0. Its source is not part of this repository (it is GPL-2.0); a lock file pins a crate that
//! carries it, and cargo fetches that crate. What this project decides about the kernel is data in this crate's folder:
//!
//! * `pin/`: which source, by checksum; read by [`source`];
//! * `config.toml`: its options, per [`Flavour`]; read by [`configuration`];
//! * `patches/`: what is changed in it, one file per flaw; read by [`patch`].
//!
//! [`build`](mod@build) turns the three into `kernel.elf`. The generator of the raw bindings reads the same [`Source`] and the same
//! [`Configuration`], since the kernel's numbers depend on its options:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let source = kernel::source::locate(kernel::folder())?;
//! let configuration = kernel::Configuration::load(kernel::folder(), &source)?;
//! let options = configuration.options(kernel::Flavour::Release);
//! assert_eq!(options["CONFIG_ROOT_CNODE_SIZE_BITS"], "16");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod build;
pub mod configuration;
pub mod patch;
pub mod source;

pub use configuration::{Configuration, Flavour};
pub use source::Source;

use std::path::Path;

/// The folder of this crate in the checkout that it was compiled from: `pin/`, `config.toml` and `patches/` lie there.
pub fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
