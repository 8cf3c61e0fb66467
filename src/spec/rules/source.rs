//! Rules about the source of a configuration, whatever its kind: that there is one, and what all kinds share.

use url::Url;

use super::super::codes;
use super::super::node::{Entry, Node, Value};
use super::super::report::Report;
use super::{blob, bucket, check_durations, git, oci};
use crate::kinds::cluster::ClusterType;

/// The keys of a source, in the order of the schema.
const KEYS: [&str; 4] = ["gitRepository", "bucket", "azureBlob", "ociRepository"];

pub(super) fn check(configuration: &Entry, cluster_type: Option<ClusterType>, report: &mut Report) {
    let node = &configuration.node;
    let mut sources: Vec<&Entry> = KEYS.iter().filter_map(|key| node.entry(key)).collect();
    sources.sort_by_key(|entry| entry.key_span);
    match sources.as_slice() {
        [] if node.is_map() => report.add_once(
            codes::SOURCE_CHOICE
                .at(configuration.key_span, format!("`{}` says nowhere what to apply from", configuration.key))
                .with_hint("add one of `gitRepository`, `bucket`, `azureBlob` and `ociRepository`"),
        ),
        [] => {}
        [first, rest @ ..] => {
            for second in rest {
                report.add_once(
                    codes::SOURCE_CHOICE
                        .at(second.key_span, format!("`{}` is given as well as `{}`", second.key, first.key))
                        .with_hint("keep one; several configurations can have several sources"),
                );
            }
        }
    }
    for entry in sources {
        check_durations(&entry.node, report);
        match entry.key.as_str() {
            "bucket" => bucket::check(entry, report),
            "azureBlob" => blob::check(entry, cluster_type, report),
            "ociRepository" => oci::check(entry, report),
            _ => git::check(&entry.node, report),
        }
    }
}

/// Checks the URL of a source that is not git: its scheme, its host, and that nothing else stands in it.
pub(super) fn url(source: &Node, schemes: &[&str], example: &str, report: &mut Report) -> Option<Url> {
    let entry = source.entry("url")?;
    let text = entry.node.text()?;
    let span = entry.node.span;
    let hint = format!("write `{example}`");
    let parsed = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()));
    let Some(url) = parsed.filter(|url| url.host_str().is_some_and(|host| !host.is_empty())) else {
        report.add_once(codes::BAD_URL.at(span, "this is not the URL of such a source").with_hint(hint));
        return None;
    };
    if url.query().is_some() || url.fragment().is_some() || text.contains(char::is_whitespace) {
        report.add_once(
            codes::BAD_URL
                .at(span, "the URL has parts that are not of a source")
                .with_hint("take out what begins with `?` or `#`, and spaces"),
        );
        return None;
    }
    if url.password().is_some() || !url.username().is_empty() {
        report.add_once(
            codes::URL_CREDENTIALS
                .at(span, "the URL holds credentials")
                .with_hint("give them under their own keys, as references"),
        );
    }
    Some(url)
}

/// At most one of the keys that each are a way to sign in.
pub(super) fn one_way_to_sign_in(source: &Node, ways: &[&str], report: &mut Report) {
    let mut given: Vec<&Entry> = ways.iter().filter_map(|key| source.entry(key)).collect();
    given.sort_by_key(|entry| entry.key_span);
    if let [first, rest @ ..] = given.as_slice() {
        for second in rest {
            report.add_once(
                codes::SEVERAL_SIGN_INS
                    .at(second.key_span, format!("`{}` is given as well as `{}`", second.key, first.key))
                    .with_hint("keep one way to sign in"),
            );
        }
    }
}

/// Two keys that make one way to sign in, both or neither.
pub(super) fn both_or_neither(source: &Node, keys: [&str; 2], report: &mut Report) {
    let [one, other] = keys;
    let (given, missing) = match (source.entry(one), source.entry(other)) {
        (Some(given), None) => (given, other),
        (None, Some(given)) => (given, one),
        (Some(_), Some(_)) | (None, None) => return,
    };
    report.add_once(
        codes::HALF_A_SIGN_IN
            .at(given.key_span, format!("`{}` is given without `{missing}`", given.key))
            .with_hint(format!("add `{missing}:`")),
    );
}

/// A connection without TLS: with a secret it is refused, else it is said out loud.
pub(super) fn check_encryption(source: &Node, url: &Url, secrets: &[&str], report: &mut Report) {
    let insecure = source.entry("insecure").filter(|entry| matches!(entry.node.value, Value::Bool(true)));
    if insecure.is_none() && url.scheme() != "http" {
        return;
    }
    if let Some(secret) = secrets.iter().find_map(|key| source.entry(key)) {
        report.add_once(
            codes::SECRET_OVER_HTTP
                .at(secret.key_span, "a secret would be sent over a connection without TLS")
                .with_hint("write `https://` in the URL and take `insecure: true` out"),
        );
    } else if let Some(insecure) = insecure {
        report.add_once(
            codes::INSECURE
                .at(insecure.node.span, "what is applied comes over a connection that anybody on the way can change")
                .with_hint("take `insecure: true` out"),
        );
    }
}
