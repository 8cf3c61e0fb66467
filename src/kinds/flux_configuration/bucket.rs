//! The bucket source: S3-compatible object storage.

use serde::{Deserialize, Serialize};

use super::super::adoption::Adopting;
use super::super::live_body::LiveBody;
use super::super::{Encoding, Hole, Unsayable};
use crate::model::{FieldPath, Seconds, SecretRef};

/// A bucket of an S3-compatible object store, and how to sign in to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketSpec {
    /// Where the object store is: `https://` or `http://`, without the name of the bucket.
    #[schemars(extend("examples" = ["https://minio.contoso.com"]))]
    pub url: String,
    /// The name of the bucket.
    #[schemars(length(min = 1, max = 63), extend("examples" = ["gitops"]))]
    pub bucket_name: String,
    /// Whether Flux may talk to the store without TLS. Azure's own default is `true`; arcflux says `false` and always
    /// sends it.
    #[serde(default)]
    pub insecure: bool,
    /// How often Flux looks for new objects.
    #[serde(default = "Seconds::ten_minutes")]
    pub interval: Seconds,
    /// How long Flux waits for one download.
    #[serde(default = "Seconds::ten_minutes")]
    pub timeout: Seconds,
    /// The name of the access key; goes with `bucketSecretKey`. It is no secret and can be read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub access_key: Option<String>,
    /// The secret that belongs to `accessKey`. Write the value raw, not base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_secret_key: Option<SecretRef>,
    /// The name of a Kubernetes secret in the configuration's namespace that holds the credentials. It excludes every
    /// other way to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"))]
    pub local_auth_ref: Option<String>,
}

/// Where the secret goes: base64 in `configurationProtectedSettings` (`../shared/facts/az-cli-behaviour.md` §1.5).
pub(super) fn holes(spec: &BucketSpec) -> Vec<Hole> {
    let path = FieldPath::dotted("properties.configurationProtectedSettings.bucketSecretKey");
    let hole = |secret: &SecretRef| Hole {
        path,
        secret: secret.clone(),
        destination: spec.url.clone(),
        encoding: Encoding::Base64,
    };
    spec.bucket_secret_key.as_ref().map(hole).into_iter().collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bucket<'a> {
    url: &'a str,
    bucket_name: &'a str,
    insecure: bool,
    timeout_in_seconds: u32,
    sync_interval_in_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_auth_ref: Option<&'a str>,
}

impl<'a> From<&'a BucketSpec> for Bucket<'a> {
    fn from(spec: &'a BucketSpec) -> Self {
        let BucketSpec {
            url,
            bucket_name,
            insecure,
            interval,
            timeout,
            access_key,
            bucket_secret_key: _,
            local_auth_ref,
        } = spec;
        Self {
            url,
            bucket_name,
            insecure: *insecure,
            timeout_in_seconds: timeout.get(),
            sync_interval_in_seconds: interval.get(),
            access_key: access_key.as_deref(),
            local_auth_ref: local_auth_ref.as_deref(),
        }
    }
}

/// The spec of a live bucket. The key that belongs to an access key is never shown; for a connection without TLS none is
/// asked for, since none may be sent over it.
pub(super) fn of_live(live: &LiveBody<'_>, adopting: &mut Adopting<'_>) -> Result<BucketSpec, Unsayable> {
    let url = live.required_text("url")?;
    let access_key = live.text("accessKey")?;
    // The service's own default, which is not the spec's.
    let insecure = live.flag("insecure", true)?;
    let is_encrypted = !insecure && !url.starts_with("http://");
    let bucket_secret_key = access_key
        .as_ref()
        .filter(|_| is_encrypted)
        .map(|_| adopting.reference("bucket", "bucketSecretKey", Some(&url)));
    if access_key.is_some() && !is_encrypted {
        adopting.remark(
            "it signs in over a connection without TLS; the secret is not in the spec, and updates leave the stored one \
             in place",
        );
    }
    Ok(BucketSpec {
        bucket_name: live.required_text("bucketName")?,
        insecure,
        interval: live.seconds_or_ten_minutes("syncIntervalInSeconds")?,
        timeout: live.seconds_or_ten_minutes("timeoutInSeconds")?,
        access_key,
        bucket_secret_key,
        local_auth_ref: live.text("localAuthRef")?,
        url,
    })
}
