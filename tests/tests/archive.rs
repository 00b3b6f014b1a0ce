//! Checkpoints that leave a run, and come back in another one: complete, or not at all, and whatever the image is.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use base::scenario::Bytes;
use kernel::Flavour;
use rtcr::{
    image::{Image, Section},
    information::{Need, Stage},
    object::{Info, ObjectInfo, SessionInfo},
};
use rtcr_tests::console;
use tools::{
    explain::Kind,
    machine::{End, Heard},
    persistent::{self, Memory},
    run::{self, Finished, Request},
    scenario::{self, Loaded},
    workspace::Workspace,
};

/// What the scenarios here have.
const SIZE: Bytes = Bytes(1 << 20);
const ENOUGH: Need = Need { objects: 4096, regions: 4096, words: 16 << 10, served: 256, pages: 4096 };

/// Runs a scenario with the board's memory in a file.
fn run_in(memory: &Memory, name: &str, kernel: Flavour, settings: &[&str], show: impl FnMut(Heard<'_>)) -> Finished {
    let workspace = Workspace::find().unwrap();
    let own = workspace.root().join(format!("tests/run/{name}.toml"));
    let settings: Vec<_> = settings.iter().map(|text| text.parse().unwrap()).collect();
    let loaded: Loaded = scenario::load(&workspace, own.to_str().unwrap(), &settings).unwrap();
    let request = Request { kernel, memory: Some(memory.path().to_owned()), ..Request::new(loaded) };
    run::run(&workspace, request, show).unwrap_or_else(|error| panic!("{error}"))
}

fn passes(memory: &Memory, name: &str, kernel: Flavour, settings: &[&str]) -> Finished {
    let finished = run_in(memory, name, kernel, settings, |_| {});
    let text = console(&finished);
    assert_eq!(finished.explanation.kind, Kind::Passed, "{settings:?}: {:#?}\n{text}", finished.explanation);
    finished
}

/// What is told of checkpoints, and the rounds, in order.
fn rounds(console: &str) -> Vec<u32> {
    let lines = console.lines().filter_map(|line| line.strip_prefix("[sheep_counter] "));
    lines.filter_map(|line| line.split_once('|')?.0.parse().ok()).collect()
}

/// A memory in which the newest image of a component is that.
fn with(images: &[(&str, Vec<u8>)]) -> Memory {
    let memory = Memory::temporary().unwrap();
    let mut store = memory.store(SIZE).unwrap();
    for (name, bytes) in images {
        persistent::put(&mut store, name, 7, bytes).unwrap();
    }
    memory
}

/// All images that a run has left, which are decoded and encoded again.
fn left(memory: &Memory) -> Vec<(String, u32, Vec<u8>)> {
    let mut store = memory.store(SIZE).unwrap();
    let images = store.images();
    images.iter().map(|kept| (kept.name.to_string(), kept.number, persistent::get(&mut store, kept).unwrap())).collect()
}

#[test]
fn what_was_saved_goes_on_in_another_run() {
    let memory = Memory::temporary().unwrap();
    let saved = passes(&memory, "archive", Flavour::Release, &["save=newest"]);
    let (before, after) = console(&saved).split_once("[rtcr] Checkpoint 1 of").unwrap();
    assert!(rounds(before).len() > 5, "{before}");
    let rest = rounds(after);
    assert_eq!((rest.first().copied(), rest.last()), (rounds(before).last().map(|last| last + 1), Some(&40)));
    let images = left(&memory);
    let [(name, 1, image)] = images.as_slice() else { panic!("{:?}", images.len()) };
    assert_eq!(name, "sheep_counter");

    // On the same board, after a restart, by replay; and checkpoints are counted on.
    let settings = ["save=newest", "load=newest", "checkpoint_after=5000"];
    let loaded = passes(&memory, "archive", Flavour::Release, &settings);
    assert_eq!(rounds(console(&loaded)), rest, "{}", console(&loaded));
    assert!(console(&loaded).contains("[rtcr] Checkpoint 2 of sheep_counter is stored"));
    assert_eq!(left(&memory).iter().map(|(_, number, _)| *number).collect::<Vec<_>>(), [2]);

    // On another one, with the other kernel, directly.
    let other = with(&[("sheep_counter", image.clone())]);
    let settings = ["load=newest", "checkpoints=0", "restore=direct"];
    let loaded = passes(&other, "archive", Flavour::Debug, &settings);
    assert_eq!(rounds(console(&loaded)), rest, "{}", console(&loaded));
    assert!(console(&loaded).contains("restored directly"));
    assert_eq!(left(&other)[0].2, *image, "an image that is loaded stays as it is");
}

#[test]
fn threads_go_on_in_another_run() {
    let memory = Memory::temporary().unwrap();
    let workspace = Workspace::find().unwrap();
    let run = |settings: &[&str], wanted| {
        let settings: Vec<_> = settings.iter().map(|text| text.parse().unwrap()).collect();
        let mut loaded = scenario::load(&workspace, "worker", &settings).unwrap();
        let size = persistent::prepare(&mut loaded.scenario, wanted).unwrap();
        let request = Request { memory: Some(memory.path().to_owned()), ..Request::new(loaded) };
        let finished = run::run(&workspace, request, |_| {}).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(finished.explanation.kind, Kind::Passed, "{:#?}\n{}", finished.explanation, console(&finished));
        (finished, size)
    };
    let worker = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("[worker]")).map(str::to_owned).collect()
    };
    let wanted = persistent::Wanted { save: Some(None), ..Default::default() };
    let (saved, size) = run(&[], wanted);
    let rest = worker(console(&saved).split_once("[rtcr] Checkpoint 1 of").unwrap().1);
    assert!(rest.len() > 10 && rest.len() < 35, "{rest:#?}");
    let (kept, _) = persistent::newest(&mut memory.store(size).unwrap(), Some("worker")).unwrap();
    assert_eq!((kept.name.as_str(), kept.number), ("worker", 1));
    let wanted = persistent::Wanted { load: Some("worker"), ..Default::default() };
    let (loaded, _) = run(&["checkpoints=0"], wanted);
    assert_eq!(worker(console(&loaded)), rest);
}

