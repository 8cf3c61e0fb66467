//! Signing in: which token is used for how long, and what is said when there is none.

use std::ffi::OsStr;
use std::io;
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::arm::credentials::{Candidates, CredentialKind, IdentityValues, Tried, select};
use arcflux::arm::identity::{Outside, build};
use arcflux::arm::{Cloud, CredentialTokens, TokenError, TokenSource};
use arcflux::http::Clock;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::time::OffsetDateTime;
use azure_identity::Executor;
use serde_json::json;

use crate::scripted::{Reply, Script, VirtualClock};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const SCOPE: &str = "https://management.azure.com/.default";

/// Issues `token-1`, `token-2`, … each valid for an hour, or fails.
#[derive(Debug)]
struct Issuer {
    clock_start: i64,
    issued: AtomicUsize,
    fails: Mutex<bool>,
}

impl Issuer {
    fn new(clock: &VirtualClock, fails: bool) -> Arc<Self> {
        Arc::new(Self { clock_start: clock.now().as_second(), issued: AtomicUsize::new(0), fails: Mutex::new(fails) })
    }
}

#[async_trait]
impl TokenCredential for Issuer {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [SCOPE]);
        tokio::task::yield_now().await;
        if *self.fails.lock().unwrap() {
            return Err(Error::with_message(ErrorKind::Credential, "the issuer is on strike"));
        }
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        let expires_on = OffsetDateTime::from_unix_timestamp(self.clock_start + 3600 * number as i64).unwrap();
        Ok(AccessToken::new(format!("token-{number}"), expires_on))
    }
}

fn tokens(clock: &Arc<VirtualClock>, issuers: &[(CredentialKind, Arc<Issuer>)]) -> CredentialTokens {
    let usable = issuers.iter().map(|(kind, issuer)| (*kind, issuer.clone() as Arc<dyn TokenCredential>)).collect();
    CredentialTokens::new(Candidates { usable, skipped: vec![] }, SCOPE.to_owned(), clock.clone())
}

async fn value(tokens: &CredentialTokens) -> String {
    tokens.token().await.unwrap().reveal().to_owned()
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let clock = VirtualClock::new();
    let issuer = Issuer::new(&clock, false);
    let tokens = tokens(&clock, &[(CredentialKind::AzCli, issuer.clone())]);
    let together = futures::join!(value(&tokens), value(&tokens), value(&tokens));
    assert_eq!(together, ("token-1".into(), "token-1".into(), "token-1".into()));
    clock.advance(Duration::from_secs(54 * 60));
    assert_eq!(value(&tokens).await, "token-1");
    clock.advance(Duration::from_secs(2 * 60));
    assert_eq!(value(&tokens).await, "token-2");
}

#[tokio::test]
async fn a_rejected_token_is_replaced_once_for_all_who_held_it() {
    let clock = VirtualClock::new();
    let tokens = tokens(&clock, &[(CredentialKind::AzCli, Issuer::new(&clock, false))]);
    let old = tokens.token().await.unwrap();
    assert_eq!(tokens.renewed(&old).await.unwrap().unwrap().reveal(), "token-2");
    assert_eq!(tokens.renewed(&old).await.unwrap().unwrap().reveal(), "token-2");
}

#[tokio::test]
async fn the_first_that_works_stays_and_is_not_exchanged_for_another_identity() {
    let clock = VirtualClock::new();
    let (login, machine) = (Issuer::new(&clock, true), Issuer::new(&clock, false));
    let tokens =
        tokens(&clock, &[(CredentialKind::AzCli, login.clone()), (CredentialKind::ManagedIdentity, machine.clone())]);
    assert_eq!(value(&tokens).await, "token-1");
    *login.fails.lock().unwrap() = false;
    *machine.fails.lock().unwrap() = true;
    clock.advance(Duration::from_secs(3600));
    let error = tokens.token().await.unwrap_err();
    assert!(error.to_string().contains("managed-identity: the issuer is on strike"), "{error}");
    assert_eq!(login.issued.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn when_nothing_works_every_credential_is_listed_with_its_reason() {
    let clock = VirtualClock::new();
    let chosen = select(None, &IdentityValues::default()).unwrap();
    let strike = Issuer::new(&clock, true);
    let usable =
        chosen.usable.into_iter().map(|(kind, ())| (kind, strike.clone() as Arc<dyn TokenCredential>)).collect();
    let candidates = Candidates { usable, skipped: chosen.skipped };
    let error = CredentialTokens::new(candidates, SCOPE.to_owned(), clock).token().await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    no credential gave a token
      workload-identity: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE are not set; in a cluster the workload identity webhook sets them for pods labelled azure.workload.identity/use
      azure-pipelines: AZURESUBSCRIPTION_TENANT_ID, AZURESUBSCRIPTION_CLIENT_ID, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID, SYSTEM_ACCESSTOKEN, SYSTEM_OIDCREQUESTURI are not set; an AzureCLI@2 task with a service connection sets them, except SYSTEM_ACCESSTOKEN, which its env must map to $(System.AccessToken)
      environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET are not set; set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of a service principal
      az-cli: the issuer is on strike; run `az login`
      managed-identity: the issuer is on strike; give this machine a managed identity (AZURE_CLIENT_ID picks a user-assigned one), or name another credential with --auth
    ");
}

/// A machine on which `az` is not installed.
#[derive(Debug)]
struct NoPrograms;

#[async_trait]
impl Executor for NoPrograms {
    async fn run(&self, _: &OsStr, _: &[&OsStr]) -> io::Result<Output> {
        Err(io::Error::from(io::ErrorKind::NotFound))
    }
}

fn values() -> IdentityValues {
    IdentityValues::from_variables(|name| {
        let value = match name {
            "AZURE_TENANT_ID" | "AZURESUBSCRIPTION_TENANT_ID" => TENANT,
            "AZURE_FEDERATED_TOKEN_FILE" => "/nowhere/token",
            "AZURE_CLIENT_SECRET" | "SYSTEM_ACCESSTOKEN" => "hunter2",
            _ => "some-id",
        };
        Some(value.to_owned())
    })
}

/// Signs in with `kind` alone, Entra and the machine's identity endpoint answering as scripted.
async fn sign_in(kind: CredentialKind, entra: &Arc<Script>, machine: &Arc<Script>) -> Result<String, TokenError> {
    let mut outside = Outside::new(Cloud::UsGov.authority_host().parse().unwrap(), entra.clone(), machine.clone());
    outside.executor = Arc::new(NoPrograms);
    let built = build(select(Some(kind), &values())?, &values(), &outside);
    let tokens = CredentialTokens::new(built, Cloud::UsGov.scope(), VirtualClock::new());
    tokens.token().await.map(|token| token.reveal().to_owned())
}

fn reasons(error: TokenError) -> String {
    assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
    let TokenError::NoneWorked { tried } = error else { panic!("{error:?}") };
    tried.iter().map(Tried::to_string).collect::<Vec<_>>().join("\n")
}

const ENTRA: &str = "POST https://login.microsoftonline.us/11111111-1111-1111-1111-111111111111/oauth2/v2.0/token";

fn refused() -> Reply {
    let description = "AADSTS7000215: Invalid client secret provided.";
    Reply::json(
        401,
        &json!({"error": "invalid_client", "error_description": description, "error_codes": [7000215],
                "timestamp": "2026-11-22 10:00:00Z", "trace_id": "t", "correlation_id": "c"}),
    )
}

#[tokio::test]
async fn an_environment_secret_signs_in_at_the_entra_of_its_cloud() {
    let granted = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "granted"});
    let entra = Script::new([(ENTRA, Reply::json(200, &granted))]);
    assert_eq!(sign_in(CredentialKind::Environment, &entra, &Script::new([])).await.unwrap(), "granted");
    let sent = entra.finished();
    let form = String::from_utf8(sent[0].body().to_vec()).unwrap();
    assert!(form.contains("client_secret=hunter2"));
    assert!(form.contains("scope=https%3A%2F%2Fmanagement.usgovcloudapi.net%2F.default"), "{form}");
}

