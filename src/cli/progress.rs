//! Progress of an apply: bars on a terminal, plain lines elsewhere, or JSON events.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::arg_values::TextOrJson;
use super::console::Console;
use super::heartbeat::{Heartbeat, TICK};
use crate::arm::ArmClient;
use crate::http::Clock;
use crate::model::Address;
use crate::plan::{Event, EventKind};
use crate::view;

/// Shows events as they come.
pub(super) struct Progress {
    console: Console,
    sink: Sink,
    heartbeat: Mutex<Heartbeat>,
}

enum Sink {
    /// One JSON object a line, on standard output.
    Json,
    /// One line an event, on standard error. What only repeats itself is said again after a while, so that half a minute or so is the longest silence.
    Lines { said: Mutex<BTreeMap<Address, (String, i64)>> },
    /// A spinner for each resource under way, below them a bar for all, and above a line for each that is done.
    Bars { all: MultiProgress, total: ProgressBar, bars: Mutex<BTreeMap<Address, ProgressBar>> },
}

impl Progress {
    /// `resources` is how many have something to be done.
    pub(super) fn new(format: TextOrJson, resources: u64, console: Console) -> Self {
        let sink = match format {
            TextOrJson::Json => Sink::Json,
            TextOrJson::Text if console.is_watched && resources > 0 => {
                let all = MultiProgress::new();
                let total = all.add(ProgressBar::new(resources).with_style(style("[{bar:20}] {pos}/{len}")));
                total.tick();
                Sink::Bars { all, total, bars: Mutex::new(BTreeMap::new()) }
            }
            TextOrJson::Text => Sink::Lines { said: Mutex::new(BTreeMap::new()) },
        };
        Self { console, sink, heartbeat: Mutex::default() }
    }

    /// Says what was last heard of whatever was silent for a while, or what holds it up, again and again.
    pub(super) async fn beat(&self, clock: &dyn Clock, arm: &ArmClient) -> Infallible {
        loop {
            clock.sleep(TICK).await;
            let (now, by) = (arm.now(), arm.held_up());
            let silent = self.heartbeat.lock().unwrap_or_else(PoisonError::into_inner).beat(now, by);
            silent.iter().for_each(|event| self.show(event));
        }
    }

    pub(super) fn show(&self, event: &Event) {
        self.heartbeat.lock().unwrap_or_else(PoisonError::into_inner).follow(event);
        match &self.sink {
            Sink::Json => self.console.print(&format!("{}\n", view::apply::event_json(event))),
            Sink::Lines { said } => {
                let is_new = is_new(&mut said.lock().unwrap_or_else(PoisonError::into_inner), event);
                if is_new && let Some(line) = view::apply::event_line(event, &self.console.err) {
                    self.console.tell(&line);
                }
            }
            Sink::Bars { all, total, bars } => {
                let mut bars = bars.lock().unwrap_or_else(PoisonError::into_inner);
                let line = view::apply::event_line(event, &self.console.err);
                match &event.kind {
                    EventKind::ApplyStart { .. } => {
                        let bar = ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}"));
                        let bar = all.insert_before(total, bar);
                        bar.enable_steady_tick(Duration::from_millis(120));
                        bar.set_message(line.unwrap_or_default());
                        bars.insert(event.address.clone(), bar);
                    }
                    EventKind::Accepted { .. } | EventKind::ApplyProgress { .. } => {
                        if let (Some(bar), Some(line)) = (bars.get(&event.address), line) {
                            bar.set_message(line);
                        }
                    }
                    EventKind::ApplyComplete { .. }
                    | EventKind::ApplyErrored { .. }
                    | EventKind::ApplySkipped { .. } => {
                        if let Some(bar) = bars.remove(&event.address) {
                            bar.finish_and_clear();
                        }
                        if let Some(line) = line {
                            let _gone = all.println(line);
                        }
                        total.inc(1);
                    }
                }
            }
        }
    }

    /// A message, on a line of its own: above the bars, where there are some.
    pub(super) fn tell(&self, line: &str) {
        match &self.sink {
            Sink::Json | Sink::Lines { said: _ } => self.console.tell(line),
            Sink::Bars { all, .. } => {
                let _gone = all.println(line);
            }
        }
    }

    /// Takes what is still drawn off the terminal, and leaves the cursor at the beginning of a line.
    pub(super) fn finish(&self) {
        if let Sink::Bars { all, .. } = &self.sink {
            let _gone = all.clear();
            self.console.tell("");
        }
    }
}

/// Whether an event says something that was not said of its resource just now. Looks are up to half a minute apart.
fn is_new(said: &mut BTreeMap<Address, (String, i64)>, event: &Event) -> bool {
    const AGAIN_AFTER_SECONDS: i64 = 20;
    let EventKind::ApplyProgress { status, elapsed_seconds, .. } = &event.kind else { return true };
    match said.get(&event.address) {
        Some((before, at)) if before == status && elapsed_seconds - at < AGAIN_AFTER_SECONDS => false,
        Some(_) | None => {
            said.insert(event.address.clone(), (status.clone(), *elapsed_seconds));
            true
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}
