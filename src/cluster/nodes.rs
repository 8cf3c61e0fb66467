//! What nodes tell about their cluster: `az`'s heuristics (`../shared/facts/az-cli-behaviour.md` §3, step 9). Pure.
//!
//! `openebs`, which `az` knows too, is a storage that any distribution can have: no node is taken to tell it.

use serde_json::Value;

/// What is said where nothing is recognised.
const GENERIC: &str = "generic";

/// The distribution that `nodes` tell: the first that one of them does.
pub(super) fn distribution(nodes: &[Value]) -> String {
    nodes.iter().find_map(|node| distribution_of(&Node(node))).unwrap_or(GENERIC).to_owned()
}

/// The infrastructure that the `providerID` of `nodes` tells. `kind` and `k3s` are none: they run anywhere.
pub(super) fn infrastructure(nodes: &[Value]) -> String {
    let of = |node: &Value| {
        let provider = Node(node).provider().split_once("://")?.0;
        match provider {
            "" | "k3s" | "kind" | "moc" | "rke2" | "k3d" => None,
            "gce" => Some("gcp".to_owned()),
            other => Some(other.to_ascii_lowercase()),
        }
    };
    nodes.iter().find_map(of).unwrap_or_else(|| GENERIC.to_owned())
}

/// Whether one of `nodes` runs Linux.
pub(super) fn has_linux(nodes: &[Value]) -> bool {
    let is_linux = |node: &Value| {
        let node = Node(node);
        node.label("kubernetes.io/os").or_else(|| node.info("operatingSystem")) == Some("linux")
    };
    nodes.iter().any(is_linux)
}

/// A node as the API writes it.
struct Node<'a>(&'a Value);

impl<'a> Node<'a> {
    fn label(&self, name: &str) -> Option<&'a str> {
        self.0["metadata"]["labels"].get(name)?.as_str()
    }

    fn has_label(&self, name: &str) -> bool {
        self.label(name).is_some()
    }

    fn annotation(&self, name: &str) -> Option<&'a str> {
        self.0["metadata"]["annotations"].get(name)?.as_str()
    }

    fn has_annotation(&self, name: &str) -> bool {
        self.annotation(name).is_some()
    }

    fn provider(&self) -> &'a str {
        self.0["spec"]["providerID"].as_str().unwrap_or_default()
    }

    fn info(&self, name: &str) -> Option<&'a str> {
        self.0["status"]["nodeInfo"].get(name)?.as_str()
    }

    fn image(&self) -> &'a str {
        self.info("osImage").unwrap_or_default()
    }

    fn kubelet(&self) -> &'a str {
        self.info("kubeletVersion").unwrap_or_default()
    }

    fn is_instance_of(&self, name: &str) -> bool {
        self.label("node.kubernetes.io/instance-type") == Some(name)
    }
}

