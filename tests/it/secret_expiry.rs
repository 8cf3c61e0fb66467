//! Secrets whose values tell that they cannot work: found before anything is sent.

use arcflux::apply::{SecretError, SecretResolver, Secrets};
use arcflux::model::{Secret, SecretRef};

use crate::simulated::World;

const SPEC: &str = "
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
cluster: {name: store-001}
configurations:
  blob:
    azureBlob:
      url: https://stcontoso.blob.core.windows.net
      containerName: manifests
      sasToken: {env: SAS}
    kustomizations: {app: {path: ./apps}}
";

struct Signature(&'static str);

impl SecretResolver for Signature {
    fn resolve(&self, _: &SecretRef) -> Result<Secret, SecretError> {
        Ok(Secret::new(format!("sv=2022-11-02&sp=rl&se={}&sig=abc%3D", self.0)))
    }
}

#[tokio::test]
async fn a_signature_that_has_expired_is_refused_and_one_that_soon_will_is_told() {
    let world = World::of(SPEC);
    let plan = world.plan(SPEC).await;
    // The simulator begins in 2026.
    let read = |expiry| Secrets::read(&plan, &Signature(expiry), world.arm.now());
    let errors = read("2020-01-01T00:00:00Z").unwrap_err();
    assert!(errors[0].to_string().contains("expired"), "{errors:?}");
    assert_eq!(read("2026-01-10T00:00:00Z").unwrap().warnings().len(), 1);
    assert_eq!(read("2027-01-01T00:00:00Z").unwrap().warnings().len(), 0);
}
