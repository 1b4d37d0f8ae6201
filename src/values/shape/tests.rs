use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    string::{String, ToString},
    vec,
    vec::Vec,
};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use self::contact::{Contact, Phone, Relation, contacts, values};
use super::{Problem, Shape, changed};
use crate::values::{
    id::{FieldName, IdError, MAX_ID_BYTES},
    time::Timestamp,
    value::{MAX_VALUE_DEPTH, Value},
};

mod contact;

fn shape() -> Shape {
    Shape::new().elements("tel", "id").set("tags")
}

fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

fn fields<const N: usize>(entries: [(&str, Value); N]) -> BTreeMap<FieldName, Value> {
    entries.into_iter().map(|(name, value)| (field(name), value)).collect()
}

fn one<T>(name: &'static str, value: T) -> BTreeMap<&'static str, T> {
    BTreeMap::from([(name, value)])
}

fn refused<T: Serialize>(shape: &Shape, record: &T) -> (String, Problem) {
    let error = shape.to_fields(record).unwrap_err();
    (error.field, error.problem)
}

/// What one plain field reads as.
fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Problem> {
    #[derive(Deserialize)]
    struct Of<T> {
        field: T,
    }
    let read = Shape::new().from_fields::<Of<T>>(&fields([("field", value)]));
    read.map(|of| of.field).map_err(|error| error.problem)
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| Value::List(vec![inner]))
}

proptest! {
    #[test]
    fn every_struct_comes_back_as_it_was(contact in contacts()) {
        let fields = shape().to_fields(&contact).unwrap();
        prop_assert_eq!(shape().from_fields::<Contact>(&fields).unwrap(), contact);
    }

    #[test]
    fn every_value_comes_back_as_it_was(value in values()) {
        let fields = Shape::new().to_fields(&one("value", &value)).unwrap();
        prop_assert_eq!(&fields, &BTreeMap::from([(field("value"), value.clone())]));
        prop_assert_eq!(Shape::new().from_fields::<BTreeMap<String, Value>>(&fields).unwrap()["value"].clone(), value);
    }

    #[test]
    fn edits_applied_to_what_was_read_give_what_is_new(read in contacts(), new in contacts()) {
        let [read, new] = [read, new].map(|contact| shape().to_fields(&contact).unwrap());
        let mut record = read.clone();
        for (name, value) in changed(&read, &new) {
            match value {
                Some(value) => record.insert(name, value),
                None => record.remove(&name),
            };
        }
        prop_assert_eq!(&record, &new);
        prop_assert!(changed(&new, &record).is_empty());
    }

    #[test]
    fn what_the_struct_does_not_know_is_never_touched(contact in contacts(), unknown in values()) {
        let unknown = [("unknown", unknown.clone()), ("mail/1", unknown.clone()), ("tags", unknown.clone()), ("tel/", unknown)];
        let mut record = shape().to_fields(&contact).unwrap();
        record.extend(fields(unknown.clone()));
        let read = shape().from_fields::<Contact>(&record).unwrap();
        prop_assert_eq!(&read, &contact);
        let new = Contact { name: "new".into(), tags: BTreeSet::new(), tel: Vec::new(), ..read.clone() };
        let edits = changed(&shape().to_fields(&read).unwrap(), &shape().to_fields(&new).unwrap());
        for (name, _) in unknown {
            prop_assert!(edits.iter().all(|(edited, _)| edited.as_str() != name));
        }
    }
}

#[test]
fn an_element_is_one_field_without_its_id() {
    let phone = Phone { id: "a/b".into(), kind: None, number: "1".into() };
    let number = BTreeMap::from([("number".to_string(), Value::from("1"))]);
    let written = shape().to_fields(&one("tel", [phone])).unwrap();
    assert_eq!(written, fields([("tel/a/b", Value::Map(number))]));
}