/// Ends the machine that has that file as its memory, at once and without notice.
fn kill(memory: &Path) {
    let is_it = |process: &fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let parts: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        parts.first().is_some_and(|program| program.contains("qemu"))
            && parts.iter().any(|part| part.contains(&*memory.to_string_lossy()))
    };
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let process = processes.filter(is_it).filter_map(|it| it.file_name().into_string().ok()).next();
    let status = Command::new("kill").args(["-9", &process.expect("it runs")]).status();
    assert!(status.unwrap().success());
}

/// A run whose machine is killed when this has been on the console so many times.
fn killed(memory: &Memory, settings: &[&str], (what, times): (&str, usize)) -> String {
    let (mut text, is_over) = (String::new(), AtomicBool::new(false));
    let finished = run_in(memory, "archive", Flavour::Release, settings, |heard| {
        if let Heard::Console(bytes) = heard {
            text.push_str(&String::from_utf8_lossy(bytes));
            if text.matches(what).count() >= times && !is_over.swap(true, SeqCst) {
                kill(memory.path());
            }
        }
    });
    assert!(matches!(finished.outcome.end, End::Qemu { .. }), "{:?}\n{text}", finished.outcome.end);
    console(&finished).to_owned()
}

#[test]
fn a_machine_that_is_killed_goes_on_where_its_newest_image_is() {
    let memory = Memory::temporary().unwrap();
    let settings = ["save=newest", "load=newest", "load_else=fresh", "checkpoints=1000", "checkpoints_each=0"];
    let settings = [&settings[..], &["checkpoint_every=5000", "rounds=3000", "limit=20"]].concat();
    // Whether the image that is being written then is there or not.
    let first = killed(&memory, &settings, (" of sheep_counter: stopped", 4));
    assert!(first.contains("there is none; it starts from its beginning"), "{first}");
    let second = killed(&memory, &settings, (" of sheep_counter is stored", 3));
    let third = passes(&memory, "archive", Flavour::Release, &settings);
    let (mut last, mut number) = (0, 0);
    for text in [&first, &second, console(&third)] {
        let rounds = rounds(text);
        let begin = rounds[0];
        assert!(begin <= last + 1 && (last == 0 || begin > 1), "{begin} after {last}");
        assert!(rounds.iter().copied().eq(begin..begin + rounds.len() as u32), "{rounds:?}");
        last = *rounds.last().unwrap();
        let loaded = text.split_once(" of sheep_counter is loaded").map(|(before, _)| before.rsplit(' ').next());
        let loaded: u32 = loaded.map_or(0, |number| number.unwrap().parse().unwrap());
        assert!(number == 0 || (number - 1..=number).contains(&loaded), "{loaded} after {number}");
        let taken = text.lines().filter_map(|line| {
            line.strip_prefix("[rtcr] Checkpoint ")?.split_once(" of sheep_counter: stopped")?.0.parse::<u32>().ok()
        });
        let taken: Vec<_> = taken.collect();
        assert!(taken.iter().copied().eq(loaded + 1..=loaded + taken.len() as u32), "{loaded}: {taken:?}");
        number = *taken.last().unwrap();
    }
    assert_eq!(last, 3000);
}

