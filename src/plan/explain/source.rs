//! Where wanted values came from, in the text of the spec.

use serde_json::Value;

use super::{Location, Reference, SpecText, WantedFrom};
use crate::graph::{Node, Want};
use crate::kinds::flux_configuration::Source;
use crate::kinds::words::spec_paths;
use crate::model::{Address, FieldPath, Part, SecretRef, Segment, Span};
use crate::plan::sensitive::is_sensitive;
use crate::spec::{DesiredCluster, Place, Provenance};

/// The spec as far as it is about one resource.
pub(super) struct Origins<'a> {
    pub(super) node: &'a Node,
    pub(super) cluster: &'a DesiredCluster,
    /// The lines of the text.
    lines: Vec<&'a str>,
    /// Where the resource is described in the long form.
    base: FieldPath,
}

impl<'a> Origins<'a> {
    pub(super) fn new(node: &'a Node, cluster: &'a DesiredCluster, text: SpecText<'a>) -> Self {
        let base = match &node.want {
            Want::Registered => FieldPath::of(["providers"]),
            Want::Group(_) => cluster.property_path("resourceGroup"),
            Want::Cluster(..) | Want::Dropped(_) => match &cluster.key {
                Some(key) => FieldPath::of(["clusters", key]),
                None => FieldPath::of(["cluster"]),
            },
            Want::Extension(..) => FieldPath::of(["extension"]),
            Want::Configuration(_) | Want::Absent(_) => match &node.address {
                Address::Cluster { part: Part::Configuration(name), .. } => FieldPath::of(["configurations", name]),
                Address::Cluster { .. } | Address::Provider { .. } | Address::ResourceGroup { .. } => {
                    FieldPath::of(["configurations"])
                }
            },
        };
        Self { node, cluster, lines: text.masked.lines().collect(), base }
    }

    /// For places alone: no line is shown.
    pub(super) fn without_text(node: &'a Node, cluster: &'a DesiredCluster) -> Self {
        Self::new(node, cluster, SpecText { file: "", masked: "" })
    }

    /// Where the resource is declared.
    pub(super) fn declaration(&self) -> Option<Span> {
        if let Want::Registered = self.node.want {
            return self.registration().map(|place| place.span);
        }
        self.cluster.spans.at(&self.base)
    }

    /// Where a field is written, or what stands around it.
    pub(super) fn around(&self, path: &FieldPath) -> Option<Span> {
        if let Want::Registered = self.node.want {
            return self.declaration();
        }
        self.cluster.spans.at(&self.base.join(&self.word(path)))
    }

    /// Where the spec says that a provider is to be registered: its entry, or the type of the cluster that needs it.
    fn registration(&self) -> Option<&Place> {
        let namespace = self.node.id.name();
        let index = self.cluster.providers.iter().position(|name| name == namespace).unwrap_or_default();
        let listed = self.place(&FieldPath::default().index(index));
        listed
            .filter(|place| place.provenance != Provenance::Derived)
            .or_else(|| self.cluster.spans.place(&self.cluster.property_path("type")))
    }

    /// What the spec calls a field: the name that it is written or filled in under, else the first that it could have.
    pub(super) fn word(&self, path: &FieldPath) -> FieldPath {
        let mut words = spec_paths(self.node.kind, path);
        if let (Want::Group(spec), [Segment::Key(map), Segment::Key(name)]) = (&self.node.want, path.segments())
            && map == "tags"
        {
            // ARM keeps the letter case that the name of a tag was first written in.
            let written = spec.tags.keys().filter(|written| written.eq_ignore_ascii_case(name));
            words.extend(written.map(|written| FieldPath::of([map, written])));
        }
        let known = words.iter().find(|word| self.place(word).is_some()).or(words.first());
        known.cloned().unwrap_or_default()
    }

    /// The place of what the spec calls `word`.
    fn place(&self, word: &FieldPath) -> Option<&Place> {
        self.cluster.spans.place(&self.base.join(word))
    }

    /// Where the value came from that is wanted of the field at `path`. What is not sent is meant all the same.
    pub(super) fn of(&self, path: &FieldPath, api_default: Option<Value>, is_sent: bool) -> WantedFrom {
        if let Want::Registered = self.node.want {
            return self.of_registration();
        }
        let word = self.word(path);
        let shown = |span| self.location(span, path);
        match self.place(&word) {
            Some(place) => match &place.provenance {
                Provenance::Written | Provenance::Environment(_) => WantedFrom::Written {
                    at: shown(place.span),
                    key: self.written_key(&word),
                    short_form: self.is_short_form(),
                    references: self.references(place, path),
                },
                Provenance::Default => WantedFrom::FormatDefault { below: shown(place.span), api_default },
                Provenance::ShortForm => WantedFrom::ShortForm { at: shown(place.span) },
                Provenance::Derived => WantedFrom::Derived {
                    how: "it is the key of the cluster's entry".to_owned(),
                    at: Some(shown(place.span)),
                    references: Vec::new(),
                },
            },
            None if is_sent => self.made(path),
            None => WantedFrom::ApiDefault,
        }
    }

