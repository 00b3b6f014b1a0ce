//! Draws the pictures of the book anew: `cargo run -p rtcr-docs-check --example picture`.

use std::{fs, io};

fn main() -> io::Result<()> {
    for (text, picture) in docs_check::pictures(docs_check::top())? {
        fs::write(picture, docs_check::picture(&fs::read_to_string(text)?))?;
    }
    Ok(())
}