/// The image of one that has counted, and is now called otherwise and has less.
fn image_for(image: &Image, name: &str, change: impl FnOnce(&mut Image)) -> Vec<u8> {
    let mut image = image.clone();
    image.identity.name = name.try_into().unwrap();
    change(&mut image);
    let made = Image::new(image.identity, image.information, image.pages).unwrap();
    made.encode().unwrap()
}

#[test]
fn each_wrong_image_is_named_and_leaves_nothing() {
    let good = Memory::temporary().unwrap();
    let settings: Vec<_> = ["log=info", "component.p_good.values.load=none", "component.p_good.values.save=newest"]
        .into_iter()
        .chain(["component.p_good.values.checkpoints=1", "component.p_good.values.checkpoint_after=20000", "rounds=40"])
        .collect();
    let finished = passes(&good, "archive_bad", Flavour::Release, &settings);
    let images = left(&good);
    let (_, _, bytes) = images.iter().find(|(name, ..)| name == "p_good").unwrap_or_else(|| {
        panic!("{}", console(&finished));
    });
    let good = Image::decode(bytes, &ENOUGH).unwrap();
    assert_eq!(good.information.stage, Stage::Running);
    let none = |_: &mut Image| {};
    let mut images = Vec::new();
    let mut expected = Vec::new();
    let mut add = |name: &'static str, bytes: Vec<u8>, reason: &'static str| {
        images.push((name, bytes));
        expected.push((name, reason));
    };
    let plain = |name| image_for(&good, name, none);
    add("a_first", b"no image".repeat(9), "this is no checkpoint image");
    let mut cut = plain("b_truncated");
    cut.truncate(cut.len() - 5000);
    add("b_truncated", cut, "the image ends too early");
    let mut flipped = plain("c_flipped");
    let place = good.header.offset(Section::Contents) as usize + 100;
    flipped[place] ^= 4;
    add("c_flipped", flipped, "the section contents is damaged");
    let mut new = plain("d_too_new");
    new[8] = 2;
    add("d_too_new", new, "2.0");
    add("e_foreign", b"\x7fELF".repeat(2000), "this is no checkpoint image");
    add("f_other_name", plain("somebody"), "it is of another component, somebody");
    let other = image_for(&good, "g_other_program", |image| {
        image.identity.module = "hello".try_into().unwrap();
        for ObjectInfo { info, .. } in &mut image.information.objects {
            if let Info::RomDataspace(module) = info {
                module.name = "hello".try_into().unwrap();
            }
        }
    });
    add("g_other_program", other, "it is of another program, hello");
    let other = image_for(&good, "h_other_version", |image| {
        image.identity.fingerprint ^= 1;
        for ObjectInfo { info, .. } in &mut image.information.objects {
            if let Info::RomDataspace(module) = info {
                module.fingerprint ^= 1;
            }
        }
    });
    add("h_other_version", other, "it is of another version of its program");
    let other = image_for(&good, "i_too_much_ram", |image| image.information.account.ram += 4096);
    add("i_too_much_ram", other, "it has a quota of 528384 bytes, and the component 524288");
    let other = image_for(&good, "j_too_many_caps", |image| image.information.account.caps = 101);
    add("j_too_many_caps", other, "it has a quota of 101 capabilities, and the component 100");
    add("k_other_slots", plain("k_other_slots"), "it has 116 numbers, and the component 136");
    let other = image_for(&good, "l_high_priority", |image| {
        for ObjectInfo { info, .. } in &mut image.information.objects {
            if let Info::Thread(thread) = info {
                thread.priority = 101;
            }
        }
    });
    add("l_high_priority", other, "has the priority 101, and the component 100");
    let other = image_for(&good, "m_session", |image| {
        let session = |service: &str, number| {
            let service = service.try_into().unwrap();
            Info::Session(SessionInfo { service, argument: Default::default(), number })
        };
        let objects = &mut image.information.objects;
        let place = objects.iter().position(|object| object.number > 40).unwrap();
        objects.insert(place, ObjectInfo { number: 40, info: session("nobody", 1) });
    });
    add("m_session", other, "it has a session, 40, that the component may not have");
    add("p_good", plain("p_good"), "");
    let bad = with(&images);
    let before = left_raw(&bad);
    let finished = passes(&bad, "archive_bad", Flavour::Release, &[]);
    let text = console(&finished);
    let mut grown = 0;
    let starts = |name: &str, from: &str| text.lines().any(|line| line == format!("[{name}] {from}"));
    for (name, reason) in
        expected.into_iter().filter(|(name, _)| *name != "p_good").chain([("n_none", "there is none")])
    {
        let told = format!(" the image of {name} is not loaded: ");
        let (before, line) = text.split_once(&told).unwrap_or_else(|| panic!("{name}\n{text}"));
        let line = line.lines().next().unwrap();
        assert!(line.contains(reason), "{name}: {line}");
        // What is used before and after; the heap may have grown for good.
        let used = before.lines().rev().filter_map(|line| line.strip_suffix(" capabilities are used here."));
        let used = used.take(2).map(|line| {
            let (bytes, caps) = line.rsplit_once(" bytes and ").unwrap();
            (bytes.rsplit_once(' ').unwrap().1.parse::<u32>().unwrap(), caps.parse::<u32>().unwrap())
        });
        let [after, before] = used.collect::<Vec<_>>()[..] else { panic!("{name}\n{text}") };
        let more = (after.0 - before.0, after.1 - before.1);
        assert!([(0, 0), (64 << 10, 1)].contains(&more), "{name}: {more:?}");
        grown += u32::from(more.0 > 0);
        assert!(starts(name, "1|1|1 sheep. zzZ") && starts(name, "3|3|3 sheep. zzZ"), "{name}");
    }
    assert!(!starts("p_good", "1|1|1 sheep. zzZ") && starts("p_good", "40|40|40 sheep. zzZ"), "{text}");
    assert_eq!(left_raw(&bad), before, "loading changes nothing in the store");
    assert!(grown <= 4, "{grown}\n{text}");
}

