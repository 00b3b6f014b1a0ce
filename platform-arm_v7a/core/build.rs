//! Puts this folder on the linker's search path, for `link.ld`.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo::rustc-link-search={folder}");
    println!("cargo::rerun-if-changed=link.ld");
}
