//! What a run says of itself, as `--json` prints it.

use serde::Deserialize;

/// What was written to one folder, in files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Written {
    pub added: usize,
    pub changed: usize,
    pub removed: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Conflict {
    pub collection: String,
    pub record: String,
    pub fields: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Held {
    pub digest: String,
    pub side: String,
    pub collection: String,
    pub removals: usize,
    pub of: usize,
    pub reason: String,
    pub samples: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ErrorAt {
    pub side: String,
    pub collection: Option<String>,
    pub file: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    pub left: Written,
    pub right: Written,
    pub conflicts: Vec<Conflict>,
    pub held: Vec<Held>,
    pub errors: Vec<ErrorAt>,
    pub notes: Vec<String>,
    pub receipt: Option<String>,
}

impl Report {
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
