//! The bindings against the real kernel source: every number and every message layout is what the kernel's own generators
//! and a C compiler make of the same files.
//!
//! Needs what building the kernel needs: `arm-none-eabi-gcc`, and Debian's Python with the modules ply and tempita.

mod headers;

use std::collections::BTreeSet;

use headers::Headers;
use kernel::{Configuration, Flavour, Source};
use sel4_generate::{Bindings, Options};

fn source() -> Source {
    kernel::source::locate(kernel::folder()).unwrap()
}

fn configured(flavour: Flavour, more: &[&str]) -> Options {
    let configuration = Configuration::load(kernel::folder(), &source()).unwrap();
    let more = more.iter().map(|name| ((*name).to_owned(), "1".to_owned()));
    configuration.options(flavour).into_iter().chain(more).collect()
}

fn bindings(options: &Options) -> Bindings {
    Bindings::read(&source().root, options).unwrap()
}

/// Layouts of structures that sel4-raw declares by hand; it asserts the same figures.
const LAYOUTS: &str = "
_Static_assert(sizeof(seL4_UserContext) == 68 && __builtin_offsetof(seL4_UserContext, r14) == 64, \"registers\");
_Static_assert(sizeof(seL4_IPCBuffer) == 512 && _Alignof(seL4_IPCBuffer) == 512, \"buffer\");
_Static_assert(__builtin_offsetof(seL4_IPCBuffer, msg) == 4, \"msg\");
_Static_assert(__builtin_offsetof(seL4_IPCBuffer, userData) == 484, \"userData\");
_Static_assert(__builtin_offsetof(seL4_IPCBuffer, caps_or_badges) == 488, \"caps\");
_Static_assert(__builtin_offsetof(seL4_IPCBuffer, receiveDepth) == 508, \"depth\");
_Static_assert(seL4_MsgMaxExtraCaps == 3, \"extra\");
_Static_assert(sizeof(seL4_BootInfo) == 85 + 8 * CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS, \"boot\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, ipcBuffer) == 16, \"ipcBuffer\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, empty) == 20, \"empty\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, userImageFrames) == 36, \"frames\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, initThreadCNodeSizeBits) == 68, \"bits\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, initThreadDomain) == 69, \"domain\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, untyped) == 77, \"untyped\");
_Static_assert(__builtin_offsetof(seL4_BootInfo, untypedList) == 85, \"list\");
_Static_assert(sizeof(seL4_UntypedDesc) == 8 && __builtin_offsetof(seL4_UntypedDesc, sizeBits) == 6, \"description\");
";

#[test]
fn numbers_are_those_of_the_c_headers() {
    for (flavour, more) in [
        (Flavour::Release, &[][..]),
        (Flavour::Debug, &[]),
        (Flavour::Release, &["CONFIG_ARM_SMMU"]),
        (Flavour::Release, &["CONFIG_ARM_HYPERVISOR_SUPPORT"]),
        (Flavour::Release, &["CONFIG_ENABLE_BENCHMARKS"]),
    ] {
        let options = configured(flavour, more);
        let bindings = bindings(&options);
        let headers = Headers::generate(&source(), flavour, more);

        let mut program = String::from("#include <sel4/sel4.h>\n");
        program += &headers::thread_states(&source());
        let calls = bindings.system_calls.iter().map(|call| (format!("seL4_Sys{}", call.name), i64::from(call.number)));
        let labels = bindings.labels.iter().map(|(name, number)| (name.clone(), i64::from(*number)));
        let constants = bindings.constants.iter().map(|constant| (constant.name.clone(), constant.value));
        let mut names = BTreeSet::new();
        for (name, value) in calls.chain(labels).chain(constants) {
            program += &format!("_Static_assert({name} == {value}, \"{name}\");\n");
            assert!(names.insert(name.clone()), "{name} is defined twice");
        }
        for union in &bindings.bitfields.unions {
            for (member, tag) in &union.members {
                program += &format!("_Static_assert({}_{member} == {tag}, \"{member}\");\n", union.name);
            }
        }
        program += LAYOUTS;
        headers.compile(&program);

        // And none is missing: the enumerations that count their members count as many.
        let count = bindings.system_calls.len();
        assert_eq!(headers.count("sel4/syscall.h", "seL4_Sys"), count, "{more:?}");
        headers.compile(&format!(
            "#include <sel4/sel4.h>\n_Static_assert(nArchInvocationLabels == {}, \"\");",
            bindings.labels.len() - 3
        ));
    }
}

#[test]
fn a_wrong_number_is_seen() {
    let headers = Headers::generate(&source(), Flavour::Release, &[]);
    assert!(!headers.compiles("#include <sel4/sel4.h>\n_Static_assert(TCBConfigure == 1, \"\");"));
}

#[test]
fn bit_fields_are_those_of_the_c_headers() {
    let bindings = bindings(&configured(Flavour::Release, &[]));
    let text = Headers::generate(&source(), Flavour::Release, &[]).bitfields();
    let mut seen = 0;
    for block in &bindings.bitfields.blocks {
        let union =
            bindings.bitfields.unions.iter().find(|union| union.members.iter().any(|(name, _)| *name == block.name));
        let prefix = union.map_or(block.name.clone(), |union| format!("{}_{}", union.name, block.name));
        for field in block.fields.iter().filter(|field| union.is_none_or(|union| union.tag != field.name)) {
            let expected =
                headers::Getter { word: field.word, mask: u64::from(field.mask()) << field.shift, shift: field.shift };
            assert_eq!(headers::getter(&text, &format!("{prefix}_get_{}", field.name)), Some(expected), "{prefix}");
            seen += 1;
        }
    }
    // Every getter of C that takes a value was met, but for those of the unions' tags.
    assert_eq!(headers::getters(&text), seen + bindings.bitfields.unions.len());
}

#[test]
fn messages_are_laid_out_as_in_c() {
    for more in [&[][..], &["CONFIG_ARM_SMMU"]] {
        let options = configured(Flavour::Release, more);
        let bindings = bindings(&options);
        let rust = bindings.to_rust(&options).unwrap();
        let c = Headers::generate(&source(), Flavour::Release, more).stubs();
        let mut seen = 0;
        for method in bindings.interfaces.methods.iter().filter(|method| method.enabled) {
            let name = format!("{}_{}", method.interface, method.name);
            assert_eq!(headers::rust_message(&rust, &name), headers::c_message(&c, &name), "{name}");
            seen += 1;
        }
        assert!(seen > 40, "{seen} methods");
    }
}

#[test]
fn debug_options_only_add_calls_at_the_end() {
    let release = bindings(&configured(Flavour::Release, &[]));
    let mut debug = bindings(&configured(Flavour::Debug, &[]));
    assert!(debug.system_calls.len() > release.system_calls.len());
    debug.system_calls.truncate(release.system_calls.len());
    assert_eq!(debug, release);
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Bindings::read(folder.path(), &Options::default()).unwrap_err().to_string();
    assert!(error.contains("syscall.xml"), "{error}");
    for file in sel4_generate::files() {
        assert!(source().path(file).is_file(), "{file}");
    }
}
