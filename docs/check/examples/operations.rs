//! Writes the reference of all operations anew: `cargo run -p rtcr-docs-check --example operations`.

use std::{fs, io};

fn main() -> io::Result<()> {
    let page = docs_check::top().join("docs/src/reference/operations.md");
    fs::write(page, docs_check::operations(base::session::INTERFACES))
}
