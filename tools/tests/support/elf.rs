//! Hand-made symbol tables.

/// A function's name, address and size.
pub type Function<'a> = (&'a str, u32, u32);

/// Appends to an ELF file without sections a symbol table that holds absolute functions.
pub fn with_symbols(file: &[u8], functions: &[Function<'_>]) -> Vec<u8> {
    let (mut file, mut names) = (file.to_vec(), vec![0]);
    let mut table = vec![0u8; 16];
    for &(name, value, size) in functions {
        table.extend([names.len() as u32, value, size].map(u32::to_le_bytes).concat());
        // Global, a function, absolute.
        table.extend([0x12, 0, 0xf1, 0xff]);
        names.extend(name.bytes().chain([0]));
    }
    let symtab_name = names.len() as u32;
    names.extend(b".symtab\0.strtab\0");
    let strings = file.len() as u32;
    file.extend(&names);
    file.resize(file.len().next_multiple_of(4), 0);
    let symbols = file.len() as u32;
    file.extend(&table);
    let sections = file.len() as u32;
    file.extend([0u8; 40]);
    let size = table.len() as u32;
    file.extend([symtab_name, 2, 0, 0, symbols, size, 2, 1, 4, 16].map(u32::to_le_bytes).concat());
    file.extend([symtab_name + 8, 3, 0, 0, strings, names.len() as u32, 0, 0, 1, 0].map(u32::to_le_bytes).concat());
    file[32..36].copy_from_slice(&sections.to_le_bytes());
    file[46..52].copy_from_slice(&[40u16, 3, 2].map(u16::to_le_bytes).concat());
    file
}
