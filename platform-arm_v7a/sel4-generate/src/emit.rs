//! Writes the interface as Rust source.
//!
//! The source is meant to be included in a module that brings what it uses: the types `seL4_Word`, `seL4_CPtr` and those
//! of capabilities, the message buffer with `seL4_GetIPCBuffer`, `seL4_CallWithMRs`, and `unregister` for after an error.
//! Names are those of C. How a message is laid out follows `libsel4/tools/syscall_stub_gen.py`: capabilities travel apart,
//! every other value is aligned to its own size or to a word, whichever is less, and the first four words travel in
//! registers.

use std::fmt::{self, Write};

use crate::{
    Bindings, Options,
    bitfield::{Bitfields, Block, Field, WORD},
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
        self.bitfields.write(out)
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
        let words = message(&inputs);
        // Writing to a string cannot fail.
        let _ = write_method(out, method, &inputs, &outputs, &capabilities, &words);
        Ok(())
    }
}

/// The words of a message, each as the expression that makes it.
fn message(inputs: &[Placed]) -> Vec<String> {
    let mut words: Vec<Vec<String>> = Vec::new();
    let mut put = |word: usize, expression: String| {
        if words.len() <= word {
            words.resize(word + 1, Vec::new());
        }
        words[word].push(expression);
    };
    for Placed { parameter, kind, word, shift } in inputs {
        let name = rust_name(&parameter.name);
        match kind {
            Kind::Capability => {}
            Kind::Bitfield => put(*word, format!("{name}.words[0]")),
            Kind::Bits(_, "seL4_Word") => put(*word, name),
            Kind::Bits(_, _) if *shift == 0 => put(*word, format!("{name} as seL4_Word")),
            Kind::Bits(_, _) => put(*word, format!("({name} as seL4_Word) << {shift}")),
            Kind::Structure(structure) => {
                for (index, member) in structure.members.iter().enumerate() {
                    put(word + index, format!("{name}.{member}"));
                }
            }
        }
    }
    words.into_iter().map(|parts| parts.join(" | ")).collect()
}