#[test]
fn elements_are_read_in_the_order_of_their_ids_whatever_the_order_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Numbered {
        id: u32,
    }
    let shape = Shape::new().elements("all", "id");
    let written = shape.to_fields(&one("all", [10, 9, 1].map(|id| Numbered { id }))).unwrap();
    let read: BTreeMap<String, Vec<Numbered>> = shape.from_fields(&written).unwrap();
    assert_eq!(read["all"], [1, 10, 9].map(|id| Numbered { id }));
    assert_eq!(shape.to_fields(&read).unwrap(), written);
}

#[test]
fn a_number_for_an_id_must_be_written_just_so() {
    let read =
        |id: &str| Shape::new().set("n").from_fields::<BTreeMap<String, Vec<u8>>>(&fields([(id, Value::Bool(true))]));
    assert_eq!(read("n/7").unwrap()["n"], [7]);
    let error = read("n/07").unwrap_err();
    assert_eq!((error.field.as_str(), error.problem), ("n/07", Problem::unexpected("u8", "text")));
}

#[test]
fn uuids_are_text() {
    let id = uuid::Uuid::from_u128(5);
    let written = Shape::new().set("ids").to_fields(&one("ids", [id])).unwrap();
    assert_eq!(written, fields([(&alloc::format!("ids/{id}"), Value::Bool(true))]));
    assert_eq!(
        Shape::new().set("ids").from_fields::<BTreeMap<String, Vec<uuid::Uuid>>>(&written).unwrap()["ids"],
        [id]
    );
}

#[test]
fn absent_fields_read_as_none_default_or_no_elements() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Sparse {
        note: Option<String>,
        #[serde(default)]
        count: u8,
        tel: Vec<Phone>,
        tags: Option<BTreeSet<String>>,
    }
    let read = shape().from_fields::<Sparse>(&BTreeMap::new()).unwrap();
    assert_eq!(read, Sparse { note: None, count: 0, tel: vec![], tags: None });
}

#[test]
fn an_absent_field_without_a_default_is_named() {
    let error = shape().from_fields::<Phone>(&BTreeMap::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"field "id": expected a value for "id", found none; nothing was changed; mend the struct, or its shape"#
    );
    let no_number = fields([("tel/home", Value::Map(BTreeMap::new()))]);
    let error = shape().from_fields::<BTreeMap<String, Vec<Phone>>>(&no_number).unwrap_err();
    assert_eq!((error.field.as_str(), error.problem), ("tel/home", Problem::Missing { name: "number".into() }));
}

#[test]
fn none_is_no_field_and_null_is_one() {
    assert_eq!(Shape::new().to_fields(&one("note", None::<u8>)).unwrap(), BTreeMap::new());
    assert_eq!(Shape::new().to_fields(&one("note", ())).unwrap(), fields([("note", Value::Null)]));
    assert_eq!(read::<Option<u8>>(Value::Null), Ok(None));
}

#[test]
fn names_of_elements_must_be_there_once_and_fit() {
    let phone = |id: &str| Phone { id: id.into(), kind: None, number: "1".into() };
    let tel = || "tel".to_string();
    let twice = Problem::Duplicate { name: "a".into() };
    assert_eq!(refused(&shape(), &one("tel", [phone("a"), phone("a")])), (tel(), twice.clone()));
    assert_eq!(refused(&shape(), &one("tags", ["a", "a"])), ("tags".into(), twice));
    assert_eq!(refused(&shape(), &one("tel", [phone("")])), (tel(), Problem::Name(IdError::Empty)));
    assert_eq!(refused(&shape(), &one("tel", [one("x", 1)])), (tel(), Problem::Missing { name: "id".into() }));
    assert_eq!(refused(&shape(), &one("tel", [one("id", None::<u8>)])).0, "tel");
    let long = Problem::Name(IdError::TooLong { found: MAX_ID_BYTES + 5 });
    assert_eq!(refused(&shape(), &one("tags", ["x".repeat(MAX_ID_BYTES)])), ("tags".into(), long));
}

