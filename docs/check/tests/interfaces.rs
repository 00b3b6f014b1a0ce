//! The reference of the interfaces, held against their definitions.

use std::fs;

use base::{
    rpc::{Label, MAX_BYTES, Status},
    session::INTERFACES,
};
use docs_check::{Page, top};

fn text() -> String {
    fs::read_to_string(top().join("docs/src/reference/interfaces.md")).unwrap()
}

#[test]
fn every_operation_is_documented_as_it_is_defined() {
    let written = fs::read_to_string(top().join("docs/src/reference/operations.md")).unwrap();
    let defined = docs_check::operations(INTERFACES);
    assert!(written == defined, "write it anew: cargo run -p rtcr-docs-check --example operations");
}

#[test]
fn every_status_is_documented() {
    let page = Page::parse(&text());
    let rows = page.table("a-reply").unwrap().body();
    let documented: Vec<_> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    for label in 0x8000..0x8101 {
        match Status::from_label(label) {
            Status::Foreign(_) => assert!(!documented.iter().any(|row| row.0 == format!("{label:#x}"))),
            Status::Error(_) => unreachable!("errors begin behind"),
            status => assert!(documented.contains(&(&format!("{label:#x}"), &format!("{status:?}")))),
        }
    }
}

#[test]
fn the_layout_is_that_of_the_code() {
    let page = Page::parse(&text());
    let rows = page.table("a-request").unwrap().body();
    let first = |row: &Vec<String>| row[0].split(' ').next_back().unwrap().parse::<u32>().unwrap();
    let shifts: Vec<u32> = rows.iter().map(first).collect();
    let code = [Label::OPERATION_SHIFT, Label::IDEMPOTENT_SHIFT, Label::THREAD_SHIFT, Label::SEQUENCE_SHIFT];
    assert_eq!(shifts, code);
    assert!(text().contains(&format!("1 to {MAX_BYTES}; then")));
}
