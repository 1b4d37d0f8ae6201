//! Names: which ones can be used at all, which ones are taken over from the other side, and how they are shown.

use std::fmt::Write;

/// Longer names from the other side are replaced, so that everything that may be added still fits 255 bytes.
const MAX_WANTED_BYTES: usize = 200;
const MAX_NAME_BYTES: usize = 255;
/// Of a record's id, in a file name made from it.
const MAX_STEM_CHARS: usize = 40;
const EXTENSIONS: [&str; 2] = ["vcf", "ics"];

/// A name that is not taken as one. Nothing was opened under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnsafeName {
    #[error("expected a name, found an empty one")]
    Empty,
    #[error("expected a plain name, found one that leads elsewhere")]
    LeadsElsewhere,
    #[error("expected a visible name, found one that begins with a dot")]
    Hidden,
    #[error("expected a readable name, found one with control characters")]
    Control,
    #[error("expected at most {MAX_NAME_BYTES} bytes, found {found}")]
    TooLong { found: usize },
}

/// Whether a name of this disk can be opened: exactly one visible step down.
pub(crate) fn step_down(name: &str) -> Result<(), UnsafeName> {
    if name.is_empty() {
        return Err(UnsafeName::Empty);
    }
    if name.contains(['/', '\0']) || [".", ".."].contains(&name) || (cfg!(windows) && name.contains(['\\', ':'])) {
        return Err(UnsafeName::LeadsElsewhere);
    }
    if name.starts_with('.') {
        return Err(UnsafeName::Hidden);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(UnsafeName::TooLong { found: name.len() });
    }
    Ok(())
}

/// Takes a collection's name from the other side, if it is one plain step down on any system.
pub(crate) fn safe_collection(name: &str) -> Result<&str, UnsafeName> {
    step_down(name)?;
    if name.contains('\\') {
        return Err(UnsafeName::LeadsElsewhere);
    }
    if name.contains(misleads) {
        return Err(UnsafeName::Control);
    }
    Ok(name)
}

/// Whether it is a name that items have: visible, and with the extension of one, in any letter case.
pub(crate) fn is_item(name: &[u8]) -> bool {
    let extension = |extension: &&str| {
        let Some((stem, end)) = name.split_at_checked(name.len().saturating_sub(extension.len())) else { return false };
        end.eq_ignore_ascii_case(extension.as_bytes()) && stem.len() > 1 && stem.ends_with(b".")
    };
    !name.starts_with(b".") && EXTENSIONS.iter().any(extension)
}

/// A file name for a record, always a safe and free one.
///
/// `wanted` is the other side's name for it, and is taken if it is plain, has the extension and is free; otherwise one
/// is made from the record's id. `taken` is asked about [`folded`] names.
pub(crate) fn file_name_for(
    wanted: Option<&str>,
    record: &str,
    extension: &str,
    taken: &dyn Fn(&str) -> bool,
) -> String {
    if let Some(wanted) = wanted.filter(|wanted| is_wanted(wanted, extension) && !taken(&folded(wanted))) {
        return wanted.to_owned();
    }
    let stem: String =
        record.chars().take(MAX_STEM_CHARS).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let made = |attempt: u32| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(record.as_bytes()).update(&attempt.to_le_bytes());
        let hash = hasher.finalize().to_hex();
        format!("{stem}-{}.{extension}", hash.chars().take(12).collect::<String>())
    };
    // Somebody may have taken the made name, too, but not a thousand of them. If so, writing finds it in the way.
    (0..1000).map(made).find(|name| !taken(&folded(name))).unwrap_or_else(|| made(1000))
}

/// What two names have in common where letter case does not count.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

/// A name on one line, in which nothing moves the cursor or turns the text around.
pub(crate) fn shown(name: &str) -> String {
    let mut line = String::with_capacity(name.len());
    for c in name.chars() {
        let written = if misleads(c) { write!(line, "{}", c.escape_default()) } else { line.write_char(c) };
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    line
}

fn is_wanted(wanted: &str, extension: &str) -> bool {
    let has_extension = wanted.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(extension));
    safe_collection(wanted).is_ok() && is_item(wanted.as_bytes()) && has_extension && wanted.len() <= MAX_WANTED_BYTES
}

/// Control characters, and those that change the direction of what follows or have no width.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
