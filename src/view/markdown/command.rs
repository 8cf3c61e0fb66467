//! The command that applies a plan, as it can be copied into a shell.

use super::super::escape;
use super::context::Context;
use super::inert::fence;
use crate::model::is_hidden;
use crate::plan::{Choices, Mode, OfflineClusters, Plan, WaitFor, Workloads};

/// A longer command is not cut, but left out: a part of it would do something else.
const LONGEST: usize = 1000;

/// How to apply a plan: the command that was given, else arcflux with the spec and the decisions that it was made with.
pub(super) fn how_to_apply(plan: &Plan, context: &Context) -> String {
    let given = context.apply_command.as_ref().map(|command| escape::line(command.trim()));
    let given = given.filter(|command| !command.is_empty() && command.chars().count() <= LONGEST);
    let (command, lacks) = match given {
        Some(command) => (command, String::new()),
        None => own(plan),
    };
    format!("This applies it, and nothing else{lacks}:\n\n{}\n", fence("shell", &format!("{command}\n")))
}

/// The command, and a phrase for what must be added to it.
fn own(plan: &Plan) -> (String, String) {
    let mut lacks = Vec::new();
    if plan.base.is_some() && plan.spec_source.is_none() {
        lacks.push("the base");
    }
    if plan.resource_changes.iter().any(|change| !change.secrets.is_empty()) {
        lacks.push("the options for secrets");
    }
    let verb = match plan.mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
    };
    let options = options(plan);
    let is_plain = options.iter().all(|option| !option.chars().any(is_hidden));
    let words: Vec<String> = options.iter().map(|option| quoted(option)).collect();
    let mut command = format!("arcflux {verb} {} --expect {}", words.join(" "), plan.digest).replace("  ", " ");
    if !is_plain || command.chars().count() > LONGEST {
        command = format!("arcflux {verb} --expect {}", plan.digest);
        lacks = vec!["the options"];
    }
    let lacks = match lacks.as_slice() {
        [] => String::new(),
        some => format!(", with {} that it was planned with", some.join(" and ")),
    };
    (command, lacks)
}

/// The options that make the plan what it is, each a word.
fn options(plan: &Plan) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    if let Some(source) = &plan.spec_source {
        if source.file != "arcflux.yaml" {
            option("-f", &source.file);
        }
        source.allow_env.iter().for_each(|name| option("--allow-env", name));
        if let Some(base) = &source.base {
            option("--base", base);
        }
    }
    let Choices {
        only,
        wait,
        workloads,
        allow_replace,
        offline,
        resend_secrets,
        force_delete,
        max_delete,
        max_update,
        disconnect,
    } = &plan.choices;
    only.iter().for_each(|glob| option("--only", &glob.to_string()));
    match wait {
        WaitFor::Nothing => option("--wait", "none"),
        WaitFor::Provisioned => option("--wait", "provisioned"),
        WaitFor::Compliant => {}
    }
    match workloads {
        Some(Workloads::Delete) => option("--workloads", "delete"),
        Some(Workloads::Keep) => option("--workloads", "keep"),
        None => {}
    }
    match offline {
        OfflineClusters::Skip => option("--offline", "skip"),
        OfflineClusters::Fail => {}
    }
    force_delete.iter().for_each(|address| option("--force-delete", &address.to_string()));
    for (name, limit) in [("--max-delete", max_delete), ("--max-update", max_update)] {
        limit.iter().for_each(|limit| option(name, &limit.to_string()));
    }
    for (name, is_given) in
        [("--allow-replace", allow_replace), ("--resend-secrets", resend_secrets), ("--disconnect", disconnect)]
    {
        if *is_given {
            words.push(name.to_owned());
        }
    }
    words
}

/// A word that a POSIX shell takes for itself.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_@%+=:,./-".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        for (word, shown) in [
            ("specs/stores-eu.yaml", "specs/stores-eu.yaml"),
            ("rg-*/store", "'rg-*/store'"),
            ("my spec.yaml", "'my spec.yaml'"),
            ("it's", r"'it'\''s'"),
            ("$(id);`id`", "'$(id);`id`'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
