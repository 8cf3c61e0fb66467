//! Whatever a file holds, loading ends with places inside it and never with a panic.

use arcflux::spec::{self, Inputs, Outcome};
use arcflux::view::Style;
use arcflux::view::diagnostics;
use proptest::prelude::*;

fn load(bytes: &[u8]) -> Outcome {
    spec::load_bytes("arcflux.yaml", bytes, &Inputs::default())
}

/// Everything that must hold for any input.
fn check(bytes: &[u8]) -> Outcome {
    let outcome = load(bytes);
    assert_eq!(
        outcome.desired.is_none(),
        outcome.diagnostics.iter().any(|found| found.severity == arcflux::model::Severity::Error)
    );
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    for diagnostic in &outcome.diagnostics {
        let span = diagnostic.span.expect("every problem has a place");
        assert!(span.start <= span.end && span.end <= bytes.len(), "{diagnostic:?}");
        assert!(span.line as usize <= lines && span.column >= 1, "{diagnostic:?}");
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && !outcome.masked.is_empty()
    {
        assert_eq!(outcome.masked.len(), text.len());
        assert_eq!(outcome.masked.lines().count(), text.lines().count());
    }
    for styled in [false, true] {
        let _ = diagnostics::render_text(
            &outcome.diagnostics,
            "arcflux.yaml",
            &outcome.masked,
            &Style { colour: styled, width: 80 },
        );
    }
    outcome
}

fn only_code(bytes: &[u8]) -> String {
    let outcome = check(bytes);
    assert_eq!(outcome.diagnostics.len(), 1, "{:?}", outcome.diagnostics);
    outcome.diagnostics[0].code.to_string()
}

const GOOD: &str = include_str!("../../specs/long-form.yaml");

#[test]
fn hostile_files_are_refused_with_a_place() {
    let bomb: String = std::iter::once("a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
        .chain(
            "bcdefghi"
                .chars()
                .zip("abcdefgh".chars())
                .map(|(name, last)| format!("{name}: &{name} [{}]\n", vec![format!("*{last}"); 10].join(", "))),
        )
        .collect();
    let deep_block: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let cases: [(&[u8], &str); 14] = [
        (b"", "AF004"),
        (b"# nothing but this\n", "AF004"),
        (b"---\n", "AF004"),
        (b"\xff\xfea\x00", "AF001"),
        (b"a: \xc3\x28\n", "AF001"),
        (b"a: 1\n---\nb: 2\n", "AF005"),
        (b"cluster:\n\tname: x\n", "AF003"),
        (b"a: b\x00c\n", "AF003"),
        (b"a: \"\\ud800\"\n", "AF003"),
        (b"a: &x [*x]\n", "AF006"),
        (b"a: *nowhere\n", "AF003"),
        (bomb.as_bytes(), "AF006"),
        (deep_block.as_bytes(), "AF006"),
        (b"just words\n", "AF011"),
    ];
    for (bytes, code) in cases {
        assert_eq!(only_code(bytes), code, "{}", String::from_utf8_lossy(&bytes[..bytes.len().min(40)]));
    }
    assert_eq!(only_code("[".repeat(5000).as_bytes()), "AF006");
    assert_eq!(only_code("{a: ".repeat(5000).as_bytes()), "AF006");
}

#[test]
fn ten_megabytes_are_refused_before_they_are_read() {
    let outcome = load(&vec![b'#'; 10_000_000]);
    assert_eq!(outcome.diagnostics[0].code, spec::codes::TOO_LARGE.code);
    assert!(outcome.masked.is_empty());
}

/// Files that would take a naive reader for ever: each is near a limit in one direction.
#[test]
fn large_files_are_read_to_the_end() {
    let head = "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg\n";
    let unknown: String = (0..30_000).map(|number| format!("k{number}: 1\n")).collect();
    let one_line = format!("{{{}}}", (0..30_000).map(|number| format!("k{number}: [é], ")).collect::<String>());
    for text in [unknown, one_line, "a: 1\n".repeat(30_000)] {
        let outcome = check(text.as_bytes());
        assert_eq!(outcome.diagnostics.len(), 1_001);
        assert_eq!(outcome.diagnostics[1_000].code, spec::codes::TOO_MANY.code);
    }
    let chain: String =
        (0..10_000).map(|number| format!("  k{number}: {{path: ./a, dependsOn: [k{}]}}\n", number + 1)).collect();
    let repo = "repo: {url: https://h/r, branch: main}\n";
    let chain =
        format!("{head}cluster: {{name: c}}\n{repo}kustomizations:\n{chain}  k10000: {{path: ./a, dependsOn: [k0]}}\n");
    let outcome = check(chain.as_bytes());
    assert_eq!(outcome.diagnostics.len(), 1);
    assert_eq!(outcome.diagnostics[0].code, spec::codes::DEPENDENCY_CYCLE.code);
    assert!(outcome.diagnostics[0].message.chars().count() < 500);

    let clusters: String = (0..5_000).map(|number| format!("  c{number}: {{}}\n")).collect();
    let kustomizations: String = (0..2_000).map(|number| format!("  k{number}: {{path: ./a}}\n")).collect();
    let product = format!("{head}clusters:\n{clusters}{repo}kustomizations:\n{kustomizations}");
    assert_eq!(only_code(product.as_bytes()), "AF006");

    let long = format!("{head}cluster: {{name: c, type: {}}}\n{repo}", "x".repeat(1_000_000));
    let outcome = check(long.as_bytes());
    assert!(outcome.diagnostics.iter().all(|diagnostic| diagnostic.message.len() < 500));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let plain = load(GOOD.as_bytes()).desired.unwrap();
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let outcome = check(windows.as_bytes());
    assert_eq!(outcome.desired.unwrap().expanded, plain.expanded);

    let broken = windows.replace("scope: namespace", "scope: Namespaced");
    let outcome = check(broken.as_bytes());
    let span = outcome.diagnostics[0].span.unwrap();
    assert_eq!(&broken[span.start..span.end], "Namespaced");
    let line = 1 + GOOD[..GOOD.find("scope: namespace").unwrap()].matches('\n').count();
    assert_eq!((span.line as usize, span.column), (line, 12));
}

#[test]
fn secrets_are_not_shown() {
    let text = "apiVersion: arcflux/v1\nsubscription: x\nresourceGroup: rg\ncluster: {name: c, password: hunter2}\nrepo:\n  \
                url: https://user:hunter2@host/r\n  branch: main\n  httpsUser: u\n  httpsKey: hunter2\n  htpsKey: [hunter2]\n\
                kustomizations: {app: {path: ./a}}\n";
    let outcome = check(text.as_bytes());
    let shown = diagnostics::render_text(
        &outcome.diagnostics,
        "arcflux.yaml",
        &outcome.masked,
        &Style { colour: false, width: 120 },
    );
    assert!(shown.contains("*******"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(!diagnostics::render_json(&outcome.diagnostics, "arcflux.yaml").contains("hunter2"));
    assert!(!outcome.masked.contains("hunter2"));

    let no_scheme = text.replace("https://user:hunter2@host/r", "user:hunter2@host/r");
    let outcome = check(no_scheme.as_bytes());
    assert!(!outcome.masked.contains("hunter2"));
    assert!(!diagnostics::render_json(&outcome.diagnostics, "arcflux.yaml").contains("hunter2"));

    let by_alias = "values: {t: &t hunter2}\nrepo: {httpsKey: *t}\n";
    assert!(!check(by_alias.as_bytes()).masked.contains("hunter2"));

    let not_yaml = format!("{text}\tx: y\n");
    let outcome = check(not_yaml.as_bytes());
    assert!(!outcome.masked.contains("hunter2"), "{}", outcome.masked);
}

/// One edit of a text at some place.
#[derive(Debug, Clone)]
enum Edit {
    Delete(usize, usize),
    Insert(usize, String),
    Repeat(usize, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let pieces = prop::sample::select(vec![
        "\t",
        "\n",
        "\r\n",
        ":",
        ": ",
        "- ",
        "[",
        "{",
        "}",
        "]",
        "&a ",
        "*a",
        "<<: *a\n",
        "${values.x}",
        "${cluster.name}",
        "${env:HOME}",
        "$${",
        "\u{feff}",
        "\0",
        "é",
        "\u{202e}",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "yes",
        "1.10",
        "~",
        "null",
        "---\n",
        "!!binary ",
        "!x ",
        "? ",
        "#",
        "httpsKey: x\n",
        "git@host:path",
        "..",
        "../",
        "://u:p@",
    ])
    .prop_map(str::to_owned);
    prop_oneof![
        (any::<usize>(), 1..40_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (any::<usize>(), pieces).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        (any::<usize>(), 1..200_usize).prop_map(|(at, length)| Edit::Repeat(at, length)),
    ]
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    match edit {
        Edit::Delete(at, length) => {
            let start = at % (text.len() + 1);
            text.drain(start..(start + length).min(text.len()));
        }
        Edit::Insert(at, piece) => {
            let start = at % (text.len() + 1);
            text.splice(start..start, piece.bytes());
        }
        Edit::Repeat(at, length) => {
            let start = at % (text.len() + 1);
            let copy = text[start..(start + length).min(text.len())].to_vec();
            text.splice(start..start, copy);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_specs_never_panic(
        which in prop::sample::select(vec![GOOD, include_str!("../../specs/fleet.yaml"), include_str!("../../specs/quickstart.yaml")]),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let mut text = which.as_bytes().to_vec();
        edits.iter().for_each(|edit| apply(&mut text, edit));
        check(&text);
    }

    #[test]
    fn what_is_written_as_yaml_is_read_back(labels in prop::collection::btree_map(".{0,12}", "(?s).{0,100}", 0..6)) {
        let labels: std::collections::BTreeMap<String, String> =
            labels.into_iter().filter(|(_, value)| !value.contains("${")).collect();
        let text = spec::to_yaml(&serde_json::json!({
            "apiVersion": "arcflux/v1",
            "subscription": "3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20",
            "resourceGroup": "rg",
            "clusters": {"a": {"labels": labels}},
        }));
        let outcome = check(text.as_bytes());
        prop_assert!(outcome.diagnostics.is_empty(), "{text}\n{:?}", outcome.diagnostics);
        prop_assert_eq!(&outcome.desired.unwrap().clusters[0].labels, &labels, "{}", text);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[ -~\\n\\r\\t\u{00e9}\u{202e}\u{1f600}:{}\\[\\]&*#|>'\"-]{0,200}") {
        check(text.as_bytes());
    }
}