/// In the order in which `az` looks: a node of k3s that kubeadm has left a trace on is one of k3s.
fn distribution_of(node: &Node<'_>) -> Option<&'static str> {
    let provider = node.provider();
    let rows: &[(bool, &str)] = &[
        (node.has_label("node.openshift.io/os_id"), "openshift"),
        (node.has_label("kubernetes.azure.com/node-image-version"), "aks"),
        (
            node.has_label("cloud.google.com/gke-nodepool") || node.has_label("cloud.google.com/gke-os-distribution"),
            "gke",
        ),
        (node.has_label("eks.amazonaws.com/nodegroup"), "eks"),
        (node.has_label("minikube.k8s.io/version"), "minikube"),
        (node.annotation("node.aksedge.io/distro") == Some("aks_edge_k3s"), "aks_edge_k3s"),
        (node.annotation("node.aksedge.io/distro") == Some("aks_edge_k8s"), "aks_edge_k8s"),
        (provider.starts_with("kind://"), "kind"),
        (provider.starts_with("k3s://") || node.is_instance_of("k3s"), "k3s"),
        (
            node.has_annotation("rke.cattle.io/external-ip") || node.has_annotation("rke.cattle.io/internal-ip"),
            "rancher_rke",
        ),
        (node.has_label("microk8s.io/cluster"), "microk8s"),
        (node.has_label("k3os.io/mode") || node.image().starts_with("k3OS"), "k3os"),
        (node.has_annotation("talos.dev/owned-labels") || node.image().starts_with("Talos"), "talos"),
        (provider.starts_with("rke2://") || node.is_instance_of("rke2") || node.kubelet().contains("+rke2"), "rke2"),
        (node.has_label("run.tanzu.vmware.com/kubernetesDistributionVersion"), "tkg"),
        (node.image().starts_with("Flatcar"), "flatcar"),
        (node.has_label("node.k0sproject.io/role") || node.kubelet().contains("+k0s"), "k0s"),
        (node.has_annotation("kubeadm.alpha.kubernetes.io/cri-socket"), "kubeadm"),
    ];
    rows.iter().find(|(holds, _)| *holds).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn distributions() {
        let label = |name: &str, value: &str| json!({"metadata": {"labels": {name: value}}});
        let annotation = |name: &str, value: &str| json!({"metadata": {"annotations": {name: value}}});
        let provider = |id: &str| json!({"spec": {"providerID": id}});
        let info = |name: &str, value: &str| json!({"status": {"nodeInfo": {name: value}}});
        for (node, expected) in [
            (label("node.openshift.io/os_id", "rhcos"), "openshift"),
            (label("kubernetes.azure.com/node-image-version", "AKSUbuntu-2204"), "aks"),
            (label("cloud.google.com/gke-nodepool", "default"), "gke"),
            (label("cloud.google.com/gke-os-distribution", "cos"), "gke"),
            (label("eks.amazonaws.com/nodegroup", "workers"), "eks"),
            (label("minikube.k8s.io/version", "v1.36.0"), "minikube"),
            (annotation("node.aksedge.io/distro", "aks_edge_k3s"), "aks_edge_k3s"),
            (annotation("node.aksedge.io/distro", "aks_edge_k8s"), "aks_edge_k8s"),
            (annotation("node.aksedge.io/distro", "other"), "generic"),
            (provider("kind://docker/kind/kind-control-plane"), "kind"),
            (provider("k3s://store-001"), "k3s"),
            (label("node.kubernetes.io/instance-type", "k3s"), "k3s"),
            (annotation("rke.cattle.io/internal-ip", "10.0.0.4"), "rancher_rke"),
            (annotation("rke.cattle.io/external-ip", "10.0.0.4"), "rancher_rke"),
            (label("microk8s.io/cluster", "true"), "microk8s"),
            (info("osImage", "k3OS v0.21.5-k3s2r1"), "k3os"),
            (info("osImage", "Talos (v1.11.2)"), "talos"),
            (info("kubeletVersion", "v1.33.5+rke2r1"), "rke2"),
            (label("run.tanzu.vmware.com/kubernetesDistributionVersion", "v1.27"), "tkg"),
            (info("osImage", "Flatcar Container Linux by Kinvolk 4230.2.3"), "flatcar"),
            (info("kubeletVersion", "v1.33.4+k0s"), "k0s"),
            (annotation("kubeadm.alpha.kubernetes.io/cri-socket", "unix:///run/containerd/containerd.sock"), "kubeadm"),
            (json!({}), "generic"),
            (json!(null), "generic"),
            (json!({"metadata": {"labels": "no mapping"}, "spec": 1}), "generic"),
        ] {
            assert_eq!(distribution(std::slice::from_ref(&node)), expected, "{node}");
        }
        let both = json!({
            "metadata": {"annotations": {"kubeadm.alpha.kubernetes.io/cri-socket": "/run/containerd/containerd.sock"}},
            "spec": {"providerID": "kind://docker/kind/kind-control-plane"},
        });
        assert_eq!(distribution(&[both]), "kind");
        assert_eq!(distribution(&[json!({}), provider("k3s://b")]), "k3s");
        assert_eq!(distribution(&[]), "generic");
    }

    #[test]
    fn infrastructures() {
        for (provider, expected) in [
            ("azure:///subscriptions/s/resourceGroups/rg/providers/…", "azure"),
            ("aws:///eu-west-1a/i-0123456789", "aws"),
            ("gce://project/europe-west1-b/node", "gcp"),
            ("vsphere://4237-1234", "vsphere"),
            ("openstack:///1234", "openstack"),
            ("kind://docker/kind/kind-control-plane", "generic"),
            ("k3s://store-001", "generic"),
            ("moc://node", "generic"),
            ("", "generic"),
        ] {
            assert_eq!(infrastructure(&[json!({"spec": {"providerID": provider}})]), expected, "{provider}");
        }
        assert_eq!(infrastructure(&[]), "generic");
    }

    #[test]
    fn a_cluster_of_windows_nodes_has_no_linux_node() {
        let windows = json!({"metadata": {"labels": {"kubernetes.io/os": "windows"}}});
        let linux = json!({"status": {"nodeInfo": {"operatingSystem": "linux"}}});
        assert!(!has_linux(std::slice::from_ref(&windows)));
        assert!(has_linux(&[windows, linux]));
        assert!(!has_linux(&[]));
    }
}
