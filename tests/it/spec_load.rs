//! What a spec means, beyond the golden cases.

use arcflux::kinds::cluster::ClusterType;
use arcflux::model::FieldPath;
use arcflux::spec::{self, Desired, Inputs, Outcome};

const HEAD: &str = "apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg\n";

fn load(rest: &str) -> Outcome {
    spec::load_bytes("arcflux.yaml", format!("{HEAD}{rest}").as_bytes(), &Inputs::default())
}

fn desired(rest: &str) -> Desired {
    let outcome = load(rest);
    assert_eq!(outcome.diagnostics, []);
    outcome.desired.unwrap()
}

fn codes(outcome: &Outcome) -> Vec<(String, u32)> {
    outcome.diagnostics.iter().map(|diagnostic| (diagnostic.code.to_string(), diagnostic.span.unwrap().line)).collect()
}

#[test]
fn the_short_form_is_the_configuration_flux_system() {
    let desired = desired(
        "cluster: {name: c}\nrepo: {url: https://h/r, branch: main}\nkustomizations: {app: {path: ./a, prune: true}}\n",
    );
    let cluster = &desired.clusters[0];
    let configuration = &cluster.configurations["flux-system"];
    assert_eq!(configuration.namespace, "flux-system");
    assert_eq!(configuration.git_repository.as_ref().and_then(|source| source.branch.as_deref()), Some("main"));
    assert!(configuration.kustomizations["app"].prune);
    assert_eq!(cluster.providers, ["Microsoft.Kubernetes", "Microsoft.KubernetesConfiguration"]);
    assert_eq!((cluster.key.as_deref(), cluster.cluster.cluster_type), (None, ClusterType::ConnectedClusters));
}

#[test]
fn later_stages_can_point_at_lines() {
    let desired = desired(
        "cluster: {name: c}\nrepo:\n  url: https://h/r\n  branch: main\nkustomizations:\n  app:\n    path: ./a\n",
    );
    let cluster = &desired.clusters[0];
    let line = |path: &str| cluster.configuration_span("flux-system", &FieldPath::dotted(path)).unwrap().line;
    assert_eq!(line("gitRepository.url"), 6);
    assert_eq!(line("kustomizations.app.path"), 10);
    // What is not written has the place of what it belongs to.
    assert_eq!(line("kustomizations.app.prune"), 9);
    assert_eq!(line("kustomizations.app.nothing.here"), 9);
    assert_eq!(cluster.span().unwrap().line, 4);
}

#[test]
fn an_explicit_list_of_providers_replaces_the_default() {
    let desired = desired("cluster: {name: c}\nproviders: [Microsoft.Kubernetes]\n");
    assert_eq!(desired.clusters[0].providers, ["Microsoft.Kubernetes"]);
}

#[test]
fn a_reference_alone_keeps_its_type_and_an_escape_is_literal() {
    let desired = desired(
        concat!(
            "clusters:\n  one: {values: {prune: true, number: 3}}\n",
            "repo: {url: https://h/r, branch: main}\n",
            "kustomizations:\n  app:\n    path: ./n${values.number}\n    prune: ${values.prune}\n",
            "    postBuild: {substitute: {A: '$${B} ${C} ${cluster.name}', D: '${values.x:=1}'}}\n",
        )
        .replace("'${values.x:=1}'", "'${var:=1}'")
        .as_str(),
    );
    let app = &desired.clusters[0].configurations["flux-system"].kustomizations["app"];
    assert!(app.prune);
    assert_eq!(app.path, "./n3");
    let substitute = &app.post_build.as_ref().unwrap().substitute;
    assert_eq!(substitute["A"], "${B} ${C} one");
    assert_eq!(substitute["D"], "${var:=1}");
}

#[test]
fn what_comes_from_the_environment_is_not_a_template() {
    let mut inputs = Inputs::default();
    inputs.allowed.insert("BRANCH".to_owned());
    inputs.environment.insert("BRANCH".to_owned(), "${cluster.name}".to_owned());
    let text = format!(
        "{HEAD}cluster: {{name: c}}\nrepo: {{url: https://h/r, branch: '${{env:BRANCH}}'}}\nkustomizations: {{app: {{path: ./a}}}}\n"
    );
    let desired = spec::load_bytes("arcflux.yaml", text.as_bytes(), &inputs).desired.unwrap();
    let branch =
        desired.clusters[0].configurations["flux-system"].git_repository.clone().and_then(|source| source.branch);
    assert_eq!(branch.as_deref(), Some("${cluster.name}"));
}

