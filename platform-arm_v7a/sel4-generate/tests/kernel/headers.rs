//! C headers made by the kernel's own generators, and what can be read from them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kernel::{Configuration, Flavour, Source};
use tempfile::TempDir;

/// The Python that sees Debian's modules; another may come first on the path.
const PYTHON: &str = "/usr/bin/python3";
const COMPILER: &str = "arm-none-eabi-gcc";

/// A folder of generated headers.
pub struct Headers {
    folder: TempDir,
    include: Vec<String>,
}

impl Headers {
    /// Generates all of them as `libsel4/Makefile` does.
    pub fn generate(source: &Source, flavour: Flavour, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = source.path("libsel4");
        for sub in ["sel4/sel4_arch", "sel4/arch", "interfaces"] {
            fs::create_dir_all(folder.path().join(sub)).unwrap();
        }
        let configuration = Configuration::load(kernel::folder(), source).unwrap();
        let mut header = configuration.header(flavour);
        header.extend(more.iter().map(|name| format!("#define {name} 1\n")));
        fs::write(folder.path().join("autoconf.h"), header).unwrap();

        let own = ["include", "arch_include/arm", "sel4_arch_include/aarch32", "sel4_plat_include/imx6"];
        let own = own.map(|sub| library.join(sub));
        let include =
            [folder.path().to_owned()].iter().chain(&own).map(|path| format!("-I{}", path.display())).collect();
        let headers = Self { folder, include };

        let [generic, arch, sel4_arch, _] = own;
        let generic_xml = generic.join("interfaces/sel4.xml");
        let sel4_arch_xml = sel4_arch.join("interfaces/sel4arch.xml");
        let arch_xml = arch.join("interfaces/sel4arch.xml");
        for (xml, flag, output) in [
            (&generic_xml, None, "sel4/invocation.h"),
            (&sel4_arch_xml, Some("--sel4_arch"), "sel4/sel4_arch/invocation.h"),
            (&arch_xml, Some("--arch"), "sel4/arch/invocation.h"),
        ] {
            let mut command = python(&library.join("tools/invocation_header_gen.py"));
            run(command.arg("--xml").arg(xml).arg("--libsel4").args(flag).arg("--dest").arg(headers.path(output)));
        }
        let mut command = python(&library.join("tools/syscall_header_gen.py"));
        command.arg("--xml").arg(generic.join("api/syscall.xml"));
        run(command.arg("--libsel4_header").arg(headers.path("sel4/syscall.h")));

        for (fields, output) in [
            (generic.join("sel4/types_32.bf"), "sel4/types_gen.h"),
            (generic.join("sel4/shared_types_32.bf"), "sel4/shared_types_gen.h"),
            (sel4_arch.join("sel4/sel4_arch/types.bf"), "sel4/sel4_arch/types_gen.h"),
        ] {
            let plain = headers.path("fields.pbf");
            run(headers.compiler().args(["-E", "-P", "-x", "c", "-o"]).arg(&plain).arg(fields));
            let mut command = python(&source.path("tools/bitfield_gen.py"));
            run(command.args(["--environment", "libsel4"]).arg(&plain).arg(headers.path(output)));
        }

        let mut command = python(&library.join("tools/syscall_stub_gen.py"));
        command.args(["-a", "aarch32", "-w", "32", "-o"]).arg(headers.path("interfaces/sel4_client.h"));
        run(command.args([&sel4_arch_xml, &arch_xml, &generic_xml]));
        headers
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn compiler(&self) -> Command {
        let mut command = Command::new(COMPILER);
        command.args(&self.include).args(["-ffreestanding", "-std=gnu11"]);
        command
    }

    /// Compiles a program that includes the headers; panics with what the compiler says.
    pub fn compile(&self, program: &str) {
        fs::write(self.path("program.c"), program).unwrap();
        run(self.compiler().args(["-Wno-deprecated-declarations", "-fsyntax-only"]).arg(self.path("program.c")));
    }

    /// Whether a program compiles.
    pub fn compiles(&self, program: &str) -> bool {
        fs::write(self.path("program.c"), program).unwrap();
        let mut command = self.compiler();
        command.arg("-fsyntax-only").arg(self.path("program.c")).stderr(Stdio::null());
        command.status().unwrap().success()
    }

    /// How many enumerators that start with `prefix` and have a value a header declares, after conditions.
    pub fn count(&self, header: &str, prefix: &str) -> usize {
        let output = self.compiler().args(["-E", "-P"]).arg(self.path(header)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let text = text.rsplit("typedef enum").next().unwrap_or_default();
        text.split([',', '{']).filter(|item| item.trim().starts_with(prefix) && item.contains('=')).count()
    }

    /// The generated functions for bit fields.
    pub fn bitfields(&self) -> String {
        ["sel4/types_gen.h", "sel4/shared_types_gen.h", "sel4/sel4_arch/types_gen.h"]
            .map(|name| fs::read_to_string(self.path(name)).unwrap())
            .concat()
    }

    /// The generated functions for methods.
    pub fn stubs(&self) -> String {
        fs::read_to_string(self.path("interfaces/sel4_client.h")).unwrap()
    }
}

/// The enumeration of thread states, which user code cannot include.
pub fn thread_states(source: &Source) -> String {
    let text = fs::read_to_string(source.path("include/object/structures.h")).unwrap();
    let start = text.find("enum _thread_state").unwrap();
    let end = start + text[start..].find("};").unwrap() + 2;
    text[start..end].to_owned()
}

fn python(script: &Path) -> Command {
    let mut command = Command::new(PYTHON);
    // The kernel's source belongs to cargo; nothing is written there.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONPATH").args(["-W", "ignore"]).arg(script);
    command.current_dir(env::temp_dir());
    command
}

fn run(command: &mut Command) {
    let needs = "these tests need arm-none-eabi-gcc and /usr/bin/python3 with ply and tempita \
                 (Debian: gcc-arm-none-eabi python3-ply python3-tempita); `cargo rtcr doctor` tells what is missing";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {needs}"));
    assert!(output.status.success(), "{command:?}:\n{}\n{needs}", String::from_utf8_lossy(&output.stderr));
}

/// How a getter of C finds its field.
#[derive(Debug, PartialEq, Eq)]
pub struct Getter {
    pub word: u32,
    pub mask: u64,
    pub shift: u32,
}

/// The getter of a name: the line `ret = (x.words[1] & 0xff0ul) >> 4;` in it.
pub fn getter(text: &str, name: &str) -> Option<Getter> {
    let body = &text[text.find(&format!("\n{name}("))?..];
    let line = body.lines().find(|line| line.trim().starts_with("ret = ("))?;
    let (_, rest) = line.split_once(".words[")?;
    let (word, rest) = rest.split_once("] & 0x")?;
    let (mask, rest) = rest.split_once("ul) >> ")?;
    Some(Getter {
        word: word.parse().ok()?,
        mask: u64::from_str_radix(mask, 16).ok()?,
        shift: rest.trim_end_matches(';').parse().ok()?,
    })
}

/// How many getters take a value, not a pointer.
pub fn getters(text: &str) -> usize {
    text.lines().filter(|line| line.contains("_get_") && !line.contains("_ptr_get_") && line.ends_with(") {")).count()
}

/// What a method sends and what it takes from the answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Label and counts, as written.
    info: String,
    /// Capabilities by place.
    capabilities: Vec<(usize, String)>,
    /// Words by place: what they are made of, each with how far it is shifted.
    words: Vec<(usize, Vec<(String, u32)>)>,
    /// Results: place, name.
    results: Vec<(usize, String)>,
}

/// The message of a method in C.
pub fn c_message(text: &str, name: &str) -> Message {
    let body = body(text, &format!("\n{name}("), "\n}\n");
    let (before, after) = body.split_once("/* Perform the call").unwrap();
    let (_, after) = after.split_once("Unmarshal registers").unwrap();
    let after = after.split_once("/* Unmarshal result. */").map_or("", |(_, after)| after);
    let mut message = empty(between(before, "seL4_MessageInfo_new(", ");"));
    for line in before.lines().map(str::trim) {
        if let Some((place, value)) = argument(line, "seL4_SetCap(") {
            message.capabilities.push((place, value.to_owned()));
        } else if let Some((place, value)) = argument(line, "seL4_SetMR(") {
            message.words.push((place, parts(value)));
        } else if let Some((place, value)) = line.strip_prefix("mr").and_then(|rest| rest.split_once(" = ")) {
            message.words.push((place.parse().unwrap(), parts(value.trim_end_matches(';'))));
        }
    }
    for (target, value) in after.lines().filter_map(|line| line.trim().split_once(" = ")) {
        let digits: String = value.replace("seL4_GetMR", "").chars().filter(char::is_ascii_digit).collect();
        let target = target.trim_start_matches("result.").replace("->", ".");
        message.results.push((digits.parse().unwrap(), target));
    }
    sorted(message)
}

/// The message of a method in Rust.
pub fn rust_message(text: &str, name: &str) -> Message {
    let body = body(text, &format!("pub unsafe fn {name}("), "\n}\n");
    let (before, after) = body.split_once("let (_tag, _mrs) = ").unwrap();
    let mut message = empty(between(before, "seL4_MessageInfo_t::new(", ");"));
    for line in before.lines().map(str::trim) {
        if let Some((place, value)) = assignment(line, "(*_buffer).caps_or_badges[") {
            message.capabilities.push((place, value.to_owned()));
        } else if let Some((place, value)) = assignment(line, "(*_buffer).msg[") {
            message.words.push((place, parts(value)));
        }
    }
    for (place, value) in between(after, "[", "]);").split(", ").enumerate() {
        message.words.push((place, parts(value)));
    }
    for line in after.lines().map(str::trim).skip_while(|line| !line.starts_with('}')) {
        let Some((target, value)) = line.trim_start_matches("let ").split_once(" = ") else { continue };
        let place = value.split_once("_mrs[").or_else(|| value.split_once("(*_buffer).msg[")).unwrap().1;
        message.results.push((place.split_once(']').unwrap().0.parse().unwrap(), target.to_owned()));
    }
    sorted(message)
}

fn empty(info: &str) -> Message {
    Message { info: info.to_owned(), capabilities: Vec::new(), words: Vec::new(), results: Vec::new() }
}

fn sorted(mut message: Message) -> Message {
    message.capabilities.sort();
    message.words.sort();
    message.results.sort();
    message
}

fn body<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let from = text.find(start).unwrap_or_else(|| panic!("there is no {start}"));
    let length = text[from..].find(end).unwrap();
    &text[from..from + length]
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// Place and value of `function(3, value);`.
fn argument<'a>(line: &'a str, function: &str) -> Option<(usize, &'a str)> {
    let (place, value) = line.strip_prefix(function)?.strip_suffix(");")?.split_once(", ")?;
    Some((place.parse().ok()?, value))
}

/// Place and value of `array[3] = value;`.
fn assignment<'a>(line: &'a str, array: &str) -> Option<(usize, &'a str)> {
    let (place, value) = line.strip_prefix(array)?.strip_suffix(';')?.split_once("] = ")?;
    Some((place.parse().ok()?, value))
}

/// What a word is made of: names, with how far each is shifted.
fn parts(expression: &str) -> Vec<(String, u32)> {
    let part = |text: &str| {
        let (value, shift) = text.split_once("<<").unwrap_or((text, "0"));
        let shift: String = shift.chars().filter(char::is_ascii_digit).collect();
        let value = value.trim().trim_start_matches('(').replace("->", ".").replace("r#", "");
        let end = value.find([' ', ')']).unwrap_or(value.len());
        (value[..end].to_owned(), shift.parse().unwrap())
    };
    expression.split('|').map(part).collect()
}
