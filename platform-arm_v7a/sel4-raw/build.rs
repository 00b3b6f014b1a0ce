//! Generates the bindings from the pinned kernel source, under the configuration of the release kernel.
//!
//! The debug kernel's options add calls at the end of the numbering and move nothing (a test of `sel4-generate` shows
//! it), so that the same program runs on both.

use std::{env, error::Error, fs, path::PathBuf};

use kernel::{Configuration, Flavour};
use sel4_generate::{Bindings, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = kernel::folder();
    let source = kernel::source::locate(folder)?;
    let configuration = Configuration::load(folder, &source)?;
    let options: Options = configuration.options(Flavour::Release).into_iter().collect();
    let text = Bindings::read(&source.root, &options)?.to_rust(&options)?;
    let output = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; build with cargo")?);
    fs::write(output.join("bindings.rs"), text)?;

    // The source itself is pinned by the lock file and never changes under its path.
    for file in ["config.toml", "pin/Cargo.toml", "pin/Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", folder.join(file).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