fn write_method(
    out: &mut String,
    method: &Method,
    inputs: &[Placed],
    outputs: &[Placed],
    capabilities: &[&Parameter],
    words: &[String],
) -> fmt::Result {
    let name = c_name(method);
    let by_value: Vec<&Placed> = outputs.iter().filter(|o| !matches!(o.kind, Kind::Structure(_))).collect();
    let result = if by_value.is_empty() { "seL4_Error".to_owned() } else { format!("{name}_t") };

    if !by_value.is_empty() {
        writeln!(
            out,
            "\n/// What [`{name}`] returns.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub struct {result} {{"
        )?;
        writeln!(out, "    /// `seL4_NoError`, or why there is no result.\n    pub error: seL4_Error,")?;
        for output in &by_value {
            let kind = rust_type(output.parameter, &output.kind);
            let name = rust_name(&output.parameter.name);
            writeln!(out, "    /// {}\n    pub {name}: {kind},", described(output.parameter))?;
        }
        writeln!(out, "}}")?;
    }

    let brief = if method.brief.is_empty() { String::new() } else { format!("{}\n///\n/// ", escaped(&method.brief)) };
    writeln!(out, "\n/// {brief}Manual, chapter 10, \"{}\".\n///", method.manual)?;
    for input in
        method.inputs.iter().chain(outputs.iter().filter(|o| matches!(o.kind, Kind::Structure(_))).map(|o| o.parameter))
    {
        writeln!(out, "/// * `{}`: {}", input.name, described(input))?;
    }
    writeln!(out, "///\n/// # Safety\n/// See the section on safety in this crate's documentation.")?;
    writeln!(out, "#[inline]\npub unsafe fn {name}(")?;
    writeln!(out, "    _service: {},", method.interface)?;
    for input in &method.inputs {
        let kind = inputs.iter().find(|placed| placed.parameter.name == input.name);
        let kind = kind.map_or(input.kind.clone(), |placed| rust_type(input, &placed.kind));
        writeln!(out, "    {}: {kind},", rust_name(&input.name))?;
    }
    for output in outputs.iter().filter(|o| matches!(o.kind, Kind::Structure(_))) {
        writeln!(out, "    {}: &mut {},", rust_name(&output.parameter.name), output.parameter.kind)?;
    }
    writeln!(out, ") -> {result} {{")?;
    writeln!(out, "    // SAFETY: the caller vouches for what the section on safety asks for.\n    unsafe {{")?;
    // The buffer's address is asked for once; it stays the same during the call.
    if !capabilities.is_empty() || words.len() > REGISTERS || outputs.iter().any(Placed::is_buffered) {
        writeln!(out, "        let _buffer = seL4_GetIPCBuffer();")?;
    }
    for (index, capability) in capabilities.iter().enumerate() {
        writeln!(out, "        (*_buffer).caps_or_badges[{index}] = {};", rust_name(&capability.name))?;
    }
    for (index, word) in words.iter().enumerate().skip(REGISTERS) {
        writeln!(out, "        (*_buffer).msg[{index}] = {word};")?;
    }
    let registers: Vec<&str> = (0..REGISTERS).map(|index| words.get(index).map_or("0", String::as_str)).collect();
    writeln!(
        out,
        "        let _tag = seL4_MessageInfo_t::new({}, 0, {}, {});",
        method.id,
        capabilities.len(),
        words.len()
    )?;
    writeln!(out, "        let (_tag, _mrs) = seL4_CallWithMRs(_service, _tag, [{}]);", registers.join(", "))?;
    writeln!(out, "        let _error = _tag.get_label();")?;
    // The details of an error are read from the message buffer, as in C.
    let zeros: String =
        by_value.iter().map(|o| format!(", {}: {}", rust_name(&o.parameter.name), zero(&o.kind))).collect();
    let refused = match (outputs, by_value.as_slice()) {
        ([], _) => String::new(),
        (_, []) => "            return _error;\n".to_owned(),
        _ => format!("            return {result} {{ error: _error{zeros} }};\n"),
    };
    writeln!(out, "        if _error != seL4_NoError {{\n            unregister(_mrs);\n{refused}        }}")?;
    for output in outputs {
        let word = |index: usize| match index < REGISTERS {
            true => format!("_mrs[{index}]"),
            false => format!("(*_buffer).msg[{index}]"),
        };
        let name = rust_name(&output.parameter.name);
        match &output.kind {
            Kind::Structure(structure) => {
                for (index, member) in structure.members.iter().enumerate() {
                    writeln!(out, "        {name}.{member} = {};", word(output.word + index))?;
                }
            }
            Kind::Bits(1, _) => {
                writeln!(out, "        let {name} = ({} >> {}) & 1 != 0;", word(output.word), output.shift)?
            }
            Kind::Bits(_, kind) => {
                writeln!(out, "        let {name} = ({} >> {}) as {kind};", word(output.word), output.shift)?
            }
            Kind::Bitfield | Kind::Capability => {
                let kind = &output.parameter.kind;
                writeln!(out, "        let {name} = {kind} {{ words: [{}] }};", word(output.word))?;
            }
        }
    }
    match by_value.is_empty() {
        true => writeln!(out, "        _error")?,
        false => {
            let names: String = by_value.iter().map(|o| format!(", {}", rust_name(&o.parameter.name))).collect();
            writeln!(out, "        {result} {{ error: _error{names} }}")?;
        }
    }
    writeln!(out, "    }}\n}}")
}

fn zero(kind: &Kind) -> &'static str {
    if matches!(kind, Kind::Bits(1, _)) { "false" } else { "0" }
}

fn rust_type(parameter: &Parameter, kind: &Kind) -> String {
    match kind {
        Kind::Bits(_, kind) => (*kind).to_owned(),
        Kind::Structure(_) => format!("&{}", parameter.kind),
        Kind::Capability | Kind::Bitfield => parameter.kind.clone(),
    }
}

fn c_name(method: &Method) -> String {
    format!("{}_{}", method.interface, method.name)
}

fn rust_name(name: &str) -> String {
    if name == "type" { "r#type".to_owned() } else { name.to_owned() }
}

