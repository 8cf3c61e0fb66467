//! What a spec says and no plain Flux object can: told, never dropped in silence.

use super::Note;
use crate::kinds::extension::{ExtensionSpec, MULTI_TENANCY};
use crate::kinds::flux_configuration::{ConfigurationSpec, Presence};
use crate::spec::DesiredCluster;

/// What the spec says of the cluster as a whole.
pub(super) fn of_cluster(cluster: &DesiredCluster, enforces: bool) -> Vec<Note> {
    let about = |message: String| Note { configuration: None, message };
    let mut notes = vec![about(
        "nothing of Azure is rendered: no resource group, no provider, no cluster, no extension. Flux itself must be on \
         the cluster: `flux install`"
            .to_owned(),
    )];
    if enforces {
        notes.push(about(
            "multi-tenancy is enforced by arguments of Flux's controllers, which are not rendered: give \
             kustomize-controller, helm-controller, notification-controller and the image controllers \
             `--no-cross-namespace-refs=true`, and kustomize-controller and helm-controller \
             `--default-service-account=flux-applier`, too"
                .to_owned(),
        ));
    }
    let said = of_extension(&cluster.extension);
    if !said.is_empty() {
        notes.push(about(format!(
            "these settings of the extension are for the installation of Flux, which is not rendered: {}",
            said.join(", ")
        )));
    }
    if !cluster.absent.is_empty() {
        notes.push(about(format!(
            "configurations with `state: absent` have no objects, and what a cluster has of them stays: {}",
            cluster.absent.join(", ")
        )));
    }
    notes
}

/// The names of what the spec says of the extension; which are in it is decided for each.
fn of_extension(extension: &ExtensionSpec) -> Vec<String> {
    let ExtensionSpec {
        // Only the name of a record in Azure.
        name: _,
        // It shapes the objects.
        multi_tenancy: _,
        configuration_settings,
        configuration_protected_settings,
        version,
        release_train,
        auto_upgrade_minor_version,
        auto_upgrade_mode,
        scope,
        plan,
    } = extension;
    let settings = configuration_settings.keys().filter(|name| !name.eq_ignore_ascii_case(MULTI_TENANCY));
    let fields = [
        ("version", version.is_some()),
        ("releaseTrain", release_train.is_some()),
        ("autoUpgradeMinorVersion", auto_upgrade_minor_version.is_some()),
        ("autoUpgradeMode", auto_upgrade_mode.is_some()),
        ("scope", scope.is_some()),
        ("plan", plan.is_some()),
    ];
    let fields = fields.into_iter().filter(|(_, is_said)| *is_said).map(|(name, _)| name.to_owned());
    settings.chain(configuration_protected_settings.keys()).cloned().chain(fields).collect()
}

/// What the spec says of a configuration.
pub(super) fn of_configuration(spec: &ConfigurationSpec) -> Vec<String> {
    let ConfigurationSpec {
        namespace: _,
        scope: _,
        depends_on,
        state,
        protect,
        ignore,
        // What the author accepts of the spec itself.
        allow: _,
        suspend: _,
        wait_for_reconciliation,
        // Nothing without the one above.
        reconciliation_wait_duration: _,
        git_repository: _,
        bucket: _,
        azure_blob: _,
        oci_repository: _,
        kustomizations: _,
    } = spec;
    let mut notes = Vec::new();
    if !depends_on.is_empty() {
        notes.push(format!(
            "`dependsOn` of a configuration is kept by the order of the objects alone: apply those of {} first, and wait \
             until they are ready",
            depends_on.join(", ")
        ));
    }
    match state {
        Presence::Present => {}
        Presence::Absent => notes.push("`state: absent` has no object".to_owned()),
    }
    if *protect {
        notes.push("`protect` guards what Azure has; nothing keeps anybody from deleting these objects".to_owned());
    }
    if !ignore.is_empty() {
        let fields: Vec<String> = ignore.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "`ignore` leaves fields as Azure has them; here they are what the spec says: {}",
            fields.join(", ")
        ));
    }
    if *wait_for_reconciliation {
        notes.push(
            "`waitForReconciliation` is about Azure's own operation; to wait: `kubectl wait kustomization --all \
             --for=condition=Ready --namespace NAMESPACE`"
                .to_owned(),
        );
    }
    notes
}
