//! From the command line to clusters themselves: a kubeconfig, helm and `az`, or what the simulator has in their place.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::Environment;
use super::args::ClusterArgs;
use super::connect::Connection;
use super::error::{CliError, chain};
use super::rehearsal::{self, Rehearsal};
use crate::apply::{Chart, Charts};
use crate::arm::{ArmClient, CloudEndpoints, ConfigurationPlane, HelmSettings, PlaneError};
use crate::cluster::{AgentKeys, ClusterError, Clusters, KeyError, Kubernetes, Tools};
use crate::http::SystemClock;
use crate::plan::{ChartFrom, Plan, Step};

/// What clusters are reached with.
pub(super) struct Reach {
    pub(super) kubernetes: Arc<dyn Kubernetes>,
    pub(super) charts: Arc<dyn Charts>,
    pub(super) keys: fn() -> Result<AgentKeys, KeyError>,
}

impl Reach {
    /// `None` where clusters may not be touched. Nothing is reached yet.
    pub(super) fn open(
        args: &ClusterArgs,
        connection: &Connection,
        environment: &Environment,
    ) -> Result<Option<Self>, CliError> {
        if !args.allow_cluster {
            return Ok(None);
        }
        let charts = Arc::new(Given {
            chart: args.chart.clone(),
            file: values(args.chart_values.as_deref())?,
            arm: connection.arm.clone(),
            cloud: connection.cloud.clone(),
        });
        if let Some(simulator) = &connection.simulator {
            let kubernetes = Arc::new(Rehearsal(simulator.clone()));
            return Ok(Some(Self { kubernetes, charts, keys: rehearsal::keys }));
        }
        let tools = tools(args.kubeconfig.as_deref(), args.helm.as_deref(), args.az.as_deref(), environment);
        let kubernetes = Arc::new(Clusters::new(tools, Arc::new(SystemClock)));
        Ok(Some(Self { kubernetes, charts, keys: AgentKeys::generate }))
    }
}

/// Where the chart of a plan is from, by these options.
pub(super) fn chart_from(args: &ClusterArgs) -> ChartFrom {
    match args.chart {
        Some(_) => ChartFrom::Local,
        None => ChartFrom::Service,
    }
}

/// Refuses to carry out a plan that reaches clusters, where that is not allowed.
pub(super) fn require(plan: &Plan, args: &ClusterArgs) -> Result<(), CliError> {
    let reaches = |steps: &[Step]| steps.iter().any(Step::reaches_a_cluster);
    let reached: Vec<String> = plan
        .resource_changes
        .iter()
        .filter(|change| reaches(&change.steps))
        .map(|change| change.address.to_string())
        .collect();
    if args.allow_cluster || reached.is_empty() {
        return Ok(());
    }
    Err(CliError::refused("the plan reaches clusters themselves, which is not allowed; nothing was written")
        .details(reached)
        .hint("give `--allow-cluster`, and the kubeconfig with `--kubeconfig FILE` where it is not the usual one"))
}

/// What clusters are reached with in earnest: what is named, or what is usual.
pub(super) fn tools(
    kubeconfig: Option<&OsStr>,
    helm: Option<&Path>,
    az: Option<&Path>,
    environment: &Environment,
) -> Tools {
    let program = |named: Option<&Path>, usual: &str| named.map_or_else(|| PathBuf::from(usual), Path::to_path_buf);
    Tools {
        kubeconfig: kubeconfigs(kubeconfig, environment),
        helm: program(helm, "helm"),
        az: program(az, "az"),
        environment: environment.variables().map(|(name, value)| (name.into(), value.into())).collect(),
    }
}

/// The kubeconfigs: those that are named, or the usual one.
fn kubeconfigs(named: Option<&OsStr>, environment: &Environment) -> Vec<PathBuf> {
    match named.filter(|named| !named.is_empty()) {
        Some(named) => std::env::split_paths(named).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => {
            let home = ["HOME", "USERPROFILE"].into_iter().find_map(|name| environment.get(name));
            home.map(|home| Path::new(home).join(".kube").join("config")).into_iter().collect()
        }
    }
}

/// The values of a file that the user gives.
fn values(path: Option<&Path>) -> Result<Option<Value>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| CliError::because(format!("cannot read {name}"), &error))?;
    // What stands in the file may be a secret: an error must not quote it.
    match serde_yaml::from_str::<Value>(&text) {
        Ok(values @ Value::Object(_)) => Ok(Some(values)),
        Ok(_) | Err(_) => Err(CliError::new(format!("{name} does not hold values of a chart"))
            .hint("write a mapping in YAML, as for `helm --values`")),
    }
}

/// The chart that the user gives, or else the one that Azure names; and the values that the user gives.
struct Given {
    chart: Option<String>,
    file: Option<Value>,
    arm: ArmClient,
    cloud: CloudEndpoints,
}

#[async_trait]
impl Charts for Given {
    async fn chart(&self, _from: ChartFrom, record: &Value) -> Result<Chart, ClusterError> {
        let file = self.file.clone();
        if let Some(reference) = &self.chart {
            return Ok(Chart { reference: reference.clone(), settings: BTreeMap::new(), file });
        }
        let HelmSettings { chart, values } = self.settings(record).await.map_err(|error| ClusterError {
            message: chain(&error),
            hint: Some(format!("{}; or give the chart: `--chart DIRECTORY|ARCHIVE|oci://…`", error.hint())),
        })?;
        Ok(Chart { reference: chart, settings: values, file })
    }
}

impl Given {
    /// What the configuration data plane says.
    async fn settings(&self, record: &Value) -> Result<HelmSettings, PlaneError> {
        let location = record.get("location").and_then(Value::as_str).unwrap_or_default();
        let origin = self.cloud.configuration_endpoint(location)?;
        ConfigurationPlane::new(&self.arm, origin).helm_settings(record).await
    }
}