    /// What the spec does not say itself.
    fn made(&self, path: &FieldPath) -> WantedFrom {
        let arcflux = |why: &str| WantedFrom::Arcflux { why: why.to_owned() };
        match path.to_string().as_str() {
            "properties.sourceKind" => {
                let member = self.node.want.configuration().and_then(Source::of).map(Source::member);
                let place = member.and_then(|member| self.place(&FieldPath::of([member])));
                WantedFrom::Derived {
                    how: "it is the kind of the source that the spec gives".to_owned(),
                    at: place.map(|place| self.location(place.span, path)),
                    references: Vec::new(),
                }
            }
            "properties.extensionType" => arcflux("it is what makes the extension the one of Flux"),
            "identity.type" => {
                arcflux("without an identity the installation fails on a cluster that is connected to Azure Arc")
            }
            "properties.autoUpgradeMinorVersion" => {
                arcflux("a new extension upgrades itself, unless the spec says how to upgrade")
            }
            "type" => arcflux("it is the resource type of such a cluster"),
            _ => arcflux("it belongs to what the spec says"),
        }
    }

    fn of_registration(&self) -> WantedFrom {
        let namespace = self.node.id.name();
        let index = self.cluster.providers.iter().position(|name| name == namespace).unwrap_or_default();
        let listed = self.place(&FieldPath::default().index(index));
        let path = FieldPath::default();
        match listed.filter(|place| place.provenance != Provenance::Derived) {
            Some(place) => WantedFrom::Written {
                at: self.location(place.span, &path),
                key: self.base.index(index),
                short_form: false,
                references: self.references(place, &path),
            },
            None => {
                let place = self.cluster.spans.place(&self.cluster.property_path("type"));
                WantedFrom::Derived {
                    how: format!(
                        "Flux on a cluster of the type {} needs it",
                        self.cluster.cluster.cluster_type.resource_type()
                    ),
                    at: place.map(|place| self.location(place.span, &path)),
                    references: place.map(|place| self.references(place, &path)).unwrap_or_default(),
                }
            }
        }
    }

    /// Where the spec says which secret goes to `path`.
    pub(super) fn of_secret(&self, path: &FieldPath, secret: &SecretRef) -> WantedFrom {
        let place = self.place(&self.word(path));
        WantedFrom::Secret { secret: secret.clone(), at: place.map(|place| self.location(place.span, path)) }
    }

    /// Whether the resource is the configuration that `repo` and `kustomizations` are short for.
    fn is_short_form(&self) -> bool {
        self.cluster.spans.place(&self.base).is_some_and(|place| place.provenance == Provenance::ShortForm)
    }

    /// The path of a key as its author wrote it.
    fn written_key(&self, word: &FieldPath) -> FieldPath {
        if !self.is_short_form() {
            return self.base.join(word);
        }
        let source = FieldPath::of(["gitRepository"]);
        if word.starts_with(&source) {
            FieldPath::of(["repo"]).join(&word.without_prefix(&source))
        } else {
            word.clone()
        }
    }

    /// What was put in for the references at a place. `path` is the field that is explained.
    fn references(&self, place: &Place, path: &FieldPath) -> Vec<Reference> {
        let environment = match &place.provenance {
            Provenance::Environment(names) => names.as_slice(),
            Provenance::Written | Provenance::Default | Provenance::ShortForm | Provenance::Derived => &[],
        };
        let environment = environment.iter().map(|name| Reference {
            reference: format!("${{env:{name}}}"),
            at: None,
            how: Some("the value of an environment variable".to_owned()),
            references: Vec::new(),
        });
        let replaced = place.references.iter().map(|name| {
            let found = self.cluster.reference_path(name).and_then(|path| self.cluster.spans.place(&path));
            let how = match found.map(|place| &place.provenance) {
                Some(Provenance::Derived) => Some("it is the key of the cluster's entry".to_owned()),
                Some(Provenance::Default) => Some("it is the default of the format".to_owned()),
                Some(Provenance::Written | Provenance::Environment(_) | Provenance::ShortForm) | None => None,
            };
            // References in `values` are not replaced.
            let deeper = found.filter(|_| name.starts_with("cluster."));
            let only_environment = found.map(|place| Place { references: Vec::new(), ..place.clone() });
            Reference {
                reference: format!("${{{name}}}"),
                at: found.map(|place| self.location(place.span, path)),
                how,
                references: match (deeper, only_environment) {
                    (Some(place), _) => self.references(place, path),
                    (None, Some(place)) => self.references(&place, path),
                    (None, None) => Vec::new(),
                },
            }
        });
        environment.chain(replaced).collect()
    }

    /// A place, with its line unless the field at `path` looks like a secret: then the value stands there.
    fn location(&self, span: Span, path: &FieldPath) -> Location {
        let index = usize::try_from(span.line).unwrap_or(usize::MAX).saturating_sub(1);
        let text = self.lines.get(index).map(|line| line.trim_end().to_owned());
        Location { line: span.line, column: span.column, text: text.filter(|_| !is_sensitive(path)) }
    }
}
