//! Problems of a spec as SARIF 2.1.0, which forges show beside the lines of a pull request.

use serde_json::{Value, json};

use super::json;
use crate::model::{Diagnostic, Severity};
use crate::spec::codes::{Row, TABLE};

/// Problems as one SARIF document, with a line feed at its end. `file` is the spec's name as the user typed it.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file: &str) -> String {
    let uri = uri_reference(file);
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &uri)).collect();
    json::pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "arcflux",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": TABLE.iter().map(rule).collect::<Vec<_>>(),
            } },
            // Columns count characters, not UTF-16 units.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(row: &Row) -> Value {
    json!({
        "id": row.code,
        "shortDescription": { "text": row.title },
        "fullDescription": { "text": row.explanation },
        "defaultConfiguration": { "level": level(row.severity) },
    })
}

fn result(diagnostic: &Diagnostic, uri: &str) -> Value {
    let Diagnostic { code, severity, message, hint, span } = diagnostic;
    let text = match hint {
        Some(hint) => format!("{message}. {hint}"),
        None => message.clone(),
    };
    let mut place = json!({ "artifactLocation": { "uri": uri } });
    if let Some(span) = span {
        place["region"] = json!({
            "startLine": span.line,
            "startColumn": span.column,
            "byteOffset": span.start,
            "byteLength": span.end.saturating_sub(span.start),
        });
    }
    let mut result = json!({
        "ruleId": code,
        "level": level(*severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": place }],
    });
    if let Some(index) = TABLE.iter().position(|row| row.code == *code) {
        result["ruleIndex"] = json!(index);
    }
    result
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A file name as a URI reference: everything but letters, digits and `-._~/` is percent-encoded.
fn uri_reference(file: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    file.trim_start_matches("./")
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;
    use crate::spec::codes;

    #[test]
    fn a_problem_points_at_its_rule_and_its_place() {
        let problem = Diagnostic {
            code: codes::DUPLICATE_KEY.code,
            severity: Severity::Error,
            message: "twice".to_owned(),
            hint: Some("keep one".to_owned()),
            span: Some(Span { start: 10, end: 14, line: 2, column: 3 }),
        };
        let sarif: Value = serde_json::from_str(&render(&[problem], "./my specs/ä.yaml")).unwrap();
        let run = &sarif["runs"][0];
        let result = &run["results"][0];
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert_eq!(result["message"]["text"], "twice. keep one");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20specs/%C3%A4.yaml");
        assert_eq!(place["region"]["startLine"], 2);
        assert_eq!(place["region"]["byteLength"], 4);
    }
}
