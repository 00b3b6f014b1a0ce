//! The reference of all operations, written from their definitions.

use std::fmt::{self, Write};

use base::rpc::{Interface, Operation};

/// The page `docs/src/reference/operations.md`.
pub fn operations(interfaces: &[Interface]) -> String {
    let mut page = String::from(HEAD);
    // Writing to a string cannot fail.
    let _ = write(&mut page, interfaces);
    page
}

const HEAD: &str = "\
# Operations

<!-- Written by `cargo run -p rtcr-docs-check --example operations`; change the definitions in base/src/session instead. -->

Everything that a component can ask, interface by interface, as defined in `base/src/session`. What requests look like is in
[Interfaces](interfaces.md). Where an argument is a `Slot`, it is a number in the caller's space.
";

fn write(page: &mut String, interfaces: &[Interface]) -> fmt::Result {
    for Interface { id, name, doc, operations } in interfaces {
        writeln!(page, "\n## {name}\n\nNumber {id}. {}", paragraphs(doc))?;
        for operation in *operations {
            writeln!(page, "\n{}", entry(operation))?;
        }
    }
    Ok(())
}

fn entry(operation: &Operation) -> String {
    let Operation { number, name, idempotent, encoded, unanswered, arguments, result, errors, doc } = operation;
    let result = if result.is_empty() { String::new() } else { format!(" → {result}") };
    let marks = [(idempotent, "idempotent"), (encoded, "encoded"), (unanswered, "unanswered")];
    let marks: String = marks.iter().filter(|(is_set, _)| **is_set).map(|(_, mark)| format!(", {mark}")).collect();
    let mut text = format!("**`{name}({}){result}`** · {number}{marks}\n\n{}", arguments.join(", "), paragraphs(doc));
    if !errors.is_empty() {
        let errors: Vec<_> = errors.iter().map(|(code, name)| format!("{code} `{name}`")).collect();
        text += &format!("\n\nErrors: {}.", errors.join(", "));
    }
    text
}

/// A doc comment as Markdown; each line of it begins with the blank behind the slashes. Links to items lead nowhere here.
fn paragraphs(doc: &str) -> String {
    let lines: Vec<_> = doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().replace("[`", "`").replace("`]", "`")
}