fn described(parameter: &Parameter) -> String {
    match parameter.description.trim() {
        "" => format!("`{}`.", parameter.kind),
        text => escaped(&text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

/// Text that rustdoc takes as text.
fn escaped(text: &str) -> String {
    text.replace('[', "\\[").replace('<', "\\<").replace('_', "\\_")
}

fn section(out: &mut String, title: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "\n// {title}");
}

impl Bitfields {
    fn write(&self, out: &mut String) -> fmt::Result {
        for block in self.blocks.iter().filter(|block| !self.is_member(block)) {
            structure(out, &block.name, block.words)?;
            writeln!(out, "impl {}_t {{", block.name)?;
            write_block(out, block, "", None)?;
            writeln!(out, "}}")?;
        }
        for union in &self.unions {
            let members: Vec<(&Block, u32)> =
                union.members.iter().filter_map(|(name, tag)| Some((self.block(name)?, *tag))).collect();
            structure(out, &union.name, members.first().map_or(1, |(block, _)| block.words))?;
            for (block, tag) in &members {
                writeln!(out, "/// Value of `{}` in a `{}` of [`{}_t`].", union.tag, block.name, union.name)?;
                writeln!(out, "pub const {}_{}: seL4_Word = {tag};", union.name, block.name)?;
            }
            writeln!(out, "impl {}_t {{", union.name)?;
            let tag = members.first().and_then(|(block, _)| block.fields.iter().find(|field| field.name == union.tag));
            if let Some(tag) = tag {
                getter(out, tag, &format!("get_{}", union.tag))?;
            }
            for (block, value) in &members {
                write_block(out, block, &format!("{}_", block.name), Some((&union.tag, *value)))?;
            }
            writeln!(out, "}}")?;
        }
        Ok(())
    }
}

fn structure(out: &mut String, name: &str, words: u32) -> fmt::Result {
    writeln!(out, "\n/// `{name}_t` of C: {words} words divided into fields.")?;
    writeln!(out, "#[repr(C)]\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]")?;
    writeln!(out, "pub struct {name}_t {{\n    /// The words.\n    pub words: [seL4_Word; {words}],\n}}")
}

/// Constructor, getters and setters of a block; `tag` is the field that is not an argument, and its value.
fn write_block(out: &mut String, block: &Block, prefix: &str, tag: Option<(&str, u32)>) -> fmt::Result {
    let arguments: Vec<&Field> =
        block.fields.iter().filter(|field| tag.is_none_or(|(name, _)| name != field.name)).collect();
    let list: Vec<String> = arguments.iter().map(|field| format!("{}: seL4_Word", field.name)).collect();
    writeln!(
        out,
        "    /// A value made of its fields.\n    ///\n    /// # Panics\n    /// A value does not fit its field."
    )?;
    writeln!(out, "    #[inline(always)]\n    pub const fn {prefix}new({}) -> Self {{", list.join(", "))?;
    writeln!(out, "        let value = Self {{ words: [0; {}] }};", block.words)?;
    if let Some((name, tag)) = tag
        && let Some(field) = block.fields.iter().find(|field| field.name == name)
    {
        writeln!(
            out,
            "        let mut value = value;\n        value.words[{}] |= {tag} << {};",
            field.word, field.shift
        )?;
    }
    for field in &arguments {
        writeln!(out, "        let value = value.{prefix}set_{0}({0});", field.name)?;
    }
    writeln!(out, "        value\n    }}")?;
    for field in arguments {
        getter(out, field, &format!("{prefix}get_{}", field.name))?;
        let Field { name, word, shift, width } = field;
        let mask = field.mask();
        writeln!(
            out,
            "    /// The same with another `{name}`, {width} bits.\n    ///\n    /// # Panics\n    /// The value does not fit."
        )?;
        writeln!(
            out,
            "    #[inline(always)]\n    pub const fn {prefix}set_{name}(mut self, value: seL4_Word) -> Self {{"
        )?;
        if *width < WORD {
            writeln!(out, "        assert!(value <= {mask:#x}, \"{name} has {width} bits\");")?;
        }
        writeln!(out, "        self.words[{word}] = self.words[{word}] & !({mask:#x} << {shift}) | value << {shift};")?;
        writeln!(out, "        self\n    }}")?;
    }
    Ok(())
}

fn getter(out: &mut String, field: &Field, function: &str) -> fmt::Result {
    let Field { name, word, shift, width } = field;
    writeln!(out, "    /// `{name}`, {width} bits.")?;
    writeln!(out, "    #[inline(always)]\n    pub const fn {function}(self) -> seL4_Word {{")?;
    writeln!(out, "        self.words[{word}] >> {shift} & {:#x}\n    }}", field.mask())
}
