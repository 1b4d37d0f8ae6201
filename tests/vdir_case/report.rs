//! What a run says of itself, as `--json` prints it.

use super::json::Json;

/// What was written to one folder, in files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
}

#[derive(Debug, Clone)]
pub struct Held {
    pub digest: String,
    pub side: String,
    pub collection: String,
    pub removals: usize,
    pub of: usize,
    pub reason: String,
    pub samples: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct ErrorAt {
    pub side: String,
    pub collection: Option<String>,
    pub file: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone)]
pub struct Report {
    pub left: Written,
    pub right: Written,
    /// Collection, record, fields.
    pub conflicts: Vec<(String, String, Vec<String>)>,
    pub held: Vec<Held>,
    pub errors: Vec<ErrorAt>,
    pub notes: Vec<String>,
    pub receipt: Option<String>,
}

impl Report {
    pub fn parse(text: &str) -> Result<Self, String> {
        let json = Json::parse(text)?;
        let list = |key: &str| json.get(key)?.list();
        Ok(Self {
            left: written(json.get("left")?)?,
            right: written(json.get("right")?)?,
            conflicts: list("conflicts")?.iter().map(conflict).collect::<Result<_, _>>()?,
            held: list("held")?.iter().map(held).collect::<Result<_, _>>()?,
            errors: list("errors")?.iter().map(error).collect::<Result<_, _>>()?,
            notes: list("notes")?.iter().map(Json::text).collect::<Result<_, _>>()?,
            receipt: optional(json.get("receipt")?)?,
        })
    }
}

fn written(json: &Json) -> Result<Written, String> {
    let count = |key: &str| json.get(key)?.count();
    Ok(Written { added: count("added")?, changed: count("changed")?, removed: count("removed")? })
}

fn conflict(json: &Json) -> Result<(String, String, Vec<String>), String> {
    Ok((json.get("collection")?.text()?, json.get("record")?.text()?, texts(json.get("fields")?)?))
}

fn held(json: &Json) -> Result<Held, String> {
    let text = |key: &str| json.get(key)?.text();
    Ok(Held {
        digest: text("digest")?,
        side: text("side")?,
        collection: text("collection")?,
        removals: json.get("removals")?.count()?,
        of: json.get("of")?.count()?,
        reason: text("reason")?,
        samples: texts(json.get("samples")?)?,
    })
}

fn error(json: &Json) -> Result<ErrorAt, String> {
    Ok(ErrorAt {
        side: json.get("side")?.text()?,
        collection: optional(json.get("collection")?)?,
        file: optional(json.get("file")?)?,
        message: json.get("message")?.text()?,
    })
}

fn texts(json: &Json) -> Result<Vec<String>, String> {
    json.list()?.iter().map(Json::text).collect()
}

fn optional(json: &Json) -> Result<Option<String>, String> {
    if *json == Json::Null { Ok(None) } else { json.text().map(Some) }
}
