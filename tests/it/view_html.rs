//! The page of a plan, read by an HTML parser as a browser would read it.

use std::collections::{BTreeMap, BTreeSet};

use arcflux::model::{Address, Part};
use arcflux::plan::{
    Action, Age, Choices, Consequence, DeferredChange, Modified, Note, Options, Plan, Refusal, Unmanaged, Workloads,
};
use arcflux::view::{self, Format, Style};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;
use serde_json::json;

use crate::world;

/// One element of a page.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// A page as it is parsed.
#[derive(Debug, Default)]
struct Page {
    elements: Vec<Element>,
    comments: usize,
    errors: Vec<String>,
}

impl Page {
    fn of(plan: &Plan) -> Self {
        Self::parse(&page(plan))
    }

    fn parse(html: &str) -> Self {
        let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
        let mut page =
            Self { errors: dom.errors.borrow().iter().map(ToString::to_string).collect(), ..Self::default() };
        page.walk(&dom.document);
        page
    }

    fn walk(&mut self, node: &Handle) -> String {
        let place = self.elements.len();
        match &node.data {
            NodeData::Text { contents } => return contents.borrow().to_string(),
            NodeData::Comment { .. } => self.comments += 1,
            NodeData::Element { name, attrs, .. } => self.elements.push(Element {
                name: name.local.to_string(),
                attributes: attrs
                    .borrow()
                    .iter()
                    .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
                    .collect(),
                text: String::new(),
            }),
            NodeData::Document | NodeData::Doctype { .. } | NodeData::ProcessingInstruction { .. } => {}
        }
        let text: String = node.children.borrow().iter().map(|child| self.walk(child)).collect();
        if let (NodeData::Element { .. }, Some(element)) = (&node.data, self.elements.get_mut(place)) {
            element.text.clone_from(&text);
        }
        text
    }

    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements.iter().filter(move |element| element.name == name)
    }

    fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.elements
            .iter()
            .flat_map(|element| &element.attributes)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn text_of(&self, name: &str) -> &str {
        &self.elements.iter().find(|element| element.name == name).unwrap_or_else(|| panic!("no {name}")).text
    }

    /// The names of elements, and of attributes with the elements that they are on.
    fn shape(&self) -> BTreeSet<String> {
        let names = self.elements.iter().map(|element| element.name.clone());
        let attributes = self
            .elements
            .iter()
            .flat_map(|element| element.attributes.keys().map(|attribute| format!("{} {attribute}", element.name)));
        names.chain(attributes).collect()
    }
}

fn page(plan: &Plan) -> String {
    view::plan::render(plan, Format::Html, &Style::PLAIN)
}

/// What acts where it is not text.
const HOSTILE: [&str; 14] = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title></textarea></select></svg></table><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "<!-- ",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;b&gt; &#60;b&#62; &amp",
    "javascript:alert(1)",
    "a\u{202e}b\u{200b}c\u{1b}[31m\u{9b}d\0e",
    "`<a href=//evil.example>` ``",
    "{{7*7}} ${x} @@ </",
];

