//! What the tests share.

use std::collections::BTreeMap;

use holdfast::values::{id::FieldName, value::Value};

use crate::item::{Item, parse};

pub(crate) type Fields = BTreeMap<FieldName, Value>;

#[track_caller]
pub(crate) fn read(bytes: &[u8]) -> Item {
    parse("card.vcf", bytes.to_vec()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn field(name: &str) -> FieldName {
    FieldName::new(name).expect("a name")
}

/// The fields that are content.
pub(crate) fn content(fields: &Fields) -> Fields {
    fields.iter().filter(|(name, _)| !name.as_str().starts_with('~')).map(|(n, v)| (n.clone(), v.clone())).collect()
}

/// What two edits of one item make together, field by field. Where both touched a field, an edit goes before a removal,
/// and else the second is taken.
pub(crate) fn merged(base: &Fields, one: &Fields, two: &Fields) -> Fields {
    let names = base.keys().chain(one.keys()).chain(two.keys());
    let side = |name: &FieldName| match (base.get(name), one.get(name), two.get(name)) {
        (base, one, two) if two == base => one,
        (base, one, None) if one != base => one,
        (_, _, two) => two,
    };
    names.filter_map(|name| side(name).map(|value| (name.clone(), value.clone()))).collect()
}

/// Replaces a text that must be there.
#[track_caller]
pub(crate) fn edited(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(bytes).expect("text");
    assert!(text.contains(from), "{from:?} is not there");
    text.replacen(from, to, 1).into_bytes()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
