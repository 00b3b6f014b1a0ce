//! Images of hand-made parts.

use super::*;
use wire::layout::KERNEL_VIRTUAL;

#[path = "../../tests/support/elf.rs"]
mod elf;

/// A program of one code segment with `code`, and `size` bytes of zeros behind it.
fn program(address: u32, physical: u32, code: &[u8], size: u32) -> Vec<u8> {
    let text = Segment { address, physical, size: code.len() as u32, bytes: code, writable: false, executable: true };
    let data = Segment {
        address: address + code.len() as u32,
        physical: physical + code.len() as u32,
        size,
        bytes: &[],
        writable: true,
        executable: false,
    };
    executable::write("test", address, [text, data]).unwrap()
}

fn scenario() -> Scenario {
    toml::from_str(
        r#"about = "x"
           [component.b]
           binary = "hello"
           [component.hello]
           [success]
           exit = { hello = 0 }"#,
    )
    .unwrap()
}

/// A loader with a symbol table, made by adding a section to a minimal file.
fn loader(archive: u32) -> Vec<u8> {
    elf::with_symbols(&program(LOADER, LOADER, &[2; 64], 100), &[("__archive", archive, 0)])
}

fn parts() -> Parts {
    Parts {
        kernel: program(KERNEL_VIRTUAL, KERNEL_PHYSICAL, &[3; 5000], 3000),
        core: program(0x1_0000, 0x1_0000, &[4; 100], 10_000),
        loader: loader(LOADER + PAGE),
        programs: ["hello", INIT]
            .map(|name| (name.into(), program(0x100_0000, 0x100_0000, &[5; PAGE as usize], 8192)))
            .into(),
    }
}

fn refused(change: impl FnOnce(&mut Parts, &mut Scenario)) -> Error {
    let (mut parts, mut scenario) = (parts(), scenario());
    change(&mut parts, &mut scenario);
    assemble("test", &scenario, &parts).unwrap_err()
}

#[test]
fn an_image_holds_what_the_loader_will_look_for() {
    let image = assemble("test", &scenario(), &parts()).unwrap();
    let file = wire::executable::open(&image.bytes).unwrap();
    assert_eq!(file.entry(), LOADER);
    let archive = file.segments().find(|segment| segment.address == LOADER + PAGE).unwrap();
    let archive = archive::Archive::new(archive.bytes).unwrap();
    assert_eq!(archive.files().map(|file| file.name).collect::<Vec<_>>(), [KERNEL, CORE, MODULES]);
    let kernel = wire::executable::open(archive.find(KERNEL).unwrap().bytes).unwrap();
    assert_eq!(kernel.segments().next().unwrap().bytes, [3; 5000]);
    let modules = archive::Archive::new(archive.find(MODULES).unwrap().bytes).unwrap();
    assert_eq!(modules.files().map(|file| file.name).collect::<Vec<_>>(), [MODULE, "hello", INIT]);
    let told: Scenario = postcard::from_bytes(modules.find(MODULE).unwrap().bytes).unwrap();
    assert_eq!(told, scenario());
    // 8000 bytes of kernel, then 10100 of core, then the modules.
    let report = image.report;
    let placed = |name: &str| report.parts.iter().find(|part| part.name == name).map(|part| part.start).unwrap();
    assert_eq!((placed(KERNEL), placed(CORE), placed(MODULES)), (0x1000_0000, 0x1000_2000, 0x1000_5000));
    assert_eq!(report.components[0].program, 3 * 4096);
}

#[test]
fn equal_parts_give_equal_bytes() {
    let one = assemble("test", &scenario(), &parts()).unwrap();
    let other = assemble("test", &scenario(), &parts()).unwrap();
    assert_eq!((one.bytes, one.report), (other.bytes, other.report));
}

#[test]
fn wrong_parts_are_named() {
    assert!(matches!(refused(|parts, _| parts.programs.clear()), Error::NoProgram(name) if name == "hello"));
    assert!(matches!(refused(|parts, _| parts.kernel.truncate(100)), Error::Executable(_)));
    assert!(matches!(
        refused(|parts, _| parts.loader = loader(LOADER)),
        Error::ArchivePlace { expected: Some(LOADER), .. }
    ));
    let no_symbol = program(LOADER, LOADER, &[2; 64], 100);
    assert!(matches!(refused(|parts, _| parts.loader = no_symbol), Error::ArchivePlace { expected: None, .. }));
    let low = program(0x1_0000, 0x1_0000, &[2; 64], 0);
    assert!(matches!(refused(|parts, _| parts.loader = low.clone()), Error::LoaderPlace(0x1_0000)));
    assert!(matches!(refused(|parts, _| parts.kernel = low), Error::KernelPlace(Misplaced::Kernel(0x1_0000))));
    let crooked = program(0x1_0004, 0x1_0004, &[2; 64], 0);
    assert!(matches!(refused(|parts, _| parts.core = crooked), Error::CorePlace(0x1_0004)));
    let reserved = |parts: &mut Parts, scenario: &mut Scenario| {
        scenario.components.get_mut("b").unwrap().binary = Some(MODULE.into());
        parts.programs.insert(MODULE.into(), Vec::new());
    };
    assert!(matches!(refused(reserved), Error::ReservedName));
}

#[test]
fn what_does_not_fit_the_board_is_refused_with_numbers() {
    let huge = |parts: &mut Parts, _: &mut Scenario| parts.core = program(0x1_0000, 0x1_0000, &[4; 100], 0x1000_0000);
    let error = refused(huge).to_string();
    assert!(error.contains("would end at 0x2000") && error.contains("inside the loader at 0x20000000"), "{error}");
    let poor = |_: &mut Parts, scenario: &mut Scenario| scenario.components.get_mut("b").unwrap().ram = Bytes(16 << 10);
    let error = refused(poor).to_string();
    assert!(error.contains("component `b`") && error.ends_with("at least 64K"), "{error}");
    let greedy = |_: &mut Parts, scenario: &mut Scenario| {
        scenario.components.values_mut().for_each(|component| component.ram = Bytes(300 << 20));
    };
    assert!(matches!(refused(greedy), Error::TotalRam { .. }));
}

#[test]
fn the_report_reads_well_and_holds_no_paths() {
    let report = assemble("test", &scenario(), &parts()).unwrap().report;
    let text = report.to_string();
    for expected in ["test: x\n", "kernel", "10002000-10005000", "  hello", "memory for components"] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!serde_json::to_string(&report).unwrap().contains('/'));
}
