//! Writes the interface as Rust source.
//!
//! The source is meant to be included in a module that brings what it uses: the types `seL4_Word`, `seL4_CPtr` and those
//! of capabilities, the message buffer with `seL4_GetIPCBuffer`, `invoke`, and `unregister` for after an error.
//! Names are those of C. How a message is laid out follows `libsel4/tools/syscall_stub_gen.py`: capabilities travel apart,
//! every other value is aligned to its own size or to a word, whichever is less, and the first four words travel in
//! registers.

mod fields;
mod method;

use std::fmt::{self, Write};

use crate::{
    Bindings, Options,
    bitfield::WORD,
    interface::{Method, Parameter, Structure},
};

/// Words of a message that travel in registers.
const REGISTERS: usize = 4;
/// Types of C that are capabilities: an address in the caller's capability space, passed apart from the message.
const CAPABILITIES: [&str; 15] = [
    "seL4_CPtr",
    "seL4_CNode",
    "seL4_IRQHandler",
    "seL4_IRQControl",
    "seL4_TCB",
    "seL4_Untyped",
    "seL4_DomainSet",
    "seL4_ARM_Page",
    "seL4_ARM_PageTable",
    "seL4_ARM_PageDirectory",
    "seL4_ARM_ASIDControl",
    "seL4_ARM_ASIDPool",
    "seL4_ARM_VCPU",
    "seL4_ARM_IOSpace",
    "seL4_ARM_IOPageTable",
];

/// Why an interface that was read cannot be written: a method uses a type that this generator does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{method} passes a `{kind}`, a type that is not known; add it to sel4-generate/src/emit.rs")]
pub struct UnknownType {
    /// The method, by its C name.
    pub method: String,
    /// The C name of the type.
    pub kind: String,
}

/// How a value of a C type travels.
enum Kind<'a> {
    Capability,
    /// Some bits; the second is the type in Rust.
    Bits(u32, &'static str),
    /// A bit field of one word.
    Bitfield,
    Structure(&'a Structure),
}

impl Kind<'_> {
    fn bits(&self) -> u32 {
        match self {
            Self::Capability | Self::Bitfield => WORD,
            Self::Bits(bits, _) => *bits,
            Self::Structure(structure) => structure.members.len() as u32 * WORD,
        }
    }
}

/// A value in its place in a message.
struct Placed<'a> {
    parameter: &'a Parameter,
    kind: Kind<'a>,
    word: usize,
    shift: u32,
}

impl Placed<'_> {
    /// Whether a part of it lies in the message buffer.
    fn is_buffered(&self) -> bool {
        self.word + self.kind.bits().div_ceil(WORD) as usize > REGISTERS
    }
}

impl Bindings {
    /// The whole interface as Rust source.
    ///
    /// # Errors
    /// A method in force passes a type that is not known.
    pub fn to_rust(&self, options: &Options) -> Result<String, UnknownType> {
        let mut out = String::new();
        let methods = self.interfaces.methods.iter().filter(|method| method.enabled);
        for (index, method) in methods.enumerate() {
            if index == 0 {
                section(&mut out, "Methods");
            }
            self.method(&mut out, method)?;
        }
        // Writing to a string cannot fail.
        let _ = self.rest(&mut out, options);
        Ok(out)
    }

