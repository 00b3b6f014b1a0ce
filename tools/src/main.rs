//! `cargo rtcr VERB`; everything is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tools::cli::main()
}
