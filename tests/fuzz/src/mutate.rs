//! Changes JSON as JSON: bytes changed at random would rarely be JSON again.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};

/// A source of numbers that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn new(seed: u32) -> Self {
        Self((u64::from(seed) << 17) ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Names and texts that mean something to somebody on the way.
const WORDS: [&str; 40] = [
    "properties",
    "provisioningState",
    "Succeeded",
    "Failed",
    "Updating",
    "statuses",
    "statusConditions",
    "complianceState",
    "NonCompliant",
    "kustomizations",
    "dependsOn",
    "gitRepository",
    "configurationSettings",
    "error",
    "code",
    "message",
    "systemData",
    "lastModifiedAt",
    "2026-11-22T09:00:00Z",
    "-009999-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "Ready",
    "Reconciling",
    "name",
    "id",
    "flux",
    "flux-system",
    "main@sha1:5f0c1d2e3b4a59687766554433221100ffeeddcc",
    "microsoft.flux",
    "extensionType",
    "connectivityStatus",
    "Offline",
    "value",
    "nextLink",
    "status",
    "..",
    "a/b",
    "\u{1b}[2J\u{202e}",
    "",
    "\u{0}",
];

fn value(dice: &mut Dice) -> Value {
    match dice.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(u64::MAX),
        5 => json!(i64::MIN),
        6 => json!(1e308),
        7 => json!(0.1),
        8 => json!([]),
        9 => json!({}),
        10 => json!([null, 1, "a", {}]),
        11 => json!("é".repeat(dice.below(300))),
        _ => json!(WORDS[dice.below(WORDS.len())]),
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>(),
        Value::Object(members) => members.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The part of a value with that number, counted from 0 in the order in which they stand.
fn part<'a>(value: &'a mut Value, number: &mut usize) -> Option<&'a mut Value> {
    if *number == 0 {
        return Some(value);
    }
    *number -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| part(item, number)),
        Value::Object(members) => members.values_mut().find_map(|member| part(member, number)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn any_part<'a>(value: &'a mut Value, dice: &mut Dice) -> Option<&'a mut Value> {
    let mut number = dice.below(count(value));
    part(value, &mut number)
}

fn change(document: &mut Value, dice: &mut Dice) {
    let other = any_part(document, dice).map(|other| other.clone());
    let Some(chosen) = any_part(document, dice) else { return };
    match dice.below(4) {
        0 => *chosen = value(dice),
        1 => {
            if let Some(other) = other {
                *chosen = other;
            }
        }
        _ => inside(chosen, other.unwrap_or(Value::Null), dice),
    }
}

/// Changes something about a value that stays of its type.
fn inside(chosen: &mut Value, other: Value, dice: &mut Dice) {
    match chosen {
        Value::Object(members) => of_object(members, other, dice),
        Value::Array(items) => match dice.below(4) {
            0 if !items.is_empty() => {
                items.remove(dice.below(items.len()));
            }
            1 if items.len() > 1 => {
                let (one, two) = (dice.below(items.len()), dice.below(items.len()));
                items.swap(one, two);
            }
            2 if !items.is_empty() => {
                let item = items[dice.below(items.len())].clone();
                items.push(item);
            }
            _ => items.push(other),
        },
        Value::String(text) => {
            let at = text.char_indices().map(|(at, _)| at).nth(dice.below(text.chars().count().max(1))).unwrap_or(0);
            match dice.below(5) {
                0 => text.truncate(at),
                1 => *text = text.to_uppercase(),
                2 => text.insert_str(at, WORDS[dice.below(WORDS.len())]),
                3 => text.insert(at, char::from_u32(dice.below(0x300) as u32).unwrap_or(' ')),
                _ => *text = WORDS[dice.below(WORDS.len())].to_owned(),
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => *chosen = value(dice),
    }
}

fn of_object(members: &mut Map<String, Value>, other: Value, dice: &mut Dice) {
    let name = members.keys().nth(dice.below(members.len().max(1))).cloned();
    match (dice.below(4), name) {
        (0, Some(name)) => {
            members.shift_remove(&name);
        }
        // Azure's names come back in another casing.
        (1, Some(name)) => {
            if let Some(value) = members.shift_remove(&name) {
                members.insert(name.to_uppercase(), value);
            }
        }
        _ => {
            members.insert(WORDS[dice.below(WORDS.len())].to_owned(), other);
        }
    }
}

/// `text` with one to three changes; `None` when it is not JSON.
#[must_use]
pub fn json(text: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(text).ok()?;
    let mut dice = Dice::new(seed);
    for _ in 0..=dice.below(3) {
        change(&mut document, &mut dice);
    }
    serde_json::to_vec(&document).ok()
}

/// A mutator of inputs that are `head` bytes and then a JSON document. One time in eight, and where the document is not
/// one, bytes are changed as they come.
pub fn after_head(head: usize, data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed % 8 != 0
        && size >= head
        && let Some(changed) = json(&data[head..size], seed)
        && head + changed.len() <= max_size
    {
        data[head..head + changed.len()].copy_from_slice(&changed);
        return head + changed.len();
    }
    fuzzer_mutate(data, size, max_size)
}
