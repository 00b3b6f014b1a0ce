//! What is done to the bytes of images: by the tests, and by the fuzzer.

use std::ops::Range;

use rtcr::{image::Image, information::Need};

/// Room that is enough for every image here.
pub const ENOUGH: Need = Need { objects: 4096, regions: 4096, words: 16 << 10, served: 256, pages: 4096 };

/// Where the entries of the directory are, and the bodies, as far as they are in the file.
pub fn parts(bytes: &[u8]) -> Vec<(usize, Range<usize>)> {
    let Some(&[low, high]) = bytes.get(14..16) else { return Vec::new() };
    let count = usize::from(u16::from_le_bytes([low, high]));
    let mut at = 32 + 16 * count;
    let mut parts = Vec::new();
    for entry in (0..count).map(|place| 32 + 16 * place) {
        let Some(length) = bytes.get(entry + 8..entry + 16) else { break };
        let length = u64::from_le_bytes(length.try_into().unwrap());
        let Some(end) = usize::try_from(length).ok().and_then(|length| at.checked_add(length)) else { break };
        if end > bytes.len() {
            break;
        }
        parts.push((entry, at..end));
        at = end;
    }
    parts
}

/// Makes all checksums right, as somebody would who means harm.
pub fn mend(bytes: &mut [u8]) {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    for (entry, body) in parts(bytes) {
        let checksum = crc.checksum(&bytes[body]);
        bytes[entry + 4..entry + 8].copy_from_slice(&checksum.to_le_bytes());
    }
    let Some(&[low, high]) = bytes.get(14..16) else { return };
    let end = 32 + 16 * usize::from(u16::from_le_bytes([low, high]));
    if end <= bytes.len() {
        let checksum = crc.checksum(&[&bytes[..20], &bytes[24..end]].concat());
        bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    }
}

/// Whatever these bytes are: they are refused, or an image whose bytes they are. Told is which.
pub fn fuzz(bytes: &[u8]) -> Result<Image, rtcr::image::Fault> {
    let image = Image::decode(bytes, &ENOUGH)?;
    if image.header.version == rtcr::image::VERSION {
        assert_eq!(image.encode().expect("what was read can be written"), bytes, "there is one form only");
    }
    let again = Image::new(image.identity.clone(), image.information.clone(), image.pages.clone());
    assert_eq!(again.expect("what was read can be written").information, image.information);
    Ok(image)
}

/// The same with the checksums made right before.
pub fn fuzz_behind_checksum(bytes: &[u8]) -> Result<Image, rtcr::image::Fault> {
    let mut bytes = bytes.to_vec();
    mend(&mut bytes);
    fuzz(&bytes)
}
