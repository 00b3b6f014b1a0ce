//! The reference of the interfaces, held against their definitions.

use std::{collections::BTreeSet, fs};

use base::{
    rpc::{Label, MAX_BYTES, Status},
    session::INTERFACES,
};
use docs_check::{Page, top};

fn text() -> String {
    fs::read_to_string(top().join("docs/src/reference/interfaces.md")).unwrap()
}

#[test]
fn every_operation_is_documented_and_no_other() {
    let (text, page) = (text(), Page::parse(&text()));
    for interface in INTERFACES {
        let heading = format!("## {}\n\nNumber {}. ", interface.name, interface.id);
        assert!(text.contains(&heading), "no `{heading}`");
        let table = page.table(&interface.name.to_lowercase()).unwrap();
        let documented: BTreeSet<Vec<String>> = table
            .body()
            .iter()
            .map(|row| [0, 1, 2, 3, 5].map(|column| row[column].replace('`', "")).to_vec())
            .collect();
        let defined: BTreeSet<Vec<String>> = interface
            .operations
            .iter()
            .map(|operation| {
                let marks = [
                    (operation.idempotent, "idempotent"),
                    (operation.encoded, "encoded"),
                    (operation.unanswered, "unanswered"),
                ];
                let marks = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect::<Vec<_>>();
                let errors = operation.errors.iter().map(|(code, name)| format!("{code} {name}")).collect::<Vec<_>>();
                let list = |parts: String| if parts.is_empty() { "–".to_owned() } else { parts };
                vec![
                    operation.name.to_owned(),
                    operation.number.to_string(),
                    list(marks.join(", ")),
                    list(operation.arguments.join(", ")),
                    list(errors.join(", ")),
                ]
            })
            .collect();
        assert_eq!(documented, defined, "{}", interface.name);
    }
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