    fn rest(&self, out: &mut String, options: &Options) -> fmt::Result {
        section(out, "System calls (libsel4/include/api/syscall.xml)");
        for call in &self.system_calls {
            writeln!(
                out,
                "/// Number of the system call {0}.\npub const seL4_Sys{0}: i32 = {1};",
                call.name, call.number
            )?;
        }
        section(out, "Labels of methods");
        for (name, number) in &self.labels {
            let method = self.interfaces.methods.iter().find(|method| method.id == *name && method.enabled);
            let of = method.map_or("Marks a place in the numbering.".to_owned(), |method| {
                format!("Label of [`{}_{}`].", method.interface, method.name)
            });
            writeln!(out, "/// {of}\npub const {name}: seL4_Word = {number};")?;
        }
        section(out, "Numbers of the headers");
        for constant in &self.constants {
            let kind = if constant.value < 0 { "i32" } else { "seL4_Word" };
            writeln!(out, "/// From `{}`.", constant.header)?;
            writeln!(out, "pub const {}: {kind} = {};", constant.name, constant.value)?;
        }
        section(out, "Options");
        for option in ["CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS", "CONFIG_NUM_DOMAINS", "CONFIG_ROOT_CNODE_SIZE_BITS"] {
            if let Some(value) = options.number(option) {
                writeln!(out, "/// Option of the kernel's configuration.\npub const {option}: seL4_Word = {value};")?;
            }
        }
        section(out, "Structures");
        for structure in &self.interfaces.structures {
            writeln!(out, "/// `{}` of C: {} words.", structure.name, structure.members.len())?;
            writeln!(out, "#[repr(C)]\n#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]")?;
            writeln!(out, "pub struct {} {{", structure.name)?;
            for member in &structure.members {
                writeln!(out, "    /// `{member}`.\n    pub {member}: seL4_Word,")?;
            }
            writeln!(out, "}}")?;
        }
        section(out, "Bit fields");
        fields::write(&self.bitfields, out)
    }

    fn kind(&self, name: &str) -> Option<Kind<'_>> {
        Some(match name {
            "seL4_Word" | "seL4_ARM_VMAttributes" => Kind::Bits(WORD, "seL4_Word"),
            "seL4_Uint32" => Kind::Bits(32, "u32"),
            "seL4_Uint16" => Kind::Bits(16, "u16"),
            "seL4_Uint8" => Kind::Bits(8, "u8"),
            "seL4_Bool" => Kind::Bits(1, "bool"),
            "int" => Kind::Bits(32, "i32"),
            name if CAPABILITIES.contains(&name) => Kind::Capability,
            name => {
                if let Some(structure) = self.interfaces.structures.iter().find(|s| s.name == name) {
                    return Some(Kind::Structure(structure));
                }
                let plain = name.strip_suffix("_t")?;
                let words = match self.bitfields.unions.iter().find(|union| union.name == plain) {
                    Some(union) => self.bitfields.block(&union.members.first()?.0)?.words,
                    None => self.bitfields.block(plain)?.words,
                };
                (words == 1).then_some(Kind::Bitfield)?
            }
        })
    }

    /// Gives each value that is no capability its place.
    fn place<'a>(&'a self, method: &Method, parameters: &'a [Parameter]) -> Result<Vec<Placed<'a>>, UnknownType> {
        let mut used: u32 = 0;
        let mut output = Vec::new();
        for parameter in parameters {
            let unknown = || UnknownType { method: c_name(method), kind: parameter.kind.clone() };
            let kind = self.kind(&parameter.kind).ok_or_else(unknown)?;
            if matches!(kind, Kind::Capability) {
                continue;
            }
            let at = used.next_multiple_of(kind.bits().min(WORD));
            used = at + kind.bits();
            output.push(Placed { parameter, kind, word: (at / WORD) as usize, shift: at % WORD });
        }
        Ok(output)
    }

    fn method(&self, out: &mut String, method: &Method) -> Result<(), UnknownType> {
        let inputs = self.place(method, &method.inputs)?;
        let outputs = self.place(method, &method.outputs)?;
        let capabilities: Vec<&Parameter> = method.inputs.iter().filter(|p| CAPABILITIES.contains(&&*p.kind)).collect();
        let words = method::message(&inputs);
        // Writing to a string cannot fail.
        let _ = method::write(out, method, &inputs, &outputs, &capabilities, &words);
        Ok(())
    }
}

fn c_name(method: &Method) -> String {
    format!("{}_{}", method.interface, method.name)
}

fn section(out: &mut String, title: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n// {title}");
}
