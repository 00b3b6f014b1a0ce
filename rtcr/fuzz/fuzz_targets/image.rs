//! Each input as it is, and with its checksums made right. See rtcr/fuzz/README.md.
#![no_main]

#[path = "../../tests/support/image/bytes.rs"]
mod bytes;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    _ = bytes::fuzz(input);
    _ = bytes::fuzz_behind_checksum(input);
});
