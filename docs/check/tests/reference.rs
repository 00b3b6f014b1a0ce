//! The reference, held against the types that it describes.

use std::{collections::BTreeSet, fs, path::Path};

use base::scenario::{Component, Scenario};
use docs_check::{Page, top};
use toml::Value;
use wire::{archive, layout, record};

fn page(path: &str) -> Page {
    Page::parse(&fs::read_to_string(top().join("docs/src").join(path)).unwrap())
}

/// The keys that each table of a scenario can have, by the heading that it has in the reference: as the types tell when
/// they refuse a key.
fn keys() -> [(&'static str, BTreeSet<String>); 4] {
    let refused = |text: &str| {
        let message = toml::from_str::<Scenario>(text).unwrap_err().message().to_owned();
        assert!(message.starts_with("unknown field `no_such_key`, expected"), "{message}");
        message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    };
    [
        ("top-level", refused("no_such_key = 1")),
        ("component", refused("about = \"\"\n[component.hello]\nno_such_key = 1")),
        ("devices", refused("about = \"\"\n[component.hello.devices]\nno_such_key = 1")),
        ("success", refused("about = \"\"\n[success]\nno_such_key = 1")),
    ]
}

fn smallest() -> Scenario {
    let text = "about = \"\"\n[component.hello]\n[success]\nexit = { hello = 0 }\n";
    toml::from_str(text).unwrap()
}

#[test]
fn every_scenario_key_is_documented_and_no_other() {
    let page = page("reference/scenario.md");
    for (heading, keys) in keys() {
        let table = page.table(heading).unwrap();
        let documented: BTreeSet<_> = table.body().iter().map(|row| row[0].clone()).collect();
        assert_eq!(documented, keys, "{heading}");
    }
}

#[test]
fn defaults_are_those_of_the_types() {
    let page = page("reference/scenario.md");
    let scenario = smallest();
    let Component { priority, ram, caps, stack, .. } = scenario.components["hello"];
    let default = |heading, key| {
        let rows = page.table(heading).unwrap().body().iter();
        rows.filter(|row| row[0] == key).map(|row| row[2].clone()).next().unwrap()
    };
    assert_eq!(format!("{} s", default("top-level", "limit")), scenario.limit.to_string());
    assert_eq!(default("component", "priority"), priority.to_string());
    assert_eq!(default("component", "ram"), format!("\"{ram}\""));
    assert_eq!(default("component", "caps"), caps.to_string());
    assert_eq!(default("component", "stack"), format!("\"{stack}\""));
}

#[test]
fn every_example_is_a_scenario() {
    let mut examples = 0;
    for (path, page) in docs_check::pages(top()).unwrap() {
        for block in page.blocks.iter().filter(|block| block.language == "toml") {
            // Other TOML in the book is marked `toml,fragment`.
            let scenario: Scenario =
                toml::from_str(&block.text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            scenario.check().unwrap_or_else(|invalid| panic!("{}: {invalid}", path.display()));
            examples += 1;
        }
    }
    assert!(examples >= 2, "the reference has lost its examples");
}

#[test]
fn addresses_are_those_of_the_code() {
    let page = page("reference/memory.md");
    let written: BTreeSet<&str> = page.code.iter().map(|code| code.text.as_str()).collect();
    for (name, address) in [
        ("start of the RAM", layout::RAM.start),
        ("end of the RAM", layout::RAM.end),
        ("end of the kernel's memory", layout::KERNEL_RAM.end),
        ("kernel, physical", layout::KERNEL_PHYSICAL),
        ("kernel, virtual", layout::KERNEL_VIRTUAL),
        ("loader", layout::LOADER),
        ("core", layout::CORE_VIRTUAL),
        ("components", layout::COMPONENT_VIRTUAL),
    ] {
        assert!(written.contains(format!("{address:#010x}").as_str()), "{name}, {address:#010x}, is not in memory.md");
    }
}

#[test]
fn the_kernels_options_and_patches_are_all_listed() {
    let page = page("reference/kernel.md");
    let folder = top().join("platform-arm_v7a/kernel");
    let config: toml::Table = toml::from_str(&fs::read_to_string(folder.join("config.toml")).unwrap()).unwrap();
    let options = config["options"].as_table().unwrap().iter();
    let options: BTreeSet<_> = options.map(|(name, value)| (name.clone(), value.to_string())).collect();
    let rows = |anchor: &str| {
        let tables = page.tables.iter().filter(move |table| table.below == anchor);
        tables.flat_map(|table| table.body()).map(|row| (row[0].clone(), row[1].clone())).collect::<BTreeSet<_>>()
    };
    let listed: BTreeSet<_> = rows("configuration").into_iter().filter(|row| row.0.starts_with("CONFIG_")).collect();
    assert_eq!(listed, options);
    let patches = docs_check::files(&folder.join("patches")).unwrap().into_iter();
    let patches = patches.filter(|path| path.extension().is_some_and(|extension| extension == "patch"));
    let patches: BTreeSet<_> = patches.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(rows("patches").into_iter().map(|row| row.0).collect::<BTreeSet<_>>(), patches);
}

#[test]
fn addresses_of_components_are_those_of_the_plan() {
    let page = page("reference/memory.md");
    let parts = [base::layout::PROGRAM, base::layout::STACK_AREA, base::layout::ANYWHERE, base::layout::HEAP];
    let parts = parts.map(|part| [part.start, part.end].map(|address| format!("{address:#010x}")));
    let rows = page.table("a-components-address-space").unwrap().body();
    assert_eq!(rows.iter().map(|row| &row[..2]).collect::<Vec<_>>(), parts.each_ref().map(|part| &part[..]));
    assert_eq!(base::layout::PROGRAM.start, layout::COMPONENT_VIRTUAL);
}

/// The table of slots is that of the code, whose constants are read from the source, so that a new one cannot be missed.
#[test]
fn slots_of_components_are_those_of_the_code() {
    let page = page("reference/memory.md");
    let source = fs::read_to_string(top().join("base/src/env.rs")).unwrap();
    let constants = source.lines().filter_map(|line| {
        let (name, number) = line.trim().strip_prefix("pub const ")?.split_once(": Slot = Slot(")?;
        Some((number.strip_suffix(");")?, name))
    });
    let (free, slots): (Vec<_>, Vec<_>) = constants.partition(|(_, name)| *name == "FIRST_FREE");
    let rows = page.table("a-components-capability-space").unwrap().body();
    assert_eq!(rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect::<Vec<_>>(), slots);
    assert_eq!(free, [(base::env::slots::FIRST_FREE.0.to_string().as_str(), "FIRST_FREE")]);
    let text = fs::read_to_string(top().join("docs/src/reference/memory.md")).unwrap();
    assert!(text.contains(&format!("From {} on", base::env::slots::FIRST_FREE.0)));
}

#[test]
fn formats_are_those_of_the_code() {
    let cell = |page: &Page, row: &str, column: usize| {
        let rows = page.tables.iter().flat_map(|table| table.body());
        rows.filter(|cells| cells[0] == row).map(|cells| cells[column].clone()).next().unwrap()
    };
    let image = page("reference/boot-image.md");
    assert_eq!(cell(&image, "8", 2), format!("version of the format: {}", archive::VERSION));
    let written = archive::write(&[("kernel", b"x")]).unwrap();
    assert_eq!(cell(&image, "0", 2).as_bytes(), &written[..8]);
    for name in [layout::KERNEL, layout::CORE, layout::MODULES] {
        assert!(!cell(&image, name, 1).is_empty());
    }
    let text = fs::read_to_string(top().join("docs/src/reference/control-records.md")).unwrap();
    assert!(text.contains(&format!("at most {} bytes", record::MAX)));
    assert!(text.contains(&format!("up to {} return addresses", record::MAX_BACKTRACE)));
}

/// Every crate of others that a package of this workspace names has its line in decision 2.
#[test]
fn every_crate_has_its_reason() {
    let decision = page("decisions/0002-crates.md");
    let reasons: BTreeSet<&str> = decision.tables.iter().flat_map(|t| t.body()).map(|row| row[0].as_str()).collect();
    let read = |path: &Path| -> toml::Table { toml::from_str(&fs::read_to_string(top().join(path)).unwrap()).unwrap() };
    let common = read(Path::new("Cargo.toml"))["workspace"]["dependencies"].as_table().unwrap().clone();
    let mut used = BTreeSet::new();
    for path in docs_check::manifests(top()).unwrap() {
        let manifest = read(&path);
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let common = value.get("workspace").and_then(|_| common.get(name));
                let ours = common.unwrap_or(value).get("path").is_some();
                used.extend((!ours).then(|| name.clone()));
            }
        }
    }
    let unexplained: Vec<_> = used.iter().filter(|name| !reasons.contains(name.as_str())).collect();
    assert!(unexplained.is_empty(), "crates without a line in decision 2: {unexplained:?}");
    let unused: Vec<_> = reasons.iter().filter(|name| !used.contains(**name)).collect();
    assert!(unused.is_empty(), "crates in decision 2 that nothing uses: {unused:?}");
}

/// Every variant of what travels over the control line is in the reference.
#[test]
fn every_record_is_documented() {
    let source = ["platform-arm_v7a/wire/src/record.rs", "base/src/session/cpu.rs"];
    let source = source.map(|path| fs::read_to_string(top().join(path)).unwrap()).concat();
    let page = page("reference/control-records.md");
    let rows: BTreeSet<&str> = page.tables.iter().flat_map(|table| table.body()).map(|row| row[0].as_str()).collect();
    let mut variants = BTreeSet::new();
    for name in ["Record<'a>", "Verdict<'a>", "Cause"] {
        let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
        let body = body.split("\n}").next().unwrap();
        let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
        let lines = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
        variants.extend(lines.filter_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()).next()));
    }
    assert_eq!(variants, rows);
}
