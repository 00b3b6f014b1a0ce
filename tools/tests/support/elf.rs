//! Hand-made symbol tables.

/// Appends to an ELF file without sections a symbol table that holds one absolute function.
pub fn with_symbol(file: &[u8], name: &str, value: u32, size: u32) -> Vec<u8> {
    let mut file = file.to_vec();
    let names = [b"\0", name.as_bytes(), b"\0.symtab\0.strtab\0"].concat();
    let strings = file.len() as u32;
    file.extend(&names);
    file.resize(file.len().next_multiple_of(4), 0);
    let symbols = file.len() as u32;
    file.extend([0u8; 16]);
    file.extend([1u32, value, size].map(u32::to_le_bytes).concat());
    // Global, a function, absolute.
    file.extend([0x12, 0, 0xf1, 0xff]);
    let sections = file.len() as u32;
    let symtab_name = name.len() as u32 + 2;
    file.extend([0u8; 40]);
    file.extend([symtab_name, 2, 0, 0, symbols, 32, 2, 1, 4, 16].map(u32::to_le_bytes).concat());
    file.extend([symtab_name + 8, 3, 0, 0, strings, names.len() as u32, 0, 0, 1, 0].map(u32::to_le_bytes).concat());
    file[32..36].copy_from_slice(&sections.to_le_bytes());
    file[46..52].copy_from_slice(&[40u16, 3, 2].map(u16::to_le_bytes).concat());
    file
}
