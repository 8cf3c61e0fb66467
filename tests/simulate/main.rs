//! The whole system, simulated: the engine with everything above the transport, the simulator behind it, one thread,
//! virtual time, and one seed that decides everything.
//!
//! ```text
//! cargo test --test simulate                                a few hundred seeds
//! cargo test --test simulate -- --seeds 5000 --from 7       as many as wanted
//! cargo test --test simulate -- --seed 4711 --trace         one, with everything that happened in it
//! cargo test --test simulate -- --makespan                  how long fleets take
//! ```

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a test target without a harness prints itself")]

mod check;
mod makespan;
mod network;
mod process;
mod story;
mod time;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use story::Told;

/// How many seeds a plain `cargo test` runs: what an unoptimised build does in about forty seconds on two cores.
const SEEDS: u64 = 200;

/// One seed in so many is run a second time: its trace must be the same to the byte.
const AGAIN: u64 = 20;

/// A long run tells how far it is each time that this many seeds are done.
const PROGRESS: u64 = 5_000;

/// Seeds that found something, with what: they are run always. What a seed stands for changes with what the dice are
/// thrown for; each finding has a test of its own where it was mended.
const KNOWN: &[(u64, &str)] = &[
    (2, "a write that was answered 502 was not in the report"),
    (6, "a deletion waited for an operation that nothing would end, and was then not made"),
    (149, "a page with the status 200 was taken for an accepted write"),
    (166, "a write was reported as made that never reached the service"),
    (179, "reads that were throttled for a while failed the plan"),
    (305, "an extension could not be installed beside a configuration that waited for it"),
    (29_649, "the same write of somebody else could not be told from ours, whose refusal was lost"),
    (
        85_077,
        "nothing is waited for on a cluster that is left out for being silent, and what went on there failed later",
    ),
];

/// How many failures are told in full.
const TOLD: usize = 5;

/// What the command line asks for.
struct Wanted {
    from: u64,
    seeds: u64,
    seed: Option<u64>,
    trace: bool,
    jobs: usize,
    /// The sizes of the fleets whose makespan is measured.
    fleets: &'static [u32],
}

/// What came of all seeds together.
#[derive(Default)]
struct Sum {
    seeds: u64,
    took: Duration,
    requests: usize,
    faults: BTreeMap<String, usize>,
    ends: BTreeMap<&'static str, usize>,
    failures: Vec<(u64, Vec<String>)>,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted() else { return ExitCode::SUCCESS };
    if let Some(seed) = wanted.seed {
        return replay(seed, wanted.trace);
    }
    let slow = makespan::table(wanted.fleets, &|line| println!("{line}"));
    for violation in &slow {
        eprintln!("makespan: {violation}");
    }
    let sum = if wanted.seeds > 0 { run(&wanted) } else { Sum::default() };
    if wanted.seeds > 0 {
        sum.show(&wanted);
    }
    if slow.is_empty() && sum.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Reads the command line. What the test harness of other targets takes is let pass; a filter that does not name this
/// target leaves nothing to do.
fn wanted() -> Option<Wanted> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = Wanted { from: 0, seeds: SEEDS, seed: None, trace: false, jobs, fleets: &[1, 10, 100] };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse().ok()).expect("a number follows");
        match argument.as_str() {
            "--from" => wanted.from = number(),
            "--seeds" => {
                wanted.seeds = number();
                wanted.fleets = &[];
            }
            "--seed" => wanted.seed = Some(number()),
            "--jobs" => wanted.jobs = usize::try_from(number()).unwrap().max(1),
            "--makespan" => {
                wanted.seeds = 0;
                wanted.fleets = &[1, 10, 100, 1000];
            }
            "--trace" => wanted.trace = true,
            "--list" => return None,
            _ if argument.starts_with('-') || "simulate".contains(argument.as_str()) => {}
            _ => return None,
        }
    }
    Some(wanted)
}

/// One seed with everything that happened in it; a panic is a failure like any other.
fn tell(seed: u64) -> Told {
    catch_unwind(AssertUnwindSafe(|| story::tell(seed))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        let violations = vec![format!("panicked: {text}")];
        Told { seed, violations, trace: String::new(), faults: BTreeMap::new(), ends: BTreeMap::new(), requests: 0 }
    })
}

fn replay(seed: u64, trace: bool) -> ExitCode {
    let told = tell(seed);
    if trace {
        print!("{}", told.trace);
    }
    for violation in &told.violations {
        println!("seed {seed}: {violation}");
    }
    if told.violations.is_empty() {
        println!("seed {seed}: as it must be");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

#[expect(
    clippy::disallowed_methods,
    reason = "how many seeds a second is told to whoever runs them, and asserted by nobody"
)]
fn run(wanted: &Wanted) -> Sum {
    let began = Instant::now();
    let end = wanted.from + wanted.seeds;
    let known = KNOWN.iter().map(|(seed, _)| *seed).filter(|seed| !(wanted.from..end).contains(seed));
    let seeds: Mutex<Box<dyn Iterator<Item = u64> + Send>> = Mutex::new(Box::new(known.chain(wanted.from..end)));
    let sum = Mutex::new(Sum::default());
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| {
                loop {
                    let Some(seed) = seeds.lock().unwrap().next() else { return };
                    let mut told = tell(seed);
                    if seed.is_multiple_of(AGAIN) && tell(seed).trace != told.trace {
                        told.violations.push("the same seed gives another trace".to_owned());
                    }
                    let mut sum = sum.lock().unwrap();
                    sum.add(told);
                    if sum.seeds.is_multiple_of(PROGRESS) {
                        eprintln!("simulate: {} of {} seeds, {} failed", sum.seeds, wanted.seeds, sum.failures.len());
                    }
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap();
    sum.failures.sort();
    sum.took = began.elapsed();
    sum
}

impl Sum {
    fn add(&mut self, told: Told) {
        self.seeds += 1;
        self.requests += told.requests;
        for (fault, count) in told.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        for (end, count) in told.ends {
            *self.ends.entry(end).or_default() += count;
        }
        if !told.violations.is_empty() {
            self.failures.push((told.seed, told.violations));
        }
    }

    fn show(&self, wanted: &Wanted) {
        let list = |counts: &mut dyn Iterator<Item = (String, usize)>| {
            counts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
        };
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.seeds as f64 / self.took.as_secs_f64().max(0.001);
        let (seeds, from, requests) = (self.seeds, wanted.from, self.requests);
        println!("simulate: {seeds} seeds from {from}, {rate:.1} a second, {requests} requests");
        println!("  runs: {}", list(&mut self.ends.iter().map(|(name, count)| ((*name).to_owned(), *count))));
        println!("  faults: {}", list(&mut self.faults.iter().map(|(name, count)| (name.clone(), *count))));
        for (seed, violations) in self.failures.iter().take(TOLD) {
            eprintln!("seed {seed} failed:");
            for violation in violations {
                eprintln!("  {violation}");
            }
            eprintln!("  replay: cargo test --test simulate -- --seed {seed} --trace");
        }
        if !self.failures.is_empty() {
            let seeds: Vec<String> = self.failures.iter().map(|(seed, _)| seed.to_string()).take(100).collect();
            eprintln!("{} of {} seeds failed: {}", self.failures.len(), self.seeds, seeds.join(" "));
        }
    }
}
