//! Just enough of JSON to read a report: one value, and nothing after it.

use std::{collections::BTreeMap, iter::Peekable, str::Chars};

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl Json {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.chars().peekable();
        let value = value(&mut rest)?;
        skip(&mut rest);
        match rest.next() {
            None => Ok(value),
            Some(c) => Err(format!("'{c}' after the end")),
        }
    }

    pub fn get(&self, key: &str) -> Result<&Self, String> {
        match self {
            Self::Object(fields) => fields.get(key).ok_or_else(|| format!("no '{key}'")),
            other => Err(format!("no object with '{key}': {other:?}")),
        }
    }

    pub fn text(&self) -> Result<String, String> {
        if let Self::Text(text) = self { Ok(text.clone()) } else { Err(format!("no text: {self:?}")) }
    }

    pub fn count(&self) -> Result<usize, String> {
        match self {
            Self::Number(number) if *number >= 0.0 && number.fract() == 0.0 => {
                format!("{number}").parse().map_err(|_| format!("no count: {number}"))
            }
            other => Err(format!("no count: {other:?}")),
        }
    }

    pub fn list(&self) -> Result<&[Self], String> {
        if let Self::List(items) = self { Ok(items) } else { Err(format!("no list: {self:?}")) }
    }
}

type Rest<'a> = Peekable<Chars<'a>>;

fn skip(rest: &mut Rest<'_>) {
    while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
}

fn expect(rest: &mut Rest<'_>, wanted: char) -> Result<(), String> {
    skip(rest);
    match rest.next() {
        Some(c) if c == wanted => Ok(()),
        other => Err(format!("'{wanted}' wanted, {other:?} found")),
    }
}

fn value(rest: &mut Rest<'_>) -> Result<Json, String> {
    skip(rest);
    match rest.peek() {
        Some('{') => {
            let mut fields = BTreeMap::new();
            items(rest, '{', '}', |rest| {
                skip(rest);
                let key = string(rest)?;
                expect(rest, ':')?;
                let is_twice = fields.insert(key.clone(), value(rest)?).is_some();
                if is_twice { Err(format!("'{key}' twice")) } else { Ok(()) }
            })?;
            Ok(Json::Object(fields))
        }
        Some('[') => {
            let mut list = Vec::new();
            items(rest, '[', ']', |rest| {
                list.push(value(rest)?);
                Ok(())
            })?;
            Ok(Json::List(list))
        }
        Some('"') => string(rest).map(Json::Text),
        _ => {
            let mut word = String::new();
            while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
                word.push(c);
            }
            match word.as_str() {
                "null" => Ok(Json::Null),
                "true" => Ok(Json::Bool(true)),
                "false" => Ok(Json::Bool(false)),
                number => number.parse().map(Json::Number).map_err(|_| format!("no value: '{number}'")),
            }
        }
    }
}

fn items(
    rest: &mut Rest<'_>,
    open: char,
    close: char,
    mut item: impl FnMut(&mut Rest<'_>) -> Result<(), String>,
) -> Result<(), String> {
    expect(rest, open)?;
    skip(rest);
    if rest.next_if_eq(&close).is_some() {
        return Ok(());
    }
    loop {
        item(rest)?;
        skip(rest);
        match rest.next() {
            Some(',') => {}
            Some(c) if c == close => return Ok(()),
            other => return Err(format!("',' or '{close}' wanted, {other:?} found")),
        }
    }
}

fn string(rest: &mut Rest<'_>) -> Result<String, String> {
    expect(rest, '"')?;
    let mut text = String::new();
    let mut high = None;
    loop {
        let c = match rest.next() {
            Some('"') => return Ok(text),
            Some('\\') => match rest.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('u') => {
                    let hex: String = rest.by_ref().take(4).collect();
                    let unit = u32::from_str_radix(&hex, 16).map_err(|_| format!("no hex: '{hex}'"))?;
                    match (high.take(), unit) {
                        (None, 0xD800..=0xDBFF) => {
                            high = Some(unit);
                            continue;
                        }
                        (Some(high), 0xDC00..=0xDFFF) => {
                            let code = 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00);
                            char::from_u32(code).ok_or("no character")?
                        }
                        _ => char::from_u32(unit).ok_or("half a character")?,
                    }
                }
                Some(c @ ('"' | '\\' | '/')) => c,
                other => return Err(format!("no escape: {other:?}")),
            },
            Some(c) if c >= ' ' => c,
            other => return Err(format!("in a string: {other:?}")),
        };
        text.push(c);
    }
}
