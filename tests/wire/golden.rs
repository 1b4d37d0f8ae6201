//! Every kind of message, byte for byte.

use holdfast::talk::limits::WireLimits;

use crate::examples::{Frame, frames};

pub fn path(name: &str) -> String {
    format!("{}/tests/golden/wire/{name}.hex", env!("CARGO_MANIFEST_DIR"))
}

/// The golden frames: name, what they say, bytes.
pub fn golden() -> Vec<(&'static str, Frame, Vec<u8>)> {
    let read = |(name, frame)| {
        let text = std::fs::read_to_string(path(name)).unwrap_or_default();
        let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap();
        (name, frame, text.trim_end().as_bytes().chunks(2).map(byte).collect())
    };
    frames().into_iter().map(read).collect()
}

/// With `HOLDFAST_BLESS` set, writes the golden files: do so only with a new version of the protocol.
#[test]
fn encoding_gives_the_golden_bytes() {
    let limits = WireLimits::default();
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        for (name, frame) in frames() {
            let hex: String = frame.encode(&limits).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
            std::fs::write(path(name), format!("{hex}\n")).unwrap();
        }
    }
    for (name, frame, bytes) in golden() {
        assert_eq!(frame.encode(&limits).unwrap(), bytes, "{name}");
        assert_eq!(frame.decode_alike(&bytes, &limits), Ok(frame), "{name}");
    }
    let folder = std::path::PathBuf::from(path("frame")).with_file_name("");
    let is_hex = |path: &std::path::Path| path.extension().is_some_and(|end| end == "hex");
    let files = std::fs::read_dir(folder).unwrap().filter(|file| is_hex(&file.as_ref().unwrap().path())).count();
    assert_eq!(files, frames().len(), "a file for each frame, and a frame for each file");
}