/// All bytes of all images, whatever they are.
fn left_raw(memory: &Memory) -> Vec<(String, u64, Vec<u8>)> {
    use rtcr::image::Source;
    let mut store = memory.store(SIZE).unwrap();
    let read = |kept: rtcr::store::Kept| {
        let mut bytes = vec![0; kept.length as usize];
        store.read(&kept).read(&mut bytes).unwrap();
        (kept.name.to_string(), kept.sequence, bytes)
    };
    memory.store(SIZE).unwrap().images().into_iter().map(read).collect()
}

#[test]
fn a_component_that_cannot_be_loaded_fails_the_run_if_it_is_to() {
    let memory = with(&[("sheep_counter", b"nothing".repeat(9))]);
    let finished = run_in(&memory, "archive", Flavour::Release, &["load=newest"], |_| {});
    assert_eq!(finished.explanation.kind, Kind::Failed);
    let reason = &finished.explanation.reason;
    assert!(reason.contains("the image of sheep_counter is not loaded: this is no checkpoint image"), "{reason}");
    assert!(rounds(console(&finished)).is_empty());
}

#[test]
fn a_store_that_is_full_or_fails_harms_nobody() {
    // Nothing of others' goes for it.
    let memory = with(&[("other", vec![1; 1_030_000])]);
    let before = left_raw(&memory);
    let full = passes(&memory, "archive", Flavour::Release, &["save=newest"]);
    assert!(
        console(&full).contains("Checkpoint 1 of sheep_counter is not stored: the store is full"),
        "{}",
        console(&full)
    );
    assert_eq!((rounds(console(&full)).len(), left_raw(&memory)), (40, before));

    // Another write fails each time; at last none does.
    let memory = Memory::temporary().unwrap();
    let settings = ["save=newest", "refuse_store=1", "checkpoints=1000", "checkpoints_each=0", "checkpoint_every=3500"];
    let fails = passes(&memory, "archive", Flavour::Release, &[&settings[..], &["rounds=200"]].concat());
    let text = console(&fails);
    assert_eq!(rounds(text), (1..=200).collect::<Vec<_>>());
    let refused = text.matches("is not stored: the store fails: Refused").count();
    let stored = text.matches(" is stored: ").count();
    assert!(refused > 15 && stored > 1, "{refused} {stored}\n{text}");
    assert_eq!(left(&memory).len(), 1);
}