#[tokio::test]
async fn a_refused_environment_secret_is_not_shown() {
    let entra = Script::new([(ENTRA, refused())]);
    let told = reasons(sign_in(CredentialKind::Environment, &entra, &Script::new([])).await.unwrap_err());
    insta::assert_snapshot!(told, @"environment: ClientSecretCredential authentication failed. AADSTS7000215: Invalid client secret provided.; check the secret, its expiry, and that client and tenant belong together");
}

#[tokio::test]
async fn a_federated_token_file_that_is_not_there_is_named() {
    let told =
        reasons(sign_in(CredentialKind::WorkloadIdentity, &Script::new([]), &Script::new([])).await.unwrap_err());
    assert!(told.starts_with("workload-identity: ") && told.contains("/nowhere/token"), "{told}");
    assert!(told.ends_with("; check that the federated credential names this service account and issuer"), "{told}");
}

#[tokio::test]
async fn az_that_is_not_installed_or_not_signed_in_leads_to_az_login() {
    let told = reasons(sign_in(CredentialKind::AzCli, &Script::new([]), &Script::new([])).await.unwrap_err());
    assert!(told.starts_with("az-cli: ") && told.contains("PATH"), "{told}");
    assert!(told.ends_with("; run `az login`"), "{told}");
}

#[tokio::test]
async fn a_machine_without_an_identity_says_so() {
    let machine = Script::new([(
        "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01\
         &resource=https%3A%2F%2Fmanagement.usgovcloudapi.net&client_id=some-id",
        Reply::json(400, &json!({"error": "invalid_request", "error_description": "Identity not found"})),
    )]);
    let told = reasons(sign_in(CredentialKind::ManagedIdentity, &Script::new([]), &machine).await.unwrap_err());
    assert!(told.starts_with("managed-identity: ") && told.contains("has not been assigned"), "{told}");
    assert!(told.contains("AZURE_CLIENT_ID picks a user-assigned one"), "{told}");
    machine.finished();
}

#[tokio::test]
async fn outside_of_a_pipeline_the_missing_variable_is_named() {
    let told = reasons(sign_in(CredentialKind::AzurePipelines, &Script::new([]), &Script::new([])).await.unwrap_err());
    assert!(told.starts_with("azure-pipelines: ") && told.contains("SYSTEM_OIDCREQUESTURI"), "{told}");
    assert!(told.ends_with("; check that the service connection uses workload identity federation"), "{told}");
}

#[tokio::test]
async fn ad_fs_issues_tokens_at_a_path_of_its_own() {
    let granted = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": "granted"});
    let adfs = Script::new([("POST https://login.edge.contoso.com/adfs/oauth2/token", Reply::json(200, &granted))]);
    let authority = "https://login.edge.contoso.com/adfs".parse().unwrap();
    let outside = Outside::new(authority, adfs.clone(), Script::new([]));
    let built = build(select(Some(CredentialKind::Environment), &values()).unwrap(), &values(), &outside);
    let scope = "https://armmanagement.edge.contoso.com/.default".to_owned();
    let tokens = CredentialTokens::new(built, scope, VirtualClock::new());
    assert_eq!(tokens.token().await.unwrap().reveal(), "granted");
    let form = String::from_utf8(adfs.finished()[0].body().to_vec()).unwrap();
    assert!(form.contains("scope=https%3A%2F%2Farmmanagement.edge.contoso.com%2F.default"), "{form}");
}
