//! Graphs as text, Graphviz and Mermaid.

use arcflux::view::graph::{GraphFormat, render};

use crate::{snapshots, world};

#[test]
fn a_graph_in_every_format() {
    let mut desired = world::quickstart();
    let mut apps = world::configuration(&mut desired).clone();
    apps.depends_on = vec!["flux-system".to_owned()];
    desired.clusters[0].configurations.insert("apps".to_owned(), apps);
    let graph = world::graph(&desired);
    for (name, format) in
        [("graph-text", GraphFormat::Text), ("graph-dot", GraphFormat::Dot), ("graph-mermaid", GraphFormat::Mermaid)]
    {
        snapshots::check(name, &render(&graph, format));
    }
}

#[test]
fn hostile_names_cannot_leave_their_quotes() {
    let mut desired = world::quickstart();
    let configuration = world::configuration(&mut desired).clone();
    desired.clusters[0].configurations.insert("a\"];\u{1b}[2J\n-> <b>`".to_owned(), configuration);
    let graph = world::graph(&desired);
    let hostile = |format| {
        let text = render(&graph, format);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{format:?}");
        text.lines().find(|line| line.contains("flux/a")).unwrap().trim().to_owned()
    };
    assert_eq!(hostile(GraphFormat::Text), r#"4. rg-edge/store-001/flux/a"];\u{1b}[2J\n-> <b>`"#);
    assert_eq!(hostile(GraphFormat::Dot), r#""rg-edge/store-001/flux/a\"];\\u{1b}[2J\\n-> <b>`";"#);
    let label = r"rg-edge/store-001/flux/a#34;];\u{1b}[2J\n-#62; #60;b#62;#96;";
    assert_eq!(hostile(GraphFormat::Mermaid), format!("n5[\"{label}\"]:::same"));
}
