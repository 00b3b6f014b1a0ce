//! A method as a Rust function.

use std::fmt::{self, Write};

use super::{Kind, Placed, REGISTERS, c_name};
use crate::interface::{Method, Parameter};

/// The words of a message, each as the expression that makes it.
pub(super) fn message(inputs: &[Placed]) -> Vec<String> {
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

pub(super) fn write(
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
    writeln!(out, "        let (_tag, _mrs) = invoke(_service, _tag, [{}]);", registers.join(", "))?;
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
