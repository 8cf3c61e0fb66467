//! Problems of a spec, and the changes of a plan, as SARIF 2.1.0, which forges show beside the lines of a pull request.

use serde_json::{Value, json};

use super::json;
use super::rows::{Resource, Rows};
use crate::kinds::shown_path;
use crate::model::{Diagnostic, Severity, Span, Target, one_line};
use crate::plan::{Action, Cause, Plan, Refusal};
use crate::spec::codes::{Row, TABLE};

/// Problems as one SARIF document, with a line feed at its end. `file` is the spec's path from the top of
/// the repository, or the whole path where it is outside.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], file: &str) -> String {
    let uri = uri_reference(file);
    let rules: Vec<Value> = TABLE.iter().map(rule).collect();
    let results = diagnostics.iter().map(|diagnostic| result(diagnostic, &uri, &rules)).collect();
    document("arcflux/validate/", &rules, results)
}

/// The rules that results of plans belong to: id, what it is, level.
const PLAN_RULES: [(&str, &str, &str); 5] = [
    ("plan/create", "would be created", "note"),
    ("plan/update", "would be changed in place", "note"),
    ("plan/replace", "would be deleted and created again", "warning"),
    ("plan/delete", "would be deleted", "warning"),
    ("plan/refused", "a safety rule refuses the plan", "error"),
];

/// Where a spec is, and what is planned with it.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The spec, as for [`render`].
    pub file: &'a str,
    /// What the plan is for: a forge keeps the results of each apart.
    pub target: &'a Target,
    /// What is wrong with the spec, or should be looked at.
    pub problems: &'a [Diagnostic],
}

/// The problems of a spec that cannot be planned as one SARIF document, in the place of the plan's.
#[must_use]
pub fn no_plan(about: About<'_>) -> String {
    of_plan(about, Vec::new())
}

/// The changes of a plan as one SARIF document, each at the line of the spec that causes it, and what should be looked at in
/// the spec, with a line feed at its end.
#[must_use]
pub fn plan(plan: &Plan, causes: &[Cause], about: About<'_>) -> String {
    let uri = uri_reference(about.file);
    let rows = Rows::of(plan);
    let mut told = Vec::new();
    let mut results = Vec::new();
    for cause in causes {
        let Cause { address, action, span, fields } = cause;
        let Some(rule) = plan_rule(*action) else { continue };
        let row = rows.resources.iter().find(|row| row.address == address);
        let is_loss = row.is_some_and(Resource::destroys);
        let mut text = format!("{address} {}", row.map_or(PLAN_RULES[rule].1, |row| row.verb));
        if !fields.is_empty() {
            let names: Vec<String> = fields.iter().map(|path| shown_path(path).to_string()).collect();
            text = format!("{text}: {}", names.join(", "));
        }
        // What a change means is told once, at the first of its lines.
        if let Some(row) = row.filter(|_| !told.contains(&address)) {
            told.push(address);
            text.extend(row.effects.iter().map(|effect| format!(". {}", effect.message)));
        }
        let level = if is_loss { "warning" } else { PLAN_RULES[rule].2 };
        results.push(plan_result(rule, level, &text, &uri, *span));
    }
    for Refusal { code: _, address, message, hint } in &plan.refusals {
        let about = address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let cause = causes.iter().find(|cause| Some(&cause.address) == address.as_ref());
        let span = cause.and_then(|cause| cause.span);
        let rule = PLAN_RULES.len() - 1;
        results.push(plan_result(rule, PLAN_RULES[rule].2, &format!("{about}{message}. {hint}"), &uri, span));
    }
    of_plan(about, results)
}

/// The document of a plan with these results, and with those of its spec.
fn of_plan(About { file, target, problems }: About<'_>, mut results: Vec<Value>) -> String {
    let uri = uri_reference(file);
    let of_plans = PLAN_RULES.iter().map(|(id, what, level)| {
        json!({ "id": id, "shortDescription": { "text": what }, "defaultConfiguration": { "level": level } })
    });
    let is_named = |row: &&Row| problems.iter().any(|problem| problem.code == row.code);
    let rules: Vec<Value> = of_plans.chain(TABLE.iter().filter(is_named).map(rule)).collect();
    results.extend(problems.iter().map(|problem| result(problem, &uri, &rules)));
    document(&format!("arcflux/plan/{target}/"), &rules, results)
}

/// The place in [`PLAN_RULES`].
const fn plan_rule(action: Action) -> Option<usize> {
    match action {
        Action::NoOp | Action::Read => None,
        Action::Create => Some(0),
        Action::Update => Some(1),
        Action::Replace => Some(2),
        Action::Delete => Some(3),
    }
}

fn plan_result(rule: usize, level: &str, text: &str, uri: &str, span: Option<Span>) -> Value {
    json!({
        "ruleId": PLAN_RULES[rule].0,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": plain(&one_line(text)) },
        "locations": [{ "physicalLocation": place(uri, span) }],
    })
}

/// `id` tells the results of one command from those of the others.
fn document(id: &str, rules: &[Value], results: Vec<Value>) -> String {
    json::pretty(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "arcflux",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "automationDetails": { "id": id },
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

fn result(diagnostic: &Diagnostic, uri: &str, rules: &[Value]) -> Value {
    let Diagnostic { code, severity, message, hint, span } = diagnostic;
    let text = match hint {
        Some(hint) => format!("{message}. {hint}"),
        None => message.clone(),
    };
    let mut result = json!({
        "ruleId": code,
        "level": level(*severity),
        "message": { "text": plain(&text) },
        "locations": [{ "physicalLocation": place(uri, *span) }],
    });
    if let Some(index) = rules.iter().position(|rule| rule["id"] == json!(code)) {
        result["ruleIndex"] = json!(index);
    }
    result
}

/// A place in the file, or the file.
fn place(uri: &str, span: Option<Span>) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri } });
    if let Some(span) = span {
        place["region"] = json!({
            "startLine": span.line,
            "startColumn": span.column,
            "byteOffset": span.start,
            "byteLength": span.end.saturating_sub(span.start),
        });
    }
    place
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// A text in which nothing is a link or a placeholder: brackets are escaped, and with them the backslashes before them,
/// and braces doubled (SARIF 2.1.0, §3.11.5 and §3.11.6).
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut backslashes = 0;
    for character in text.chars() {
        match character {
            '[' | ']' => {
                out.push_str(&"\\".repeat(backslashes + 1));
                out.push(character);
            }
            '{' | '}' => out.extend([character, character]),
            other => out.push(other),
        }
        backslashes = if character == '\\' { backslashes + 1 } else { 0 };
    }
    out
}

/// A file name as a URI: everything but letters, digits and `-._~/` is percent-encoded. A whole path has a scheme.
fn uri_reference(file: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let scheme = if file.starts_with('/') { "file://" } else { "" };
    let path: String = file
        .trim_start_matches("./")
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("{scheme}{path}")
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

    #[test]
    fn nothing_in_a_message_is_a_link_or_a_placeholder() {
        assert_eq!(plain("[Approved](https://x.io) {0}"), r"\[Approved\](https://x.io) {{0}}");
        assert_eq!(plain(r"a\[b\](c)"), r"a\\\[b\\\](c)");
        assert_eq!(uri_reference("/a b/c.yaml"), "file:///a%20b/c.yaml");
    }
}
