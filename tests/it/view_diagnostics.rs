//! How problems look.

use arcflux::model::{Code, Diagnostic, Severity, Span};
use arcflux::view::Style;
use arcflux::view::diagnostics::{render_json, render_text, summary};

fn diagnostic(severity: Severity, span: Option<Span>) -> Diagnostic {
    Diagnostic {
        code: Code(10),
        severity,
        message: "`x\u{1b}` is odd".to_owned(),
        hint: Some("leave it".to_owned()),
        span,
    }
}

const TEXT: &str = "a: 1\n\tb: \u{202e}xyz\r\nc: 2\n";

#[test]
fn text_names_code_place_line_and_hint() {
    let span = Span { start: 12, end: 15, line: 2, column: 6 };
    let text = render_text(
        &[diagnostic(Severity::Error, Some(span))],
        "arc\u{7}flux.yaml",
        TEXT,
        &Style { colour: false, width: 80 },
    );
    insta::assert_snapshot!(text, @r"
    error[AF010]: `x\u{1b}` is odd
     --> arc\u{7}flux.yaml:2:6
      |
     ::: 
    2 |     b: \u{202e}xyz
      |                ^^^
      |
      = help: leave it

    1 error
    ");
}

#[test]
fn a_problem_without_a_line_is_still_told() {
    let place = Span { start: 90, end: 90, line: 9, column: 1 };
    let text = render_text(
        &[diagnostic(Severity::Error, Some(place)), diagnostic(Severity::Warning, None)],
        "arcflux.yaml",
        "",
        &Style { colour: false, width: 80 },
    );
    insta::assert_snapshot!(text, @r"
    error[AF010]: `x\u{1b}` is odd
    --> arcflux.yaml:9:1
     = help: leave it

    warning[AF010]: `x\u{1b}` is odd
    --> arcflux.yaml
     = help: leave it

    1 error, 1 warning
    ");
}

#[test]
fn json_has_integers_and_nulls() {
    let span = Span { start: 12, end: 15, line: 2, column: 6 };
    let json = render_json(&[diagnostic(Severity::Error, Some(span)), diagnostic(Severity::Warning, None)], "-");
    insta::assert_snapshot!(json, @r#"
    [
      {
        "code": "AF010",
        "severity": "error",
        "message": "`x\u001b` is odd",
        "hint": "leave it",
        "file": "-",
        "line": 2,
        "column": 6
      },
      {
        "code": "AF010",
        "severity": "warning",
        "message": "`x\u001b` is odd",
        "hint": "leave it",
        "file": "-",
        "line": null,
        "column": null
      }
    ]
    "#);
}

#[test]
fn the_summary_counts() {
    let one = diagnostic(Severity::Error, None);
    let warning = diagnostic(Severity::Warning, None);
    assert_eq!(summary(&[]), "no problems");
    assert_eq!(summary(&[one.clone(), one, warning]), "2 errors, 1 warning");
}

#[test]
fn hidden_characters_are_inert_for_programs_too() {
    let hostile =
        Diagnostic { message: "a\u{9b}31m\u{202e}\u{200b}\u{1b}[2Jb".to_owned(), ..diagnostic(Severity::Error, None) };
    let text = render_json(&[hostile], "a\u{202e}.yaml");
    assert!(
        text.chars().all(|character| character == '\n' || character.is_ascii_graphic() || character == ' '),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json[0]["message"], "a\u{9b}31m\u{202e}\u{200b}\u{1b}[2Jb");
}
