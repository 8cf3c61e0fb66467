//! `Bucket` of an S3-compatible store.

use serde_json::json;
use url::Url;

use super::super::Place;
use super::super::secret::Needed;
use super::{Draft, Made};
use crate::kinds::flux_configuration::BucketSpec;

pub(super) fn render(place: &Place<'_>, spec: &BucketSpec) -> Made {
    let BucketSpec { url, bucket_name, insecure, interval, timeout, access_key, bucket_secret_key, local_auth_ref } =
        spec;
    let mut draft = Draft::new(place, "Bucket", *interval, *timeout);
    let (endpoint, is_plain, path) = endpoint(url);
    draft.say("provider", json!("generic"));
    draft.say("bucketName", json!(bucket_name));
    draft.say("endpoint", json!(endpoint));
    draft.say("insecure", json!(*insecure || is_plain));
    if let Some(path) = path {
        draft.notes.push(format!("an endpoint of Flux has no path, so `{path}` of the bucket's URL is left out"));
    }
    if let Some(name) = local_auth_ref {
        draft.need_local(name, "`accesskey` and `secretkey`");
    } else if access_key.is_some() || bucket_secret_key.is_some() {
        let needed =
            Needed::of_protected_settings(place).literal("accesskey", access_key.as_deref().unwrap_or_default());
        let needed = needed.secret("secretkey", "the secret of the access key", bucket_secret_key.as_ref());
        draft.need("secretRef", &needed);
    }
    draft.made()
}

/// Host and port of a URL, whether it is without TLS, and the path that is lost. Azure wants a URL where Flux wants a host
/// (`../shared/facts/domain.md` §4.12).
fn endpoint(url: &str) -> (String, bool, Option<String>) {
    let Ok(parsed) = Url::parse(url) else { return (url.to_owned(), false, None) };
    let host = parsed.host_str().unwrap_or_default();
    let endpoint = match parsed.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let path = Some(parsed.path()).filter(|path| !["", "/"].contains(path)).map(str::to_owned);
    (endpoint, parsed.scheme() == "http", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host() {
        assert_eq!(endpoint("https://minio.contoso.com"), ("minio.contoso.com".to_owned(), false, None));
        assert_eq!(endpoint("http://minio:9000/"), ("minio:9000".to_owned(), true, None));
        assert_eq!(endpoint("https://s3.contoso.com/eu").2.as_deref(), Some("/eu"));
    }
}
