//! Rules about a git source: its URL, its revision, and how to sign in (`../shared/facts/arm-contracts.md` §1.7,
//! `../shared/facts/az-cli-behaviour.md` §1.4–1.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::super::codes;
use super::super::node::{Entry, Node};
use super::super::report::Report;

/// Hosts whose ssh keys Azure knows.
const KNOWN_SSH_HOSTS: [&str; 5] =
    ["github.com", "gitlab.com", "bitbucket.org", "ssh.dev.azure.com", "vs-ssh.visualstudio.com"];

const USE_SSH_KEY: &str = "use `sshPrivateKey`";
const USE_USER_AND_KEY: &str = "use `httpsUser` and `httpsKey`";
const TAKE_OUT: &str = "take it out";

pub(super) fn check(source: &Node, report: &mut Report) {
    check_ref(source, report);
    check_texts(source, report);
    check_pair(source, report);
    check_local_auth(source, report);
    if let Some(url) = source.entry("url").and_then(|entry| check_url(entry, report)) {
        check_auth(source, &url, report);
        check_provider(source, &url, report);
        check_host_key_type(source, &url, report);
    }
}

/// Hosts of Azure DevOps that git over ssh goes to.
const AZURE_DEVOPS_SSH: [&str; 2] = ["ssh.dev.azure.com", "vs-ssh.visualstudio.com"];

/// Azure DevOps has one host key, of the type `ssh-rsa`, and takes no signature of that kind any more: which one Flux
/// asks for depends on its version and settings (Azure/AKS#4366; `../shared/facts/domain.md` §1.3 and S16).
fn check_host_key_type(source: &Node, url: &Url, report: &mut Report) {
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "ssh" || !AZURE_DEVOPS_SSH.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return;
    }
    let Some(entry) = source.entry("sshKnownHosts") else { return };
    let is_old = |line: &str| line.split_whitespace().filter(|word| !word.starts_with('@')).nth(1) == Some("ssh-rsa");
    if entry
        .node
        .text()
        .is_some_and(|text| text.lines().any(|line| !line.trim_start().starts_with('#') && is_old(line)))
    {
        report.add_once(
            codes::OLD_HOST_KEY
                .at(entry.key_span, format!("the host key of `{host}` is of the type `ssh-rsa`, and the server refuses such signatures"))
                .with_hint(
                    "leave `sshKnownHosts` out: Azure knows this server; or set, in the extension's `configurationSettings`, \
                     `source-controller.ssh-host-key-args: --ssh-hostkey-algos=rsa-sha2-512,rsa-sha2-256`",
                ),
        );
    }
}

/// Exactly one of branch, tag and semver; a commit goes with a branch.
fn check_ref(source: &Node, report: &mut Report) {
    let mut refs: Vec<&Entry> = ["branch", "tag", "semver"].iter().filter_map(|key| source.entry(key)).collect();
    refs.sort_by_key(|entry| entry.key_span);
    if let [first, rest @ ..] = refs.as_slice() {
        for second in rest {
            report.add_once(
                codes::TWO_REFS
                    .at(second.key_span, format!("`{}` is given as well as `{}`", second.key, first.key))
                    .with_hint("keep one of `branch`, `tag` and `semver`"),
            );
        }
    }
    match source.entry("commit") {
        None if refs.is_empty() && source.is_map() => report.add_once(
            codes::NO_REF
                .at(source.span, "nothing says which revision to follow")
                .with_hint("add `branch: main`, or `tag`, or `semver`"),
        ),
        Some(commit) if source.entry("branch").is_none() => match refs.first() {
            None => report.add_once(
                codes::COMMIT_NEEDS_BRANCH
                    .at(commit.key_span, "`commit` is given without the `branch` that it is on")
                    .with_hint("add `branch:`"),
            ),
            Some(other) => report.add_once(
                codes::TWO_REFS
                    .at(commit.key_span.max(other.key_span), format!("`commit` does not go with `{}`", other.key))
                    .with_hint("a `commit` goes with a `branch`"),
            ),
        },
        Some(_) | None => {}
    }
}

