//! A field that cannot change in place: deletion and creation as steps of one change, with the workloads kept.

use serde_json::Value;

use super::super::effects;
use super::super::kustomizations::{live_kustomizations, prune_off, removal_consequence};
use super::{Decision, Draft, GIVE_THE_SECRET, Stored};
use crate::kinds::{Body, shown_path};
use crate::plan::{Action, Reason, Step, Until, Workloads};

impl Draft<'_> {
    pub(super) fn replace(&self, decision: &mut Decision, body: &Body, live: &Value, stored: &Stored) {
        let address = &self.node.address;
        decision.action = Action::Replace;
        decision.reason = Reason::ImmutableFieldsDiffer;
        self.check_destination(decision, live, stored);
        if self.spec.protect {
            decision.refuse(
                address,
                "protected",
                "the spec says `protect: true`, and the plan would delete the configuration to create it again"
                    .to_owned(),
                "take the change back, or take `protect` out in a change of its own first".to_owned(),
            );
        }
        if !self.options.choices.allow_replace {
            let paths: Vec<String> = decision.replace_paths.iter().map(|path| shown_path(path).to_string()).collect();
            decision.refuse(
                address,
                "replace_not_allowed",
                format!(
                    "{} cannot change in place: the configuration must be deleted and created again",
                    paths.join(", ")
                ),
                "allow it with `--allow-replace`, or take the change back".to_owned(),
            );
        }
        if *stored == Stored::NotSupplied {
            decision.refuse(
                address,
                "stored_secret_would_be_lost",
                "the configuration has a stored secret, which a new one would not have".to_owned(),
                GIVE_THE_SECRET.to_owned(),
            );
        }
        let all = live_kustomizations(live);
        let pruning: Vec<&str> = all.iter().filter(|one| one.prune).map(|one| one.name).collect();
        let delete = self.options.choices.workloads == Some(Workloads::Delete);
        if !delete {
            decision.steps.extend(
                (!pruning.is_empty()).then(|| prune_off(self.node, &decision.before, &pruning)).into_iter().flatten(),
            );
        }
        effects::of_replacement(decision, self.spec, &pruning, delete);
        for kustomization in all.iter().filter(|one| delete && one.prune) {
            removal_consequence(decision, kustomization, false);
        }
        decision.steps.push(Step::Delete {
            id: self.node.id.clone(),
            api_version: self.node.api_version.clone(),
            force: false,
        });
        decision.steps.push(self.wait(Until::Gone));
        decision.steps.push(self.put(&self.whole_body(decision, body)));
        decision.steps.extend(self.end());
        decision.account_for_secrets(self.node, &body.holes, "it is created again", self.options);
    }
}
