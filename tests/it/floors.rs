//! The floors of `src/lib.rs`: a module imports only modules above it, and nouns name nothing that speaks to the
//! outside.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The modules in their order, with what a module may import when that is less than everything above it.
const FLOORS: &[(&str, Floor, Option<&[&str]>)] = &[
    ("model", Floor::Noun, None),
    ("kinds", Floor::Noun, None),
    ("snapshot", Floor::Noun, None),
    ("spec", Floor::Noun, None),
    ("graph", Floor::Noun, None),
    ("diff", Floor::Noun, None),
    ("flux", Floor::Noun, None),
    ("plan", Floor::Noun, None),
    ("bundle", Floor::Noun, None),
    ("view", Floor::Noun, None),
    ("http", Floor::Wire, Some(&[])),
    ("arm", Floor::Wire, Some(&["model", "http"])),
    ("review", Floor::Wire, Some(&["model", "http"])),
    ("cluster", Floor::Wire, Some(&["model", "http"])),
    ("sim", Floor::Wire, Some(&["http"])),
    ("fetch", Floor::Verb, None),
    ("apply", Floor::Verb, None),
    ("doctor", Floor::Verb, None),
    ("cli", Floor::Shell, None),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Floor {
    /// Pure.
    Noun,
    /// Speaks to the outside; knows no noun but `model`.
    Wire,
    /// Calls the wires.
    Verb,
    /// Ties everything together.
    Shell,
}

/// What no noun may name.
const OUTSIDE: &[&[&str]] = &[
    &["tokio"],
    &["reqwest"],
    &["axum"],
    &["std", "fs"],
    &["std", "env"],
    &["std", "net"],
    &["std", "process"],
    &["std", "io"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

/// Every path in a file, `use` trees and the insides of macros unfolded.
#[derive(Default)]
struct Paths {
    named: BTreeSet<Vec<String>>,
    /// Those that a `use` brings in, whole modules among them: what is named through these later names no path from its
    /// beginning.
    imported: BTreeSet<Vec<String>>,
}

impl Paths {
    fn import(&mut self, path: Vec<String>) {
        self.imported.insert(path.clone());
        self.named.insert(path);
    }

    /// Paths as tokens, which is all that is known of what a macro is given.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.named.insert(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => colons = 0,
            }
        }
        self.named.insert(path);
    }

    fn unfold(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let deeper = |ident: &syn::Ident| [prefix, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.unfold(&deeper(&path.ident), &path.tree),
            syn::UseTree::Name(name) => {
                // `use std::time::{self}` brings in `std::time`.
                self.import(if name.ident == "self" { prefix.to_vec() } else { deeper(&name.ident) });
            }
            syn::UseTree::Rename(rename) => {
                self.import(if rename.ident == "self" { prefix.to_vec() } else { deeper(&rename.ident) });
            }
            syn::UseTree::Glob(_) => self.import(prefix.to_vec()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.unfold(prefix, item)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.unfold(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.named.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.scan(called.tokens.clone());
        visit::visit_macro(self, called);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.import(vec![item.ident.to_string()]);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // What tests beside the code name is not built into the product.
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
        });
        if !is_test {
            visit::visit_item_mod(self, item);
        }
    }
}

/// What is wrong with a file of `module`, which lies `depth` modules below the crate's root.
fn violations(module: &str, depth: usize, text: &str) -> Vec<String> {
    let Some(position) = FLOORS.iter().position(|(name, ..)| *name == module) else {
        return vec![format!("`{module}` stands on no floor: add it to the list in src/lib.rs and here")];
    };
    let (_, floor, allowed) = FLOORS[position];
    let mut paths = Paths::default();
    paths.visit_file(&syn::parse_file(text).unwrap());
    let mut found = Vec::new();
    for path in &paths.imported {
        let is_root = |path: &[String]| {
            path.iter().map(String::as_str).eq(["crate"])
                || (path.len() >= depth && !path.is_empty() && path.iter().all(|segment| segment == "super"))
        };
        if is_root(path) {
            found.push(format!("`{module}` imports the whole crate"));
        }
        let opens = |outside: &&&[&str]| {
            path.len() < outside.len() && path.iter().map(String::as_str).eq(outside.iter().take(path.len()).copied())
        };
        if floor == Floor::Noun
            && let Some(outside) = OUTSIDE.iter().find(opens)
        {
            found.push(format!(
                "`{module}` is a noun and imports `{}`, which holds `{}`",
                path.join("::"),
                outside.join("::")
            ));
        }
    }
    for path in paths.named {
        let supers = path.iter().take_while(|segment| *segment == "super").count();
        let target = match path.first().map(String::as_str) {
            Some("crate") => path.get(1),
            Some("super") if supers >= depth => path.get(supers),
            _ => None,
        };
        if let Some(target) = target.map(String::as_str).filter(|target| *target != module) {
            let is_above = FLOORS[..position].iter().any(|(name, ..)| *name == target);
            let is_floor = FLOORS.iter().any(|(name, ..)| *name == target);
            let is_allowed = allowed.is_none_or(|allowed| allowed.contains(&target));
            // Nouns stand above wires in the list, and wires import none of them but what they are allowed.
            if is_floor && !(is_above && is_allowed) {
                found.push(format!("`{module}` imports `{target}`"));
            }
        }
        let names =
            |outside: &&&[&str]| path.iter().map(String::as_str).take(outside.len()).eq(outside.iter().copied());
        if floor == Floor::Noun
            && let Some(outside) = OUTSIDE.iter().find(names)
        {
            found.push(format!("`{module}` is a noun and names `{}`", outside.join("::")));
        }
    }
    found
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_module_keeps_to_its_floor() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut found = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&source).unwrap();
        let mut modules: Vec<String> =
            relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        modules.retain(|module| module != "mod");
        if modules == ["lib"] || modules == ["main"] {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        found.extend(
            violations(&modules[0], modules.len(), &text)
                .into_iter()
                .map(|what| format!("{}: {what}", relative.display())),
        );
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_list_in_lib_is_the_list_here() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, FLOORS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
}

#[test]
fn planted_violations_are_found() {
    for (module, depth, text) in [
        ("diff", 1, "use crate::plan::Plan;"),
        ("plan", 2, "fn f() { crate::arm::Cloud::Public; }"),
        ("plan", 2, "use super::super::view;"),
        ("model", 1, "use std::{fmt, fs};"),
        ("view", 1, "fn f() { std::env::var(\"X\"); }"),
        ("kinds", 1, "use std::time::{Duration, Instant};"),
        ("graph", 1, "async fn f() { tokio::task::yield_now().await; }"),
        ("sim", 1, "use crate::model::ResourceId;"),
        ("arm", 1, "use crate::kinds::Kind;"),
        ("arm", 1, "use crate::{http::Clock, plan};"),
        ("fetch", 1, "use crate::apply;"),
        ("review", 1, "use crate::plan::Plan;"),
        ("review", 1, "use crate::arm::Cloud;"),
        ("unheard_of", 1, ""),
        ("plan", 1, "fn f() { assert!(crate::view::render().is_empty()); }"),
        ("spec", 1, "fn f() -> String { format!(\"{:?}\", [std::env::var(\"X\")]) }"),
        ("model", 1, "use std::time; fn f() { time::Instant::now(); }"),
        ("model", 1, "use std::time::{self as clocks, Duration};"),
        ("model", 1, "use std::time::*;"),
        ("graph", 2, "use crate::*;"),
        ("graph", 2, "use super::super as everything;"),
        ("view", 1, "extern crate tokio as pure;"),
    ] {
        assert_eq!(violations(module, depth, text).len(), 1, "{module}: {text}");
    }
    for (module, depth, text) in [
        ("plan", 2, "use crate::diff::compare; use super::Plan; use std::collections::BTreeMap;"),
        ("arm", 2, "use crate::http::Clock; use super::super::model::Secret; use super::error::ArmError;"),
        ("view", 1, "#[cfg(test)] mod tests { use std::fs; }"),
        ("view", 2, "use super::*; fn f() { assert!(std::iter::empty::<u8>().next().is_none(), \"std::fs\"); }"),
        ("plan", 1, "use crate::model::{self, Address}; use std::{fmt, time::Duration};"),
        ("cli", 3, "use crate::sim::Simulator; use std::fs;"),
    ] {
        assert_eq!(violations(module, depth, text), [""; 0], "{module}: {text}");
    }
}