/// Checks the URL by itself.
fn check_url(entry: &Entry, report: &mut Report) -> Option<Url> {
    let text = entry.node.text()?;
    let span = entry.node.span;
    if !text.contains("://") {
        report.add_once(match scp_as_url(text) {
            Some(url) => codes::SCP_URL
                .at(span, "`user@host:path` is not a URL, and Flux refuses it")
                .with_hint(format!("write `{url}`")),
            None => codes::BAD_URL
                .at(span, "this is not a URL")
                .with_hint("write `https://host/path` or `ssh://git@host/path`"),
        });
        return None;
    }
    let Ok(url) = Url::parse(text) else {
        report.add_once(codes::BAD_URL.at(span, "this is not a URL").with_hint("write `https://host/path`"));
        return None;
    };
    if !["https", "http", "ssh"].contains(&url.scheme()) {
        report.add_once(
            codes::BAD_URL
                .at(span, format!("Flux cannot fetch from `{}://`", url.scheme()))
                .with_hint("write `https://`, `http://` or `ssh://`"),
        );
        return None;
    }
    if url.host_str().is_none_or(str::is_empty) || url.path().trim_matches('/').is_empty() {
        report.add_once(codes::BAD_URL.at(span, "the URL names no repository").with_hint("write `https://host/path`"));
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() || text.contains(char::is_whitespace) {
        report.add_once(codes::BAD_URL.at(span, "the URL has parts that are not of a repository").with_hint(
            "take out what begins with `?` or `#`, and spaces; the revision is said by `branch`, `tag` or `semver`",
        ));
        return None;
    }
    if !is_written_plainly(text, &url) {
        report.add_once(
            codes::BAD_URL
                .at(span, "Flux may not read the server in this URL as it is meant")
                .with_hint(format!("write `{}`", plainly(&url))),
        );
        return None;
    }
    let is_ssh = url.scheme() == "ssh";
    if url.password().is_some() || (!is_ssh && !url.username().is_empty()) {
        let hint =
            if is_ssh { "take the password out, and use `sshPrivateKey`" } else { "use `httpsUser` and `httpsKey`" };
        report.add_once(codes::URL_CREDENTIALS.at(span, "the URL holds credentials").with_hint(hint));
    }
    Some(url)
}

/// Whether scheme, host and port stand in the text just as they were understood. A browser's rules, which are ours too,
/// mend much (`https:///host`, `https://%68ost`, `https:\\host`) that Flux reads in another way or not at all: then a
/// secret would be held to another server than the one that it goes to.
fn is_written_plainly(text: &str, url: &Url) -> bool {
    let Some(rest) = text.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://")) else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let written = authority.rsplit_once('@').map_or(authority, |(_, server)| server);
    let host = url.host_str().unwrap_or_default();
    let with_port = |port: u16| format!("{host}:{port}");
    let meant = [
        url.port().map_or_else(|| host.to_owned(), with_port),
        with_port(url.port_or_known_default().unwrap_or_default()),
    ];
    meant.iter().any(|meant| meant.eq_ignore_ascii_case(written))
}

/// A URL as it was understood, without an account.
fn plainly(url: &Url) -> String {
    let user = match url.scheme() {
        "ssh" if !url.username().is_empty() => format!("{}@", url.username()),
        _ => String::new(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{user}{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// `git@host:path` as the URL that Flux takes.
fn scp_as_url(text: &str) -> Option<String> {
    let (account, path) = text.split_once(':')?;
    let (user, host) = account.split_once('@').unwrap_or(("git", account));
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
    };
    let is_scp = account.contains('@') || host.contains('.');
    (is_scp && is_name(user) && is_name(host) && !path.is_empty() && !path.contains('@'))
        .then(|| format!("ssh://{user}@{host}/{}", path.trim_start_matches('/')))
}

/// Ways to sign in against the scheme of the URL.
fn check_auth(source: &Node, url: &Url, report: &mut Report) {
    let is_ssh = url.scheme() == "ssh";
    let (wanted, misfits): (&str, &[(&str, &str)]) = if is_ssh {
        ("https", &[("httpsUser", USE_SSH_KEY), ("httpsKey", USE_SSH_KEY), ("httpsCACert", TAKE_OUT)])
    } else {
        ("ssh", &[("sshPrivateKey", USE_USER_AND_KEY), ("sshKnownHosts", TAKE_OUT)])
    };
    for (entry, hint) in misfits.iter().filter_map(|(key, hint)| Some((source.entry(key)?, *hint))) {
        report.add_once(
            codes::AUTH_SCHEME
                .at(
                    entry.key_span,
                    format!("`{}` is for `{wanted}://`, and the URL is `{}://`", entry.key, url.scheme()),
                )
                .with_hint(hint),
        );
    }
    if url.scheme() == "http" {
        for entry in ["httpsKey", "httpsUser"].iter().filter_map(|key| source.entry(key)).take(1) {
            report.add_once(
                codes::SECRET_OVER_HTTP
                    .at(entry.key_span, "a secret would be sent over plain http")
                    .with_hint("write `https://` in the URL"),
            );
        }
        if let Some(entry) = source.entry("httpsCACert") {
            report.add_once(
                codes::AUTH_SCHEME
                    .at(entry.key_span, "`httpsCACert` is for `https://`, and the URL is `http://`")
                    .with_hint("write `https://` in the URL"),
            );
        }
    }
    let host = url.host_str().unwrap_or_default();
    let gives_hosts = ["sshKnownHosts", "localAuthRef"].iter().any(|key| source.entry(key).is_some());
    if is_ssh && !gives_hosts && !KNOWN_SSH_HOSTS.iter().any(|known| host.eq_ignore_ascii_case(known)) {
        let span = source.get("url").map_or(source.span, |url| url.span);
        report.add_once(
            codes::KNOWN_HOSTS_NEEDED
                .at(span, format!("Azure may not know the ssh host keys of `{host}`"))
                .with_hint(format!("add `sshKnownHosts:` with what `ssh-keyscan {host}` prints")),
        );
    }
}

/// User and key, both or neither.
fn check_pair(source: &Node, report: &mut Report) {
    let (given, missing) = match (source.entry("httpsUser"), source.entry("httpsKey")) {
        (Some(user), None) => (user, "httpsKey"),
        (None, Some(key)) => (key, "httpsUser"),
        (Some(_), Some(_)) | (None, None) => return,
    };
    report.add_once(
        codes::USER_WITHOUT_KEY
            .at(given.key_span, format!("`{}` is given without `{missing}`", given.key))
            .with_hint(format!("add `{missing}:`")),
    );
}

fn check_local_auth(source: &Node, report: &mut Report) {
    if source.entry("localAuthRef").is_none() {
        return;
    }
    for entry in ["httpsUser", "httpsKey", "sshPrivateKey", "sshKnownHosts", "httpsCACert"]
        .iter()
        .filter_map(|key| source.entry(key))
    {
        report.add_once(
            codes::LOCAL_AUTH_EXCLUSIVE
                .at(entry.key_span, format!("`{}` does not go with `localAuthRef`", entry.key))
                .with_hint("the Kubernetes secret holds everything; keep one of the two"),
        );
    }
}

/// Texts whose form is known and whose base64 is a common mistake.
fn check_texts(source: &Node, report: &mut Report) {
    if let Some(entry) = source.entry("sshKnownHosts")
        && let Some(text) = entry.node.text()
    {
        let is_line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().filter(|word| !word.starts_with('@')).collect();
            matches!(words.as_slice(), [_, _, key, ..] if STANDARD.decode(key).is_ok())
        };
        let mut lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
        if lines.peek().is_none() || !lines.all(is_line) {
            report.add_once(
                codes::KNOWN_HOSTS
                    .at(entry.key_span, "`sshKnownHosts` is not made of known_hosts lines")
                    .with_hint("write what `ssh-keyscan HOST` prints, not base64: arcflux encodes it"),
            );
        }
    }
    if let Some(entry) = source.entry("httpsCACert")
        && let Some(text) = entry.node.text()
        && !text.contains("-----BEGIN CERTIFICATE-----")
    {
        report.add_once(
            codes::CA_CERTIFICATE
                .at(entry.key_span, "`httpsCACert` is not a certificate in PEM form")
                .with_hint("write the PEM text, with its BEGIN line, not base64: arcflux encodes it"),
        );
    }
}

fn check_provider(source: &Node, url: &Url, report: &mut Report) {
    let Some(provider) = source.get("provider") else { return };
    let problem = match provider.text() {
        Some("Azure") if !is_azure_devops(url) => Some((
            "provider `Azure` needs the URL of a repository at Azure DevOps",
            "write `https://dev.azure.com/ORGANISATION/PROJECT/_git/REPOSITORY`",
        )),
        Some("GitHub") if url.scheme() != "https" => {
            Some(("provider `GitHub` needs an `https://` URL", "write `https://` in the URL"))
        }
        Some("GitHub") if source.entry("localAuthRef").is_none() => Some((
            "provider `GitHub` needs `localAuthRef`: the secret of the cluster that holds the GitHub App",
            "name a secret with githubAppID, githubAppInstallationID and githubAppPrivateKey",
        )),
        _ => None,
    };
    if let Some((message, hint)) = problem {
        report.add_once(codes::PROVIDER_FIT.at(provider.span, message).with_hint(hint));
    }
    if matches!(provider.text(), Some("Azure" | "GitHub")) {
        for entry in ["httpsKey", "sshPrivateKey", "httpsUser"].iter().filter_map(|key| source.entry(key)) {
            report.add_once(
                codes::PROVIDER_FIT
                    .at(entry.key_span, format!("`{}` does not go with this provider", entry.key))
                    .with_hint("take it out, or leave `provider` out"),
            );
        }
    }
}

/// The one form of URL that Flux signs in to with a managed identity.
fn is_azure_devops(url: &Url) -> bool {
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    url.scheme() == "https"
        && url.host_str() == Some("dev.azure.com")
        && matches!(segments.as_slice(), [organisation, project, "_git", repository]
            if ![organisation, project, repository].iter().any(|part| part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_stands_in_the_text_as_it_is_understood() {
        let plain = |text: &str| is_written_plainly(text, &Url::parse(text).unwrap());
        for text in [
            "https://github.com/o/r",
            "https://GitHub.com/o/r",
            "https://github.com:443/o/r",
            "https://git.contoso.com:8443/o/r",
            "ssh://git@host:22/r",
            "ssh://git@Host/r",
            "https://user:pa@host/r",
            "https://[::1]:8443/r",
            "https://xn--bcher-kva.example/r",
        ] {
            assert!(plain(text), "{text}");
        }
        for text in [
            "HTTPS://github.com/o/r",
            "SSH://git@github.com/o/r",
            "https:///github.com/o/r",
            "https:/github.com/o/r",
            "https://%67ithub.com/o/r",
            "https://github.com\\@evil.example/r",
            "https://github.com\\o/r",
            "https://ｇithub.com/o/r",
            "https://bücher.example/o/r",
            "https://0x7f.1/o/r",
            "https://github.com:0443/o/r",
        ] {
            assert!(!plain(text), "{text}");
        }
        let url = Url::parse("SSH://git:pa@host:2222/r").unwrap();
        assert_eq!(plainly(&url), "ssh://git@host:2222/r");
    }

    #[test]
    fn the_short_ssh_form_is_rewritten() {
        assert_eq!(scp_as_url("git@github.com:o/r.git").as_deref(), Some("ssh://git@github.com/o/r.git"));
        assert_eq!(scp_as_url("github.com:o/r").as_deref(), Some("ssh://git@github.com/o/r"));
        assert_eq!(
            scp_as_url("git@ssh.dev.azure.com:v3/o/p/r").as_deref(),
            Some("ssh://git@ssh.dev.azure.com/v3/o/p/r")
        );
        assert_eq!(scp_as_url("user:password@host"), None);
        assert_eq!(scp_as_url("a.user:password@host/path"), None);
        assert_eq!(scp_as_url("./local"), None);
    }
}
