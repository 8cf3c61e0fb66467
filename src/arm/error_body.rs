//! The bodies of ARM errors, read liberally: providers write them in many shapes
//! (`../shared/facts/arm-contracts.md` §7.2, `../shared/recordings/arm-error-bodies-catalogue.json`).

use serde_json::{Map, Value};

use crate::model::without_signatures;

/// How deep causes are followed.
const DEPTH: usize = 8;
/// How many causes are told at most. Nobody reads more, and comparing them all could take hours.
const MOST_CAUSES: usize = 20;
/// The longest message that is kept, in characters.
const LONGEST: usize = 4000;

/// What an error, or one of its causes, says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) target: Option<String>,
}

/// A whole error body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ErrorBody {
    /// What the innermost causes say: code and target of the first, the messages of all.
    pub(super) told: Told,
    /// The code of the outermost error.
    pub(super) outer_code: Option<String>,
    /// Whether ARM or a provider wrote it: JSON, or empty.
    pub(super) from_arm: bool,
}

impl Told {
    /// Without what signs the URLs in it: services quote those that they fail at.
    fn unsigned(self) -> Self {
        let unsigned = |text: Option<String>| text.map(|text| without_signatures(&text));
        Self { code: unsigned(self.code), message: unsigned(self.message), target: unsigned(self.target) }
    }
}

impl ErrorBody {
    fn unsigned(self) -> Self {
        let outer_code = self.outer_code.map(|code| without_signatures(&code));
        Self { told: self.told.unsigned(), outer_code, ..self }
    }
}

/// Reads an error body of any shape. What signs a URL is masked.
pub(super) fn parse(body: &[u8]) -> ErrorBody {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return ErrorBody { from_arm: true, ..ErrorBody::default() };
    }
    match object(text) {
        Some(error) => from_object(&error).unsigned(),
        None => ErrorBody {
            told: Told { message: Some(shortened(page_title(text).unwrap_or(text))), ..Told::default() }.unsigned(),
            outer_code: None,
            from_arm: text.starts_with('{'),
        },
    }
}

fn from_object(body: &Map<String, Value>) -> ErrorBody {
    let mut causes = Vec::new();
    innermost(body, DEPTH, &mut causes);
    let outer = own_words(inner_error(body).unwrap_or(body));
    let mut messages: Vec<String> = Vec::new();
    for message in causes.iter().filter_map(|cause| cause.message.as_ref()) {
        if !messages.contains(message) {
            messages.push(message.clone());
        }
    }
    let first = causes.into_iter().next().unwrap_or_else(|| outer.clone());
    let message = if messages.is_empty() { outer.message } else { Some(messages.join("; ")) };
    let told = Told {
        code: first.code.or_else(|| outer.code.clone()),
        message: message.map(|message| shortened(&message)),
        target: first.target,
    };
    ErrorBody { told, outer_code: outer.code, from_arm: true }
}

/// Collects the innermost causes of `error` that have something to say.
fn innermost(error: &Map<String, Value>, depth: usize, causes: &mut Vec<Told>) {
    let before = causes.len();
    if depth > 0 {
        let nested = [inner_error(error), field(error, "innererror").and_then(Value::as_object)];
        for nested in nested.into_iter().flatten() {
            innermost(nested, depth - 1, causes);
        }
        for detail in field(error, "details").and_then(Value::as_array).into_iter().flatten() {
            if causes.len() >= MOST_CAUSES {
                return;
            }
            if let Some(detail) = detail.as_object() {
                innermost(detail, depth - 1, causes);
            }
        }
    }
    let own = own_words(error);
    if causes.len() == before
        && let Some(message) = &own.message
    {
        match embedded(message) {
            Some(embedded) if depth > 0 => innermost(&embedded, depth - 1, causes),
            Some(_) | None => {}
        }
        if causes.len() == before {
            causes.push(own);
        }
    }
}

/// The `error` object that wraps the rest in most bodies.
fn inner_error(error: &Map<String, Value>) -> Option<&Map<String, Value>> {
    field(error, "error").and_then(Value::as_object)
}

/// What `error` says of itself. The further names are those of RFC 9457 problems and of OAuth.
fn own_words(error: &Map<String, Value>) -> Told {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| field(error, name).and_then(scalar));
        found.filter(|text| !text.is_empty())
    };
    Told {
        code: text(&["code", "error"]),
        message: text(&["message", "detail", "title", "error_description"]),
        target: text(&["target"]),
    }
}

/// An error that a provider pasted into a message, whole or after some words.
fn embedded(message: &str) -> Option<Map<String, Value>> {
    let json = &message[message.find('{')?..];
    let first = serde_json::Deserializer::from_str(json).into_iter::<Value>().next()?.ok()?;
    first.as_object().filter(|error| inner_error(error).is_some() || own_words(error).message.is_some()).cloned()
}

