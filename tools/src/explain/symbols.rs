//! From addresses to functions and source lines, by the debug information of an executable.

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use addr2line::{
    Context,
    gimli::{Dwarf, EndianSlice, LittleEndian, SectionId},
};
use object::{File, Object, ObjectSection, ObjectSymbol, Symbol, SymbolKind};

use crate::build::SOURCE_PREFIX;

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// The symbols of one executable; empty for a file without any.
pub struct Symbols<'a> {
    file: Option<File<'a>>,
    context: Option<Context<Reader<'a>>>,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function.
    pub function: String,
    /// File, relative to the checkout if it lies there, and line from 1.
    pub source: Option<(String, u32)>,
}

impl<'a> Symbols<'a> {
    /// Of an ELF file.
    pub fn new(elf: &'a [u8]) -> Self {
        let file = File::parse(elf).ok();
        let context = file.as_ref().and_then(|file| {
            let load = |id: SectionId| {
                let section = file.section_by_name(id.name());
                // Compressed sections would have to be owned; nothing that is built here has them.
                let data = match section.and_then(|section| section.uncompressed_data().ok()) {
                    Some(Cow::Borrowed(data)) => data,
                    _ => &[],
                };
                Ok::<_, addr2line::gimli::Error>(EndianSlice::new(data, LittleEndian))
            };
            Context::from_dwarf(Dwarf::load(load).ok()?).ok()
        });
        Self { file, context }
    }

    /// The functions that an instruction belongs to, innermost first: more than one where calls were inlined.
    pub fn frames(&self, address: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        if let Some(context) = &self.context
            && let Ok(mut found) = context.find_frames(address.into()).skip_all_loads()
        {
            while let Ok(Some(frame)) = found.next() {
                let name = frame.function.as_ref().and_then(|name| name.demangle().ok());
                let source = frame.location.and_then(|at| Some((shown_path(at.file?), at.line?)));
                match name {
                    Some(name) => frames.push(Frame { function: without_hash(&name).into(), source }),
                    None if source.is_some() => frames.push(Frame { function: self.nearest(address), source }),
                    None => {}
                }
            }
        }
        if frames.is_empty() && self.symbol_at(address).is_some() {
            frames.push(Frame { function: self.nearest(address), source: None });
        }
        frames
    }

    /// Where a function lies.
    pub fn range(&self, function: &str) -> Option<Range<u32>> {
        let file = self.file.as_ref()?;
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(function))?;
        let start = u32::try_from(symbol.address()).ok()?;
        Some(start..start.checked_add(u32::try_from(symbol.size()).ok()?)?)
    }

    /// All functions that have an address of their own, with it, in the order of their names.
    pub fn functions(&self) -> Vec<(String, u32)> {
        let symbols = self.file.iter().flat_map(|file| file.symbols()).filter(is_function);
        let named = symbols.filter_map(|symbol| Some((demangled(&symbol)?, u32::try_from(symbol.address()).ok()?)));
        named.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The function that the linker put at an address, whatever was inlined into it, and how far from its start that is.
    pub fn function(&self, address: u32) -> Option<(String, u32)> {
        let symbol = self.symbol(address)?;
        Some((demangled(&symbol)?, address.checked_sub(u32::try_from(symbol.address()).ok()?)?))
    }

    fn symbol_at(&self, address: u32) -> Option<String> {
        demangled(&self.symbol(address)?)
    }

    fn symbol(&self, address: u32) -> Option<Symbol<'a, '_>> {
        let file = self.file.as_ref()?;
        let inside = |start: u64, size: u64| (start..start.saturating_add(size)).contains(&address.into());
        file.symbols().filter(is_function).find(|symbol| inside(symbol.address(), symbol.size()))
    }

    fn nearest(&self, address: u32) -> String {
        self.symbol_at(address).unwrap_or_else(|| "?".into())
    }
}

fn is_function(symbol: &Symbol<'_, '_>) -> bool {
    symbol.kind() == SymbolKind::Text
}

fn demangled(symbol: &Symbol<'_, '_>) -> Option<String> {
    let name = symbol.name().ok()?;
    Some(without_hash(&addr2line::demangle_auto(name.into(), None)).into())
}

/// A function's name without the hash that Rust's mangling ends it with.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name,
        _ => name,
    }
}

/// A path of the debug information as people in the checkout would write it.
fn shown_path(path: &str) -> String {
    path.strip_prefix(SOURCE_PREFIX).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).replace("/./", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_shown_as_people_write_them() {
        assert_eq!(without_hash("hello::construct::h0123456789abcdef"), "hello::construct");
        assert_eq!(without_hash("a::hello"), "a::hello");
        assert_eq!(shown_path("/rtcr/components/hello/src/lib.rs"), "components/hello/src/lib.rs");
        assert_eq!(shown_path("/cargo/elf-0.8.0/src/lib.rs"), "/cargo/elf-0.8.0/src/lib.rs");
    }

    #[test]
    fn what_has_no_symbols_gives_none() {
        for bytes in [&b""[..], b"\x7fELF", b"\x7fELF\x01\x01\x01"] {
            let symbols = Symbols::new(bytes);
            assert_eq!(symbols.frames(0), []);
            assert_eq!(symbols.range("main"), None);
        }
    }
}