#[test]
fn a_multi_valued_field_must_be_a_sequence_of_what_the_shape_says() {
    let sequence = |found| ("tel".into(), Problem::unexpected("a sequence", found));
    assert_eq!(refused(&shape(), &one("tel", "1")), sequence("text"));
    assert_eq!(refused(&shape(), &one("tel", one("id", 1))), sequence("a map"));
    assert_eq!(refused(&shape(), &one("tel", [1])).1, Problem::unexpected("a struct for an element", "a whole number"));
    let name = Problem::unexpected("a text or a whole number for a name", "a float");
    assert_eq!(refused(&shape(), &one("tags", [1.5])).1, name);
}

#[test]
fn a_name_with_a_slash_is_refused() {
    assert_eq!(refused(&shape(), &one("tel/home", 1)), ("tel/home".into(), Problem::Slash));
}

#[test]
fn only_structs_and_maps_are_records() {
    for (field, _) in [refused(&shape(), &1), refused(&shape(), &[1]), refused(&shape(), &None::<Phone>)] {
        assert_eq!(field, "");
    }
    let relation = Relation::Other { label: String::new(), weight: None };
    let message = "expected a struct, or a map with names for keys, found an enum; nothing was changed; mend the struct, or its shape";
    assert_eq!(shape().to_fields(&relation).unwrap_err().to_string(), message);
    assert_eq!(shape().to_fields(&Value::Map(BTreeMap::new())).unwrap_err().to_string(), message);
}

#[test]
fn whole_numbers_beyond_an_i64_are_refused_by_name() {
    let out = ("n".to_string(), Problem::OutOfRange);
    assert_eq!(refused(&shape(), &one("n", u64::MAX)), out);
    assert_eq!(refused(&shape(), &one("n", i128::MIN)), out);
    assert_eq!(refused(&shape(), &one("n", vec![Some(u128::MAX)])), out);
    assert_eq!(shape().to_fields(&one("n", 7_i128)).unwrap(), fields([("n", Value::Int(7))]));
    assert_eq!(read::<u128>(Value::Int(7)), Ok(7));
}

#[test]
fn only_our_timestamp_is_a_time() {
    mod app {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub(super) struct Timestamp(pub(super) i64);
    }
    assert_eq!(Shape::new().to_fields(&one("t", app::Timestamp(1))).unwrap(), fields([("t", Value::Int(1))]));
    let time = Timestamp::from_micros(1);
    assert_eq!(Shape::new().to_fields(&one("t", time)).unwrap(), fields([("t", Value::Time(time))]));
    assert_eq!(read::<Timestamp>(Value::Int(1)), Err(Problem::unexpected("a time", "a whole number")));
    assert_eq!(read::<i64>(Value::Time(time)), Err(Problem::unexpected("i64", "a time")));
    assert!(read::<app::Timestamp>(Value::Time(time)).is_err());
}

#[test]
fn values_nest_as_deep_as_allowed_in_any_field_and_no_deeper() {
    let deepest = nested(MAX_VALUE_DEPTH);
    assert_eq!(shape().to_fields(&one("x", &deepest)).unwrap(), fields([("x", deepest.clone())]));
    assert_eq!(read::<Value>(deepest.clone()), Ok(deepest.clone()));
    let deeper = nested(MAX_VALUE_DEPTH + 1);
    assert_eq!(refused(&shape(), &one("x", &deeper)), ("x".into(), Problem::TooDeep));
    assert_eq!(read::<Value>(deeper), Err(Problem::TooDeep));

    let element = |levels| one("tel", [BTreeMap::from([("id", Value::from("a")), ("x", nested(levels))])]);
    let written = shape().to_fields(&element(MAX_VALUE_DEPTH - 1)).unwrap();
    assert_eq!(written[&field("tel/a")].depth_up_to(99), MAX_VALUE_DEPTH);
    assert!(shape().from_fields::<BTreeMap<String, Vec<BTreeMap<String, Value>>>>(&written).is_ok());
    assert_eq!(refused(&shape(), &element(MAX_VALUE_DEPTH)).1, Problem::TooDeep);
}

