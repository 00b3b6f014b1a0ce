//! Bit fields as Rust types with constructors, getters and setters.

use std::fmt::{self, Write};

use crate::bitfield::{Bitfields, Block, Field, WORD};

/// Writes every block and union.
pub(super) fn write(bitfields: &Bitfields, out: &mut String) -> fmt::Result {
    for block in bitfields.blocks.iter().filter(|block| !bitfields.is_member(block)) {
        structure(out, &block.name, block.words)?;
        writeln!(out, "impl {}_t {{", block.name)?;
        write_block(out, block, "", None)?;
        writeln!(out, "}}")?;
    }
    for union in &bitfields.unions {
        let members: Vec<(&Block, u32)> =
            union.members.iter().filter_map(|(name, tag)| Some((bitfields.block(name)?, *tag))).collect();
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
