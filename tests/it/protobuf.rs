//! Kubernetes objects in the binary form in which helm sends them: as much as a Secret and a Namespace need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What an object in binary form begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The object in `body`: in binary form, or in JSON.
pub(crate) fn object(body: &[u8]) -> Value {
    let Some(unknown) = body.strip_prefix(MAGIC) else {
        return serde_json::from_slice(body).unwrap();
    };
    let unknown = fields(unknown);
    let about = fields(first(&unknown, 1).unwrap());
    let object = fields(first(&unknown, 2).unwrap());
    let meta = fields(first(&object, 1).unwrap());
    let mut read = json!({
        "apiVersion": text(first(&about, 1)),
        "kind": text(first(&about, 2)),
        "metadata": {"name": text(first(&meta, 1))},
    });
    let labels = map(&meta, 11, |value| text(Some(value)));
    if !labels.is_empty() {
        read["metadata"]["labels"] = labels.into();
    }
    if read["kind"] == "Secret" {
        read["data"] = map(&object, 2, |value| STANDARD.encode(value).into()).into();
        read["type"] = text(first(&object, 3));
    }
    read
}

fn text(bytes: Option<&[u8]>) -> Value {
    std::str::from_utf8(bytes.unwrap_or_default()).unwrap().into()
}

fn first<'a>(fields: &[(u64, &'a [u8])], number: u64) -> Option<&'a [u8]> {
    fields.iter().find(|(one, _)| *one == number).map(|(_, bytes)| *bytes)
}

/// A field that is a map from text: each entry is a message of key and value.
fn map(all: &[(u64, &[u8])], number: u64, read: impl Fn(&[u8]) -> Value) -> Map<String, Value> {
    let entries = all.iter().filter(|(one, _)| *one == number).map(|(_, bytes)| fields(bytes));
    let entry = |entry: Vec<(u64, &[u8])>| {
        let key = text(first(&entry, 1)).as_str().unwrap().to_owned();
        (key, read(first(&entry, 2).unwrap_or_default()))
    };
    entries.map(entry).collect()
}

/// The fields of a message that are bytes, by their number; numbers among them are passed over.
fn fields(mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = number(&mut bytes);
        match tag & 7 {
            0 => drop(number(&mut bytes)),
            2 => {
                let length = usize::try_from(number(&mut bytes)).unwrap();
                let (value, rest) = bytes.split_at(length);
                found.push((tag >> 3, value));
                bytes = rest;
            }
            other => panic!("wire type {other} is in none of these objects"),
        }
    }
    found
}

fn number(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}