#[test]
fn wrappers_without_levels_can_not_exhaust_the_stack() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Onion(Option<Box<Self>>);
    let onion = (0..1000).fold(Onion(None), |inner, _| Onion(Some(Box::new(inner))));
    assert_eq!(refused(&shape(), &one("onion", onion)).1, Problem::TooDeep);
    assert_eq!(read::<Onion>(Value::Int(1)), Err(Problem::TooDeep));
    let tags = fields([("tags/a", Value::Bool(true))]);
    assert_eq!(shape().from_fields::<BTreeMap<String, Onion>>(&tags).unwrap_err().problem, Problem::TooDeep);
}

#[test]
fn a_value_of_an_unknown_kind_passes_through_a_value_and_nothing_else() {
    let opaque = self::contact::opaque(7);
    assert_eq!(read::<Value>(opaque.clone()), Ok(opaque.clone()));
    for problem in [
        read::<String>(opaque.clone()).unwrap_err(),
        read::<Option<Vec<u8>>>(opaque.clone()).unwrap_err(),
        read::<Relation>(opaque.clone()).unwrap_err(),
        read::<Timestamp>(opaque.clone()).unwrap_err(),
    ] {
        assert_eq!(problem, Problem::UnknownKind);
    }
    let error = shape().from_fields::<BTreeMap<String, Vec<Phone>>>(&fields([("tel/a", opaque)])).unwrap_err();
    assert_eq!((error.field.as_str(), error.problem), ("tel/a", Problem::UnknownKind));
}

#[test]
fn the_wrong_kind_is_told_without_the_value() {
    assert_eq!(read::<u8>(Value::Int(300)), Err(Problem::unexpected("u8", "a whole number")));
    assert_eq!(read::<bool>("secret".into()), Err(Problem::unexpected("a boolean", "text")));
    assert!(!read::<Relation>("secret".into()).unwrap_err().to_string().contains("secret"));
    let three = Value::List(vec![Value::Int(1), Value::Int(2), Value::Int(3)]);
    assert!(matches!(read::<(i8, i8)>(three), Err(Problem::Unexpected { .. })));
}

#[test]
fn a_plain_list_of_bytes_reads_bytes_too() {
    assert_eq!(read::<Vec<u8>>(Value::Bytes(vec![1, 2])), Ok(vec![1, 2]));
    assert_eq!(read::<[u8; 2]>(Value::Bytes(vec![1, 2])), Ok([1, 2]));
}

#[test]
fn the_app_s_own_refusal_is_passed_on() {
    let error = read::<uuid::Uuid>("no".into()).unwrap_err();
    assert!(matches!(error, Problem::Custom { .. }), "{error}");
}

#[test]
fn an_edit_is_a_write_a_clear_or_nothing() {
    let read = fields([("same", 1.into()), ("changed", 1.into()), ("gone", 1.into())]);
    let new = fields([("same", 1.into()), ("changed", 2.into()), ("new", Value::Null)]);
    let edits = [(field("changed"), Some(2.into())), (field("new"), Some(Value::Null)), (field("gone"), None)];
    assert_eq!(changed(&read, &new), edits);
}

#[test]
fn flattened_structs_see_past_fields_of_unknown_kinds() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        name: String,
    }
    let opaque = || self::contact::opaque(7);
    let read = |record| shape().from_fields::<Outer>(&fields(record));
    let inner = Inner { name: "Ada".into() };
    assert_eq!(read([("name", "Ada".into()), ("new", opaque())]), Ok(Outer { inner }));
    assert!(read([("name", opaque()), ("new", opaque())]).is_err());
}
