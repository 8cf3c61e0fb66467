//! Kubeconfigs: which files, and which cluster a context names.
//!
//! A kubeconfig may name programs that are run to sign in (`users[].user.exec`): that is why it comes from a flag or the
//! environment of whoever runs arcflux, and never from a spec.

use std::path::PathBuf;

use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::ClusterError;
use crate::model::did_you_mean_or_list;

/// Reads `files`, the first of which wins where they disagree.
pub(super) fn read(files: &[PathBuf]) -> Result<Kubeconfig, ClusterError> {
    let Some((first, rest)) = files.split_first() else {
        return Err(ClusterError {
            message: "no kubeconfig was given, so no cluster can be reached".to_owned(),
            hint: Some("name it: --kubeconfig FILE, or set KUBECONFIG".to_owned()),
        });
    };
    let read = |file: &PathBuf| Kubeconfig::read_from(file).map_err(|error| unreadable(file, &error));
    rest.iter().try_fold(read(first)?, |all, file| all.merge(read(file)?).map_err(|error| unreadable(file, &error)))
}

fn unreadable(file: &std::path::Path, error: &KubeconfigError) -> ClusterError {
    let hint = match error {
        KubeconfigError::ReadConfig(..) => "name one that can be read: --kubeconfig FILE".to_owned(),
        _ => format!("see what is wrong with it: kubectl --kubeconfig {} config view", file.display()),
    };
    ClusterError {
        message: format!("the kubeconfig {} cannot be read: {}", file.display(), explained(error)),
        hint: Some(hint),
    }
}

/// What is wrong, without the path, which is named already.
fn explained(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::ReadConfig(source, _) => source.to_string(),
        KubeconfigError::Parse(_) => "it is not a kubeconfig in YAML".to_owned(),
        other => other.to_string(),
    }
}

/// What `context` of `kubeconfig` says about its cluster and user.
pub(super) async fn config(kubeconfig: Kubeconfig, context: &str) -> Result<Config, ClusterError> {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|named| named.name.as_str()).collect();
    if !known.contains(&context) {
        return Err(ClusterError {
            message: format!("the kubeconfig has no context `{context}`"),
            hint: Some(did_you_mean_or_list(context, &known)),
        });
    }
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| ClusterError {
        message: format!("the context `{context}` of the kubeconfig is of no use: {}", explained(&error)),
        hint: Some(format!("see what it names: kubectl --context {context} config view --minify")),
    })
}