/// A plan with `text` in every place that holds text from elsewhere, and with something in every section.
fn everywhere(text: &str) -> Plan {
    let before = world::quickstart();
    let mut desired = before.clone();
    let configuration = world::configuration(&mut desired);
    let mut other = configuration.kustomizations["app"].clone();
    other.path = format!("./{text}");
    configuration.kustomizations.insert(text.to_owned(), other);
    configuration.kustomizations.remove("app");
    world::source(&mut desired).url = format!("https://github.com/{text}");
    world::source(&mut desired).branch = Some(text.to_owned());
    let mut live = world::converged(&before);
    world::edit_configuration(&desired, &mut live, |body| {
        body["properties"]["gitRepository"]["sshKnownHosts"] = json!(STANDARD.encode(format!("a\n{text}\nb\n")));
    });
    let choices = Choices { workloads: Some(Workloads::Delete), ..Choices::default() };
    let mut plan = world::plan(&desired, &live, &Options { choices, ..world::options() });
    let address = Address::Cluster {
        subscription: Some(text.to_owned()),
        resource_group: text.to_owned(),
        cluster: text.to_owned(),
        part: Part::Configuration(text.to_owned()),
    };
    let (code, message) = (text.to_owned(), format!("see `{text}` and {text}"));
    let id = plan.resource_changes.last().unwrap().id.clone();
    // More than one entry, so that there is something to filter.
    let written = plan.resource_changes.iter().find(|change| change.writes()).unwrap().clone();
    for number in 0..4 {
        let mut more = written.clone();
        more.address = match &address {
            Address::Cluster { subscription, resource_group, cluster, .. } => Address::Cluster {
                subscription: subscription.clone(),
                resource_group: resource_group.clone(),
                cluster: format!("{cluster}{number}"),
                part: Part::Configuration(text.to_owned()),
            },
            other => other.clone(),
        };
        more.api_version = text.to_owned();
        more.drift = more.fields.clone();
        more.modified = Some(Modified { at: text.to_owned(), by: Some(text.to_owned()) });
        more.consequences.push(Consequence { code: "garbage_collection".to_owned(), message: message.clone() });
        more.needs.push(address.clone());
        plan.resource_changes.push(more);
    }
    plan.origin = text.to_owned();
    plan.tenant = Some(text.to_owned());
    plan.arcflux_version = text.to_owned();
    plan.format_version = text.to_owned();
    plan.timestamp = Some("2026-11-22T08:00:00Z".parse().unwrap());
    plan.refusals.push(Refusal {
        code: code.clone(),
        address: Some(address.clone()),
        message: message.clone(),
        hint: message.clone(),
    });
    plan.notes.push(Note { code: code.clone(), address: address.clone(), message: message.clone() });
    plan.unmanaged.push(Unmanaged { address: address.clone(), id });
    plan.ages.push(Age {
        address: address.clone(),
        code: code.clone(),
        time: "2026-11-22T08:00:00Z".parse().unwrap(),
        seconds: 1,
        message: message.clone(),
    });
    plan.deferred_changes.push(DeferredChange {
        address,
        kind: written.kind,
        actions: Action::Update,
        reason: code,
        message,
    });
    plan
}

#[test]
fn nothing_hostile_becomes_more_than_text() {
    let harmless = Page::of(&everywhere("plain")).shape();
    for text in HOSTILE {
        let text = format!("{text}MARK");
        let page = Page::of(&everywhere(&text));
        assert_eq!(page.errors, Vec::<String>::new(), "{text}");
        assert_eq!(page.comments, 0, "{text}");
        let new: Vec<_> = page.shape().difference(&harmless).cloned().collect();
        assert_eq!(new, Vec::<String>::new(), "{text} makes elements or attributes");
        let reached: Vec<_> = page.attributes().filter(|(_, value)| value.contains("MARK")).collect();
        assert_eq!(reached, [], "{text} is in an attribute");
        assert!(page.text_of("main").matches("MARK").count() > 50, "{text} is not shown");
    }
}

#[test]
fn the_page_is_whole_in_itself() {
    let plan = everywhere("plain");
    let html = page(&plan);
    let page = Page::parse(&html);
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert_eq!(page.errors, Vec::<String>::new());
    for (name, value) in page.attributes() {
        assert!(!["src", "srcset", "action", "style", "background", "poster"].contains(&name), "{name}={value}");
        assert!(!name.starts_with("on"), "{name}");
        assert!(name != "href" || value.starts_with('#'), "{name}={value}");
    }
    let policy = page.named("meta").find_map(|meta| {
        let is_policy = meta.attributes.get("http-equiv").is_some_and(|name| name == "Content-Security-Policy");
        is_policy.then(|| meta.attributes["content"].clone())
    });
    let policy = policy.unwrap();
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, page.text_of(element).as_bytes());
        assert!(policy.contains(&format!("{directive} 'sha256-{}';", STANDARD.encode(digest))), "{policy}");
        assert_eq!(page.named(element).count(), 1);
    }
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
}

