//! Decision 1, held against the tree: what may import what, and where unsafe code may be.

use std::{collections::BTreeMap, fs, path::Path};

use docs_check::{manifests, top};
use toml::{Table, Value};

/// Folders in which unsafe code is forbidden, with everything below them.
const FORBIDDEN: [&str; 8] = [
    "base/interface",
    "components",
    "docs",
    "platform-arm_v7a/kernel",
    "platform-arm_v7a/sel4-generate",
    "platform-arm_v7a/wire",
    "rtcr",
    "tools",
];

/// Which rooms a room may import; itself is understood.
const IMPORTS: [(&str, &[&str]); 7] = [
    ("base", &[]),
    ("rtcr", &["base"]),
    ("platform-arm_v7a", &["base"]),
    ("components", &["base", "rtcr"]),
    ("tests", &["base", "rtcr", "platform-arm_v7a", "components", "tools"]),
    ("tools", &["base", "rtcr", "platform-arm_v7a/kernel", "platform-arm_v7a/wire"]),
    ("docs", &["base", "platform-arm_v7a/wire", "tools"]),
];

fn read(path: &Path) -> String {
    fs::read_to_string(top().join(path)).unwrap()
}

#[test]
fn unsafe_code_is_forbidden_where_it_should_be() {
    let mut roots = 0;
    for manifest in manifests(top()).unwrap() {
        // Its own workspace, never compiled.
        if manifest.starts_with("platform-arm_v7a/kernel/pin") || !FORBIDDEN.iter().any(|at| manifest.starts_with(at)) {
            continue;
        }
        for root in ["src/lib.rs", "src/main.rs"].map(|root| manifest.with_file_name(root)) {
            if top().join(&root).exists() {
                let forbids = read(&root).lines().any(|line| line == "#![forbid(unsafe_code)]");
                assert!(forbids, "{} does not say #![forbid(unsafe_code)]", root.display());
                roots += 1;
            }
        }
    }
    assert!(roots >= 7, "found only {roots} crates");
}

/// Files of those folders that have unsafe code all the same: tests, which are crates of their own.
const ALLOWED_IN_TESTS: [&str; 1] = ["rtcr/tests/no_heap.rs"];

#[test]
fn unsafe_code_of_tests_is_in_named_files() {
    // As it can be written; what tests compare or print is in quotes.
    let uses = |line: &str| {
        let code = line.split("//").next().unwrap_or_default().split('"').next().unwrap_or_default();
        ["unsafe {", "unsafe fn ", "unsafe impl ", "unsafe extern ", "unsafe("].iter().any(|with| code.contains(with))
    };
    let decision = read(Path::new("docs/src/decisions/0001-layout.md"));
    let mut with_unsafe = Vec::new();
    for folder in FORBIDDEN.into_iter().chain(["base/tests", "tests/tests"]) {
        for file in docs_check::files(&top().join(folder)).unwrap() {
            let file = Path::new(folder).join(file);
            // What must not compile may say anything.
            let is_test = file.components().any(|part| part.as_os_str() == "tests")
                && !file.starts_with("base/interface/tests/ui/wrong");
            if is_test && file.extension().is_some_and(|end| end == "rs") && read(&file).lines().any(uses) {
                with_unsafe.push(file.display().to_string());
            }
        }
    }
    assert_eq!(with_unsafe, ALLOWED_IN_TESTS);
    for file in ALLOWED_IN_TESTS {
        assert!(decision.contains(&format!("`{file}`")), "decision 1 does not name {file}");
    }
}

/// Files of `base` that cannot do without unsafe code; everywhere else there it is denied.
const ALLOWED_IN_BASE: [&str; 3] = ["heap.rs", "memory/view.rs", "sync.rs"];

#[test]
fn unsafe_code_of_base_is_in_named_files() {
    let base = Path::new("base/src");
    assert!(read(&base.join("lib.rs")).lines().any(|line| line == "#![deny(unsafe_code)]"));
    let decision = read(Path::new("docs/src/decisions/0001-layout.md"));
    let mut lifted = Vec::new();
    for file in docs_check::files(&top().join(base)).unwrap() {
        if read(&base.join(&file)).contains("allow(unsafe_code)") {
            lifted.push(file.display().to_string());
        }
    }
    lifted.sort();
    assert_eq!(lifted, ALLOWED_IN_BASE);
    for file in ALLOWED_IN_BASE {
        assert!(decision.contains(&format!("`base/src/{file}`")), "decision 1 does not name {file}");
    }
}

#[test]
fn imports_point_down() {
    let manifests = manifests(top()).unwrap().into_iter().map(|path| {
        let table: Table = toml::from_str(&read(&path)).unwrap();
        (path.parent().unwrap().to_owned(), table)
    });
    let manifests: BTreeMap<_, _> = manifests.collect();
    let name = |table: &Table| Some(table.get("package")?.get("name")?.as_str()?.to_owned());
    let homes: BTreeMap<String, &Path> =
        manifests.iter().filter_map(|(folder, table)| Some((name(table)?, folder.as_path()))).collect();
    let common = manifests[Path::new("")]["workspace"]["dependencies"].as_table().unwrap();
    let mut seen = 0;
    for (folder, table) in &manifests {
        // Programs join a component to the platform's start-up code: that is their job.
        if folder.starts_with("platform-arm_v7a/start/bin") {
            continue;
        }
        let Some((_, allowed)) = IMPORTS.iter().find(|(room, _)| folder.starts_with(room)) else { continue };
        let kinds = ["dependencies", "build-dependencies"].into_iter().filter_map(|kind| table.get(kind)?.as_table());
        for (key, value) in kinds.flatten() {
            let value = if value.get("workspace").is_some() { &common[key] } else { value };
            let package = value.get("package").and_then(Value::as_str).unwrap_or(key);
            let Some(home) = homes.get(package).filter(|_| value.get("path").is_some()) else { continue };
            let own_room = folder.components().next() == home.components().next();
            let may = own_room || allowed.iter().any(|room| home.starts_with(room));
            assert!(may, "{} imports {}, which decision 1 does not allow", folder.display(), home.display());
            seen += 1;
        }
    }
    assert!(seen >= 15, "found only {seen} imports");
}