#[test]
fn what_is_the_same_for_every_cluster_is_checked_after_substitution() {
    let mut inputs = Inputs::default();
    inputs.allowed.extend(["AZURE_TENANT_ID", "PROFILE"].map(str::to_owned));
    let text = format!(
        "{HEAD}tenant: ${{env:AZURE_TENANT_ID}}\npolicy: {{profile: '${{env:PROFILE}}'}}\ncluster: {{name: c}}\n"
    );
    let load = |tenant: &str, profile: &str| {
        let mut inputs = inputs.clone();
        inputs.environment.insert("AZURE_TENANT_ID".to_owned(), tenant.to_owned());
        inputs.environment.insert("PROFILE".to_owned(), profile.to_owned());
        spec::load_bytes("arcflux.yaml", text.as_bytes(), &inputs)
    };
    let good = load("7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3", "coral").desired.unwrap();
    assert_eq!(good.tenant.as_deref(), Some("7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3"));
    assert_eq!(good.policy.profile, Some(spec::Profile::Coral));
    assert_eq!(codes(&load("contoso", "corral")), [("AF018".to_owned(), 4), ("AF013".to_owned(), 5)]);
}

#[test]
fn one_wrong_type_hides_nothing_else() {
    let outcome = load(concat!(
        "cluster: 5\n",
        "repo:\n  url: git@github.com:o/r\n  branch: [main]\n",
        "kustomizations:\n  a: {path: ../x, dependsOn: [b]}\n  c: {prune: yes}\n",
    ));
    assert_eq!(
        codes(&outcome),
        [("AF011", 4), ("AF044", 6), ("AF011", 7), ("AF064", 9), ("AF061", 9), ("AF065", 10), ("AF011", 10)]
            .map(|(code, line)| (code.to_owned(), line))
    );
}

#[test]
fn ten_mistakes_are_ten_problems_on_the_right_lines() {
    let text = include_str!("../cases/spec/ten-mistakes/arcflux.yaml");
    let outcome = spec::load_bytes("arcflux.yaml", text.as_bytes(), &Inputs::default());
    let expected = [
        ("AF013", 6),
        ("AF010", 8),
        ("AF044", 10),
        ("AF041", 12),
        ("AF050", 13),
        ("AF011", 15),
        ("AF064", 18),
        ("AF011", 19),
        ("AF061", 22),
        ("AF007", 23),
    ];
    assert_eq!(codes(&outcome), expected.map(|(code, line)| (code.to_owned(), line)));
}

#[test]
fn anchors_and_merge_keys_are_read_and_problems_point_at_the_anchor() {
    let outcome = load(concat!(
        "cluster: {name: c}\nrepo: {url: https://h/r, branch: main}\n",
        "kustomizations:\n  a: &defaults {path: ./a, prune: yes}\n  b:\n    <<: *defaults\n    path: ./b\n",
    ));
    assert_eq!(codes(&outcome), [("AF011".to_owned(), 7)]);
}

#[test]
fn a_problem_of_a_template_is_told_once_for_all_clusters() {
    let outcome = load(concat!(
        "clusters:\n  one: {}\n  two: {}\n  three: {values: {zone: a}}\n",
        "repo: {url: https://h/r, branch: main}\nkustomizations:\n  app: {path: './${values.zone}'}\n",
    ));
    assert_eq!(codes(&outcome), [("AF030".to_owned(), 10)]);
    assert!(outcome.diagnostics[0].message.contains("`one`"), "{:?}", outcome.diagnostics);
}

#[test]
fn a_thousand_clusters_load() {
    let clusters: String = (0..1000).map(|number| format!("  c{number}: {{values: {{n: {number}}}}}\n")).collect();
    let desired = desired(&format!(
        "clusters:\n{clusters}repo: {{url: https://h/r, branch: main}}\nkustomizations: {{app: {{path: './${{values.n}}'}}}}\n"
    ));
    assert_eq!(desired.clusters.len(), 1000);
    assert_eq!(desired.clusters[999].configurations["flux-system"].kustomizations["app"].path, "./999");
}