#[test]
fn what_is_pointed_at_is_there_once() {
    for text in ["plain", "<b id=main>", "#changes"] {
        let page = Page::of(&everywhere(text));
        let ids: Vec<&str> = page.attributes().filter(|(name, _)| *name == "id").map(|(_, value)| value).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{ids:?}");
        for (name, value) in page.attributes() {
            let target = match name {
                "href" => value.strip_prefix('#').unwrap(),
                "aria-labelledby" => value,
                _ => continue,
            };
            assert!(unique.contains(target), "{name}={value} leads nowhere");
        }
    }
}

#[test]
fn every_section_and_every_value_is_there_without_a_script() {
    let plan = everywhere("plain");
    let page = Page::of(&plan);
    let headings: Vec<&str> = page.named("h2").map(|heading| heading.text.rsplit_once(' ').unwrap().0).collect();
    assert_eq!(
        headings,
        [
            "Refused",
            "Destructive",
            "Warnings and notes",
            "Drift",
            "Changes",
            "Deferred",
            "Not in the specification",
            "Dependencies"
        ]
    );
    assert_eq!(page.text_of("h1"), "Plan: 0 to add, 5 to change, 0 to destroy, 1 deferred.");
    // What is hidden until a script shows it, is of use with a script alone.
    let hidden = page.elements.iter().filter(|element| element.attributes.contains_key("hidden"));
    let hidden: Vec<&str> = hidden.map(|element| element.attributes["id"].as_str()).collect();
    assert_eq!(hidden, ["filter", "filter-reset", "none-found"]);
    assert!(page.text_of("main").contains(&plan.digest.to_string()));
}

#[test]
fn a_fleet_is_drawn_in_groups_and_says_so() {
    let one = everywhere("plain");
    let mut fleet = one.clone();
    let last = one.resource_changes.last().unwrap();
    for number in 0..600 {
        let mut more = last.clone();
        more.address = format!("rg-edge/store-{number}/flux/flux-system").parse().unwrap();
        more.needs = vec!["rg-edge/store-001/extension".parse().unwrap()];
        fleet.resource_changes.push(more);
    }
    let page = Page::of(&fleet);
    assert_eq!(page.errors, Vec::<String>::new());
    let boxes = page.named("rect").count();
    assert!((2..=60).contains(&boxes), "{boxes}");
    assert!(page.text_of("main").contains(" resources are too many to draw one by one"));
    assert_eq!(page.named("details").filter(|one| one.attributes.contains_key("data-action")).count(), 605);
    // Unfolded they would be thousands of lines.
    let open = page.named("details").filter(|one| one.attributes.contains_key("open")).count();
    assert_eq!(open, 0);
}

#[test]
fn a_report_is_a_page_too() {
    let report = arcflux::plan::StatusReport { clusters: Vec::new(), compliant: true };
    let page = Page::parse(&view::status::render(&report, Format::Html, &Style::PLAIN));
    assert_eq!(page.text_of("pre"), view::status::render(&report, Format::Text, &Style::PLAIN));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_the_shape_of_the_page(text in "[\\PC<>&\"'`/=#\\n\\t\u{0}\u{1b}\u{202e}\u{2028}-]{1,40}") {
        let html = page(&everywhere(&text));
        prop_assert!(!html.chars().any(|one| arcflux::model::is_hidden(one) && one != '\n'), "{text:?}");
        let page = Page::parse(&html);
        prop_assert_eq!(&page.errors, &Vec::<String>::new());
        let harmless = Page::of(&everywhere("plain")).shape();
        let new: Vec<_> = page.shape().difference(&harmless).cloned().collect();
        prop_assert_eq!(new, Vec::<String>::new(), "{:?}", text);
        prop_assert_eq!(page.comments, 0);
    }
}
