//! `GitRepository`: which keys of a Secret Flux reads is in its documentation of `secretRef`.

use serde_json::{Map, Value, json};

use super::super::Place;
use super::super::secret::{Needed, public};
use super::{Draft, Made};
use crate::kinds::flux_configuration::{GitRepositorySpec, Provider};

pub(super) fn render(place: &Place<'_>, spec: &GitRepositorySpec) -> Made {
    let GitRepositorySpec {
        url,
        branch,
        tag,
        semver,
        commit,
        interval,
        timeout,
        provider,
        https_user: _,
        https_key: _,
        ssh_private_key: _,
        ssh_known_hosts: _,
        https_ca_cert: _,
        local_auth_ref: _,
    } = spec;
    let mut draft = Draft::new(place, "GitRepository", *interval, *timeout);
    draft.say("url", json!(url));
    let revision: Map<String, Value> = [("branch", branch), ("tag", tag), ("semver", semver), ("commit", commit)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?))))
        .collect();
    draft.say("ref", Value::Object(revision));
    match provider {
        Provider::Generic => {}
        Provider::Azure => {
            draft.say("provider", json!("azure"));
            draft.notes.push(
                "`provider: Azure` signs in with the workload identity of Flux's source-controller, which its \
                 installation has to have"
                    .to_owned(),
            );
        }
        Provider::GitHub => draft.say("provider", json!("github")),
    }
    sign_in(&mut draft, spec);
    draft.made()
}

fn sign_in(draft: &mut Draft<'_>, spec: &GitRepositorySpec) {
    let GitRepositorySpec {
        url,
        provider,
        https_user,
        https_key,
        ssh_private_key,
        ssh_known_hosts,
        https_ca_cert,
        local_auth_ref,
        ..
    } = spec;
    let is_ssh = url.starts_with("ssh://");
    if let Some(name) = local_auth_ref {
        let keys = match (provider, is_ssh) {
            (Provider::GitHub, _) => "`githubAppID`, `githubAppInstallationID` and `githubAppPrivateKey`",
            (Provider::Generic | Provider::Azure, true) => "`identity` and `known_hosts`",
            (Provider::Generic | Provider::Azure, false) => "`username` and `password`",
        };
        draft.need_local(name, keys);
        return;
    }
    let needed = Needed::of_protected_settings(draft.place);
    if is_ssh {
        let needed = match ssh_private_key {
            Some(key) => needed.secret("identity", "the private key", Some(key)),
            None => needed.told(
                "identity",
                "a private key whose public one the git server knows; Azure would have made the pair: `ssh-keygen -t \
                 ed25519 -f identity` makes one",
            ),
        };
        let known_hosts = match ssh_known_hosts {
            Some(_) => "what the spec has in `sshKnownHosts`",
            None => "what `ssh-keyscan` prints of the git server; Azure knows those of the large ones, Flux knows none",
        };
        draft.need("secretRef", &needed.told("known_hosts", known_hosts));
    } else if https_user.is_some() || https_key.is_some() {
        let needed = needed.literal("username", https_user.as_deref().unwrap_or("git"));
        let needed = needed.secret("password", "the password or access token", https_key.as_ref());
        let needed = match https_ca_cert {
            Some(_) => needed.told("ca.crt", "what the spec has in `httpsCACert`"),
            None => needed,
        };
        draft.need("secretRef", &needed);
    } else if let Some(authority) = https_ca_cert {
        draft.refer("secretRef", public(draft.place, "protected-parameters", &[("ca.crt", authority)]));
    }
}