/// The JSON object that `text` is, or that a JSON string in it is.
fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Object(object) => Some(object),
        Value::String(inner) => serde_json::from_str(&inner).ok(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// A field, whatever its casing.
fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What an HTML page is called: its second-level heading, which gateways fill with the sentence, or its title.
fn page_title(text: &str) -> Option<&str> {
    if !text.starts_with('<') {
        return None;
    }
    let between = |open: &str, close: &str| {
        let start = text.find(open)? + open.len();
        let rest = &text[start..];
        let title = rest[..rest.find(close)?].trim();
        (!title.is_empty() && !title.contains('<')).then_some(title)
    };
    between("<h2>", "</h2>").or_else(|| between("<title>", "</title>")).or(Some("an HTML page"))
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> (Option<String>, Option<String>) {
        let told = parse(body.as_bytes()).told;
        (told.code, told.message)
    }

    #[test]
    fn every_known_shape_gives_its_code_and_message() {
        for (body, code, message) in [
            (r#"{"error":{"code":"C","message":"M"}}"#, Some("C"), Some("M")),
            ("\u{feff}{\"error\":{\"code\":\"C\",\"message\":\"M\"}}", Some("C"), Some("M")),
            (r#"{"code":"C","message":"M"}"#, Some("C"), Some("M")),
            (r#"{"Code":"C","Message":"M","Details":[]}"#, Some("C"), Some("M")),
            (r#"{"Message":"M"}"#, None, Some("M")),
            (r#"{"error":{"code":"C"}}"#, Some("C"), None),
            (r#"{"code":404002,"message":"M"}"#, Some("404002"), Some("M")),
            (r#"{"type":"t","title":"Not Found","status":404}"#, None, Some("Not Found")),
            (r#"{"title":"T","detail":"D"}"#, None, Some("D")),
            (r#"{"error":"invalid_client","error_description":"D"}"#, Some("invalid_client"), Some("D")),
            (r#""{\"Code\":\"C\",\"Message\":\"M\"}""#, Some("C"), Some("M")),
            (r#"{"status":"Failed","error":{"code":"C","message":"M"}}"#, Some("C"), Some("M")),
            ("<html><head><title>503 Sorry</title></head></html>", None, Some("503 Sorry")),
            ("<html><title>x</title><h2>We are down</h2></html>", None, Some("We are down")),
            ("<html>", None, Some("an HTML page")),
            ("upstream connect error", None, Some("upstream connect error")),
            (r#"{"error":{"code":"C","message":"M"#, None, Some(r#"{"error":{"code":"C","message":"M"#)),
            ("", None, None),
            ("[]", None, Some("[]")),
        ] {
            assert_eq!(told(body), (code.map(Into::into), message.map(Into::into)), "{body}");
        }
    }

    #[test]
    fn the_innermost_cause_speaks_and_the_outer_code_is_kept() {
        for (body, code, message) in [
            (r#"{"error":{"code":"O","message":"o","details":[{"code":"I","message":"i"}]}}"#, "I", "i"),
            (r#"{"error":{"code":"O","message":"o","details":[{"code":"I","message":""}]}}"#, "O", "o"),
            (
                r#"{"error":{"code":"O","message":"o","details":[{"message":"i"},{"message":"i"},{"message":"j"}]}}"#,
                "O",
                "i; j",
            ),
            (r#"{"error":{"code":"O","message":"o","innererror":{"code":"I","message":"i"}}}"#, "I", "i"),
            (r#"{"error":{"code":"O","message":"o","innerError":{"code":"I"}}}"#, "O", "o"),
            (r#"{"error":{"code":"O","message":"{\"error\":{\"code\":\"I\",\"message\":\"i\"}}"}}"#, "I", "i"),
            (r#"{"error":{"code":"O","message":"failed: '{\"code\":\"I\",\"message\":\"i\"}'"}}"#, "I", "i"),
            (r#"{"error":{"code":"O","message":"set {a: b} first"}}"#, "O", "set {a: b} first"),
        ] {
            assert_eq!(told(body), (Some(code.into()), Some(message.into())), "{body}");
            assert_eq!(parse(body.as_bytes()).outer_code.as_deref(), Some("O"), "{body}");
        }
    }

    #[test]
    fn what_signs_a_url_is_told_to_nobody() {
        let url = "https://x.blob.core.windows.net/chart?sv=1&sig=SIGNATURE";
        for body in [
            format!(r#"{{"error":{{"code":"C","message":"cannot read {url}","target":"{url}"}}}}"#),
            format!(r#"{{"error":{{"code":"{url}","message":"{{\"message\":\"cannot read {url}\"}}"}}}}"#),
            format!("<html><title>{url}</title></html>"),
            format!("cannot read {url}"),
        ] {
            let read = format!("{:?}", parse(body.as_bytes()));
            assert!(read.contains("sig=***") && !read.contains("SIGNATURE"), "{read}");
        }
    }

    #[test]
    fn hostile_bodies_end() {
        let deep = format!("{}{}{}", r#"{"error":"#.repeat(100), r#"{"message":"M"}"#, "}".repeat(100));
        assert_eq!(told(&deep), (None, None));
        let long = format!(r#"{{"message":"{}"}}"#, "ä".repeat(LONGEST + 1));
        assert_eq!(told(&long).1.unwrap().chars().count(), LONGEST + 1);
        assert!(told("\u{0}\u{1b}[2J").1.is_some());
    }
}
