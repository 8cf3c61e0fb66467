//! How declared clusters are doing, in every format.

use super::mermaid::Flowchart;
use super::style::Tone;
use super::{Format, Style, html, json, markdown, value};
use crate::kinds::compliance::{Cause, KustomizationState, Readiness};
use crate::kinds::extension_versions::shown;
use crate::plan::{ClusterStatus, ConfigurationStatus, ExtensionStatus, StatusReport, Verdict};

/// The status as a document that ends with a line feed. `style` is for text alone.
#[must_use]
pub fn render(report: &StatusReport, format: Format, style: &Style) -> String {
    match format {
        Format::Text => text(report, *style),
        Format::Json => json::pretty(report),
        Format::Mermaid => mermaid(report),
        Format::Markdown => markdown::report("arcflux status", &text(report, Style::PLAIN)),
        Format::Html => html::report("arcflux status", &text(report, Style::PLAIN)),
    }
}

fn text(report: &StatusReport, style: Style) -> String {
    let mut out = String::new();
    for cluster in &report.clusters {
        cluster_lines(&mut out, cluster, style);
        out.push('\n');
    }
    let all = report.clusters.iter().flat_map(|cluster| &cluster.configurations);
    let good = all.clone().filter(|one| one.verdict.is_as_wanted()).count();
    let sentence = format!("Status: {good} of {} configurations compliant.", all.count());
    let unready = report.clusters.iter().filter(|cluster| !cluster.ready).count();
    let sentence = match unready {
        0 => sentence,
        1 => format!("{sentence} 1 cluster is not connected, so what is shown of it may be old."),
        many => format!("{sentence} {many} clusters are not connected, so what is shown of them may be old."),
    };
    let tone = if report.compliant { Tone::Good } else { Tone::Bad };
    for line in style.sentence("", "", &sentence).lines() {
        out.push_str(&style.paint(tone, line));
        out.push('\n');
    }
    out
}

fn cluster_lines(out: &mut String, cluster: &ClusterStatus, style: Style) {
    let ClusterStatus { address, kind, state, ready, agent_version, last_heartbeat, extension, configurations } =
        cluster;
    let heading = style.paint(Tone::Heading, &value::name(&address.to_string()));
    let state = style.paint(judged(*ready), &value::name(state));
    out.push_str(&format!("{heading} ({}): {state}\n", kind.noun()));
    if let Some(version) = agent_version {
        let heard = last_heartbeat.as_ref().map(|time| format!(", last heartbeat {time}")).unwrap_or_default();
        out.push_str(&style.sentence("  agent: ", "      ", &format!("{version}{heard}")));
    }
    match extension {
        None => out.push_str(&format!("  extension: {}\n", style.paint(Tone::Bad, "not installed"))),
        Some(ExtensionStatus { name, version, provisioning_state, ready }) => {
            let version =
                version.as_ref().map(|version| format!(" {}", value::name(&shown(version)))).unwrap_or_default();
            let state = style.paint(judged(*ready), &value::name(provisioning_state));
            out.push_str(&format!("  extension: {}{version}, {state}\n", value::name(name)));
        }
    }
    for configuration in configurations {
        configuration_lines(out, configuration, style);
    }
}

fn configuration_lines(out: &mut String, configuration: &ConfigurationStatus, style: Style) {
    let ConfigurationStatus { address, provisioning_state, compliance_state, synced_revision, verdict, kustomizations } =
        configuration;
    let tone = match verdict {
        Verdict::Compliant | Verdict::Suspended => Tone::Good,
        Verdict::Waiting { .. } => Tone::Change,
        Verdict::Failing { .. } | Verdict::Unknown { .. } => Tone::Bad,
    };
    let word = match verdict {
        Verdict::Compliant => "compliant",
        Verdict::Suspended => "suspended, as the spec says",
        Verdict::Waiting { .. } => "not compliant yet",
        Verdict::Failing { .. } => "failing",
        Verdict::Unknown { message } => message,
    };
    out.push_str(&format!("  {}: {}\n", value::name(&address.to_string()), style.paint(tone, &value::name(word))));
    if let Some(revision) = synced_revision {
        out.push_str(&style.sentence("    source at ", "      ", revision));
    }
    let width = kustomizations.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    for KustomizationState { name, readiness, message } in kustomizations {
        let (tone, word) = match readiness {
            Readiness::Ready => (Tone::Good, "ready    "),
            Readiness::Waiting => (Tone::Change, "waiting  "),
            Readiness::NotReady => (Tone::Bad, "not ready"),
        };
        let name = format!("    {:width$} ", value::name(name));
        // Wrapped by what is seen: colour has no width.
        let margin = " ".repeat(name.chars().count() + word.len() + 1);
        let message = style.sentence(&margin, "        ", message);
        out.push_str(format!("{name}{} {}", style.paint(tone, word), message.trim_start()).trim_end());
        out.push('\n');
    }
    match verdict {
        Verdict::Compliant | Verdict::Suspended | Verdict::Unknown { .. } => {}
        Verdict::Waiting { waiting_for } => {
            out.push_str(&style.sentence("    waiting: ", "      ", waiting_for));
        }
        Verdict::Failing { cause: Cause { kind, name, reason, message }, remedy } => {
            let sentence = format!("{kind} {name} ({reason}): {message}");
            out.push_str(&style.sentence("    first failing: ", "      ", &sentence));
            if let Some(remedy) = remedy {
                out.push_str(&style.sentence("    remedy: ", "      ", remedy));
            }
        }
    }
    if !verdict.is_as_wanted() {
        let words = [("provisioningState", provisioning_state), ("complianceState", compliance_state)];
        let words: Vec<String> =
            words.into_iter().filter_map(|(name, word)| Some(format!("{name} {}", word.as_ref()?))).collect();
        if !words.is_empty() {
            out.push_str(&style.sentence("    in ARM: ", "      ", &words.join(", ")));
        }
    }
}

fn judged(good: bool) -> Tone {
    if good { Tone::Good } else { Tone::Bad }
}

fn mermaid(report: &StatusReport) -> String {
    let mut chart = Flowchart::new();
    for cluster in &report.clusters {
        let class = if cluster.ready { "create" } else { "delete" };
        chart.node(&cluster.address, &format!("{}: {}", cluster.address, cluster.state), class);
        for configuration in &cluster.configurations {
            let (class, word) = match configuration.verdict {
                Verdict::Compliant => ("create", "compliant"),
                Verdict::Suspended => ("same", "suspended"),
                Verdict::Waiting { .. } => ("wait", "not compliant yet"),
                Verdict::Failing { .. } => ("delete", "failing"),
                Verdict::Unknown { .. } => ("same", "unknown"),
            };
            chart.node(&configuration.address, &format!("{}: {word}", configuration.address), class);
            chart.edge(&cluster.address, &configuration.address);
        }
    }
    chart.finish()
}
