//! The image that the tests of the library keep, looked at.

use std::path::PathBuf;

use rtcr::{
    image::{Image, ObjectFault},
    object::Info,
};

use super::*;

fn path() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "rtcr", "tests", "images", "version-1.0.rtcr"].iter().collect()
}

fn image() -> Image {
    read(&path()).unwrap()
}

/// The same with something changed.
fn changed(change: impl FnOnce(&mut Image)) -> Image {
    let mut image = image();
    change(&mut image);
    Image::new(image.identity, image.information, image.pages).unwrap()
}

#[test]
fn what_is_in_an_image_is_shown() {
    let image = image();
    let shown = Shown { image: &image, program: None };
    let text = shown.to_string();
    for line in [
        "child: program program (0000000000000007), running",
        "image: version 1.0, 8954 bytes",
        "  contents        8192 bytes",
        "  Pd.allocate(0, 1, 0x20000, 0) -> ",
        "  13: thread child, priority 100",
        "      0x0c0fa000..0x0c100000 rw- ",
        "from 0x1000",
        "  64 (private): module program, 8292 bytes",
        "opened with \"furnished\"",
        "offers: tally, echo; sessions: 3, 4, 900",
        "  pc 00",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let told = json(shown);
    assert_eq!((&told["bytes"], &told["pages"]["saved"]), (&8954.into(), &2.into()));
    let objects = told["objects"].as_array().unwrap();
    assert_eq!(objects.len(), image.information.objects.len());
    let thread = objects.iter().find(|object| object["number"] == 13).unwrap();
    assert!(thread["registers"]["sp"].is_u64() && thread["place"].is_null());
}

#[test]
fn memory_is_shown_where_it_is() {
    let mut image = image();
    let (address, stored) = image
        .information
        .objects
        .iter()
        .find_map(|object| match &object.info {
            // The program's data, behind its page of code.
            Info::RamDataspace(info) if object.number == 65 => Some((0x0100_1000, info.stored)),
            _ => None,
        })
        .unwrap();
    let mut page = [0; 4096];
    page[0x10..0x15].copy_from_slice(b"sheep");
    image.pages.set(stored, &page);
    let dump = Dump::new(&image, address + 0x10).unwrap().to_string();
    assert!(dump.starts_with("01001010  73 68 65 65 70 00"), "{dump}");
    assert!(dump.lines().next().unwrap().ends_with("  sheep..........."), "{dump}");
    let end = Dump::new(&image, address + 0xffc).unwrap().to_string();
    assert_eq!(end, format!("01001ffc  00 00 00 00{}  ....\n", " ".repeat(36)));
    assert_eq!(Dump::new(&image, 0x0100_0000), Err(NotThere::Elsewhere(0x0100_0000, 64)));
    assert_eq!(Dump::new(&image, 0), Err(NotThere::Nothing(0)));
}

#[test]
fn what_two_images_differ_in_is_named() {
    let old = image();
    assert!(Difference::new(&old, &old).is_empty());
    let mut place = (0, 0);
    let new = changed(|image| {
        image.information.clock += 5;
        for object in &mut image.information.objects {
            match &mut object.info {
                Info::Thread(thread) if object.number == 13 => {
                    thread.registers[3] = 0xbeef;
                    thread.paused += 1;
                }
                Info::RamDataspace(info) if info.pages > 3 && !info.stack && place.0 == 0 => {
                    place = (object.number, info.stored + 2);
                }
                _ => {}
            }
        }
        let mut page = *image.pages.get(place.1);
        (page[7], page[9], page[100]) = (!page[7], !page[9], !page[100]);
        image.pages.set(place.1, &page);
    });
    let found = Difference::new(&old, &new);
    assert_eq!(found.component.len(), 1, "{found}");
    assert_eq!(found.objects.len(), 1, "{found}");
    assert!(
        found.objects[0].starts_with("13: thread child") && found.objects[0].ends_with("paused 1 times"),
        "{found}"
    );
    assert!(found.registers[0].starts_with("13 r0: ") && found.registers[0].ends_with("-> 0000beef"), "{found}");
    let pages = &found.pages[..];
    assert!(matches!(pages, [page] if page.dataspace == place.0 && page.page == 2), "{found}");
    assert_eq!(pages[0].changed, [(7, 9), (100, 100)]);
    assert!(found.to_string().contains(&format!("  {} page 2: 007..=009 064..=064\n", place.0)), "{found}");

    let less = changed(|image| {
        let last = image.information.objects.iter().rposition(|object| object.info == Info::Endpoint).unwrap();
        image.information.objects.remove(last);
    });
    assert!(Difference::new(&old, &less).to_string().contains("is gone: endpoint"));
    assert!(Difference::new(&less, &old).to_string().contains("is new: endpoint"));
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.rtcr");
    assert!(read(&file).unwrap_err().to_string().contains("bad.rtcr"));
    let mut bytes = std::fs::read(path()).unwrap();
    bytes[700] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let error = read(&file).unwrap_err().to_string();
    assert!(error.ends_with("is damaged"), "{error}");
    bytes.truncate(20);
    std::fs::write(&file, &bytes).unwrap();
    assert!(read(&file).unwrap_err().to_string().ends_with(&Fault::Truncated.to_string()));
    assert_eq!(Fault::Object(7, ObjectFault::Priority).to_string(), "object 7: its priority is none");
}
