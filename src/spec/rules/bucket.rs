//! Rules about a bucket source (`../shared/facts/arm-contracts.md` §1.7).

use super::super::codes;
use super::super::node::Entry;
use super::super::report::Report;
use super::source;

pub(super) fn check(entry: &Entry, report: &mut Report) {
    let bucket = &entry.node;
    let url = source::url(bucket, &["https", "http"], "https://minio.contoso.com", report);
    source::both_or_neither(bucket, ["accessKey", "bucketSecretKey"], report);
    match (bucket.entry("localAuthRef"), bucket.entry("accessKey").or(bucket.entry("bucketSecretKey"))) {
        (Some(_), Some(_)) => {
            for key in ["accessKey", "bucketSecretKey"].iter().filter_map(|key| bucket.entry(key)) {
                report.add_once(
                    codes::LOCAL_AUTH_EXCLUSIVE
                        .at(key.key_span, format!("`{}` does not go with `localAuthRef`", key.key))
                        .with_hint("the Kubernetes secret holds everything; keep one of the two"),
                );
            }
        }
        (None, None) if bucket.is_map() => report.add_once(
            codes::HALF_A_SIGN_IN
                .at(entry.key_span, "nothing says how to sign in to the bucket")
                .with_hint("add `accessKey` and `bucketSecretKey`, or `localAuthRef`"),
        ),
        (Some(_), None) | (None, _) => {}
    }
    if let Some(url) = url {
        source::check_encryption(bucket, &url, &["bucketSecretKey"], report);
    }
}
