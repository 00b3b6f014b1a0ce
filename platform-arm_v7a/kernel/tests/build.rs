//! Builds real kernels: needs the cross compiler and the other packages that `cargo rtcr doctor` lists.

use std::{fs, path::Path, thread};

use elf::{ElfBytes, abi::PT_LOAD, endian::LittleEndian};
use kernel::{
    Configuration, Flavour, Source,
    build::{Error, Kernel, build},
    source,
};

fn given() -> (Source, Configuration) {
    let source = source::locate(kernel::folder()).unwrap();
    let configuration = Configuration::load(kernel::folder(), &source).unwrap();
    (source, configuration)
}

fn quietly(source: &Source, configuration: &Configuration, flavour: Flavour, cache: &Path) -> Result<Kernel, Error> {
    build(source, configuration, flavour, cache, &mut |_| ())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names = entries.collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn kernels_are_byte_identical_wherever_they_are_built() {
    let (source, configuration) = given();
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("an odd path, with 'quotes' and $HOME");
    for flavour in Flavour::ALL {
        let one = quietly(&source, &configuration, flavour, &folder.path().join("one")).unwrap();
        let two = quietly(&source, &configuration, flavour, &odd).unwrap();
        assert_eq!(one.hash, two.hash);
        assert!(fs::read(&one.elf).unwrap() == fs::read(&two.elf).unwrap(), "the {flavour} kernels differ");
        assert!(one.fresh && !quietly(&source, &configuration, flavour, &folder.path().join("one")).unwrap().fresh);

        let bytes = fs::read(&one.elf).unwrap();
        let elf = ElfBytes::<LittleEndian>::minimal_parse(&bytes).unwrap();
        let loaded = elf.segments().unwrap().iter().filter(|segment| segment.p_type == PT_LOAD).collect::<Vec<_>>();
        assert_eq!(loaded.len(), 1);
        assert_eq!((loaded[0].p_vaddr, loaded[0].p_paddr), (0xe000_0000, 0x1000_0000));
        assert!(elf.section_header_by_name(".debug_line").unwrap().is_some());
        assert!(elf.section_header_by_name(".symtab").unwrap().is_some());
        assert!(one.debug_root.join("out/../src/src/object/tcb.c").is_file());
    }
}

#[test]
fn two_builds_at_once_share_one_kernel() {
    let (source, configuration) = given();
    let cache = tempfile::tempdir().unwrap();
    // What a killed build leaves.
    fs::create_dir(cache.path().join("building-old")).unwrap();
    let kernels: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| quietly(&source, &configuration, Flavour::Release, cache.path()).unwrap()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(kernels[0].elf, kernels[1].elf);
    assert_eq!(kernels.iter().filter(|kernel| kernel.fresh).count(), 1);
    let home = format!("release-{}", &kernels[0].hash[..16]);
    assert_eq!(names(cache.path()), ["lock".to_owned(), home]);
}

#[test]
fn a_damaged_or_missing_kernel_is_built_again() {
    let (source, configuration) = given();
    let cache = tempfile::tempdir().unwrap();
    let first = quietly(&source, &configuration, Flavour::Release, cache.path()).unwrap();
    let whole = fs::read(&first.elf).unwrap();
    let damages: [fn(&Path, &[u8]); 2] =
        [|elf, whole| fs::write(elf, &whole[..whole.len() / 2]).unwrap(), |elf, _| fs::remove_file(elf).unwrap()];
    for damage in damages {
        damage(&first.elf, &whole);
        let again = quietly(&source, &configuration, Flavour::Release, cache.path()).unwrap();
        assert!(again.fresh && again.elf == first.elf);
        assert!(fs::read(&again.elf).unwrap() == whole);
    }
    assert!(!quietly(&source, &configuration, Flavour::Release, cache.path()).unwrap().fresh);
}

#[test]
fn a_failing_build_shows_its_end_and_leaves_only_the_log() {
    let (mut source, configuration) = given();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("source");
    let copied = std::process::Command::new("cp").arg("-r").arg(&source.root).arg(&broken).status().unwrap();
    assert!(copied.success());
    fs::write(broken.join("src/util.c"), "#error this cannot be compiled\n").unwrap();
    source.root = broken;
    let cache = folder.path().join("cache");
    let error = quietly(&source, &configuration, Flavour::Release, &cache).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Make { .. }), "{text}");
    assert!(text.contains("this cannot be compiled") && text.contains("release-failed.log"), "{text}");
    assert_eq!(names(&cache), ["lock", "release-failed.log"]);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let (source, configuration) = given();
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("a file");
    fs::write(&cache, "").unwrap();
    let error = quietly(&source, &configuration, Flavour::Release, &cache).unwrap_err();
    assert!(error.to_string().contains("a file"), "{error}");
}
