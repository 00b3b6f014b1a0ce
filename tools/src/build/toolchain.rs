//! Which cargo builds for the board, and how it is called.

use std::{env, ffi::OsString};

/// A cargo that can build for the board.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// The program.
    pub cargo: OsString,
    /// Arguments after the subcommand.
    pub args: Vec<OsString>,
    /// Environment variables.
    pub envs: Vec<(OsString, OsString)>,
}

impl Toolchain {
    /// The cargo that called this program.
    pub fn current() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self { cargo, args: Vec::new(), envs: Vec::new() }
    }
}
